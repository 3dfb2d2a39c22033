//! The data directory: made at first use, opened by its keys alone, and never changed by a refusal.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::commands::FAKER_TO_NULL;
use crate::snapshot;
use crate::stopped::{SLOW, until};
use crate::world::{Ran, World, ran, target};

/// A world with a run behind it.
fn used() -> World {
    let world = World::with(FAKER_TO_NULL);
    world.run(&["run", "sync.toml"]).succeeded();
    world
}

/// Runs the sync and expects a refusal that changes nothing, neither in the data directory nor among the keys.
#[track_caller]
fn refused(world: &World, arguments: &[&str]) -> Ran {
    let before = (world.files(".cofferdam"), world.files("config"));
    let ran = world.run(arguments);
    assert_eq!(ran.status, Some(1), "{}", ran.report());
    assert!(before == (world.files(".cofferdam"), world.files("config")), "changed by {}", ran.report());
    ran
}

#[test]
fn the_first_use_makes_a_key_that_only_its_owner_reads() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::with(FAKER_TO_NULL);
    snapshot!("data-first-use", world.run(&["run", "sync.toml"]));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&world.path(".cofferdam")), 0o700, "others do not even see what is there");
    for name in ["keyring", "keys.toml", "lock"] {
        assert_eq!(mode(&world.path(".cofferdam").join(name)), 0o600, "{name}");
    }
    assert_eq!(mode(&world.key_file()), 0o600);
    let again = world.run(&["run", "sync.toml"]).succeeded();
    assert_eq!(again.stderr, "", "it is said once");
}

#[test]
fn without_a_home_there_is_no_key_and_nothing_is_made() {
    let world = World::with(FAKER_TO_NULL);
    let mut command = world.command(&["run", "sync.toml"]);
    snapshot!(
        "data-no-home",
        ran(command.env_remove("XDG_CONFIG_HOME").env("HOME", "not/absolute").output().unwrap())
    );
    assert!(!world.path(".cofferdam").exists());
}

#[test]
fn a_directory_with_something_else_in_it_is_left_alone() {
    let world = World::with(FAKER_TO_NULL);
    world.file(".cofferdam/letter.txt", "dear");
    snapshot!("data-foreign", refused(&world, &["run", "sync.toml"]));
}

#[test]
fn a_key_file_inside_of_the_data_directory_is_refused() {
    let world = World::with(FAKER_TO_NULL);
    snapshot!("data-key-inside", refused(&world, &["run", "sync.toml", "--key-file", ".cofferdam/my.key"]));
    assert!(!world.path(".cofferdam").exists());
}

#[test]
fn a_missing_key_file_is_named_and_may_have_moved() {
    let world = used();
    let moved = world.path("moved.key");
    fs::rename(world.key_file(), &moved).unwrap();
    snapshot!("data-key-missing", refused(&world, &["run", "sync.toml"]));
    world.run(&["run", "sync.toml", "--key-file", "moved.key"]).succeeded();
    world.run(&["run", "sync.toml"]).succeeded();
    assert!(world.read(".cofferdam/keys.toml").contains("moved.key"), "it is remembered");
}

#[test]
fn a_key_file_of_another_deployment_is_told() {
    let (world, other) = (used(), used());
    fs::copy(other.key_file(), world.key_file()).unwrap();
    snapshot!("data-key-swapped", refused(&world, &["run", "sync.toml"]));
}

#[test]
fn a_key_file_from_before_a_rotation_is_told() {
    let world = used();
    let earlier = fs::read(world.key_file()).unwrap();
    world.run(&["keys", "rotate", "--kek"]).succeeded();
    fs::write(world.key_file(), earlier).unwrap();
    snapshot!("data-key-earlier", refused(&world, &["run", "sync.toml"]));
}

#[test]
fn a_keyring_of_another_deployment_is_told() {
    let (world, other) = (used(), used());
    fs::copy(other.path(".cofferdam/keyring"), world.path(".cofferdam/keyring")).unwrap();
    snapshot!("data-keyring-swapped", refused(&world, &["run", "sync.toml"]));
}

#[test]
fn a_damaged_keyring_is_told() {
    let world = used();
    let mut keyring = fs::read(world.path(".cofferdam/keyring")).unwrap();
    let last = keyring.len() - 1;
    keyring[last] ^= 1;
    world.file(".cofferdam/keyring", keyring);
    snapshot!("data-keyring-damaged", refused(&world, &["run", "sync.toml"]));
}

#[test]
fn files_of_a_newer_version_are_told() {
    let world = used();
    let settings = world.read(".cofferdam/keys.toml");
    world.file(".cofferdam/keys.toml", settings.replace("keys = 1", "keys = 2"));
    snapshot!("data-settings-newer", refused(&world, &["run", "sync.toml"]));
    world.file(".cofferdam/keys.toml", settings);
    let mut keyring = fs::read(world.path(".cofferdam/keyring")).unwrap();
    // Behind eight bytes of magic.
    keyring[8..10].copy_from_slice(&2_u16.to_be_bytes());
    world.file(".cofferdam/keyring", keyring);
    snapshot!("data-keyring-newer", refused(&world, &["run", "sync.toml"]));
}

