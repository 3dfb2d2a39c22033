//! Commands that a server does: from the first operator to a token, as people and programs use them, over TLS.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use serde_json::Value;

use crate::serving::{PASSWORD, Serving, certificate, text};
use crate::stopped::until;
use crate::terminal::{alone, typed};
use crate::world::{Ran, World};

const TLS: [&str; 4] = ["--tls-certificate", "certificate.pem", "--tls-key", "key.pem"];

/// A server, and people who use it from this machine, each with a configuration of their own.
pub(crate) struct Site {
    pub(crate) world: World,
    pub(crate) server: Serving,
    pub(crate) url: String,
}

impl Site {
    pub(crate) fn new() -> Self {
        Self::over(World::new(), &[])
    }

    /// In this world, with more settings of the server.
    pub(crate) fn over(world: World, more: &[&str]) -> Self {
        let root = certificate(&world);
        let server = Serving::start(&world, &[&TLS[..], more].concat(), Some(root));
        let port = server.address.rsplit(':').next().unwrap().to_owned();
        world.secret("password", PASSWORD);
        world.secret("setup", &server.setup_token());
        let site = Self { world, server, url: format!("https://localhost:{port}") };
        let made = ["account", "first-operator", "--email", "op@host.example", "--password", "@password"];
        site.asked("op", &[&made[..], &["--token", "@setup", "--ca", "certificate.pem"]].concat())
            .succeeded();
        site.log_in("op", "op@host.example");
        site
    }

    pub(crate) fn command(&self, who: &str, arguments: &[&str]) -> Command {
        let mut command = self.world.command(arguments);
        command.env("XDG_CONFIG_HOME", self.world.path(who)).env("COFFERDAM_SERVER", &self.url);
        command
    }

    pub(crate) fn asked(&self, who: &str, arguments: &[&str]) -> Ran {
        self.world.ended(self.command(who, arguments))
    }

