//! Consent at a real provider through a server: the browser is sent there and comes back to the server with a code, or a command
//! brings what the browser shows.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::canary::CANARY;
use crate::credentials::{ask, shop};
use crate::identity::{CLIENT_SECRET, Provider, browses, refuses};
use crate::serving::{PASSWORD, Serving, text};
use crate::stopped::until;
use crate::world::World;

/// A server, and a connection in it whose credential a user consents to at a provider.
struct Mailbox {
    world: World,
    server: Serving,
    provider: Provider,
    ada: String,
    organization: String,
    connection: String,
}

/// What was answered: status, head and body.
struct Answer {
    status: u16,
    head: String,
    body: String,
}

/// A consent that was begun: where the browser is sent, and what it is known by.
struct Begun {
    page: String,
    cookie: String,
}

impl Answer {
    fn code(&self) -> (u16, String) {
        (self.status, text(&serde_json::from_str(&self.body).unwrap(), "/code"))
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")))
    }
}

impl Mailbox {
    fn new() -> Self {
        let provider = Provider::start();
        let issuer = provider.issuer.clone();
        let kind = format!(
            r#"kind = "oauth2"
token_url = "{issuer}/token"
authorize_url = "{issuer}/auth"
revoke_url = "{issuer}/token/revocation"
issuer = "{issuer}"
scopes = ["openid", "offline_access", "orders"]
authorize_parameters = {{ prompt = "consent" }}"#
        );
        let world = shop(&ask("api", &kind), &format!("{issuer}/api"));
        world.secret("password", PASSWORD);
        world.secret("client-secret", CLIENT_SECRET);
        let address = issuer.strip_prefix("http://").unwrap();
        let server = Serving::start(&world, &["--grantable", address], None);
        let first = json!({"token": server.setup_token(), "email": "op@host.example", "password": PASSWORD});
        server.post("/v1/setup", None, first);
        let operator = server.log_in("op@host.example");
        let wanted = json!({"name": "Acme", "admin_email": "ada@acme.example"});
        let made = server.post("/v1/organizations", Some(&operator), wanted);
        join(&server, &text(&made, "/invitation/token"));
        let ada = server.log_in("ada@acme.example");
        let organization = text(&made, "/organization/id");
        let mut mailbox = Self { world, server, provider, ada, organization, connection: String::new() };
        mailbox.connect(&issuer);
        mailbox
    }

