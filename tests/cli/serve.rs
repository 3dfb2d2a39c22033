//! The server as its operator starts it and its people reach it: over TLS and without, from an empty directory to a verified
//! audit log, through a restart.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use control::{NoteKey, VerifyOptions, verify_export};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use serde_json::{Value, json};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::world::{Ran, World, ran};

pub(crate) const PASSWORD: &str = "a canary bird in a coal mine";

/// A server under way.
pub(crate) struct Serving {
    child: Child,
    stdout: BufReader<std::process::ChildStdout>,
    pub(crate) address: String,
    root: Option<CertificateDer<'static>>,
}

/// What the server answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Serving {
    pub(crate) fn start(world: &World, more: &[&str], root: Option<CertificateDer<'static>>) -> Self {
        let arguments = [&["serve", "--data", "data", "--listen", "127.0.0.1:0"], more].concat();
        let mut command = world.command(&arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let scheme = if root.is_some() { "https" } else { "http" };
        let address = line.trim_end().strip_prefix(&format!("listening on {scheme}://"));
        let address = address.unwrap_or_else(|| panic!("it says {line:?}")).to_owned();
        Self { child, stdout, address, root }
    }

    /// The token with which the first operator is made.
    pub(crate) fn setup_token(&mut self) -> String {
        let mut said = BufReader::new(self.child.stderr.as_mut().unwrap());
        let mut line = String::new();
        loop {
            line.clear();
            assert_ne!(
                said.read_line(&mut line).unwrap(),
                0,
                "it does not say how the first operator is made"
            );
            if let Some((_, rest)) = line.split_once("\"token\": \"") {
                return rest.split('"').next().unwrap().to_owned();
            }
        }
    }

    pub(crate) fn ask(&self, method: &str, path: &str, token: Option<&str>, body: Option<&Value>) -> Answer {
        let body = body.map(Value::to_string).unwrap_or_default();
        let authorization =
            token.map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{authorization}content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let stream = TcpStream::connect(&self.address).unwrap();
        let text = match &self.root {
            Some(root) => exchange(StreamOwned::new(client(root.clone()), stream), &request),
            None => exchange(stream, &request),
        };
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head: head.to_owned(), body: body.to_owned() }
    }

    pub(crate) fn post(&self, path: &str, token: Option<&str>, body: Value) -> Value {
        let answer = self.ask("POST", path, token, Some(&body));
        assert!((200..300).contains(&answer.status), "{path}: {} {}", answer.status, answer.body);
        serde_json::from_str(&answer.body).unwrap_or_default()
    }

    pub(crate) fn get(&self, path: &str, token: &str) -> Answer {
        self.ask("GET", path, Some(token), None)
    }

    /// Comes in; answers the session's token.
    pub(crate) fn log_in(&self, email: &str) -> String {
        let body = json!({"email": email, "password": PASSWORD, "keep": "token"});
        text(&self.post("/v1/login", None, body), "/token")
    }

    pub(crate) fn terminate(mut self) -> Ran {
        let killed = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(killed.success());
        let mut rest = Vec::new();
        self.stdout.read_to_end(&mut rest).unwrap();
        ran(self.child.wait_with_output().unwrap())
    }
}

fn client(root: CertificateDer<'static>) -> ClientConnection {
    let mut roots = RootCertStore::empty();
    roots.add(root).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    ClientConnection::new(Arc::new(config), ServerName::try_from("localhost").unwrap()).unwrap()
}

fn exchange(mut stream: impl Read + Write, request: &str) -> String {
    stream.write_all(request.as_bytes()).unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

pub(crate) fn text(value: &Value, pointer: &str) -> String {
    let found = value.pointer(pointer).and_then(Value::as_str);
    found.unwrap_or_else(|| panic!("no {pointer} in {value}")).to_owned()
}

fn certificate(world: &World) -> CertificateDer<'static> {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    world.file("certificate.pem", cert.pem());
    world.secret("key.pem", &signing_key.serialize_pem());
    cert.der().clone()
}

/// What a body of chunks says.
fn unchunked(body: &str) -> String {
    let (mut left, mut whole) = (body, String::new());
    while let Some((size, rest)) = left.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap();
        whole.push_str(&rest[..size]);
        left = rest[size..].trim_start_matches("\r\n");
    }
    whole
}

