//! The running server against its own description: whatever the description allows, or forbids, is sent to each route, and no
//! answer is an accident or one that the description does not know. The tool is Schemathesis.

use std::fs;
use std::process::Command;

use serde_json::json;

use crate::serving::{PASSWORD, Serving, text};
use crate::world::{World, target};

/// So many requests at least in the long round.
const LONG_REQUESTS: usize = 20_000;
/// What ends the session that asks, waits on purpose because a password was wrong, has no end (`live`), or takes a component,
/// which the tool cannot make (`connectors`).
const LEFT_OUT: &str =
    "password|setup|login|logout|join|sessions|second-factor|/v1/me$|people|live$|/connectors$";
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,response_headers_conformance";

#[test]
fn no_answer_is_an_accident_or_none_of_the_description() {
    let world = World::new();
    let serving =
        Serving::start(&world, &["--requests-per-second", "100000", "--requests-at-once", "100000"], None);
    let setup = json!({"token": serving.setup_token(), "email": "op@acme.example", "password": PASSWORD});
    serving.post("/v1/setup", None, setup);
    let operator = serving.log_in("op@acme.example");
    let wanted = json!({"name": "Acme", "admin_email": "ada@acme.example"});
    let made = serving.post("/v1/organizations", Some(&operator), wanted);
    let invitation = text(&made, "/invitation/token");
    serving.post("/v1/join", None, json!({"token": invitation, "password": PASSWORD}));
    let admin = serving.log_in("ada@acme.example");
    let organization = text(&made, "/organization/id");
    let mut requests = 0;
    for (who, token) in [("admin", &admin), ("operator", &operator)] {
        requests += asked(&world, &serving, who, (token, &organization));
    }
    if is_long() {
        assert!(requests >= LONG_REQUESTS, "{requests} requests");
    } else {
        assert!(requests >= 500, "{requests} requests");
    }
    assert_eq!(serving.get("/readyz", &admin).status, 200);
    let ended = serving.terminate();
    assert_eq!(ended.status, Some(0), "{}", ended.stderr);
}

fn is_long() -> bool {
    std::env::var_os("COFFERDAM_TEST_LONG").is_some()
}

/// As somebody: how many requests were made, none of which was answered wrongly.
fn asked(world: &World, serving: &Serving, who: &str, (token, organization): (&str, &str)) -> usize {
    let settings = format!("schemathesis-{who}.toml");
    world.file(&settings, format!("[parameters]\norganization = \"{organization}\"\n"));
    let settings = world.path(&settings);
    let (phases, examples) =
        if is_long() { ("coverage,fuzzing,stateful", "120") } else { ("coverage,fuzzing", "4") };
    let url = format!("http://{}/v1/openapi.json", serving.address);
    let mut tool = Command::new("python3");
    tool.env("PYTHONPATH", target().join("test-deps/python")).current_dir(settings.parent().unwrap());
    tool.args(["-m", "schemathesis.cli", "--config-file"]).arg(&settings).args(["run", &url]);
    tool.args(["--header", &format!("Authorization: Bearer {token}"), "--checks", CHECKS]);
    tool.args(["--exclude-path-regex", LEFT_OUT, "--phases", phases, "--max-examples", examples]);
    // The same in each round, but for what the server draws.
    tool.args(["--seed", "1", "--request-timeout", "60", "--continue-on-failure", "--no-color"]);
    let done = tool.output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    fs::write(settings.with_extension("out"), &said).unwrap();
    let wrong = said.find("= FAILURES =").or_else(|| said.find("= ERRORS =")).map(|at| said.split_at(at).1);
    assert!(
        done.status.success(),
        "as {who}: {}\n{}",
        wrong.unwrap_or(&said),
        String::from_utf8_lossy(&done.stderr)
    );
    let generated = said.split_once("Test cases:").and_then(|(_, rest)| rest.split_whitespace().next());
    generated
        .and_then(|number| number.replace(',', "").parse().ok())
        .unwrap_or_else(|| panic!("it says\n{said}"))
}
