// A real provider of OAuth 2 and OpenID Connect, and beside it an API that takes its tokens. Its arguments are the secret of
// its clients, how many seconds an access token lives, and the parameter `iss` that it should say falsely, if any.
const loaded = require("oidc-provider");
const Provider = loaded.default ?? loaded;
const http = require("node:http");

const [secret, life, issuerToSay] = process.argv.slice(1);
const rows = [{ id: 1, tags: [] }, { id: 2, tags: ["a"] }];
const server = http.createServer();
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const device = "urn:ietf:params:oauth:grant-type:device_code";
  const provider = new Provider(issuer, {
    clients: [{
      client_id: "shop",
      client_secret: secret,
      application_type: "native",
      redirect_uris: ["http://127.0.0.1/callback", "http://127.0.0.1/v1/oauth/callback"],
      grant_types: ["authorization_code", "refresh_token", device],
      response_types: ["code"],
    }, {
      client_id: "robot",
      client_secret: secret,
      redirect_uris: [],
      grant_types: ["client_credentials"],
      response_types: [],
    }],
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: true },
      deviceFlow: { enabled: true },
      revocation: { enabled: true },
    },
    pkce: { required: () => true },
    scopes: ["openid", "offline_access", "orders"],
    issueRefreshToken: () => true,
    rotateRefreshToken: () => true,
    ttl: { AccessToken: Number(life), RefreshToken: 3600, ClientCredentials: Number(life), Grant: 3600, Session: 3600, Interaction: 3600, DeviceCode: 600, IdToken: 3600 },
  });
  // An opaque token is its own identifier.
  const said = (event, line) => provider.on(event, (token) => console.log(line, token.jti));
  said("access_token.saved", "issued");
  said("client_credentials.saved", "issued");
  said("refresh_token.consumed", "refreshed");
  said("refresh_token.destroyed", "destroyed");
  const answer = provider.callback();
  server.on("request", async (request, response) => {
    const url = new URL(request.url, issuer);
    if (url.pathname === "/forget") {
      await (await provider.AccessToken.find(url.searchParams.get("token"))).destroy();
      return response.end();
    }
    if (url.pathname === "/refresh-token") {
      const scope = "openid offline_access orders";
      const client = await provider.Client.find("shop");
      const grant = new provider.Grant({ accountId: "ada", clientId: "shop" });
      grant.addOIDCScope(scope);
      const grantId = await grant.save();
      const made = { accountId: "ada", client, grantId, scope, gty: "authorization_code" };
      return response.end(await new provider.RefreshToken(made).save());
    }
    if (!["/api/movies", "/movies"].includes(url.pathname)) {
      if (issuerToSay) {
        const say = response.writeHead;
        response.writeHead = function (...head) {
          const location = response.getHeader("location");
          if (location?.includes("iss=")) {
            response.setHeader("location", location.replace(/iss=[^&]*/, `iss=${encodeURIComponent(issuerToSay)}`));
          }
          return say.apply(response, head);
        };
      }
      return answer(request, response);
    }
    const [, token] = /^Bearer (\S+)$/.exec(request.headers.authorization ?? "") ?? [];
    const kinds = token ? [provider.AccessToken, provider.ClientCredentials] : [];
    const found = (await Promise.all(kinds.map((kind) => kind.find(token)))).some(Boolean);
    console.log(found ? "read" : "refused", token);
    response.statusCode = found ? 200 : 401;
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(found ? { next: null, data: url.searchParams.get("_page") === "2" ? [] : rows } : {}));
  });
  console.log(issuer);
});
