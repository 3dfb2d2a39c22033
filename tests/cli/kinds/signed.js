// A service account's API: it takes tokens that are signed with a key which it makes itself and tells once, or access tokens
// for which it exchanges them. Signatures are checked by Node's own `crypto`. Its argument is the algorithm.
const crypto = require("node:crypto");
const http = require("node:http");

const [algorithm] = process.argv.slice(1);
const made = algorithm === "RS256" ? ["rsa", { modulusLength: 2048 }] : ["ec", { namedCurve: "P-256" }];
const { privateKey, publicKey } = crypto.generateKeyPairSync(...made);
const key = algorithm === "RS256" ? publicKey : { key: publicKey, dsaEncoding: "ieee-p1363" };
const accessToken = crypto.randomBytes(24).toString("base64url");

function holds(token, audience) {
  const [head, claims, signature] = (token ?? "").split(".");
  if (!signature) return false;
  const read = (part) => JSON.parse(Buffer.from(part, "base64url"));
  if (!crypto.verify("sha256", `${head}.${claims}`, key, Buffer.from(signature, "base64url"))) return false;
  const { iss, aud, iat, exp } = read(claims);
  const now = Date.now() / 1000;
  return read(head).alg === algorithm && iss === "shop@acme" && aud === audience && iat <= now && now < exp;
}

const server = http.createServer(async (request, response) => {
  const answer = (status, body) => {
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(body));
  };
  if (request.url === "/token") {
    let form = "";
    for await (const part of request) form += part;
    const asked = new URLSearchParams(form);
    const known = asked.get("grant_type") === "urn:ietf:params:oauth:grant-type:jwt-bearer";
    if (!known || !holds(asked.get("assertion"), `${url}/token`)) return answer(400, { error: "invalid_grant" });
    return answer(200, { access_token: accessToken, token_type: "Bearer", expires_in: 600 });
  }
  const [, token] = /^Bearer (\S+)$/.exec(request.headers.authorization ?? "") ?? [];
  const allowed = token === accessToken || holds(token, "orders");
  const rows = request.url.includes("_page=1") ? [{ id: 1 }, { id: 2 }] : [];
  answer(allowed ? 200 : 401, allowed ? { data: rows } : {});
});
let url;
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address();
  url = `http://127.0.0.1:${port}`;
  const pem = { type: "pkcs8", format: "pem" };
  console.log(JSON.stringify({ port, key: privateKey.export(pem), token: accessToken }));
});
