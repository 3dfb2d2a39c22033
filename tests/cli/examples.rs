//! The examples by which a server is put in place: what they say to the program it takes, and where they let it keep things it
//! may.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::world::World;

fn example(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Lines that go on in the next one as one line each.
fn whole(text: &str) -> String {
    text.replace("\\\n", " ")
}

/// The words behind `=` of this key of a unit, of each of its lines.
fn lines_of<'t>(unit: &'t str, key: &str) -> Vec<Vec<&'t str>> {
    let of_key = |line: &'t str| line.strip_prefix(key)?.strip_prefix('=');
    let lines: Vec<Vec<&str>> =
        unit.lines().filter_map(of_key).map(|line| line.split_whitespace().collect()).collect();
    assert!(!lines.is_empty(), "there is no {key} in {unit}");
    lines
}

/// The program takes this command line: whatever it knows no option of it refuses before it comes to the last one.
#[track_caller]
fn is_taken(world: &World, words: &[&str]) {
    let ran = world.run(&[words, &["--help"]].concat()).succeeded();
    assert!(ran.stdout.contains("Usage: cofferdam"), "{words:?}: {}", ran.report());
}

fn value<'w>(words: &[&'w str], option: &str) -> &'w str {
    let at = words.iter().position(|word| *word == option).unwrap_or_else(|| panic!("{option} in {words:?}"));
    words[at + 1]
}

#[test]
fn the_unit_says_what_the_program_takes_and_keeps_everything_where_it_may_write() {
    let world = World::new();
    let unit = whole(&example("systemd/cofferdam.service"));
    let states: Vec<String> =
        lines_of(&unit, "StateDirectory")[0].iter().map(|name| format!("/var/lib/{name}")).collect();
    for key in ["ExecStartPre", "ExecStart"] {
        let lines = lines_of(&unit, key);
        let [command] = lines.as_slice() else { panic!("one {key}: {lines:?}") };
        assert_eq!(command[0].trim_start_matches('-'), "/usr/local/bin/cofferdam");
        is_taken(&world, &command[1..]);
        assert!(states.contains(&value(command, "--data").to_owned()), "{command:?}");
    }
    let start = &lines_of(&unit, "ExecStart")[0];
    let shred = PathBuf::from(value(start, "--shred-key"));
    let keys = shred.parent().unwrap().display().to_string();
    assert!(
        states.contains(&keys) && keys != value(start, "--data"),
        "a backup of the data has no keys: {keys}"
    );
    let credentials: Vec<&str> = ["LoadCredentialEncrypted", "LoadCredential"]
        .iter()
        .map(|key| lines_of(&unit, key)[0][0].split(':').next().unwrap())
        .collect();
    assert!(credentials.contains(&value(start, "--credential")), "{credentials:?}");
    assert!(credentials.contains(&value(start, "--tls-key").strip_prefix("%d/").unwrap()), "{credentials:?}");
    // What the server is given to end in order is more than its runs and its requests take for it.
    let seconds: u64 = lines_of(&unit, "TimeoutStopSec")[0][0].parse().unwrap();
    assert!(seconds >= 60 + 30, "{seconds}");
}

/// Where `systemd-analyze` is there, and it is in Debian's package of systemd.
#[test]
fn systemd_finds_nothing_wrong_with_the_unit() {
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        return;
    }
    let world = World::new();
    let program = env!("CARGO_BIN_EXE_cofferdam");
    let unit = example("systemd/cofferdam.service").replace("/usr/local/bin/cofferdam", program);
    let verify = |name: &str, unit: &str| {
        world.file(name, unit);
        let mut command = Command::new("systemd-analyze");
        let output = command.args(["verify", "--man=no"]).arg(world.path(name)).output().unwrap();
        (output.status.success(), String::from_utf8(output.stderr).unwrap())
    };
    assert_eq!(verify("right.service", &unit), (true, String::new()));
    // It does look.
    let (_, said) = verify("wrong.service", &unit.replace("ProtectHome=yes", "ProtectHomes=yes"));
    assert!(said.contains("ProtectHomes"), "{said}");
}

#[test]
fn the_settings_beside_the_unit_are_settings() {
    let world = World::new();
    let text = example("systemd/serve.toml");
    // What is only shown is taken too, where its directories are there.
    let shown: String =
        text.lines().map(|line| line.strip_prefix("#: ").unwrap_or(line).to_owned() + "\n").collect();
    assert!(shown.contains("\n[[directories]]\n"), "{shown}");
    for (name, folder) in [("/srv/cofferdam/imports", "imports"), ("/srv/cofferdam/exports", "exports")] {
        assert!(shown.contains(name), "{name} in {shown}");
        world.folder(folder);
    }
    let here = world.path("imports").parent().unwrap().display().to_string();
    for (name, text) in
        [("as-it-is.toml", text.clone()), ("shown.toml", shown.replace("/srv/cofferdam", &here))]
    {
        world.file(name, &text);
        // With one fault of our own no server begins, and all others would be told beside it.
        let ran = world.run(&["serve", "--config", name, "--password-characters", "1"]);
        assert!(ran.stderr.contains("a setting of the server is not taken"), "{name}: {}", ran.report());
        assert!(ran.stderr.contains("`--password-characters`: expected"), "{name}: {}", ran.report());
    }
}

#[test]
fn the_container_says_what_the_program_takes_and_keeps_everything_in_volumes() {
    let world = World::new();
    let file = whole(&example("container/Containerfile"));
    let words = |key: &str| -> Vec<String> {
        let line = file.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_else(|| panic!("no {key}"));
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{key}: {error}"))
    };
    assert_eq!(words("ENTRYPOINT "), ["/usr/local/bin/cofferdam"]);
    assert!(file.contains("COPY --chmod=0755 cofferdam /usr/local/bin/cofferdam\n"), "{file}");
    let (volumes, command) = (words("VOLUME "), words("CMD "));
    let command: Vec<&str> = command.iter().map(String::as_str).collect();
    is_taken(&world, &command);

    let readme = whole(&example("container/README.md"));
    let served = readme.split("cofferdam serve").nth(1).expect("it is started").split("```").next().unwrap();
    let served: Vec<&str> = std::iter::once("serve").chain(served.split_whitespace()).collect();
    is_taken(&world, &served);
    let is_kept = |path: &str| volumes.iter().any(|volume| Path::new(path).starts_with(volume));
    let cache = file.lines().find_map(|line| line.strip_prefix("ENV XDG_CACHE_HOME=")).unwrap();
    for path in [value(&command, "--data"), value(&served, "--data"), value(&served, "--shred-key"), cache] {
        assert!(is_kept(path), "{path} is in no volume: {volumes:?}");
    }
    for volume in &volumes {
        assert!(readme.contains(&format!(":{volume} ")), "{volume} gets a volume in {readme}");
    }
    let port = value(&served, "--listen").rsplit(':').next().unwrap();
    assert!(file.contains(&format!("\nEXPOSE {port}\n")) && readme.contains(&format!(":{port} ")), "{port}");
}
