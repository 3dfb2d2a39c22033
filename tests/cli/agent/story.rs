//! An installation with one organization, its admin, and connections between which rows move.

use std::time::Duration;

use serde_json::{Value, json};
use tokio_rustls::rustls::pki_types::CertificateDer;

use super::remote::Remote;
use crate::serving::{PASSWORD, Serving, text, unchunked};
use crate::stopped::until;
use crate::world::World;

/// A server, and the admin of the only organization in it.
pub(super) struct Story {
    pub(super) world: World,
    pub(super) remote: Remote,
    /// None while it is away.
    server: Option<Serving>,
    /// Settings that this server has beside those of all.
    settings: Vec<String>,
    /// Another address that may be granted, if any.
    grantable: Option<String>,
    /// What is trusted where it is asked over TLS.
    root: Option<CertificateDer<'static>>,
    operator: String,
    /// Organizations by their ids, each with the token of its admin. The last one is who asks.
    tenants: Vec<(String, String)>,
}

/// For how long a run is held by a server that says nothing.
pub(super) const LEASE: Duration = Duration::from_secs(3);

/// A row source whose pages take a while: so many rows, twenty of them on a page.
pub(super) fn slow(rows: u64) -> Value {
    json!({ "streams": [{ "name": "people", "rows": rows }], "page_rows": 20, "wait_every": 1, "wait_ms": 50 })
}

/// The same, as quick as it can.
pub(super) fn quick(rows: u64) -> Value {
    json!({ "streams": [{ "name": "people", "rows": rows }], "page_rows": 20 })
}

impl Story {
    pub(super) fn begin() -> Self {
        Self::begin_with(&[])
    }

    /// A server with these settings.
    pub(super) fn begin_with(settings: &[&str]) -> Self {
        Self::of(World::new(), settings)
    }

    /// The same in this world.
    pub(super) fn of(world: World, settings: &[&str]) -> Self {
        Self::in_world(world, settings, (None, None))
    }

    /// A server whose organizations may grant this address too.
    pub(super) fn reaching(address: &str) -> Self {
        Self::in_world(World::new(), &[], (Some(address.to_owned()), None))
    }

    /// A server that shows a certificate which these settings name.
    pub(super) fn secured(world: World, settings: &[&str], root: CertificateDer<'static>) -> Self {
        Self::in_world(world, settings, (None, Some(root)))
    }

    /// Whoever asks from now on trusts this certificate alone.
    pub(super) fn trusts(&mut self, root: CertificateDer<'static>) {
        self.root = Some(root);
        self.server.as_mut().unwrap().root.clone_from(&self.root);
    }

    fn in_world(
        world: World,
        settings: &[&str],
        (grantable, root): (Option<String>, Option<CertificateDer<'static>>),
    ) -> Self {
        let remote = Remote::start();
        let settings: Vec<String> = settings.iter().map(|&text| text.to_owned()).collect();
        let server = started(&world, &remote, (&settings, grantable.as_deref(), root.as_ref()));
        let first =
            json!({ "token": server.setup_token(), "email": "op@host.example", "password": PASSWORD });
        server.post("/v1/setup", None, first);
        let operator = server.log_in("op@host.example");
        let (server, tenants) = (Some(server), Vec::new());
        let mut story = Self { world, remote, server, settings, grantable, root, operator, tenants };
        story.found("Acme", "ada@acme.example");
        story
    }

    /// Makes an organization, whose admin asks from now on.
    pub(super) fn found(&mut self, name: &str, admin: &str) {
        let server = self.server();
        let wanted = json!({ "name": name, "admin_email": admin });
        let made = server.post("/v1/organizations", Some(&self.operator), wanted);
        let invitation = text(&made, "/invitation/token");
        server.post("/v1/join", None, json!({ "token": invitation, "password": PASSWORD }));
        let token = server.log_in(admin);
        self.tenants.push((text(&made, "/organization/id"), token));
    }

    /// The admin of the next organization asks from now on.
    pub(super) fn turn(&mut self) {
        self.tenants.rotate_left(1);
    }

    fn token(&self) -> &str {
        &self.tenants.last().unwrap().1
    }

    pub(super) fn server(&self) -> &Serving {
        self.server.as_ref().unwrap()
    }

    pub(super) fn process(&self) -> u32 {
        self.server().child.id()
    }

    fn at(&self, rest: &str) -> String {
        format!("/v1/organizations/{}{rest}", self.tenants.last().unwrap().0)
    }

    pub(super) fn post(&self, path: &str, body: Value) -> Value {
        self.server().post(&self.at(path), Some(self.token()), body)
    }

    pub(super) fn get(&self, path: &str) -> Value {
        let answer = self.server().get(&self.at(path), self.token());
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        serde_json::from_str(&answer.body).unwrap()
    }

    /// What is told line by line.
    pub(super) fn lines(&self, path: &str) -> Vec<Value> {
        let answer = self.server().get(&self.at(path), self.token());
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        let body = if answer.head.contains("chunked") { unchunked(&answer.body) } else { answer.body };
        body.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Asks with a header of its own, and any body; what came, with its head.
    fn ask(&self, (method, path): (&str, &str), headers: &str, body: &[u8]) -> (String, Value) {
        let (head, answer) = self.tell((method, path), headers, body);
        assert!(head.starts_with("HTTP/1.1 2"), "{method} {path}: {head} {answer}");
        (head, answer)
    }

    /// The same, whatever comes of it.
    fn tell(&self, (method, path): (&str, &str), headers: &str, body: &[u8]) -> (String, Value) {
        let (path, length) = (self.at(path), body.len());
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nauthorization: Bearer {}\r\n\
             {headers}\r\ncontent-length: {length}\r\n\r\n",
            self.token()
        );
        let answer = self.server().exchange(&[head.as_bytes(), body].concat());
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.to_owned(), serde_json::from_str(body).unwrap_or_default())
    }

