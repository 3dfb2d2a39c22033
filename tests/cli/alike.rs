//! Commands of this machine that a server does too, and the rest of what can be asked of one: each against a real server.

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

use serde_json::Value;

use crate::api::serve_to;
use crate::canary::{ANOTHER, CANARY};
use crate::credentials::{ask, shop};
use crate::remote::Site;
use crate::serving::text;

impl Site {
    fn ada(&self, arguments: &[&str]) -> String {
        self.asked("ada", arguments).succeeded().stdout
    }

    fn connect(&self, name: &str, connector: &str, config: &str) -> String {
        let words = ["connections", "create", "--name", name, "--digest", connector, "--config", config];
        text(&self.json("ada", &words), "/id")
    }

    /// An organization with these connectors.
    fn with(components: [&str; 2]) -> Self {
        let site = Self::new();
        site.organization("Acme");
        for component in components {
            site.ada(&["connectors", "install", component]);
        }
        site
    }

    /// An organization with a sync of made-up people that go nowhere; every fiftieth of them is rejected.
    fn with_people() -> Self {
        let site = Self::with(["components/faker.wasm", "components/null.wasm"]);
        site.world.file("faker.toml", "page_rows = 20\n[[streams]]\nname = \"people\"\nrows = 100\n");
        site.world.file("null.json", "{\"reject_every\": 50}");
        let source = site.connect("Made up", "faker", "faker.toml");
        let destination = site.connect("Nowhere", "null", "null.json");
        let sync = format!(
            "name = \"People\"\nsource = \"{source}\"\ndestination = \"{destination}\"\n[rejects]\nmax_rate = 1.0\n"
        );
        site.world.file("people.toml", sync);
        site.ada(&["syncs", "create", "people.toml"]);
        site
    }

    /// Watches until a run of the sync has ended, which is asked for as soon as somebody watches. What was shown, and the status.
    fn watched(&self, sync: &str) -> (String, Option<i32>) {
        let words = ["runs", "watch", sync, "--until-ended", "--json"];
        let mut command = self.command("ada", &words);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut shown = String::new();
        stdout.read_line(&mut shown).unwrap();
        self.ada(&["syncs", "run", sync]);
        stdout.read_to_string(&mut shown).unwrap();
        let ended = child.wait_with_output().unwrap();
        self.world.saw(format!("{shown}{}", String::from_utf8_lossy(&ended.stderr)));
        (shown, ended.status.code())
    }

    fn end(self) {
        self.world.heard(&self.server.terminate().succeeded());
    }
}

#[test]
fn what_is_tried_here_is_tried_at_a_server() {
    let site = Site::with_people();
    let checked = site.ada(&["check", "People"]);
    for words in
        ["`People` fits its connections", "the source `Made up` answers", "the destination `Nowhere`"]
    {
        assert!(checked.contains(words), "{words}: {checked}");
    }
    assert_eq!(site.ada(&["check", "Made up"]), "ok     the connection `Made up` answers\n");
    let steps = site.json("ada", &["check", "People"]);
    assert_eq!((&steps["ok"], steps["steps"].as_array().unwrap().len()), (&Value::from(true), 3), "{steps}");
    let nothing = site.asked("ada", &["check", "Nothing"]);
    assert!(nothing.stderr.contains("error[CD0874]"), "{}", nothing.report());

    let found = site.ada(&["discover", "Made up"]);
    assert!(found.contains("stream `people`") && found.contains("int64"), "{found}");
    assert_eq!(site.json("ada", &["discover", "Made up"])["streams"][0]["name"], "people");
    let own = site.asked("ada", &["discover", "Made up", "--config", "faker.toml"]);
    assert!(own.stderr.contains("error[CD0879]"), "{}", own.report());

    let rows = site.ada(&["preview", "People", "people", "-n", "3"]);
    assert!(rows.starts_with("stream `people`, the first 3:\n") && rows.lines().count() == 5 + 1, "{rows}");
    let kept = site.asked("ada", &["preview", "People", "people", "--kept"]).succeeded();
    assert!(kept.stdout == rows && kept.stderr.starts_with("as of "), "{}", kept.report());
    let other = site.asked("ada", &["preview", "People", "nobody"]);
    assert!(
        other.stderr.contains("error[CD0874]") && other.stderr.contains("`people`"),
        "{}",
        other.report()
    );
    site.end();
}

