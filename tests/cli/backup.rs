//! `cofferdam backup` and `cofferdam restore`.

use std::fs;
use std::process::Stdio;

use crate::rejects::rejected;
use crate::rows::{counts, rows};
use crate::snapshot;
use crate::stopped::{SLOW, until};
use crate::world::World;

/// The backup into a new data directory, with keys out of an export, as on a new machine.
fn restored(world: &World) -> World {
    let machine = World::new();
    for name in ["sync.toml", "kept.backup", "kept.export", "recovery"] {
        machine.file(name, fs::read(world.path(name)).unwrap());
    }
    machine.run(&["keys", "import", "kept.export", "--recovery-key", "recovery"]).succeeded();
    machine
}

fn backed_up() -> World {
    let world = rejected();
    world.run(&["keys", "recovery-key", "recovery"]).succeeded();
    snapshot!("backup", world.run(&["backup", "kept.backup"]));
    world.run(&["keys", "export", "--to", "kept.export", "--recovery-key", "recovery"]).succeeded();
    world
}

#[test]
fn a_backup_and_an_export_are_a_deployment_again() {
    let world = backed_up();
    let machine = restored(&world);
    snapshot!("restore-verify", machine.run(&["restore", "kept.backup", "--verify"]));
    snapshot!("restore", machine.run(&["restore", "kept.backup"]));
    let (here, there) =
        (world.run(&["errors", "export"]).succeeded(), machine.run(&["errors", "export"]).succeeded());
    assert_eq!(here.stdout, there.stdout, "the same rejected rows");
    let verified = machine.run(&["keys", "verify"]).succeeded();
    assert!(verified.stdout.contains("records open"), "{}", verified.stdout);
    snapshot!("restore-not-empty", machine.run(&["restore", "kept.backup"]));
    let replaced = machine.run(&["restore", "kept.backup", "--replace"]).succeeded();
    assert!(
        replaced.stdout.contains("what was there before is in `.cofferdam/aside-1`"),
        "{}",
        replaced.stdout
    );
    assert!(machine.path(".cofferdam/aside-1/journal").is_dir(), "nothing is deleted");
    assert_eq!(there.stdout, machine.run(&["errors", "export"]).stdout);
}

#[test]
fn what_was_deleted_after_a_backup_stays_away() {
    let world = backed_up();
    world.run(&["errors", "delete", "--all", "--yes"]).succeeded();
    let restored = world.run(&["restore", "kept.backup", "--replace"]).succeeded();
    assert!(restored.stdout.contains("since: their keys are destroyed"), "{}", restored.stdout);
    let list = world.run(&["errors", "list"]).succeeded();
    assert_eq!(list.stdout, "there are no rejected rows\n");
}

#[test]
fn a_tampered_backup_is_refused_with_the_place_and_changes_nothing() {
    let world = backed_up();
    let machine = restored(&world);
    let whole = fs::read(machine.path("kept.backup")).unwrap();
    let mut changed = whole.clone();
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    machine.file("kept.backup", changed);
    let before = machine.files(".cofferdam");
    let ran = machine.run(&["restore", "kept.backup"]);
    assert_eq!(ran.status, Some(1), "{}", ran.report());
    assert!(ran.stderr.starts_with("error[CD1073]: backup is damaged in frame "), "{}", ran.stderr);
    machine.file("kept.backup", &whole[..whole.len() - 7]);
    let ran = machine.run(&["restore", "kept.backup", "--verify"]);
    assert!(ran.stderr.starts_with("error[CD1074]: backup is cut off in frame "), "{}", ran.stderr);
    machine.file("kept.backup", "something else");
    snapshot!("restore-no-backup", machine.run(&["restore", "kept.backup"]));
    assert!(before == machine.files(".cofferdam"), "nothing was changed");
    let other = rejected();
    other.file("kept.backup", whole);
    let ran = other.run(&["restore", "kept.backup", "--verify"]);
    assert!(ran.stderr.starts_with("error[CD1072]: backup is of deployment "), "{}", ran.stderr);
}

#[test]
fn a_backup_is_made_while_a_run_goes_on() {
    let world = World::with(SLOW);
    world.folder("out");
    let mut command = world.command(&["run", "sync.toml"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    until("the first commit", || world.path("out/people-000001.jsonl").exists());
    let backup = world.run(&["backup", "kept.backup"]);
    let socket = fs::metadata(world.path(".cofferdam/control.sock"))
        .map(|found| std::os::unix::fs::PermissionsExt::mode(&found.permissions()) & 0o777);
    child.kill().unwrap();
    child.wait().unwrap();
    backup.succeeded();
    assert_eq!(socket.ok(), Some(0o600), "only the owner may ask");
    world.run(&["restore", "kept.backup", "--replace"]).succeeded();
    world.edit("wait_ms = 100", "wait_ms = 0");
    world.run(&["run", "sync.toml"]).succeeded();
    let mut arrived = rows(&world.path("out"));
    let people = arrived.get_mut("people").unwrap();
    people.dedup();
    assert_eq!(counts(&arrived)["people"], 2_000, "each row is there");
}

#[test]
fn a_broken_database_is_built_anew_from_its_journal() {
    let world = rejected();
    let before = world.run(&["errors", "export"]).succeeded().stdout;
    let database = world.files(".cofferdam").into_keys().find(|path| path.ends_with("db")).unwrap();
    let bytes = fs::read(&database).unwrap();
    fs::write(&database, vec![0xa5; bytes.len()]).unwrap();
    let ran = world.run(&["errors", "export"]).succeeded();
    assert_eq!(ran.stdout, before);
}
