//! `cofferdam doctor`: things are broken on purpose, and it finds them, says what mends them, and is content when that is done.

use std::fs::{self, File, Permissions};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::thread;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::commands::FAKER_TO_NULL;
use crate::snapshot;
use crate::world::{Ran, World, ran};

/// A world with a run behind it.
fn used() -> World {
    let world = World::with(FAKER_TO_NULL);
    world.run(&["run", "sync.toml"]).succeeded();
    world
}

/// A name server that refuses whatever it is asked, so that nothing leaves this machine.
fn refusing() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    thread::spawn(move || {
        let mut message = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut message) {
            message[2] |= 0x80;
            message[3] = 0x85;
            let _ = socket.send_to(&message[..length], from);
        }
    });
    address
}

/// A port where nobody is.
fn nobody() -> SocketAddr {
    UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

pub(crate) fn doctor(world: &World, arguments: &[&str]) -> Ran {
    let server = refusing().to_string();
    world.run(&[&["doctor", "--name-server", &server], arguments].concat())
}

/// What was found of a topic: states, and all that is said of those that are not ok.
fn found(ran: &Ran, topic: &str) -> Vec<(String, String)> {
    let document: Value =
        serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}", ran.report()));
    let faults = document["faults"].as_u64().unwrap();
    assert_eq!(ran.status, Some(i32::from(faults > 0)), "{}", ran.report());
    let findings = document["findings"].as_array().unwrap().iter();
    let of_topic = findings.filter(|finding| finding["topic"] == topic);
    of_topic.map(|finding| (finding["state"].as_str().unwrap().to_owned(), finding.to_string())).collect()
}

/// The only finding of a topic whose state is this one says all of that.
#[track_caller]
fn expect(ran: &Ran, topic: &str, state: &str, words: &[&str]) {
    let found = found(ran, topic);
    let matching: Vec<&String> = found.iter().filter(|(is, _)| is == state).map(|(_, text)| text).collect();
    assert_eq!(matching.len(), 1, "{topic} {state}: {}", ran.report());
    for word in words {
        assert!(matching[0].contains(word), "`{word}` is not said: {}", matching[0]);
    }
}

#[track_caller]
fn expect_ok(ran: &Ran, topic: &str) {
    let found = found(ran, topic);
    assert!(!found.is_empty() && found.iter().all(|(state, _)| state == "ok"), "{topic}: {found:?}");
}

#[test]
fn an_empty_machine_is_looked_at_and_left_empty() {
    let world = World::new();
    let ran = doctor(&world, &["--json"]);
    for topic in ["clock", "disk", "keys", "ports", "names", "images"] {
        assert!(found(&ran, topic).iter().all(|(state, _)| state != "fault"), "{topic}: {}", ran.report());
    }
    expect(&ran, "keys", "ok", &["there is no data directory `.cofferdam` yet"]);
    assert!(!world.path(".cofferdam").exists() && !world.path("config").exists());
}

#[test]
fn without_a_home_there_is_no_place_for_keys_and_compiled_code() {
    let world = World::new();
    let mut command = world.command(&["doctor", "--json", "--name-server", &refusing().to_string()]);
    command.env_clear().env("HOME", "not/absolute");
    let ran = world.ended(command);
    expect(&ran, "keys", "warning", &["no place for its key", "--key-file PATH"]);
    expect(&ran, "disk", "fault", &["no place for compiled code", "--cache DIR"]);
}

#[test]
fn a_used_directory_is_looked_at_and_not_changed() {
    let world = used();
    let before = (world.files(".cofferdam"), world.files("config"));
    let ran = doctor(&world, &["--json"]);
    assert!(before == (world.files(".cofferdam"), world.files("config")), "{}", ran.report());
    expect_ok(&ran, "clock");
    let keys = found(&ran, "keys");
    let wanting: Vec<&str> =
        keys.iter().filter(|(state, _)| state != "ok").map(|(_, text)| text.as_str()).collect();
    assert_eq!(wanting.len(), 2, "an export and a backup are missing, and nothing else: {keys:?}");
    world.run(&["keys", "recovery-key", "recovery"]).succeeded();
    world.run(&["keys", "export", "--to", "export", "--recovery-key", "recovery"]).succeeded();
    world.run(&["backup", "kept.backup"]).succeeded();
    expect_ok(&doctor(&world, &["--json"]), "keys");
}