#[test]
fn a_run_is_watched_until_it_ends_and_looked_at_in_every_way() {
    let site = Site::with_people();
    let (shown, status) = site.watched("People");
    let kinds: Vec<Value> = shown.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds: Vec<&str> = kinds.iter().map(|event| event["kind"].as_str().unwrap()).collect();
    assert_eq!(
        (kinds.first(), kinds.last(), status),
        (Some(&"here"), Some(&"run_ended"), Some(0)),
        "{shown}"
    );
    assert!(kinds.contains(&"run_began"), "{shown}");
    let counts = site.json("ada", &["syncs", "rejected", "People"]);
    assert_eq!((&counts["total"], &counts["counts"][0]["rows"]), (&2.into(), &2.into()), "{counts}");
    let report: Value = serde_json::from_str(&site.ada(&["syncs", "report", "People", "1"])).unwrap();
    assert!(report["report"].is_object() && report["ledger"].is_array(), "{report}");
    let position = site.json("ada", &["syncs", "position", "People", "people"]);
    let at = text(&position, "/position");
    site.ada(&["checkpoints", "edit", "People", "--unit", "people", "--to", &at, "--yes"]);
    let changes = site.json("ada", &["syncs", "position-changes", "People"]);
    assert_eq!(changes["changes"][0]["kind"], "edited", "{changes}");

    // One that does not complete is told by the status.
    let strict = site.world.read("people.toml").replace("max_rate = 1.0", "max_rate = 0.0");
    site.world.file("strict.toml", strict + "[run]\nattempts = 1\n");
    site.ada(&["syncs", "change", "People", "strict.toml"]);
    site.ada(&["checkpoints", "reset", "People", "--yes"]);
    let (shown, status) = site.watched("People");
    assert!(status == Some(1) && shown.contains("CD0880"), "{status:?}: {shown}");
    site.end();
}