#[test]
fn lost_settings_can_be_said_again() {
    let world = used();
    fs::remove_file(world.path(".cofferdam/keys.toml")).unwrap();
    snapshot!("data-settings-lost", refused(&world, &["run", "sync.toml"]));
    let key = world.key_file();
    world.run(&["run", "sync.toml", "--key-file", key.to_str().unwrap()]).succeeded();
    world.run(&["run", "sync.toml"]).succeeded();
}

#[test]
fn a_passphrase_opens_what_it_was_chosen_for() {
    let world = World::with(FAKER_TO_NULL);
    for (name, phrase) in
        [("right", "correct horse battery\n"), ("wrong", "incorrect horse\n"), ("short", "horse\n")]
    {
        world.file(name, phrase);
        restrict(&world.path(name));
    }
    snapshot!("data-passphrase-short", refused(&world, &["run", "sync.toml", "--passphrase-file", "short"]));
    assert!(!world.path(".cofferdam").exists());
    let options = ["run", "sync.toml", "--passphrase-file", "right", "--shred-key", "shred.key"];
    snapshot!("data-passphrase-first-use", world.run(&options));
    snapshot!("data-passphrase-wrong", refused(&world, &["run", "sync.toml", "--passphrase-file", "wrong"]));
    snapshot!(
        "data-passphrase-not-a-key-file",
        refused(&world, &["run", "sync.toml", "--key-file", "right"])
    );
    world.run(&["run", "sync.toml"]).succeeded();
    fs::rename(world.path("shred.key"), world.path("moved.key")).unwrap();
    snapshot!("data-shred-key-missing", refused(&world, &["run", "sync.toml"]));
    world.run(&["run", "sync.toml", "--shred-key", "moved.key"]).succeeded();
}

#[test]
fn a_passphrase_cannot_be_typed_without_a_terminal() {
    let world = World::with(FAKER_TO_NULL);
    let mut command = Command::new("setsid");
    command.args(["--wait", env!("CARGO_BIN_EXE_cofferdam"), "run", "sync.toml", "--passphrase-file", "-"]);
    command.current_dir(world.path("")).stdin(Stdio::null());
    command
        .env("XDG_CACHE_HOME", target().join("tmp/cli-cache"))
        .env("XDG_CONFIG_HOME", world.path("config"));
    snapshot!("data-passphrase-no-terminal", ran(command.output().unwrap()));
    assert!(!world.path(".cofferdam/keyring").exists());
}

#[test]
fn a_credential_comes_from_the_service_manager() {
    let world = World::with(FAKER_TO_NULL);
    let options = ["run", "sync.toml", "--credential", "cofferdam", "--shred-key", "shred.key"];
    snapshot!("data-credential-none", refused(&world, &options));
    world.file("credentials/cofferdam", [7; 32]);
    restrict(&world.path("credentials/cofferdam"));
    let run = |arguments: &[&str]| {
        let mut command = world.command(arguments);
        ran(command.env("CREDENTIALS_DIRECTORY", world.path("credentials")).output().unwrap())
    };
    run(&options).succeeded();
    run(&["run", "sync.toml"]).succeeded();
    world.file("credentials/cofferdam", [8; 32]);
    snapshot!("data-credential-other", run(&["run", "sync.toml"]));
}

#[test]
fn a_second_process_is_told_who_has_the_directory() {
    let world = World::with(SLOW);
    world.folder("out");
    let mut command = world.command(&["run", "sync.toml"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    until("the first commit", || world.path("out/people-000001.jsonl").exists());
    let second = world.run(&["run", "sync.toml"]);
    let status = world.run(&["keys", "status"]);
    child.kill().unwrap();
    child.wait().unwrap();
    snapshot!("data-in-use", second);
    snapshot!("keys-status-in-use", status);
    world.edit("wait_ms = 100", "wait_ms = 0");
    world.run(&["run", "sync.toml"]).succeeded();
}

/// Runs `before`, then the program, where the data directory is what `before` makes of it.
fn mounted(world: &World, before: &str) -> Ran {
    let script = format!("{before} || exit 90\n exec $PROGRAM run sync.toml");
    world.mounting(&script)
}

#[test]
fn a_read_only_directory_is_told() {
    let world = used();
    let before = (world.files(".cofferdam"), world.files("config"));
    let read_only = "mount --bind .cofferdam .cofferdam && mount -o remount,bind,ro .cofferdam";
    snapshot!("data-read-only", mounted(&world, read_only));
    assert!(before == (world.files(".cofferdam"), world.files("config")));
    let fresh = World::with(FAKER_TO_NULL);
    fresh.folder(".cofferdam");
    snapshot!("data-read-only-first-use", mounted(&fresh, read_only));
    assert!(fresh.files("config").is_empty(), "no key is left behind");
}

#[test]
fn a_full_disk_at_the_first_use_is_told_and_leaves_nothing() {
    let world = World::with(FAKER_TO_NULL);
    world.folder(".cofferdam");
    // Room for one small file.
    let full = "mount -t tmpfs -o size=4k tmpfs .cofferdam";
    let ran = mounted(&world, full);
    assert_eq!(ran.status, Some(1), "{}", ran.report());
    assert!(ran.stderr.contains("No space left on device"), "{}", ran.report());
    assert!(world.files("config").is_empty(), "no key is left behind");
}

/// Files with secrets are refused while others may read them.
fn restrict(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}
