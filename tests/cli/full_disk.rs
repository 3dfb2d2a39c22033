//! A disk that is full in the middle of a run: it is told, nothing that was committed is lost, and with more room the next
//! run brings the rest. The disk is a real file system of a fixed size, in a mount namespace of its own.

use crate::rows::{counts, rows};
use crate::world::{Ran, World};

const ROWS: usize = 12_000;

fn sync() -> String {
    format!(
        r#"
sync = 1
name = "full"

[source]
connector = "components/faker.wasm"
[source.config]
streams = [{{ name = "people", rows = {ROWS} }}, {{ name = "orders", rows = {ROWS}, columns = "orders" }}]

[destination]
connector = "components/files.wasm"
config = {{ directory = "/out" }}
grants = {{ directories = {{ out = {{ path = "out", access = "write" }} }} }}

[run]
commit_bytes = "64 KiB"
"#
    )
}

/// Runs the sync twice: first where the folder is a disk of `size`, then where that disk has grown. What lies in `out` in the
/// end is copied to `kept`, for the disk ends with its namespace.
fn twice(world: &World, folder: &str, size: &str) -> [Ran; 2] {
    let script = format!(
        "set -u; mount -t tmpfs -o size={size} tmpfs {folder} || exit 90
         $PROGRAM run sync.toml >first.out 2>first.err; echo $? >first.status
         mount -o remount,size=256m {folder} || exit 91
         $PROGRAM run sync.toml >second.out 2>second.err; echo $? >second.status
         cp -r out kept"
    );
    let script = world.mounting(&script);
    assert_eq!(script.status, Some(0), "a mount namespace is needed: {}", script.report());
    ["first", "second"].map(|name| Ran {
        status: world.read(&format!("{name}.status")).trim().parse().ok(),
        stdout: world.read(&format!("{name}.out")),
        stderr: world.read(&format!("{name}.err")),
    })
}

#[track_caller]
fn told_and_whole(world: &World, [first, second]: [Ran; 2], words: &[&str]) {
    assert_eq!(first.status, Some(1), "{}", first.report());
    for words in words {
        assert!(first.stderr.contains(words), "`{words}` is not said: {}", first.report());
    }
    second.succeeded();
    let kept = rows(&world.path("kept"));
    let found = counts(&kept);
    assert_eq!(found.get("people"), Some(&ROWS), "{}", first.report());
    assert_eq!(found.get("orders"), Some(&ROWS), "{}", first.report());
    for (stream, mut rows) in kept {
        rows.dedup();
        assert_eq!(rows.len(), ROWS, "a row of `{stream}` came twice");
    }
}

#[test]
fn a_full_disk_at_the_destination() {
    let world = World::with(&sync());
    world.folder("out");
    let runs = twice(&world, "out", "1m");
    told_and_whole(
        &world,
        runs,
        &["error[CD06", "the disk of the granted directory", "is full", "make room there"],
    );
}

#[test]
fn a_full_disk_under_the_records() {
    // Many commits: what is kept of each is small.
    let small = "columns = \"orders\" }]\npage_rows = 100";
    let sync = sync().replace("columns = \"orders\" }]", small).replace("64 KiB", "8 KiB");
    let world = World::with(&sync);
    world.folder("out");
    world.folder(".cofferdam");
    // Storage leaves 48 MiB of a disk free, so that what was acknowledged can always be put in its place.
    let runs = twice(&world, ".cofferdam", "49900k");
    told_and_whole(&world, runs, &["error[CD0732]", "no storage space"]);
}