    pub(crate) fn json(&self, who: &str, arguments: &[&str]) -> Value {
        // What is shown once is shown to whoever asks for it, and to nobody else.
        let output = self.command(who, &[arguments, &["--json"]].concat()).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    pub(crate) fn log_in(&self, who: &str, email: &str) {
        let words = ["login", "--email", email, "--password", "@password", "--ca", "certificate.pem"];
        self.asked(who, &words).succeeded();
        self.world.theirs(&format!("{who}/cofferdam/login.json"));
        let login: Value =
            serde_json::from_str(&self.world.read(&format!("{who}/cofferdam/login.json"))).unwrap();
        self.world.must_not_show(&text(&login, &format!("/servers/{}/token", self.url.replace('/', "~1"))));
    }

    /// Somebody who was invited to something becomes known, and logs in.
    pub(crate) fn join(&self, who: &str, email: &str, token: &str) {
        let file = format!("invitation-{who}");
        self.world.secret(&file, token);
        let token = format!("@{file}");
        let joined = ["account", "join", "--token", &token, "--password", "@password"];
        self.asked(who, &[&joined[..], &["--ca", "certificate.pem"]].concat()).succeeded();
        self.log_in(who, email);
    }

    /// An organization with an admin, who is logged in; its id.
    pub(crate) fn organization(&self, name: &str) -> String {
        let made = self
            .json("op", &["organizations", "create", "--name", name, "--admin-email", "ada@acme.example"]);
        self.join("ada", "ada@acme.example", &text(&made, "/invitation/token"));
        text(&made, "/organization/id")
    }
}

#[test]
fn from_the_first_operator_to_a_program_with_a_token() {
    let site = Site::new();
    let id = site.organization("Acme");
    let listed = site.asked("ada", &["organizations", "list"]).succeeded();
    assert!(listed.stdout.contains("Acme") && listed.stdout.contains(&id), "{}", listed.report());
    let made =
        site.json("ada", &["tokens", "create", "--name", "ci", "--scopes", "read,admin", "--days", "30"]);
    let token = text(&made, "/token");
    site.world.must_not_show(&token);
    let as_program = |arguments: &[&str]| {
        let mut command = site.command("program", &[arguments, &["--ca", "certificate.pem"]].concat());
        command.env("COFFERDAM_TOKEN", &token);
        site.world.ended(command)
    };
    let shown = as_program(&["organizations", "show"]).succeeded();
    assert!(shown.stdout.contains("Acme"), "{}", shown.report());
    as_program(&["members", "list", "--organization", "Acme"]).succeeded();
    let revoked = site.asked("ada", &["tokens", "revoke", &text(&made, "/shown/id"), "--yes"]).succeeded();
    assert!(revoked.stdout.contains("was revoked"), "{}", revoked.report());
    let refused = as_program(&["organizations", "show"]);
    assert_eq!(refused.status, Some(1), "{}", refused.report());
    assert!(
        refused.stderr.contains("error[CD1310]") && refused.stderr.contains("cofferdam login"),
        "{}",
        refused.report()
    );
    site.world.heard(&site.server.terminate().succeeded());
}

#[test]
fn what_was_read_is_changed_and_shown() {
    let site = Site::new();
    let id = site.organization("Acme");
    let ada = |arguments: &[&str]| site.asked("ada", arguments).succeeded().stdout;
    assert!(ada(&["organizations", "rename", "--name", "Acme & Sons"]).contains("Acme & Sons"));
    assert!(ada(&["zones", "set", "--api", "127.0.0.0/8,::1/128"]).contains("127.0.0.0/8, ::1/128"));
    assert!(ada(&["zones", "show"]).contains("api     127.0.0.0/8"));
    let invited =
        site.json("ada", &["invitations", "create", "--email", "bo@acme.example", "--role", "user"]);
    site.world.must_not_show(&text(&invited, "/token"));
    assert!(ada(&["invitations", "list"]).contains("bo@acme.example"));
    ada(&["invitations", "revoke", &text(&invited, "/id")]);
    assert_eq!(ada(&["invitations", "list"]), "there are no invitations\n");
    let members = site.json("ada", &["members", "list"]);
    let user = text(&members, "/members/0/user");
    let last = site.asked("ada", &["members", "change", &user, "--role", "user"]);
    assert!(last.stderr.contains("error[CD1244]"), "an organization keeps an admin: {}", last.report());
    let wished = site.json("op", &["break-glass", "request", "--reason", "ticket 7", "--organization", &id]);
    ada(&["break-glass", "approve", &text(&wished, "/id"), "--minutes", "5"]);
    assert!(ada(&["break-glass", "list"]).contains("approved"));
    site.world.heard(&site.server.terminate().succeeded());
}

#[test]
fn a_session_is_kept_from_others_and_ends_with_logout() {
    let site = Site::new();
    let file = site.world.path("op/cofferdam/login.json");
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&file), mode(file.parent().unwrap())), (0o600, 0o700));
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let open = site.asked("op", &["account", "show"]);
    assert!(open.stderr.contains("error[CD0877]"), "{}", open.report());
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let kept: Value = serde_json::from_str(&site.world.read("op/cofferdam/login.json")).unwrap();
    let token = text(&kept, &format!("/servers/{}/token", site.url.replace('/', "~1")));
    assert_eq!(site.server.get("/v1/me", &token).status, 200);
    site.asked("op", &["logout"]).succeeded();
    assert_eq!(site.server.get("/v1/me", &token).status, 401, "the session has ended there");
    assert!(!site.world.read("op/cofferdam/login.json").contains("cfd_"), "and is forgotten here");
    let out = site.asked("op", &["account", "show"]);
    assert!(out.stderr.contains("error[CD0873]"), "{}", out.report());
    site.world.heard(&site.server.terminate().succeeded());
}

#[test]
fn a_password_is_typed_where_nobody_sees_it() {
    let site = Site::new();
    let words = ["login", "--server", &site.url, "--ca", "certificate.pem"];
    let answers = [("e-mail address: ", "op@host.example"), ("password: ", PASSWORD)];
    site.world.theirs("config/cofferdam/login.json");
    let (shown, status) = typed(&site.world, &words, &answers);
    assert_eq!(status, Some(0), "{shown}");
    let ran = alone(&site.world, &[&words[..], &["--email", "op@host.example"]].concat());
    assert!(ran.stderr.contains("error[CD0875]"), "{}", ran.report());
    let wrong = ["login", "--email", "op@host.example", "--password", "a word of mine"];
    let ran = site.asked("op", &wrong);
    assert!(ran.stderr.contains("error[CD0844]"), "no secret on the command line: {}", ran.report());
    site.world.heard(&site.server.terminate().succeeded());
}

#[test]
fn a_server_that_is_not_believed_or_not_there_is_told_with_what_to_do() {
    let site = Site::new();
    let unknown = site.asked("stranger", &["login", "--email", "a@b.example", "--password", "@password"]);
    assert!(
        unknown.stderr.contains("error[CD0871]") && unknown.stderr.contains("--ca FILE"),
        "{}",
        unknown.report()
    );
    site.world.heard(&site.server.terminate().succeeded());
    let gone = site.world.run(&["account", "show"]);
    assert!(gone.stderr.contains("error[CD0870]"), "{}", gone.report());
    for (server, code) in [("http://192.0.2.1:8080", "CD0870"), ("https://localhost:1/v1", "CD0870")] {
        let ran = site.world.run(&["account", "show", "--server", server]);
        assert!(ran.stderr.contains(&format!("error[{code}]")), "{}", ran.report());
    }
    let mut command =
        site.world.command(&["account", "show", "--server", &site.url, "--ca", "certificate.pem"]);
    command.env("COFFERDAM_TOKEN", "cfd_api_nothing");
    let gone = site.world.ended(command);
    assert!(gone.stderr.contains("error[CD0871]") && gone.stderr.contains("refused"), "{}", gone.report());
}

