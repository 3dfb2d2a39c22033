//! A run that was recorded is replayed without the systems, the credentials and the clock that it had.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::json;

use crate::build::MANIFEST;
use crate::canary::{CANARY, Canaries};
use crate::credentials::{ask, shop};
use crate::upstreams::{self, Server};
use crate::world::{Ran, World, target};
use crate::{api, placed_low_code, snapshot};

/// Moves what the destination has aside, and gives it an empty folder again.
fn taken(world: &World, name: &str) -> BTreeMap<PathBuf, Vec<u8>> {
    fs::rename(world.path("out"), world.path(name)).unwrap();
    world.folder("out");
    let folder = world.path(name);
    let files = world.files(name).into_iter();
    files.map(|(path, bytes)| (path.strip_prefix(&folder).unwrap().to_owned(), bytes)).collect()
}

/// Of what was entered, and of what providers gave for it.
#[track_caller]
pub(crate) fn no_secret_in(world: &World, folder: &str) {
    let (files, secrets) = (world.files(folder), world.secrets());
    assert!(files.len() > 3 && !secrets.is_empty(), "{:?}", files.keys());
    let canaries = Canaries::of(&secrets);
    for (path, bytes) in files {
        assert_eq!(canaries.found_in(&bytes), None, "{}", path.display());
    }
}

#[test]
fn a_replay_needs_no_credential_no_data_directory_and_no_upstream() {
    let requests = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&requests);
    let url = api::serve_with(move |head| {
        counted.fetch_add(1, Ordering::Relaxed);
        let body = json!({ "data": [{ "id": 1, "asked": head }] }).to_string();
        format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
    });
    let world = placed_low_code::with_bearer(&url);
    let recorded = world.run(&["run", "sync.toml", "--record", "tape"]).succeeded();
    assert!(recorded.stderr.contains("recorded 1 exchange\n"), "{}", recorded.report());
    let expected = taken(&world, "recorded");
    let row = String::from_utf8(expected[Path::new("movies-000001.jsonl")].clone()).unwrap();
    assert!(row.contains("authorization: Bearer ***"), "the credential was placed, and came back: {row}");
    no_secret_in(&world, "tape");
    let document = fs::read_to_string(world.path("tape/source/source.open.movies.1/0001.json")).unwrap();
    assert!(document.contains("/movies") && !document.contains("\"authorization\""), "{document}");

    fs::remove_dir_all(world.path(".cofferdam")).unwrap();
    fs::remove_dir_all(world.path("config")).unwrap();
    let asked = requests.load(Ordering::Relaxed);
    for _ in 0..2 {
        let ran = world.run(&["run", "sync.toml", "--replay", "tape"]).succeeded();
        assert!(ran.stderr.contains("1 of 1 exchange; nothing is kept of this run"), "{}", ran.report());
        assert_eq!(taken(&world, "replayed"), expected, "{}", ran.report());
        fs::remove_dir_all(world.path("replayed")).unwrap();
    }
    assert_eq!(requests.load(Ordering::Relaxed), asked, "nothing left the machine");
    assert!(!world.path(".cofferdam").exists() && !world.path("config").exists());
}

#[test]
fn a_replay_begins_where_the_recorded_run_began() {
    let world = crate::build::packaged(upstreams::MANIFEST);
    let mut database = json!({
        "movies": upstreams::read("movies.json"),
        "flights": upstreams::read("flights-2k.json"),
        "weather": [],
        "earthquakes": { "features": [] },
    });
    let server = Server::start(&world, &database);
    world.file("sync.toml", upstreams::sync(&server));
    world.edit("name = \"api\"", "name = \"api\"\nstreams = [{ name = \"movies\" }, { name = \"flights\" }]");
    world.run(&["run", "sync.toml"]).succeeded();
    let before = world.files("out");

    database["flights"].as_array_mut().unwrap().push(json!({ "date": "2001/12/31 23:59", "delay": 1 }));
    drop(server);
    let server = Server::start(&world, &database);
    let url = world.read("sync.toml").split('"').find(|part| part.starts_with("http://")).unwrap().to_owned();
    world.edit_all(&url, &server.url);
    world.edit_all(url.rsplit(':').next().unwrap(), server.url.rsplit(':').next().unwrap());
    let recorded = world.run(&["run", "sync.toml", "--record", "tape"]).succeeded();
    let checkpoints = world.run(&["checkpoints", "show", "api"]).succeeded().stdout;
    let expected = taken(&world, "recorded");
    drop(server);

    for _ in 0..2 {
        for (path, bytes) in &before {
            fs::write(path, bytes).unwrap();
        }
        let ran = world.run(&["run", "sync.toml", "--replay", "tape"]).succeeded();
        let read = |text: &str| {
            text.lines().filter(|line| line.starts_with("flights")).map(counts).collect::<Vec<_>>()
        };
        assert_eq!(read(&ran.stdout), read(&recorded.stdout));
        assert_eq!(taken(&world, "replayed"), expected, "{}", ran.report());
        fs::remove_dir_all(world.path("replayed")).unwrap();
    }
    let after = world.run(&["checkpoints", "show", "api"]).succeeded().stdout;
    assert_eq!(after, checkpoints, "a replay changes nothing that is kept");
}