    /// The connection, with the right to go to the provider and its API, and the client that the provider knows.
    fn connect(&mut self, issuer: &str) {
        let component = std::fs::read(self.world.path("shop.wasm")).unwrap();
        let installed =
            self.ask("POST", &self.at("/connectors"), &["content-type: application/wasm"], &component);
        let digest = text(&serde_json::from_str(&installed.body).unwrap(), "/digest");
        let config = json!({"base_url": format!("{issuer}/api"), "streams": ["movies"], "page_size": 2});
        let wanted = json!({"name": "Shop", "digest": digest, "config": config});
        self.connection = text(&self.posted("/connections", &wanted), "/id");
        let port: u16 = issuer.rsplit(':').next().unwrap().parse().unwrap();
        let rights = json!({
            "hosts": [{"url": issuer}], "addresses": [{"network": "127.0.0.1/32", "port": port}],
        });
        assert_eq!(self.put("/consent", &rights).status, 200);
        let fields = json!({"fields": {"client_id": "shop", "client_secret": CLIENT_SECRET}});
        let entered = self.put("/credentials/api", &fields);
        assert_eq!((entered.status, entered.body.as_str()), (200, r#"{"is_ready":false}"#));
    }

    fn at(&self, rest: &str) -> String {
        format!("/v1/organizations/{}{rest}", self.organization)
    }

    fn of_connection(&self, rest: &str) -> String {
        self.at(&format!("/connections/{}{rest}", self.connection))
    }

    /// As ada, unless a header says who asks.
    fn ask(&self, method: &str, path: &str, headers: &[&str], body: &[u8]) -> Answer {
        let who = format!("authorization: Bearer {}", self.ada);
        self.asked(method, path, &[headers, &[who.as_str()]].concat(), body)
    }

    /// By the name that browsers have for the server, since that is where they are sent back to.
    fn asked(&self, method: &str, path: &str, headers: &[&str], body: &[u8]) -> Answer {
        let address = &self.server.address;
        let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n"
        );
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(&[head.as_bytes(), body].concat()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head: head.to_owned(), body: body.to_owned() }
    }

    fn posted(&self, rest: &str, body: &Value) -> Value {
        let json = ["content-type: application/json"];
        let answer = self.ask("POST", &self.at(rest), &json, body.to_string().as_bytes());
        assert!((200..300).contains(&answer.status), "{rest}: {}", answer.body);
        serde_json::from_str(&answer.body).unwrap_or_default()
    }

    fn put(&self, rest: &str, body: &Value) -> Answer {
        let tag = self.ask("GET", &self.of_connection(""), &[], b"").header("etag").unwrap().to_owned();
        let headers = ["content-type: application/json", &format!("if-match: {tag}")];
        self.ask("PUT", &self.of_connection(rest), &headers, body.to_string().as_bytes())
    }

    fn begin(&self) -> Begun {
        let answer = self.ask("POST", &self.of_connection("/credentials/api/authorize"), &[], b"");
        assert_eq!(answer.status, 200, "{}", answer.body);
        let cookie = answer.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
        let page = text(&serde_json::from_str(&answer.body).unwrap(), "/url");
        assert!(page.contains("code_challenge_method=S256") && page.contains("state="), "{page}");
        Begun { page, cookie }
    }

    /// The path of the callback, as a browser without the cookie was sent there.
    fn answer_of(&self, begun: &Begun) -> String {
        let seen = browses(&begun.page, "");
        assert!(seen.page.starts_with("404 ") && seen.page.contains("CD1336"), "{}", seen.page);
        let path = seen.url.strip_prefix(&format!("http://{}", self.server.address));
        path.unwrap_or_else(|| panic!("it ends at {}", seen.url)).to_owned()
    }

    fn is_current(&self) -> bool {
        let shown = self.ask("GET", &self.of_connection(""), &[], b"");
        serde_json::from_str::<Value>(&shown.body).unwrap()["credentials"][0]["is_current"] == true
    }

    /// Ends the server; neither what it said nor any file of it holds a token.
    fn end(self, tokens: &[&str]) {
        tokens.iter().for_each(|token| self.world.must_not_show(token));
        self.world.heard(&self.server.terminate().succeeded());
    }
}

fn join(server: &Serving, invitation: &str) {
    server.post("/v1/join", None, json!({"token": invitation, "password": PASSWORD}));
}

#[test]
fn a_user_consents_in_the_browser_that_began_a_sync_uses_the_tokens_and_its_provider_takes_them_back() {
    let mut mailbox = Mailbox::new();
    assert!(!mailbox.is_current());
    let begun = mailbox.begin();
    let seen = browses(&begun.page, &begun.cookie);
    assert!(
        seen.page.starts_with("200 ") && seen.page.contains("this window can be closed"),
        "{}",
        seen.page
    );
    assert!(mailbox.is_current());
    let issued = mailbox.provider.line();
    let token = issued.strip_prefix("issued ").unwrap().to_owned();
    // The answer is taken once, whoever brings it.
    let path = seen.url.strip_prefix(&format!("http://{}", mailbox.server.address)).unwrap();
    let cookie = format!("cookie: {}", begun.cookie);
    assert_eq!(mailbox.asked("GET", path, &[&cookie], b"").code(), (404, "CD1336".into()));
    assert_eq!(mailbox.ask("GET", path, &[], b"").code(), (404, "CD1336".into()));

    let null = mailbox.world.component("null.wasm");
    let installed =
        mailbox.ask("POST", &mailbox.at("/connectors"), &["content-type: application/wasm"], &null);
    let digest = text(&serde_json::from_str(&installed.body).unwrap(), "/digest");
    let wanted = json!({"name": "Nowhere", "digest": digest, "config": {}});
    let destination = text(&mailbox.posted("/connections", &wanted), "/id");
    let wanted = json!({"name": "Movies", "source": mailbox.connection, "destination": destination});
    let sync = text(&mailbox.posted("/syncs", &wanted), "/id");
    mailbox.posted(&format!("/syncs/{sync}/runs"), &json!({}));
    let mut last = Value::Null;
    until("the run to end", || {
        let shown = mailbox.ask("GET", &mailbox.at(&format!("/syncs/{sync}")), &[], b"");
        last = serde_json::from_str::<Value>(&shown.body).unwrap()["last"].take();
        !last.is_null()
    });
    assert_eq!(last["outcome"], "done", "{last}");
    assert_eq!(
        mailbox.provider.line(),
        format!("read {token}"),
        "its API was read with what was consented to"
    );
    let revoked = mailbox.ask("DELETE", &mailbox.of_connection("/credentials/api"), &[], b"");
    assert_eq!(revoked.body, r#"{"provider_told":true}"#, "{}", revoked.status);
    until("the provider to take it back", || mailbox.provider.line().starts_with("destroyed "));
    assert!(!mailbox.is_current());
    mailbox.end(&[&token]);
}

#[test]
fn an_answer_of_another_state_session_or_time_is_nobodys() {
    let mailbox = Mailbox::new();
    let refused = || (404, "CD1336".to_owned());
    // Another admin of the same organization.
    let invite = json!({"email": "bo@acme.example", "role": "admin"});
    join(&mailbox.server, &text(&mailbox.posted("/invitations", &invite), "/token"));
    let bo = mailbox.server.log_in("bo@acme.example");
    let path = mailbox.answer_of(&mailbox.begin());
    let by = |token: &str, path: &str| {
        mailbox.asked("GET", path, &[&format!("authorization: Bearer {token}")], b"")
    };
    assert_eq!(by(&bo, &path).code(), refused());
    assert_eq!(by(&mailbox.ada, &path).code(), refused(), "it was spent");
    // Another session of the same admin.
    let path = mailbox.answer_of(&mailbox.begin());
    assert_eq!(by(&mailbox.server.log_in("ada@acme.example"), &path).code(), refused());
    // A state that was never given.
    let (begun, path) = (mailbox.begin(), mailbox.answer_of(&mailbox.begin()));
    let (_, rest) = path.split_once("state=").unwrap();
    let (state, behind) = rest.split_once('&').unwrap_or((rest, ""));
    let wrong = path.replace(state, &"A".repeat(state.len()));
    assert_eq!(by(&mailbox.ada, &wrong).code(), refused(), "{behind}");
    assert!(!mailbox.is_current());
    // A code that was redeemed, at another consent.
    assert_eq!(by(&mailbox.ada, &path).status, 200);
    assert!(mailbox.is_current());
    let (_, other) = begun.page.split_once("state=").unwrap();
    let other = other.split('&').next().unwrap();
    let replayed = by(&mailbox.ada, &path.replace(state, other));
    assert_eq!(replayed.code(), (502, "CD0847".into()), "{}", replayed.body);
    mailbox.end(&[]);
}

#[test]
fn a_user_who_refuses_is_told_so_and_nothing_is_kept() {
    let mailbox = Mailbox::new();
    let begun = mailbox.begin();
    let seen = refuses(&begun.page);
    let url = seen.lines().last().unwrap();
    let path = url.strip_prefix(&format!("http://{}", mailbox.server.address)).unwrap();
    let ended = mailbox.asked("GET", path, &[&format!("cookie: {}", begun.cookie)], b"");
    assert_eq!(ended.code(), (422, "CD1337".into()));
    assert!(ended.body.contains("access_denied"), "{}", ended.body);
    assert!(!mailbox.is_current());
    mailbox.end(&[]);
}

#[test]
fn a_command_sends_a_browser_and_brings_what_it_shows() {
    let mut mailbox = Mailbox::new();
    let url = format!("http://{}", mailbox.server.address);
    let words = ["login", "--server", &url, "--email", "ada@acme.example", "--password", "@password"];
    mailbox.world.theirs("config/cofferdam/login.json");
    mailbox.world.run(&words).succeeded();
    mailbox.world.file("answer", "https://elsewhere.example/?code=1");
    let authorize = |answer: &str| {
        let words = ["connections", "authorize", "Shop", "api", "--no-browser", "--answer", answer];
        let mut command = mailbox.world.command(&words);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let elsewhere = crate::world::ran(authorize("@answer").wait_with_output().unwrap());
    assert!(elsewhere.stderr.contains("error[CD0881]"), "{}", elsewhere.report());
    let on_the_line = crate::world::ran(authorize(CANARY).wait_with_output().unwrap());
    assert!(
        on_the_line.stderr.contains("error[CD0844]"),
        "no answer on the command line: {}",
        on_the_line.report()
    );

    let mut child = authorize("-");
    let mut said = BufReader::new(child.stderr.take().unwrap());
    let page = loop {
        let mut line = String::new();
        assert_ne!(said.read_line(&mut line).unwrap(), 0, "it names no page");
        if let Some((_, page)) = line.split_once("    http") {
            break format!("http{}", page.trim_end());
        }
    };
    let path = mailbox.answer_of(&Begun { page, cookie: String::new() });
    child.stdin.take().unwrap().write_all(format!("{url}{path}\n").as_bytes()).unwrap();
    let ended = crate::world::ran(child.wait_with_output().unwrap()).succeeded();
    assert!(ended.stdout.contains("can be used"), "{}", ended.report());
    assert!(mailbox.is_current());
    let issued = mailbox.provider.line();
    mailbox.end(&[issued.strip_prefix("issued ").unwrap()]);
}
