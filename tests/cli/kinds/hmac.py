# An API that takes signed requests only, and checks their signatures with Python's own `hmac`. Its argument is the key.
import base64, hashlib, hmac, json, sys, time
from http.server import BaseHTTPRequestHandler, HTTPServer

key = sys.argv[1].encode()
seen = set()


class Api(BaseHTTPRequestHandler):
    def do_GET(self):
        said = {name: self.headers.get(f"x-{name}", "") for name in ("key", "timestamp", "nonce", "signature")}
        signed = said["timestamp"] + said["nonce"] + "GET" + self.path + self.headers["host"]
        expected = base64.b64encode(hmac.new(key, signed.encode(), hashlib.sha256).digest()).decode()
        allowed = (
            said["key"] == "shop"
            and hmac.compare_digest("v1=" + expected, said["signature"])
            and abs(time.time() - int(said["timestamp"] or 0)) < 300
            and said["nonce"] not in seen
        )
        seen.add(said["nonce"])
        rows = [{"id": 1}, {"id": 2}] if "_page=1" in self.path else []
        body = json.dumps({"data": rows} if allowed else {}).encode()
        self.send_response(200 if allowed else 401)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


server = HTTPServer(("127.0.0.1", 0), Api)
print(json.dumps({"port": server.server_port}), flush=True)
server.serve_forever()