/// Rows of each kind, without the figures that are a matter of time.
fn counts(line: &str) -> Vec<String> {
    line.split_whitespace().take(6).map(ToOwned::to_owned).collect()
}

/// A world with a guest of chance: the one in Rust, or that of another language.
fn chance(guest: &Path, url: &str) -> World {
    let world = World::with(&format!(
        r#"
sync = 1
name = "chance"
[source]
connector = "guest.wasm"
config = {{ pages = 5, sleep_ms = 300, base_url = "{url}" }}
{}
[destination]
connector = "components/files.wasm"
config = {{ directory = "/out" }}
grants = {{ directories = {{ out = {{ path = "out", access = "write" }} }} }}
"#,
        api::grants(url)
    ));
    world.folder("out");
    let bytes = fs::read(target().join(guest));
    world.file("guest.wasm", bytes.expect("`cargo xtask guests` and `cargo xtask test-deps` make it"));
    world
}

#[test]
fn clocks_randomness_and_what_is_there_first_come_again() {
    come_again("components/chance.wasm");
}

#[test]
fn they_come_again_for_a_guest_in_javascript() {
    come_again("test-deps/interpreted/chance-js.wasm");
}

#[test]
fn they_come_again_for_a_guest_in_python() {
    come_again("test-deps/interpreted/chance-py.wasm");
}

#[track_caller]
fn come_again(guest: &str) {
    let world = chance(Path::new(guest), &api::serve_together());
    world.run(&["run", "sync.toml", "--record", "tape"]).succeeded();
    let expected = taken(&world, "recorded");
    let rows = String::from_utf8(expected[Path::new("draws-000001.jsonl")].clone()).unwrap();
    assert_eq!(rows.lines().count(), 5, "{rows}");
    let first = rows.lines().next().unwrap().replace(' ', "");
    assert!(first.contains("\"first\":\"timer\""), "the late answer was left: {rows}");
    let positions = |ran: Ran| {
        let report: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        report["report"]["groups"].to_string()
    };
    let mut told = Vec::new();
    for _ in 0..3 {
        let began = std::time::Instant::now();
        let ran = world.run(&["run", "sync.toml", "--replay", "tape", "--json"]).succeeded();
        assert!(began.elapsed().as_secs() < 60, "five sleeps of the connector are over at once");
        assert_eq!(taken(&world, "replayed"), expected, "{}", ran.report());
        told.push(positions(ran));
        fs::remove_dir_all(world.path("replayed")).unwrap();
    }
    assert!(told[0].contains("5-"), "a checkpoint of chance: {}", told[0]);
    assert!(told.iter().all(|one| *one == told[0]), "{told:#?}");

    world.run(&["run", "sync.toml", "--record", "other"]).succeeded();
    assert_ne!(taken(&world, "once-more"), expected, "no two runs are alike");
}

fn pages(url: &str) -> World {
    World::with(&format!(
        r#"
sync = 1
name = "pages"
[source]
connector = "components/example-source.wasm"
config = {{ base_url = "{url}", streams = ["movies"], page_size = 2 }}
{}
[destination]
connector = "components/null.wasm"
[run]
attempts = 1
"#,
        api::grants(url)
    ))
}

#[test]
fn a_request_that_was_not_recorded_says_in_what_it_differs() {
    let world = pages(&api::serve(2));
    world.run(&["run", "sync.toml", "--record", "tape"]).succeeded();
    let replayed = world.run(&["run", "sync.toml", "--replay", "tape"]).succeeded();
    snapshot!("replay", replayed);
    world.edit("page_size = 2", "page_size = 3");
    let refused = world.run(&["run", "sync.toml", "--replay", "tape"]);
    // Whether the connector still has its say before the host ends its call is left open, and the budget with it.
    snapshot!("replay-unmatched", Ran { stdout: String::new(), ..refused });
    let machines = world.run(&["run", "sync.toml", "--replay", "tape", "--json"]);
    let document: serde_json::Value = serde_json::from_str(&machines.stdout).unwrap();
    assert_eq!(document["errors"][0]["code"], "CD0850");
    world.edit("page_size = 3", "page_size = 2");
    world.edit("streams = [\"movies\"]", "streams = [\"movies\", \"shows\"]");
    let refused = world.run(&["run", "sync.toml", "--replay", "tape"]);
    assert!(
        refused.stderr.contains("`source/source.open.shows.1` made no request in the recording"),
        "{}",
        refused.report()
    );
}