#[test]
fn an_event_endpoint_is_made_rotated_signed_cleared_and_turned_off() {
    let site = Site::with(["components/example-webhook.wasm", "components/null.wasm"]);
    site.world.file("events.json", "{\"events\": [\"paid\"]}");
    site.world.file("null.json", "{}");
    let source = site.connect("Hook", "example-webhook", "events.json");
    let destination = site.connect("Nowhere", "null", "null.json");
    site.world.file(
        "sync.toml",
        format!("name = \"Events\"\nsource = \"{source}\"\ndestination = \"{destination}\"\n"),
    );
    site.ada(&["syncs", "create", "sync.toml"]);
    let made = site.json("ada", &["endpoints", "create", "Events"]);
    let path = |made: &Value| {
        let url = text(made, "/url");
        site.world.must_not_show(url.rsplit('/').next().unwrap());
        format!("/v1/events/{}", url.rsplit('/').next().unwrap())
    };
    let first = path(&made);
    let leave = |path: &str| site.server.ask("POST", path, None, Some(&serde_json::json!({"a": 1}))).status;
    assert_eq!(leave(&first), 202);
    let shown = site.ada(&["endpoints", "show", "Events"]);
    assert!(shown.contains("on") && shown.contains("standard-webhooks"), "{shown}");
    assert_eq!(site.json("ada", &["endpoints", "queue", "Events"])["waiting"], 1);
    let second = path(&site.json("ada", &["endpoints", "rotate", "Events", "--overlap-seconds", "0"]));
    assert_eq!((leave(&first), leave(&second)), (404, 202));
    site.world.secret("signing", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    site.ada(&["endpoints", "sign", "Events", "--secret", "@signing"]);
    assert_eq!(leave(&second), 401);
    site.ada(&["endpoints", "unsign", "Events", "--yes"]);
    assert_eq!(leave(&second), 202);
    assert!(site.ada(&["endpoints", "clear", "Events", "--yes"]).contains("dropped  3"));
    site.ada(&["endpoints", "turn-off", "Events", "--yes"]);
    assert_eq!(leave(&second), 404);
    site.end();
}

#[test]
fn a_second_operator_is_invited_and_the_last_one_stays() {
    let site = Site::new();
    let invited = site.json("op", &["operators", "invite", "--email", "second@host.example"]);
    assert!(
        site.asked("op", &["operators", "invitations"]).succeeded().stdout.contains("second@host.example")
    );
    site.join("second", "second@host.example", &text(&invited, "/token"));
    let listed = site.json("second", &["operators", "list"]);
    assert_eq!(listed["operators"].as_array().unwrap().len(), 2, "{listed}");
    let spare = site.json("second", &["operators", "invite", "--email", "spare@host.example"]);
    site.world.must_not_show(&text(&spare, "/token"));
    site.asked("op", &["operators", "revoke", &text(&spare, "/id")]).succeeded();
    let me = text(&site.json("op", &["account", "show"]), "/user");
    site.asked("second", &["operators", "dismiss", &me, "--yes"]).succeeded();
    let refused = site.asked("op", &["operators", "list"]);
    assert!(refused.stderr.contains("error[CD1242]"), "{}", refused.report());
    let myself = text(&site.json("second", &["account", "show"]), "/user");
    let last = site.asked("second", &["operators", "dismiss", &myself, "--yes"]);
    assert!(last.stderr.contains("error[CD1266]"), "{}", last.report());
    site.end();
}

#[test]
fn of_a_deleted_organization_the_certificate_is_shown_and_its_log_is_proved_before() {
    let site = Site::new();
    let id = site.organization("Acme");
    let signed = site.json("ada", &["audit", "checkpoint"]);
    site.world.file("checkpoint", text(&signed, "/checkpoint"));
    assert_eq!(site.json("ada", &["audit", "compare", "checkpoint"])["result"], "fits");
    let size = text(&signed, "/checkpoint").lines().nth(1).unwrap().to_owned();
    let proof = site.json("ada", &["audit", "inclusion", "0", "--size", &size]);
    assert!(proof["path"].is_array(), "{proof}");
    let proof = site.json("ada", &["audit", "consistency", "1", "--size", &size]);
    assert_eq!(proof["size"].to_string(), size, "{proof}");
    let of_installation = site.json("op", &["audit", "checkpoint", "--installation"]);
    site.world.file("installation", text(&of_installation, "/checkpoint"));
    let fits = site.json("op", &["audit", "compare", "installation", "--installation"]);
    assert_eq!(fits["result"], "fits");

    let words = ["invitations", "create", "--email", "bo@acme.example", "--role", "admin"];
    let invited = site.json("ada", &words);
    site.join("bo", "bo@acme.example", &text(&invited, "/token"));
    site.ada(&["organizations", "delete", "--name", "Acme"]);
    let confirm = ["organizations", "confirm-deletion", "--name", "Acme", "--yes"];
    site.asked("bo", &confirm).succeeded();
    let shown = site.json("op", &["organizations", "certificate", "--organization", &id]);
    assert_eq!(shown["organization"], id.as_str(), "{shown}");
    let unsaid = site.asked("op", &["organizations", "certificate"]);
    assert!(unsaid.stderr.contains("error[CD0874]"), "{}", unsaid.report());
    site.end();
}

#[test]
fn credentials_are_entered_listed_rotated_and_revoked_at_a_server_and_never_shown() {
    let url = serve_to(&[format!("authorization: Bearer {CANARY}")]);
    let site = Site::over(
        shop(&ask("api", "kind = \"bearer\""), &url),
        &["--grantable", url.strip_prefix("http://").unwrap()],
    );
    site.organization("Acme");
    site.ada(&["connectors", "install", "shop.wasm"]);
    site.connect("The/Shop", "shop", "config.toml");
    let port = url.rsplit(':').next().unwrap();
    site.world.file(
        "rights.toml",
        format!(
            "hosts = [{{ url = \"{url}\" }}]\naddresses = [{{ network = \"127.0.0.1/32\", port = {port} }}]\n"
        ),
    );
    let asks = site.ada(&["connections", "asks", "The/Shop"]);
    assert!(asks.contains(&url) && asks.contains("GET"), "{asks}");
    // What is asked for is granted as it is shown; the address of this machine is written down.
    let unconfirmed = site.asked("ada", &["connections", "grant", "The/Shop"]);
    assert!(
        unconfirmed.stderr.contains("error[CD0811]") && unconfirmed.stderr.contains(&url),
        "{}",
        unconfirmed.report()
    );
    let granted = site.json("ada", &["connections", "grant", "The/Shop", "--yes"]);
    assert_eq!(granted["consent"]["hosts"][0]["methods"], serde_json::json!(["GET"]), "{granted}");
    site.ada(&["connections", "grant", "The/Shop", "rights.toml"]);

    site.world.secret("token", CANARY);
    site.world.secret("another", ANOTHER);
    let entered = site.asked("ada", &["connect", "The/Shop", "--secret", "token=@another"]).succeeded();
    assert!(
        entered.stderr.contains("sent to") && entered.stdout.contains("`api` is kept"),
        "{}",
        entered.report()
    );
    let listed = site.json("ada", &["credentials", "list"]);
    assert_eq!(listed["credentials"][0]["name"], "The/Shop/api", "{listed}");
    assert_eq!(listed["credentials"][0]["is_current"], true, "{listed}");
    let refused = site.asked("ada", &["check", "The/Shop"]);
    assert_eq!(refused.status, Some(1), "{}", refused.report());
    site.ada(&["credentials", "rotate", "The/Shop/api", "--secret", "token=@token"]);
    site.ada(&["check", "The/Shop"]);
    let again = site.ada(&["connect", "The/Shop"]);
    assert!(again.contains("everything that it needs is there"), "{again}");
    let alone = site.asked("ada", &["credentials", "revoke", "api", "--yes"]);
    assert!(alone.stderr.contains("error[CD0879]"), "{}", alone.report());
    site.ada(&["credentials", "revoke", "The/Shop/api", "--yes"]);
    assert_eq!(site.json("ada", &["credentials", "list"])["credentials"][0]["is_current"], false);
    site.end();
}