#[test]
fn a_sync_is_made_run_and_looked_at() {
    let site = Site::new();
    site.organization("Acme");
    let ada = |arguments: &[&str]| site.asked("ada", arguments).succeeded().stdout;
    for component in ["components/faker.wasm", "components/null.wasm"] {
        ada(&["connectors", "install", component]);
    }
    assert!(ada(&["connectors", "list"]).contains("faker"));
    site.world.file("faker.toml", "page_rows = 20\n[[streams]]\nname = \"people\"\nrows = 100\n");
    site.world.file("null.json", "{\"reject_every\": 50}");
    let made = |name: &str, connector: &str, config: &str| {
        let words = ["connections", "create", "--name", name, "--digest", connector, "--config", config];
        text(&site.json("ada", &words), "/id")
    };
    site.world.file("wrong.toml", "page_rows = \"many\"\n");
    let words = ["connections", "validate", "--name", "x", "--digest", "faker", "--config", "wrong.toml"];
    assert!(ada(&words).contains("/page_rows"));
    let (source, destination) =
        (made("Made up", "faker", "faker.toml"), made("Nowhere", "null", "null.json"));
    ada(&["connections", "discover", "Made up"]);
    assert!(ada(&["connections", "catalog", "Made up"]).contains("people"));
    let sync = format!(
        "name = \"People\"\nsource = \"{source}\"\ndestination = \"{destination}\"\n[rejects]\nmax_rate = 1.0\n"
    );
    site.world.file("sync.toml", sync);
    assert_eq!(ada(&["syncs", "validate", "sync.toml"]), "there are none\n");
    let id = text(&site.json("ada", &["syncs", "create", "sync.toml"]), "/id");
    ada(&["syncs", "run", "People"]);
    let server = ["--server", &site.url];
    let ended = || {
        site.json("ada", &[&["runs", "list", "People"][..], &server].concat())["runs"][0]["outcome"]
            == "completed"
    };
    until("the end of the run", ended);
    let listed = ada(&["runs", "list"]);
    assert!(listed.contains("100") && listed.contains("completed"), "{listed}");
    assert!(ada(&["runs", "show", "People/1"]).contains("rejected"));
    ada(&["runs", "logs", "1"]);
    assert!(ada(&["checkpoints", "show", "People"]).contains("people"));
    let errors = site.json("ada", &["errors", "list", "People", "--state", "open"]);
    assert_eq!(errors["errors"].as_array().unwrap().len(), 2, "{errors}");
    let first = text(&errors, "/errors/0/id");
    assert!(ada(&["errors", "show", &format!("People/{first}")]).contains("row"));
    ada(&["errors", "export", "People", "--to", "errors.jsonl"]);
    site.world.theirs("errors.jsonl");
    assert_eq!(site.world.read("errors.jsonl").lines().count(), 2);
    let by_value = site.asked("ada", &["errors", "list", "People", "--where", "id = 1"]);
    assert!(
        by_value.stderr.contains("error[CD0879]"),
        "no value stands in an address: {}",
        by_value.report()
    );
    assert!(ada(&["errors", "delete", "People", "--ids", &first, "--yes"]).contains('1'));
    assert!(ada(&["reprocess", "People", "1"]).contains("rows"));
    let pending = || site.json("ada", &["syncs", "queue"])["runs"].as_array().unwrap().is_empty();
    until("the end of the reprocess", pending);
    assert!(ada(&["checkpoints", "reset", "People", "--yes"]).contains("people"));
    ada(&["syncs", "delete", &id, "--yes"]);
    assert_eq!(ada(&["syncs", "list"]), "there are no syncs\n");
    site.world.heard(&site.server.terminate().succeeded());
}

#[test]
fn a_data_directory_that_is_named_is_meant_whatever_the_environment_says() {
    let site = Site::new();
    let here = site.asked("op", &["runs", "list", "--data", "nothing"]);
    assert!(!here.stderr.contains(&site.url) && here.status == Some(1), "{}", here.report());
    let both = site.asked("op", &["runs", "list", "--data", "nothing", "--server", &site.url]);
    assert!(both.stderr.contains("error[CD0870]"), "{}", both.report());
    site.world.heard(&site.server.terminate().succeeded());
}