#[test]
fn a_key_file_that_others_read_is_found_and_what_is_said_mends_it() {
    let world = used();
    let key = world.key_file();
    fs::set_permissions(&key, Permissions::from_mode(0o644)).unwrap();
    let fix = format!("chmod 600 {}", key.display());
    expect(&doctor(&world, &["--json"]), "keys", "fault", &["CD1104", "has mode 0644", &fix]);
    let mended = Command::new("sh").args(["-c", &fix]).status().unwrap();
    assert!(mended.success());
    assert!(found(&doctor(&world, &["--json"]), "keys").iter().all(|(state, _)| state != "fault"));
}

#[test]
fn a_key_that_is_gone_or_a_keyring_that_is_lost_is_found() {
    let world = used();
    let key = world.key_file();
    fs::rename(&key, world.path("moved.key")).unwrap();
    expect(&doctor(&world, &["--json"]), "keys", "fault", &["--key-file PATH"]);
    fs::rename(world.path("moved.key"), &key).unwrap();
    fs::remove_file(world.path(".cofferdam/keyring")).unwrap();
    expect(&doctor(&world, &["--json"]), "keys", "fault", &["has lost its keyring", "cofferdam keys import"]);
}

#[test]
fn a_passphrase_without_a_shred_key_is_warned_of_and_never_asked_for() {
    let world = World::with(FAKER_TO_NULL);
    world.secret("phrase", "correct horse battery staple");
    world.run(&["run", "sync.toml", "--passphrase-file", "phrase"]).succeeded();
    fs::remove_file(world.path("phrase")).unwrap();
    let ran = doctor(&world, &["--json"]);
    expect(&ran, "keys", "fault", &["passphrase file", "--passphrase-file PATH"]);
    let keys = found(&ran, "keys");
    assert!(
        keys.iter().any(|(state, text)| state == "warning" && text.contains("could be erased")),
        "{keys:?}"
    );
}

#[test]
fn a_clock_before_the_newest_file_is_found() {
    let world = used();
    let journal = fs::read_dir(world.path(".cofferdam/journal")).unwrap().next().unwrap().unwrap().path();
    let later = SystemTime::now() + Duration::from_secs(2 * 3600 + 30);
    File::options().write(true).open(journal).unwrap().set_modified(later).unwrap();
    let ran = doctor(&world, &["--json"]);
    expect(&ran, "clock", "fault", &["CD1101", "2 h 0 min before", "timedatectl set-ntp true"]);
}

#[test]
fn a_port_that_is_taken_is_found() {
    let world = World::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut told = doctor(&world, &["--listen", &address]);
    // Of the rest each machine has its own.
    let lines = told.stdout.lines().skip_while(|line| !line.starts_with("ports"));
    let lines = lines.enumerate().take_while(|(index, line)| *index == 0 || line.starts_with(' '));
    told.stdout = lines.map(|(_, line)| format!("{line}\n")).collect();
    snapshot!("doctor-port-taken", told);
    drop(taken);
    expect_ok(&doctor(&world, &["--json", "--listen", &address]), "ports");
}

#[test]
fn an_address_of_another_machine_is_found() {
    let ran = doctor(&World::new(), &["--json", "--listen", "192.0.2.1:8443"]);
    expect(&ran, "ports", "fault", &["does not have the address 192.0.2.1", "ip address"]);
}

#[test]
fn name_servers_that_do_not_answer_are_found() {
    let world = World::new();
    let (silent, answering) = (nobody().to_string(), refusing().to_string());
    let ran = world.run(&["doctor", "--json", "--name-server", &silent]);
    expect(&ran, "names", "fault", &["CD1106", &silent, "no connector reaches a host"]);
    let ran = world.run(&["doctor", "--json", "--name-server", &silent, "--name-server", &answering]);
    expect(&ran, "names", "warning", &[&silent]);
    expect(&ran, "names", "ok", &[&answering]);
}

/// The program in a shell that has lowered a limit of its own.
fn limited(limit: &str) -> Ran {
    let world = World::new();
    let script = format!("{limit}; exec \"$0\" doctor --json --name-server {}", refusing());
    let mut command = Command::new("sh");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_cofferdam")]).current_dir(world.path(""));
    ran(command.env("HOME", world.path("")).output().unwrap())
}

#[test]
fn limits_that_are_too_low_are_found() {
    expect(
        &limited("ulimit -n 64"),
        "limits",
        "fault",
        &["CD1107", "64 open files at most", "LimitNOFILE=8192"],
    );
    expect(&limited("ulimit -n 4096"), "limits", "warning", &["4,096 open files at most"]);
    expect(&limited("ulimit -v 20000000"), "limits", "warning", &["addresses", "ulimit -v unlimited"]);
}

