//! E64: what is taken back from a run by another process: a credential, its secrets, a grant. From the next request on, and
//! what goes on is cut off.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::canary::{CANARY, bearer as bearing};
use crate::credentials::{ask, nothing_shows, shop};
use crate::held::Upstream;
use crate::rows::rows;
use crate::snapshot;
use crate::world::{Ran, World, ran};

/// The upstream would go on for a minute and more; a second is what is promised, and a loaded machine may take longer.
const CUT_WITHIN: Duration = Duration::from_secs(30);

/// A sync of two streams that are read one after the other, each page committed.
fn sync(url: &str, hosts: &str, credential: &str) -> String {
    let port = url.rsplit(':').next().unwrap();
    format!(
        r#"
sync = 1
name = "orders"
[source]
connector = "shop.wasm"
config = {{ base_url = "{url}", streams = ["movies", "people"], page_size = 2 }}
{hosts}
[[source.grants.addresses]]
address = "127.0.0.1"
port = {port}
{credential}
[destination]
connector = "components/files.wasm"
config = {{ directory = "/out" }}
grants = {{ directories = {{ out = {{ path = "out", access = "write" }} }} }}
[run]
parallel_groups = 1
commit_bytes = 1
"#
    )
}

const CREDENTIAL: &str = "[source.grants.credentials]\napi = \"shop.api\"\n";

fn host(url: &str) -> String {
    format!("[[source.grants.hosts]]\nurl = \"{url}\"\n")
}

fn below(url: &str, path: &str) -> String {
    format!("{}path_prefix = \"/{path}\"\n", host(url))
}

/// A world whose sync uses a credential that is entered.
fn world(upstream: &Upstream, kind: &str) -> World {
    let world = shop(&ask("api", kind), &upstream.url);
    world.file("sync.toml", sync(&upstream.url, &host(&upstream.url), CREDENTIAL));
    world.folder("out");
    world.secret("secret", CANARY);
    world.run(&["connect", "sync.toml", "--secret", "token=@secret"]).succeeded();
    world
}

fn bearer(upstream: &Upstream) -> World {
    world(upstream, "kind = \"bearer\"")
}