    pub(super) fn delete(&self, path: &str) {
        let answer = self.server().ask("DELETE", &self.at(path), Some(self.token()), None);
        assert_eq!(answer.status, 204, "{path}: {}", answer.body);
    }

    /// The status and the code of what is not done.
    pub(super) fn refused(&self, (method, path): (&str, &str), body: &Value) -> (u16, String) {
        let body = Some(body).filter(|body| !body.is_null());
        let answer = self.server().ask(method, &self.at(path), Some(self.token()), body);
        assert!(answer.status >= 400, "{method} {path}: {} {}", answer.status, answer.body);
        (answer.status, text(&serde_json::from_str(&answer.body).unwrap(), "/code"))
    }

    /// Changes what is read at the same place.
    pub(super) fn put(&self, path: &str, body: &Value) -> Value {
        self.put_as(path, path, body)
    }

    /// Changes what is a part of what is read elsewhere.
    fn put_as(&self, read: &str, path: &str, body: &Value) -> Value {
        let (head, _) = self.ask(("GET", read), "accept: application/json", b"");
        let tag = head.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap().to_owned();
        let headers = format!("if-match: {tag}\r\ncontent-type: application/json");
        self.ask(("PUT", path), &headers, body.to_string().as_bytes()).1
    }

    /// Sends a component to be installed: the status, and what was answered.
    pub(super) fn upload(&self, component: &[u8]) -> (u16, Value) {
        let (head, answer) = self.tell(("POST", "/connectors"), "content-type: application/wasm", component);
        (head.split(' ').nth(1).unwrap().parse().unwrap(), answer)
    }

    pub(super) fn organization(&self) -> &str {
        &self.tenants.last().unwrap().0
    }

    /// Installs a connector; answers its digest.
    fn install(&self, component: &str) -> String {
        let bytes = self.world.component(component);
        let (_, installed) = self.ask(("POST", "/connectors"), "content-type: application/wasm", &bytes);
        text(&installed, "/digest")
    }

    /// A connection; answers its id.
    pub(super) fn connect(&self, component: &str, config: &Value) -> String {
        self.connection_of(&self.install(component), config)
    }

    /// The same of a connector that is installed.
    pub(super) fn connection_of(&self, digest: &str, config: &Value) -> String {
        let wanted = json!({ "name": "Some", "digest": digest, "config": config });
        text(&self.post("/connections", wanted), "/id")
    }

    /// Gives a connection another configuration.
    pub(super) fn configure(&self, connection: &str, config: &Value) {
        let digest = text(&self.get(&format!("/connections/{connection}")), "/digest");
        self.upgrade(connection, &digest, config);
    }

    /// Gives a connection another version of its connector.
    pub(super) fn upgrade(&self, connection: &str, digest: &str, config: &Value) {
        let wanted = json!({ "name": "Some", "digest": digest, "config": config });
        self.put(&format!("/connections/{connection}"), &wanted);
    }