/// On a file system in memory of this size, in a mount namespace of its own, of which so much is filled.
fn on_a_small_disk(size: &str, filled: &str) -> Ran {
    let world = World::new();
    world.folder("data");
    let script = world.mounting(&format!(
        "set -u; mount -t tmpfs -o size={size} tmpfs data || exit 90
         head -c {filled} /dev/zero >data/filled
         $PROGRAM doctor --json --data data --name-server {} >out 2>err; echo $? >status; ls -A data >left",
        refusing()
    ));
    assert_eq!(script.status, Some(0), "a mount namespace is needed: {}", script.report());
    assert_eq!(world.read("left"), "filled\n", "nothing is left behind");
    let status = world.read("status").trim().parse().ok();
    Ran { status, stdout: world.read("out"), stderr: world.read("err") }
}

#[test]
fn a_full_disk_is_found() {
    let ran = on_a_small_disk("64k", "1m");
    expect(
        &ran,
        "disk",
        "fault",
        &["CD1102", "nothing can be written in `data`", "No space left", "make room"],
    );
}

#[test]
fn a_disk_with_little_room_is_found_before_storage_finds_it() {
    let ran = on_a_small_disk("49m", "2m");
    expect(&ran, "disk", "fault", &["storage commits nothing where less than 48.0 MiB are free"]);
    expect(
        &ran,
        "file system",
        "warning",
        &["CD1103", "`data` is on tmpfs", "gone when the machine starts anew"],
    );
    let ran = on_a_small_disk("100m", "2m");
    expect(&ran, "disk", "warning", &["98.0 MiB are free in `data`"]);
}

#[test]
fn directories_that_a_server_offers_are_looked_at() {
    let world = World::new();
    world.folder("data");
    let config = |tables: &str| {
        world.file(
            "server.toml",
            tables.replace("HERE", world.path("").canonicalize().unwrap().to_str().unwrap()),
        );
        doctor(&world, &["--json", "--data", "data", "--config", "server.toml"])
    };
    let table = |name: &str, path: &str, access: &str| {
        format!("[[directories]]\nname = \"{name}\"\npath = \"HERE/{path}\"\naccess = \"{access}\"\n")
    };
    let ran = config(&table("imports", "imports", "read"));
    expect(&ran, "directories", "fault", &["CD1116", "`directories[0].path`", "No such file", "install -d"]);
    world.folder("imports");
    expect_ok(&config(&table("imports", "imports", "read")), "directories");
    let ran = config(&format!("{}organizations = [\"org_a\"]", table("imports", "imports", "read")));
    expect(&ran, "directories", "warning", &["`imports`", "imports/org_a` cannot be read", "install -d"]);
    // The same table whose place is ours, and a file that says nothing of directories.
    let ran = config(&format!("{}{}", table("imports", "imports", "read"), table("ours", "data", "write")));
    expect(&ran, "directories", "fault", &["`directories[1].path`", "the data directory", "CD0862"]);
    expect(&ran, "directories", "ok", &["`imports`"]);
    assert!(found(&config("listen = \"127.0.0.1:0\""), "directories").is_empty());
    expect(&config("directories = ["), "directories", "fault", &["server.toml"]);
    expect(&config("directories = 1"), "directories", "fault", &["[[directories]]"]);
    let ran = doctor(&world, &["--json", "--config", "gone.toml"]);
    expect(&ran, "directories", "fault", &["gone.toml"]);
}

#[test]
fn a_directory_that_is_mounted_for_reading_is_no_place_to_write() {
    let world = World::new();
    world.folder("exports");
    let here = world.path("").canonicalize().unwrap();
    let table = format!(
        "[[directories]]\nname = \"exports\"\npath = \"{}/exports\"\naccess = \"write\"\n",
        here.display()
    );
    world.file("server.toml", table);
    let script = world.mounting(&format!(
        "set -u; mount -t tmpfs -o ro tmpfs exports || exit 90
         COFFERDAM_CONFIG=server.toml $PROGRAM doctor --json --name-server {} >out 2>err; echo $? >status",
        refusing()
    ));
    assert_eq!(script.status, Some(0), "a mount namespace is needed: {}", script.report());
    let status = world.read("status").trim().parse().ok();
    let ran = Ran { status, stdout: world.read("out"), stderr: world.read("err") };
    let words = ["`exports`", "cannot be written", "Read-only file system", "ReadWritePaths="];
    expect(&ran, "directories", "fault", &words);
}
