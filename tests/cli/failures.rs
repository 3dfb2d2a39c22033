//! Connectors and systems that fail: the message says which, in which call, and its last words.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::snapshot;
use crate::world::{World, ran};

fn hostile(attack: &str, more: &str) -> World {
    World::with(&format!(
        r#"
sync = 1
name = "hostile"

[source]
connector = "components/hostile.wasm"
config = {{ attack = "{attack}" }}
{more}
[destination]
connector = "components/null.wasm"

[run]
attempts = 1
"#
    ))
}

#[test]
fn a_crash_shows_the_message_and_where_it_was() {
    let ran = hostile("read-out-of-bounds", "").run(&["run", "sync.toml"]);
    assert_eq!(ran.status, Some(1), "{}", ran.report());
    assert!(
        ran.stderr.contains("error[CD0610]: connector `hostile` in `reader.next`: crashed: "),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("  in hostile::"), "the frames have names: {}", ran.stderr);
    assert!(ran.stdout.contains("run 1: failed"), "{}", ran.stdout);
}

#[test]
fn a_limit_is_named_with_how_to_raise_it() {
    let ran = hostile("loop", "limits = { cpu_ms = \"50 ms\" }").run(&["run", "sync.toml"]);
    assert_eq!(ran.status, Some(1), "{}", ran.report());
    assert!(ran.stderr.contains("reached the limit `cpu_ms` (50 ms)"), "{}", ran.stderr);
    assert!(ran.stderr.contains("hint: raise `cpu_ms` under `limits`"), "{}", ran.stderr);
}

#[test]
fn words_of_a_connector_cannot_steer_the_terminal() {
    for attack in ["error-text-escapes", "log-escapes"] {
        let ran = hostile(attack, "").run(&["run", "sync.toml", "-vv"]);
        let steering = |text: &str| text.chars().any(|letter| letter.is_control() && letter != '\n');
        assert!(!steering(&ran.stdout) && !steering(&ran.stderr), "{attack}: {}", ran.report());
    }
}

#[test]
fn a_broken_contract_is_the_connectors_fault() {
    snapshot!("contract-broken", hostile("offsets-falling", "").run(&["run", "sync.toml"]));
}

/// A sync that reads the API at this address, and tries once.
fn movies(name: &str, url: &str) -> World {
    let grants = crate::api::grants(url);
    World::with(&format!(
        r#"
sync = 1
name = "{name}"

[source]
connector = "components/example-source.wasm"
config = {{ base_url = "{url}", streams = ["movies"], page_size = 2 }}
{grants}
[destination]
connector = "components/null.wasm"

[run]
attempts = 1
"#
    ))
}

#[test]
fn a_system_that_does_not_answer_is_told_with_its_address() {
    // A port on which nobody listens: it was free a moment ago, and is not given out again at once.
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{address}");
    snapshot!("system-unreachable", movies("nobody", &url).run(&["run", "sync.toml"]));
}

#[test]
fn a_proxy_is_used_where_it_is_named_and_no_variable_names_one() {
    let url = crate::api::serve(3);
    let world = movies("proxied", &url);
    // Nothing listens there.
    let nobody = "127.0.0.1:1";
    let refused = world.run(&["run", "sync.toml", "--proxy", nobody]);
    assert_eq!(refused.status, Some(1), "{}", refused.report());
    assert!(refused.stderr.contains("(CD0305)"), "{}", refused.report());
    let mut command = world.command(&["run", "sync.toml"]);
    for name in ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        command.env(name, format!("http://{nobody}"));
    }
    ran(command.output().unwrap()).succeeded();
}

#[test]
fn an_attempt_that_helped_is_told() {
    let asked = AtomicU64::new(0);
    let url = crate::api::serve_with(move |_| {
        let body = "{\"next\": null, \"data\": [{\"id\": 1, \"tags\": []}]}";
        let status = if asked.fetch_add(1, Ordering::Relaxed) == 0 { "503 Later" } else { "200 OK" };
        let length = body.len();
        format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}")
    });
    let world = movies("flaky", &url);
    world.edit("attempts = 1", "attempts = 2");
    let ran = world.run(&["run", "sync.toml"]).succeeded();
    let told = ran.stdout.lines().find(|line| line.contains(" attempts; "));
    assert!(
        told.is_some_and(|line| line.starts_with("`movies` took 2 attempts; the last failure (CD0605): ")),
        "{}",
        ran.report()
    );
    assert!(told.unwrap().contains("503"), "{}", ran.report());
}

/// A destination that commits, and whose answer is lost, as in a crash.
#[test]
fn what_had_arrived_in_an_earlier_run_is_told_and_counted_once() {
    let world = World::with(
        r#"
sync = 1
name = "broken-off"

[source]
connector = "components/faker.wasm"
config = { streams = [{ name = "people", rows = 10 }] }

[destination]
connector = "components/proof.wasm"
grants = { directories = { data = { path = "data", access = "write" } } }
[destination.config]
keep = true
abilities = ["exactly-once", "transactions", "fences", "columns", "append", "insert"]
fail = { at = "writer.commit answered", with = { data = "the line is dead" } }

[run]
attempts = 1
"#,
    );
    world.folder("data");
    let broken = world.run(&["run", "sync.toml"]);
    assert_eq!(broken.status, Some(1), "{}", broken.report());
    let rows = || world.read("data/people.rows").lines().count();
    assert_eq!(rows(), 10, "{}", broken.report());
    world.edit("fail = { at = \"writer.commit answered\", with = { data = \"the line is dead\" } }\n", "");
    let ran = world.run(&["run", "sync.toml", "--json"]).succeeded();
    let document: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(document["report"]["recovered"]["people"]["accepted"], 10, "{document}");
    assert_eq!(rows(), 10, "none came twice: {}", ran.report());

    world.edit(
        "keep = true",
        "keep = true\nfail = { at = \"writer.commit answered\", with = { data = \"dead\" } }",
    );
    world.edit("rows = 10", "rows = 15");
    world.run(&["run", "sync.toml"]);
    world.edit("fail = { at = \"writer.commit answered\", with = { data = \"dead\" } }\n", "");
    let told = world.run(&["run", "sync.toml"]).succeeded();
    assert!(
        told.stdout.contains(
            "`people`: 5 rows of an earlier run had arrived before it broke off, and are counted now"
        ),
        "{}",
        told.report()
    );
}