#[test]
fn a_replay_that_asks_for_less_says_what_was_left() {
    let world = pages(&api::serve(3));
    world.run(&["run", "sync.toml", "--record", "tape"]).succeeded();
    world.file(
        "sync.toml",
        format!("{}\n[[streams]]\nname = \"movies\"\nlimit = 2\n", world.read("sync.toml")),
    );
    let ran = world.run(&["run", "sync.toml", "--replay", "tape"]).succeeded();
    assert!(
        ran.stderr.contains("warning[CD0859]: the run was done without 2 recorded exchanges"),
        "{}",
        ran.report()
    );
}

#[test]
fn what_failed_in_the_recording_fails_alike_in_the_replay() {
    let refused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let denied = pages(&api::serve(1));
    denied.file(
        "sync.toml",
        denied.read("sync.toml").split("[[source").next().unwrap().to_owned()
            + "[destination]\nconnector = \"components/null.wasm\"\n",
    );
    let unreachable = pages(&format!("http://{refused}"));
    for (world, code) in [(denied, "CD0603"), (unreachable, "CD0605")] {
        let recorded = world.run(&["run", "sync.toml", "--record", "tape"]);
        let replayed = world.run(&["run", "sync.toml", "--replay", "tape"]);
        for ran in [&recorded, &replayed] {
            assert_eq!(ran.status, Some(1), "{}", ran.report());
            assert!(ran.stderr.contains(&format!("error[{code}]")), "{}", ran.report());
        }
        assert_eq!(replayed.lines_to_add(), recorded.lines_to_add());
        let said = |ran: &Ran| ran.stderr.lines().find(|line| line.starts_with("error")).unwrap().to_owned();
        assert_eq!(said(&replayed), said(&recorded));
    }
}

/// The limits of the source.
fn limited(world: &World, limit: &str) {
    world.edit("[source]", &format!("[source]\nlimits = {{ {limit} }}"));
}

/// As [`pages`], by requests that have a body of 18 bytes.
fn posts(url: &str) -> World {
    let path = "path: /movies\n";
    let posting = format!("{path}        http_method: POST\n        request_body_json: {{query: movies}}\n");
    let world = crate::build::packaged(&MANIFEST.replace(path, &posting));
    world.file(
        "sync.toml",
        pages(url)
            .read("sync.toml")
            .replace("components/example-source.wasm", "api.wasm")
            .replace("streams = [\"movies\"], page_size = 2", ""),
    );
    world
}

fn first_error(ran: &Ran) -> String {
    assert_eq!(ran.status, Some(1), "{}", ran.report());
    ran.stderr.lines().find(|line| line.starts_with("error")).unwrap().to_owned()
}

#[test]
fn a_replay_ends_at_the_limits_at_which_the_run_would_have_ended() {
    type Making = fn(&str) -> World;
    let (asking, posting): (Making, Making) = (pages, posts);
    for (world, limit, name) in [
        (asking, "requests = 2", "`requests` (2"),
        (asking, "response_bytes = 20", "`response_bytes` (20"),
        (asking, "bytes_in = 150", "`bytes_in` (150"),
        (posting, "request_bytes = 17", "`request_bytes` (17"),
        (posting, "bytes_out = 40", "`bytes_out` (40"),
    ] {
        let world = world(&api::serve(3));
        world.run(&["run", "sync.toml", "--record", "whole"]).succeeded();
        world.run(&["run", "sync.toml", "--replay", "whole"]).succeeded();
        limited(&world, limit);
        // The same is told whether it was recorded without the limit, or up to it.
        let said = first_error(&world.run(&["run", "sync.toml", "--record", "ended"]));
        assert!(said.starts_with("error[CD0501]") && said.contains(name), "{said}");
        for tape in ["whole", "ended"] {
            assert_eq!(
                first_error(&world.run(&["run", "sync.toml", "--replay", tape])),
                said,
                "{limit} {tape}"
            );
        }
    }
}