fn begun(world: &World) -> Child {
    let mut command = world.command(&["run", "sync.toml"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn ended(world: &World, run: Child) -> Ran {
    let ran = ran(run.wait_with_output().unwrap());
    world.heard(&ran);
    ran
}

fn said(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap()
}

/// What is shown of a run before the figures of its streams.
fn beginning_of(shown: Ran) -> Ran {
    let beginning = shown.stdout.split("\n\n").next().unwrap().to_owned();
    Ran { stdout: format!("{beginning}\n"), ..shown }
}

fn moved(world: &World, stream: &str) -> usize {
    rows(&world.path("out")).get(stream).map_or(0, Vec::len)
}

#[test]
fn e64_revoking_a_credential_cuts_the_response_under_way_and_ends_the_run() {
    let upstream = Upstream::start();
    let world = bearer(&upstream);
    let run = begun(&world);
    let first = upstream.asked();
    let stream = first.stream();
    first.page(Some(2), 1..=2);
    let mut second = upstream.asked();
    second.begin();
    let listed = world.run(&["credentials", "list", "--json"]).succeeded();
    assert_eq!(said(&listed)["credentials"][0]["name"], "shop.api", "listing works beside a run");
    let unconfirmed = world.run(&["credentials", "revoke", "shop.api"]);
    assert!(unconfirmed.stderr.contains("what uses it now is cut off"), "{}", unconfirmed.report());

    let since = Instant::now();
    let revoke = world.command(&["credentials", "revoke", "shop.api", "--yes"]);
    let revoke = { revoke }.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let took = second.closed(since);
    println!("a response was cut {} ms after `credentials revoke` was started", took.as_millis());
    assert!(took < CUT_WITHIN, "{took:?}");
    let revoked = ended(&world, revoke);
    // How many records there are besides depends on what the run has just written.
    let lines: Vec<&str> = revoked.stdout.lines().collect();
    assert_eq!(lines[0], "`source` is cut off: 1 request was under way", "{}", revoked.report());
    assert!(lines[1].starts_with("`shop.api` is deleted and erased: "), "{}", revoked.report());
    assert!(lines[3].starts_with("revoke it where it came from too: "), "{}", revoked.report());
    let ran = ended(&world, run);
    assert_eq!(ran.status, Some(1), "{}", ran.report());
    let told = Ran { status: ran.status, stdout: String::new(), stderr: ran.stderr.clone() };
    snapshot!("taken-run", told);
    assert!(upstream.is_quiet(), "something was asked after it was revoked");
    assert_eq!(moved(&world, &stream), 2, "what was committed stays");

    let logged = world.run(&["runs", "logs", "1"]).succeeded();
    assert!(logged.stdout.contains("`shop.api`, which it used, was revoked"), "{}", logged.report());
    snapshot!("taken-shown", beginning_of(world.run(&["runs", "show", "1"]).succeeded()));
    let listed = world.run(&["runs", "list"]).succeeded();
    assert!(listed.stdout.lines().nth(1).unwrap().ends_with("  CD0860"), "{}", listed.report());
    assert_eq!(said(&world.run(&["credentials", "list", "--json"]).succeeded())["credentials"], json!([]));
    let again = world.run(&["run", "sync.toml"]);
    assert!(again.stderr.contains("error[CD1062]"), "{}", again.report());
    nothing_shows(&world);
}

#[test]
fn e64_the_run_goes_on_from_its_last_commit_when_the_credential_is_entered_again() {
    let upstream = Upstream::start();
    let world = bearer(&upstream);
    let run = begun(&world);
    let first = upstream.asked();
    let stream = first.stream();
    first.page(Some(2), 1..=2);
    let second = upstream.asked();
    world.run(&["credentials", "revoke", "shop.api", "--yes"]).succeeded();
    // The answer comes too late.
    second.page(None, 3..=4);
    assert_eq!(ended(&world, run).status, Some(1));
    world.run(&["connect", "sync.toml", "--secret", "token=@secret"]).succeeded();
    let run = begun(&world);
    for _ in ["movies", "people"] {
        let asked = upstream.asked();
        let (page, ids) = if asked.stream() == stream { (2, 3..=4) } else { (1, 1..=1) };
        assert!(asked.head.contains(&format!("?_page={page}&")), "{}", asked.head);
        asked.page(None, ids);
    }
    let ran = ended(&world, run).succeeded();
    assert_eq!(moved(&world, "movies") + moved(&world, "people"), 5, "{}", ran.report());
}

#[test]
fn secrets_that_are_rotated_are_used_from_the_next_request_on_and_the_former_ones_are_still_watched() {
    let upstream = Upstream::start();
    let world = bearer(&upstream);
    let fresh = "CANARY-of-a-secret-4711-anew";
    world.secret("fresh", fresh);
    let run = begun(&world);
    let first = upstream.asked();
    assert!(first.head.contains(&bearing()), "{}", first.head);
    let rotated = world.run(&["credentials", "rotate", "shop.api", "--secret", "token=@fresh"]);
    snapshot!("credentials-rotate", rotated);
    first.page(Some(2), 1..=2);
    let second = upstream.asked();
    assert!(second.head.contains(&format!("authorization: Bearer {fresh}\n")), "{}", second.head);
    // It sends both back.
    let reflected = [CANARY, fresh].map(|secret| json!({ "id": 3, "note": secret }));
    second.records(None, reflected.into());
    upstream.asked().page(None, 1..=1);
    let ran = ended(&world, run).succeeded();
    assert!(ran.stdout.contains("came back"), "{}", ran.report());
    let arrived = rows(&world.path("out"));
    assert!(!format!("{arrived:?}").contains("CANARY"), "{arrived:?}");
    nothing_shows(&world);
}

#[test]
fn e64_what_is_no_longer_granted_is_denied_from_the_next_request_on() {
    let upstream = Upstream::start();
    let world = bearer(&upstream);
    let run = begun(&world);
    let first = upstream.asked();
    let (url, stream) = (&upstream.url, first.stream());
    world.file("sync.toml", sync(url, &below(url, &stream), CREDENTIAL));
    snapshot!("taken-reload", world.run(&["reload", "sync.toml"]));
    // What goes on is still granted, and so is its next page.
    first.page(Some(2), 1..=2);
    upstream.asked().page(None, 3..=4);
    let ran = ended(&world, run);
    assert_eq!(ran.status, Some(1), "{}", ran.report());
    assert!(ran.report().contains("CD0202"), "{}", ran.report());
    assert!(!ran.lines_to_add().is_empty(), "{}", ran.report());
    assert_eq!((moved(&world, &stream), upstream.is_quiet()), (4, true));
    snapshot!("taken-shown-narrowed", beginning_of(world.run(&["runs", "show", "1"]).succeeded()));
}

#[test]
fn e64_a_response_under_way_that_is_no_longer_granted_is_cut() {
    let upstream = Upstream::start();
    let world = bearer(&upstream);
    let run = begun(&world);
    let mut first = upstream.asked();
    first.begin();
    world.file("sync.toml", sync(&upstream.url, "", CREDENTIAL));
    let since = Instant::now();
    let reload = world.command(&["reload", "sync.toml", "--json"]);
    let reload = { reload }.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let took = first.closed(since);
    println!("a response was cut {} ms after `reload` was started", took.as_millis());
    assert!(took < CUT_WITHIN, "{took:?}");
    let told = said(&ended(&world, reload).succeeded());
    let source = &told["connections"][0];
    assert_eq!((&source["outcome"], &source["cut"]), (&json!("narrowed"), &json!(1)), "{told}");
    assert_eq!(told["connections"][1]["outcome"], "unchanged", "{told}");
    let ran = ended(&world, run);
    assert_eq!(ran.status, Some(1), "{}", ran.report());
    assert!(ran.stdout.contains("denied CD0202"), "{}", ran.report());
    assert!(upstream.is_quiet());
}

#[test]
fn e64_a_connection_that_loses_a_grant_that_it_holds_is_cut_off_and_its_run_ends() {
    for (name, gone, lines) in [
        ("the credential", CREDENTIAL, "use = \"shop.api\""),
        (
            "the directory",
            "grants = { directories = { out = { path = \"out\", access = \"write\" } } }\n",
            "out",
        ),
    ] {
        let upstream = Upstream::start();
        let world = bearer(&upstream);
        let run = begun(&world);
        let first = upstream.asked();
        world.edit(gone, "");
        let reloaded = world.run(&["reload", "sync.toml"]).succeeded();
        assert!(reloaded.stdout.contains(&format!("no longer grants it {name}")), "{}", reloaded.report());
        first.page(None, 1..=2);
        let ran = ended(&world, run);
        assert_eq!(ran.status, Some(1), "{}", ran.report());
        assert!(ran.stderr.starts_with("stopping: the run was ended for `"), "{}", ran.report());
        assert!(ran.stderr.contains("error[CD0860]"), "{}", ran.report());
        assert!(ran.lines_to_add().contains(lines), "{}", ran.report());
        assert!(upstream.is_quiet(), "{name}");
    }
}

/// A run that is stopped otherwise commits what it has read, and has five seconds for it.
#[test]
fn e64_a_directory_that_is_lost_is_not_written_to_while_its_run_ends() {
    let upstream = Upstream::start();
    let world = bearer(&upstream);
    world.edit("commit_bytes = 1\n", "");
    let run = begun(&world);
    let first = upstream.asked();
    let stream = first.stream();
    first.page(Some(2), 1..=2);
    let second = upstream.asked();
    world.edit("grants = { directories = { out = { path = \"out\", access = \"write\" } } }\n", "");
    world.run(&["reload", "sync.toml"]).succeeded();
    second.page(None, 3..=4);
    let ran = ended(&world, run);
    assert_eq!(ran.status, Some(1), "{}", ran.report());
    assert!(ran.stderr.contains("error[CD0860]"), "{}", ran.report());
    assert!(!ran.stderr.contains("caused by"), "that it was broken off explains nothing: {}", ran.report());
    assert_eq!(moved(&world, &stream), 0, "{}", ran.report());
}

#[test]
fn what_is_granted_anew_waits_for_the_next_run() {
    let upstream = Upstream::start();
    let world = bearer(&upstream);
    world.file("sync.toml", sync(&upstream.url, &below(&upstream.url, "people"), CREDENTIAL));
    world.edit("streams = [\"movies\", \"people\"]", "streams = [\"people\"]");
    let run = begun(&world);
    let first = upstream.asked();
    world.file("sync.toml", sync(&upstream.url, &host(&upstream.url), CREDENTIAL));
    snapshot!("taken-reload-wider", world.run(&["reload", "sync.toml"]));
    first.page(None, 1..=2);
    ended(&world, run).succeeded();
}

#[test]
fn a_document_that_cannot_be_obeyed_takes_nothing_back() {
    let upstream = Upstream::start();
    let world = bearer(&upstream);
    snapshot!("taken-reload-nobody", world.run(&["reload", "sync.toml"]));
    let whole = world.read("sync.toml");
    let run = begun(&world);
    let first = upstream.asked();
    world.file("other.toml", whole.replace("orders", "others"));
    snapshot!("taken-reload-other", world.run(&["reload", "other.toml"]));
    world.file("sync.toml", whole.replace("url = \"http://127", "url = \"gopher://127"));
    let faulty = world.run(&["reload", "sync.toml"]);
    assert_eq!(faulty.status, Some(1), "{}", faulty.report());
    let unknown = world.run(&["credentials", "revoke", "shop.other", "--yes"]);
    assert!(unknown.stderr.contains("error[CD1062]"), "{}", unknown.report());
    first.page(None, 1..=2);
    upstream.asked().page(None, 1..=1);
    ended(&world, run).succeeded();
}
