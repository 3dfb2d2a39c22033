//! The server's certificate is exchanged while a run goes on.

use std::io::{Read, Write};

use serde_json::json;

use super::story::{Story, slow};
use crate::acme::{connected, shown};
use crate::serving::certificate;
use crate::stopped::until;
use crate::world::World;

/// Pages of twenty rows come every 50 ms. The files are looked at every ten seconds.
const ROWS: u64 = 8_000;

#[test]
fn a_run_goes_on_over_another_certificate_and_whoever_comes_anew_is_shown_it() {
    let world = World::new();
    let first = certificate(&world);
    let tls = ["--tls-certificate", "certificate.pem", "--tls-key", "key.pem"];
    let mut story = Story::secured(world, &tls, first.clone());
    let address = story.server().address.clone();
    let (source, destination) = (story.source(&slow(ROWS)), story.destination());
    let sync = story.sync(&source, &destination, &json!({}));
    story.run(&sync);
    until("the first commit", || story.remote.commits() > 0);
    let mut before = connected(&address, &first).unwrap();

    let next = certificate(&story.world);
    until("the next certificate", || shown(&address, &next).is_some());
    assert!(shown(&address, &first).is_none(), "nobody is shown the one before any more");
    story.trusts(next);
    let run = story.get(&format!("/syncs/{sync}"))["run"].clone();
    assert!(run.is_string(), "it was to be under way: {run}");
    // Whoever was connected stays so.
    before.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    before.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");

    let last = story.ended(&sync);
    assert_eq!((&last["outcome"], &last["run"]), (&json!("done"), &run), "{last}");
    story.remote.has_once("people", ROWS);
    assert_eq!(story.remote.unit().fence, 1, "nobody took it over");
    story.terminate().succeeded();
}
