//! What a worker can reach, and what is in it.

use std::fs;

use super::found::{begun, workers};
use super::lost::held;
use crate::canary::{CANARY, Canaries};
use crate::guest_memory::everything;
use crate::world::{World, ran};

/// By its number, from capabilities(7).
const CAP_SYS_NICE: u64 = 1 << 23;

#[test]
fn nothing_gets_past_the_walls() {
    let world = World::new();
    let ran = world.run(&["worker", "--self-check", "--json"]).succeeded();
    let document: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    for wall in ["resources", "files", "calls"] {
        assert_eq!(document["walls"][wall], "Holds", "{}", ran.report());
    }
    let attempts = document["attempts"].as_array().unwrap();
    assert!(attempts.len() >= 12, "{}", ran.report());
    for attempt in attempts {
        assert_eq!(attempt["is_denied"], true, "{attempt}");
    }
}

/// Of each secret that is placed, of the keys and of the environment nothing is in a worker. (That the search finds
/// what is there is seen by what a worker does have; the parent is no measure, for it wipes what it has placed.)
#[test]
fn a_worker_holds_no_secret_and_no_environment() {
    let (world, held) = held();
    let child = begun(&world);
    let (asked, go) = held.waits();
    let worker = workers(child.id())[0];
    let file = |name: &str| fs::read(format!("/proc/{worker}/{name}")).unwrap();
    assert_eq!(file("environ"), b"", "its environment");
    let status = String::from_utf8(file("status")).unwrap();
    for wall in ["NoNewPrivs:\t1", "Seccomp:\t2"] {
        assert!(status.contains(wall), "{wall}: {status}");
    }
    for set in ["CapPrm", "CapEff", "CapInh"] {
        let line = status.lines().find_map(|line| line.strip_prefix(set)?.strip_prefix(":\t")).unwrap();
        let may = u64::from_str_radix(line, 16).unwrap();
        assert_eq!(may & CAP_SYS_NICE, 0, "{set}: it may put itself before all others: {line}");
    }
    let limits = String::from_utf8(file("limits")).unwrap();
    assert!(limits.lines().any(|line| line.starts_with("Max core file size        0 ")), "{limits}");
    let memory = everything(worker);
    drop(go);
    let ran = ran(child.wait_with_output().unwrap()).succeeded();
    world.heard(&ran);
    assert!(asked.contains(CANARY), "the parent places it: {asked}");
    let is_in = |blocks: &[Vec<u8>], canaries: &Canaries| {
        blocks.iter().any(|bytes| canaries.found_in(bytes).is_some())
    };
    let origin = Canaries::of(std::slice::from_ref(&held.address));
    assert!(is_in(&memory, &origin), "the search finds what a worker has");
    let secrets = Canaries::of(&world.secrets());
    assert!(!is_in(&memory, &secrets), "a secret is in a worker");
    let keys = fs::read(world.key_file()).unwrap();
    let keys = Canaries::of(&[String::from_utf8_lossy(&keys).trim().to_owned()]);
    assert!(!is_in(&memory, &keys), "a key is in a worker");
}

/// Descriptors: its end of one socket, where nothing goes, and what it made itself.
#[test]
fn a_worker_has_no_file_of_its_parent_open() {
    let (world, held) = held();
    let child = begun(&world);
    let (_, go) = held.waits();
    let worker = workers(child.id())[0];
    let entries = fs::read_dir(format!("/proc/{worker}/fd")).unwrap();
    let open: Vec<String> =
        entries.map(|entry| fs::read_link(entry.unwrap().path()).unwrap().display().to_string()).collect();
    drop(go);
    world.heard(&ran(child.wait_with_output().unwrap()).succeeded());
    let own = ["socket:", "pipe:", "anon_inode:", "/dev/null", "/memfd:"];
    let others: Vec<_> =
        open.iter().filter(|one| !own.iter().any(|prefix| one.starts_with(prefix))).collect();
    let out = world.path("out").canonicalize().unwrap().display().to_string();
    let others: Vec<_> = others.into_iter().filter(|one| !one.starts_with(&out)).collect();
    assert!(others.is_empty(), "{others:?} of {open:?}");
}