    /// Packages a low-code manifest under this version, and installs it; answers its digest.
    pub(super) fn package(&self, version: &str, manifest: &str) -> String {
        let world = crate::build::packaged_as(manifest, version);
        let bytes = std::fs::read(world.path("api.wasm")).unwrap();
        let (_, installed) = self.ask(("POST", "/connectors"), "content-type: application/wasm", &bytes);
        text(&installed, "/digest")
    }

    pub(super) fn source(&self, config: &Value) -> String {
        self.connect("faker.wasm", config)
    }

    /// A source that makes rows of messages.
    pub(super) fn webhook(&self) -> String {
        self.connect("example-webhook.wasm", &json!({ "events": ["paid", "sent"] }))
    }

    /// Where rows go, with the right to go there.
    pub(super) fn destination(&self) -> String {
        let id = self.connect("remote.wasm", &json!({ "base_url": self.remote.url() }));
        self.allow(&id);
        id
    }

    /// Lets a connection reach the other system.
    pub(super) fn allow(&self, connection: &str) {
        let hosts = json!([{ "url": self.remote.url() }]);
        let addresses = json!([{ "network": "127.0.0.1/32", "port": self.remote.port }]);
        self.grant(connection, &json!({ "hosts": hosts, "addresses": addresses }));
    }

    /// Lets a connection do this, and nothing else.
    pub(super) fn grant(&self, connection: &str, consent: &Value) {
        let path = format!("/connections/{connection}");
        self.put_as(&path, &format!("{path}/consent"), consent);
    }

    /// What the last run of a sync says of itself: its report, or its log.
    pub(super) fn last(&self, sync: &str, of_run: &str) -> Value {
        let runs = self.get(&format!("/syncs/{sync}/runs"));
        let number = runs["items"][0]["run"].as_u64().unwrap_or_else(|| panic!("no run: {runs}"));
        self.get(&format!("/syncs/{sync}/runs/{number}{of_run}"))
    }

    /// A sync that commits each page; answers its id.
    pub(super) fn sync(&self, source: &str, destination: &str, more: &Value) -> String {
        let mut wanted = json!({
            "name": "people", "source": source, "destination": destination, "run": { "commit_bytes": 1 },
        });
        wanted.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        text(&self.post("/syncs", wanted), "/id")
    }

    /// Lets a sync run now; answers the run's id.
    pub(super) fn run(&self, sync: &str) -> String {
        text(&self.post(&format!("/syncs/{sync}/runs"), json!({})), "/run")
    }

    /// How the last run of a sync ended: once it has one that has, and none is under way.
    pub(super) fn ended(&self, sync: &str) -> Value {
        let mut last = Value::Null;
        until("the run to end", || {
            let shown = self.get(&format!("/syncs/{sync}"));
            last = shown["last"].clone();
            shown["run"].is_null() && !last.is_null()
        });
        last
    }

    /// Where it tells that; to be asked once.
    pub(super) fn operations(&mut self) -> String {
        self.server.as_mut().unwrap().operations()
    }

    /// What the server tells of itself, once, where it was told to.
    pub(super) fn figures(&mut self) -> String {
        crate::watched::get(&self.operations(), "/metrics")
    }

    /// Ends the server as its operator does; answers what it said.
    pub(super) fn terminate(&mut self) -> crate::world::Ran {
        let ended = self.server.take().unwrap().terminate();
        self.world.heard(&ended);
        ended
    }

    /// Ends it as a power cut does.
    pub(super) fn kill(&mut self) {
        self.server.take().unwrap().kill();
    }

    pub(super) fn start_again(&mut self) {
        let how = (&self.settings[..], self.grantable.as_deref(), self.root.as_ref());
        self.server = Some(started(&self.world, &self.remote, how));
    }
}

fn started(
    world: &World,
    remote: &Remote,
    (settings, more, root): (&[String], Option<&str>, Option<&CertificateDer<'static>>),
) -> Serving {
    let own = format!("127.0.0.1:{}", remote.port);
    let grantable = more.map_or_else(|| own.clone(), |more| format!("{own},{more}"));
    // A test looks as often as it can.
    let often = ["--requests-per-second", "100000", "--requests-at-once", "100000"];
    let lease = LEASE.as_secs().to_string();
    let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
    let more = [&["--grantable", &grantable, "--lease-seconds", &lease], &often[..], &settings].concat();
    Serving::start(world, &more, root.cloned())
}
