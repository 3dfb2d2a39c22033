//! `cofferdam keys`.

use std::fs;

use serde_json::Value;

use crate::commands::FAKER_TO_NULL;
use crate::snapshot;
use crate::world::World;

/// A world with a run behind it, and a recovery key.
fn used() -> World {
    let world = World::with(FAKER_TO_NULL);
    world.run(&["run", "sync.toml"]).succeeded();
    world.run(&["keys", "recovery-key", "recovery"]).succeeded();
    world
}

fn status(world: &World) -> Value {
    let ran = world.run(&["keys", "status", "--json"]).succeeded();
    serde_json::from_str(&ran.stdout).unwrap()
}

const EXPORT: [&str; 6] = ["keys", "export", "--to", "export", "--recovery-key", "recovery"];

#[test]
fn status_says_whether_deletion_erases() {
    let world = used();
    snapshot!("keys-status", world.run(&["keys", "status"]));
    assert_eq!(status(&world)["deletion"], "erasing");
    let without = World::with(FAKER_TO_NULL);
    without.file("credentials/kek", [7; 32]);
    let run = |arguments: &[&str]| {
        let mut command = without.command(arguments);
        let output = command.env("CREDENTIALS_DIRECTORY", without.path("credentials")).output();
        crate::world::ran(output.unwrap())
    };
    let mode = <fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o400);
    fs::set_permissions(without.path("credentials/kek"), mode).unwrap();
    run(&["run", "sync.toml", "--credential", "kek"]).succeeded();
    snapshot!("keys-status-without-slot", run(&["keys", "status"]));
}

#[test]
fn status_says_when_an_export_opens_what_was_destroyed() {
    let world = used();
    snapshot!("keys-export", world.run(&EXPORT));
    assert_eq!(status(&world)["export"]["destroyed_since"], 0);
    snapshot!("keys-status-exported", world.run(&["keys", "status"]));
    snapshot!("keys-rotate-organization", world.run(&["keys", "rotate", "--organization"]));
    assert_eq!(status(&world)["export"]["destroyed_since"], 1);
    snapshot!("keys-status-export-outdated", world.run(&["keys", "status"]));
    world.run(&EXPORT).succeeded();
    assert_eq!(status(&world)["export"]["destroyed_since"], 0);
}

#[test]
fn a_new_kek_opens_what_the_former_one_sealed() {
    let world = used();
    let before = status(&world)["kek"].clone();
    snapshot!("keys-rotate-kek", world.run(&["keys", "rotate", "--kek"]));
    assert_ne!(status(&world)["kek"], before);
    let again = world.run(&["run", "sync.toml"]).succeeded();
    assert!(again.stdout.contains("there was nothing new"), "{}", again.stdout);
}

#[test]
fn a_new_passphrase_takes_the_place_of_the_former_one() {
    let world = World::with(FAKER_TO_NULL);
    for (name, phrase) in [("former", "correct horse battery"), ("next", "staple of the correct horse")] {
        world.file(name, phrase);
        let mode = <fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o600);
        fs::set_permissions(world.path(name), mode).unwrap();
    }
    world.run(&["run", "sync.toml", "--passphrase-file", "former"]).succeeded();
    world.run(&["keys", "rotate", "--kek", "--new-passphrase-file", "next"]).succeeded();
    world.run(&["run", "sync.toml"]).succeeded();
    let former = world.run(&["run", "sync.toml", "--passphrase-file", "former"]);
    assert!(former.stderr.starts_with("error[CD0922]: "), "{}", former.report());
}

#[test]
fn verify_opens_everything() {
    let world = used();
    snapshot!("keys-verify", world.run(&["keys", "verify"]));
    let ran = world.run(&["keys", "verify", "--json"]).succeeded();
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert!(document["keys"].as_u64() > Some(2), "{document}");
}

#[test]
fn an_export_brings_a_lost_keyring_back() {
    let world = used();
    world.run(&EXPORT).succeeded();
    fs::remove_file(world.path(".cofferdam/keyring")).unwrap();
    snapshot!("keys-keyring-lost", world.run(&["run", "sync.toml"]));
    let other = World::new();
    other.run(&["keys", "recovery-key", "recovery"]).succeeded();
    fs::copy(other.path("recovery"), world.path("other-recovery")).unwrap();
    let import = ["keys", "import", "export", "--recovery-key"];
    snapshot!("keys-import-wrong-key", world.run(&[&import[..], &["other-recovery"]].concat()));
    snapshot!("keys-import", world.run(&[&import[..], &["recovery"]].concat()));
    let again = world.run(&["run", "sync.toml"]).succeeded();
    assert!(again.stdout.contains("there was nothing new"), "{}", again.stdout);
    snapshot!("keys-import-twice", world.run(&[&import[..], &["recovery"]].concat()));
}

#[test]
fn a_changed_export_is_refused_and_nothing_is_made() {
    let world = used();
    world.run(&EXPORT).succeeded();
    let mut export = fs::read(world.path("export")).unwrap();
    let last = export.len() - 1;
    export[last] ^= 1;
    world.file("export", export);
    let import = ["keys", "import", "export", "--recovery-key", "recovery", "--data", "new"];
    snapshot!("keys-import-damaged", world.run(&import));
    assert!(!world.path("new").exists());
    assert_eq!(world.files("config").len(), 1, "no key file is left behind");
}

#[test]
fn a_recovery_key_is_written_once_and_for_its_owner() {
    use std::os::unix::fs::PermissionsExt;
    let world = used();
    let mode = fs::metadata(world.path("recovery")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    snapshot!("keys-recovery-key-exists", world.run(&["keys", "recovery-key", "recovery"]));
    let mut text = world.read("recovery");
    let digit = if text.starts_with('0') { "1" } else { "0" };
    text.replace_range(0..1, digit);
    world.file("recovery", text);
    snapshot!("keys-recovery-key-slip", world.run(&EXPORT));
}

#[test]
fn there_is_nothing_to_say_of_a_directory_that_is_not_there() {
    snapshot!("keys-nowhere", World::new().run(&["keys", "status"]));
}
