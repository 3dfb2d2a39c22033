//! `cofferdam reprocess`: rejected rows through what the document says now.

use crate::rejects::rejected;
use crate::rows::{counts, rows};
use crate::snapshot;

/// What a person changes who has found out why rows were rejected.
const WRONG: &str = "to = \"int64\" }";
const RIGHT: &str = "to = \"int64\", on_error = \"null\" }";

#[test]
fn rows_that_were_rejected_arrive_once_their_transform_is_corrected() {
    let world = rejected();
    assert_eq!(counts(&rows(&world.path("out")))["orders"], 2);
    snapshot!("reprocess-rejected-again", world.run(&["reprocess", "sync.toml", "1"]));
    snapshot!("errors-list-tried-again", world.run(&["errors", "list"]));
    world.edit(WRONG, RIGHT);
    snapshot!("reprocess", world.run(&["reprocess", "sync.toml", "1", "--ids", "1-1"]));
    assert_eq!(counts(&rows(&world.path("out")))["orders"], 3);
    world.run(&["reprocess", "sync.toml", "1"]).succeeded();
    let mut arrived = rows(&world.path("out"));
    let orders = arrived.get_mut("orders").unwrap();
    orders.dedup();
    assert_eq!(orders.len(), 4, "each row once: {orders:?}");
    snapshot!("reprocess-nothing-left", world.run(&["reprocess", "sync.toml", "1"]));
    snapshot!("runs-list-reprocessed", world.run(&["runs", "list"]));
    let again = world.run(&["run", "sync.toml"]).succeeded();
    assert!(again.stdout.contains("there was nothing new"), "the position is where it was: {}", again.stdout);
}

#[test]
fn a_run_that_is_not_known_cannot_be_reprocessed() {
    let world = rejected();
    snapshot!("reprocess-no-run", world.run(&["reprocess", "sync.toml", "7"]));
    snapshot!("reprocess-other-sync", world.run(&["reprocess", "sync.toml", "1", "--ids", "other/1-1"]));
}