#[test]
fn a_body_that_was_edited_beyond_a_limit_is_not_told_to_the_connector() {
    let world = pages(&api::serve(1));
    limited(&world, "response_bytes = \"2 KiB\"");
    world.run(&["run", "sync.toml", "--record", "tape"]).succeeded();
    let exchange = "tape/source/source.open.movies.1/0001.json";
    let document = world.read(exchange);
    let (before, behind) = document.split_once("\"text\": \"{").unwrap();
    let behind = behind.replace("content-length", "x-length");
    // Blanks mean nothing to the connector.
    for (blanks, is_over) in [(1_024, false), (2_048, true)] {
        world.file(
            exchange,
            format!(
                "{}\"text\": \"{}{{{behind}",
                before.replace("content-length", "x-length"),
                " ".repeat(blanks)
            ),
        );
        let ran = world.run(&["run", "sync.toml", "--replay", "tape"]);
        assert_eq!(ran.stderr.contains("error[CD0501]"), is_over, "{}", ran.report());
        assert_eq!(ran.stderr.contains("`response_bytes` (2048 bytes)"), is_over, "{}", ran.report());
    }
}

#[test]
fn a_cassette_that_cannot_be_used_is_told() {
    let world = pages(&api::serve(1));
    world.file("full/mine", "mine");
    snapshot!("record-not-empty", world.run(&["run", "sync.toml", "--record", "full"]));
    assert!(!world.path(".cofferdam").exists(), "the run did not begin");
    snapshot!("replay-nothing", world.run(&["run", "sync.toml", "--replay", "full"]));
    world.file("newer/cassette.json", "{\"cassette\": 2}");
    snapshot!("replay-newer", world.run(&["run", "sync.toml", "--replay", "newer"]));
    world.run(&["run", "sync.toml", "--record", "tape"]).succeeded();
    let head = world.read("tape/cassette.json");
    world.file("tape/cassette.json", head.replace("\"complete\": true", "\"complete\": false"));
    snapshot!("replay-incomplete", world.run(&["run", "sync.toml", "--replay", "tape"]));
    world.file("tape/cassette.json", head);
    fs::remove_file(world.path("tape/source/source.open.movies.1/0001.json")).unwrap();
    snapshot!("replay-damaged", world.run(&["run", "sync.toml", "--replay", "tape"]));
    let both = world.run(&["run", "sync.toml", "--record", "a", "--replay", "tape"]);
    assert!(both.status == Some(1) && both.stderr.contains("cannot be used with"), "{}", both.report());
}

#[test]
fn another_component_and_another_configuration_are_told_and_tried() {
    let url = api::serve(1);
    let world = shop("", &url);
    world.file(
        "sync.toml",
        pages(&url).read("sync.toml").replace("components/example-source.wasm", "shop.wasm"),
    );
    world.run(&["run", "sync.toml", "--record", "tape"]).succeeded();
    let mut bytes = fs::read(world.path("shop.wasm")).unwrap();
    // A custom section of its own, `note`.
    bytes.extend(b"\x00\x05\x04note");
    world.file("shop.wasm", bytes);
    let ran = world.run(&["run", "sync.toml", "--replay", "tape"]).succeeded();
    assert!(ran.stderr.contains("warning[CD0856]: the component of `source`"), "{}", ran.report());
    world.edit("page_size = 2", "page_size = 5");
    let ran = world.run(&["run", "sync.toml", "--replay", "tape"]);
    assert!(ran.stderr.contains("warning[CD0856]: the configuration of `source`"), "{}", ran.report());
}

#[test]
fn a_connector_that_holds_a_secret_itself_is_not_recorded() {
    let url = api::serve_to(&[""; 0]);
    let world = shop(&ask("api", "kind = \"bearer\"\nreveal = true"), &url);
    let granted = "[source.grants.credentials.api]\nuse = \"shop.api\"\nreveal = true\n";
    let sync = pages(&url).read("sync.toml").replace("components/example-source.wasm", "shop.wasm");
    world.file("sync.toml", sync.replace("[destination]", &format!("{granted}[destination]")));
    world.secret("secret", CANARY);
    world.run(&["connect", "sync.toml", "--secret", "token=@secret"]).succeeded();
    snapshot!("record-revealed", world.run(&["run", "sync.toml", "--record", "tape"]));
    assert!(!world.path("tape").exists());
}

#[test]
fn a_full_disk_under_the_cassette_ends_the_run() {
    let world = pages(&api::serve(200));
    world.folder("tape");
    let script = world.mounting(
        "mount -t tmpfs -o size=64k tmpfs tape || exit 90
         $PROGRAM run sync.toml --record tape >run.out 2>run.err; echo $? >run.status",
    );
    assert_eq!(script.status, Some(0), "a mount namespace is needed: {}", script.report());
    let said = world.read("run.err");
    assert_eq!(world.read("run.status").trim(), "1", "{said}");
    assert!(said.contains("error[CD0851]: failed to write") && said.contains("No space left"), "{said}");
}