#[test]
fn from_an_empty_directory_to_a_verified_audit_log() {
    let world = World::new();
    let root = certificate(&world);
    let tls = ["--tls-certificate", "certificate.pem", "--tls-key", "key.pem", "--region", "eu-1"];
    let mut server = Serving::start(&world, &tls, Some(root.clone()));
    let ready = server.ask("GET", "/readyz", None, None);
    assert_eq!(ready.status, 200);
    assert!(ready.head.contains("strict-transport-security: "), "{}", ready.head);

    let first = json!({"token": server.setup_token(), "email": "op@host.example", "password": PASSWORD});
    server.post("/v1/setup", None, first.clone());
    assert_eq!(server.ask("POST", "/v1/setup", None, Some(&first)).status, 403);
    let operator = server.log_in("op@host.example");
    let wanted = json!({"name": "Acme", "admin_email": "ada@acme.example"});
    let made = server.post("/v1/organizations", Some(&operator), wanted);
    let invitation = text(&made, "/invitation/token");
    server.post("/v1/join", None, json!({"token": invitation, "password": PASSWORD}));
    let admin = server.log_in("ada@acme.example");
    let at = |rest: &str| format!("/v1/organizations/{}{rest}", text(&made, "/organization/id"));
    let wanted = json!({"name": "ci", "scopes": ["read", "admin"], "days": 30});
    let token = text(&server.post(&at("/tokens"), Some(&admin), wanted), "/token");
    assert_eq!(server.get(&at(""), &token).status, 200);
    // Names are all that an operator sees.
    assert_eq!(server.get(&at("/audit"), &operator).status, 403);
    let signed = server.get(&at("/audit/checkpoint"), &token);
    let signed: Value = serde_json::from_str(&signed.body).unwrap();
    for secret in [PASSWORD, &operator, &admin, &token, &invitation] {
        world.must_not_show(secret);
    }
    let ended = server.terminate().succeeded();
    assert!(ended.stderr.contains("stopping: "), "{}", ended.report());
    world.heard(&ended);

    let server = Serving::start(&world, &tls, Some(root));
    assert_eq!(server.get("/v1/me", &admin).status, 200, "a session outlives the process");
    let exported = unchunked(&server.get(&at("/audit/export"), &token).body);
    let key = NoteKey::parse(&text(&signed, "/key")).unwrap();
    let remembered = vec![text(&signed, "/checkpoint")];
    let options = VerifyOptions { key: Some(key), remembered };
    let verified = verify_export(&mut exported.as_bytes(), &options).unwrap();
    assert!(verified.findings.is_empty() && verified.entries > 4, "{verified:?}");
    let edited = exported.replace("token_created", "token_creates");
    assert_ne!(edited, exported);
    assert!(!verify_export(&mut edited.as_bytes(), &options).unwrap().findings.is_empty());
    let compared =
        server.post(&at("/audit/compare"), Some(&token), json!({"checkpoint": text(&signed, "/checkpoint")}));
    assert_eq!(text(&compared, "/result"), "fits");
    let ended = server.terminate().succeeded();
    assert!(!ended.stderr.contains("first"), "it needs no operator any more: {}", ended.report());
    world.heard(&ended);
}

#[test]
fn without_tls_it_is_served_on_loopback_alone() {
    let world = World::new();
    let server = Serving::start(&world, &[], None);
    assert_eq!(server.ask("GET", "/healthz", None, None).status, 200);
    let again = world.run(&["serve", "--data", "other", "--listen", &server.address]);
    assert!(again.stderr.contains("error[CD1302]"), "{}", again.report());
    // One process has the data directory.
    let beside = world.run(&["serve", "--data", "data", "--listen", "127.0.0.1:0"]);
    assert_eq!(beside.status, Some(1));
    assert!(beside.stderr.contains("cofferdam serve"), "{}", beside.report());
    server.terminate().succeeded();
    let everywhere = world.run(&["serve", "--data", "third", "--listen", "0.0.0.0:0"]);
    assert_eq!(everywhere.status, Some(1));
    assert!(everywhere.stderr.contains("error[CD1301]"), "{}", everywhere.report());
}

#[test]
fn all_wrong_settings_are_told_before_anything_is_made() {
    let world = World::new();
    world.file("server.toml", "lisen = \"127.0.0.1:1\"\nregion = \"EU\"\n");
    let mut command =
        world.command(&["serve", "--config", "server.toml", "--requests-at-once", "0", "--data", "data"]);
    command.env("COFFERDAM_ORIGIN", "cofferdam.example.com");
    crate::snapshot!("serve-settings", world.ended(command));
    assert!(!world.path("data").exists());
}
