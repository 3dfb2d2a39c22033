//! Audit logs: verified at the server, in a data directory and as a file, and each kind of tampering found.

use std::process::Command;

use serde_json::Value;

use crate::remote::Site;
use crate::world::Ran;

/// A site with some entries in the log of its installation, and that log as a file.
fn exported() -> (Site, Vec<String>) {
    let site = Site::new();
    site.organization("Acme");
    site.asked("op", &["audit", "export", "--installation", "--to", "log.jsonl"]).succeeded();
    let lines = site.world.read("log.jsonl").lines().map(ToOwned::to_owned).collect();
    (site, lines)
}

fn found(ran: &Ran, what: &str) {
    assert_eq!(ran.status, Some(1), "{what}: {}", ran.report());
    assert!(ran.stderr.contains("error[CD0876]") && ran.stderr.contains(what), "{what}: {}", ran.report());
}

#[test]
fn each_kind_of_tampering_with_a_file_is_found_and_told() {
    let (site, lines) = exported();
    let verified = |lines: &[String]| {
        site.world.file("tampered.jsonl", lines.join("\n") + "\n");
        // Whoever verifies has neither server nor login.
        site.world.run(&["audit", "verify", "tampered.jsonl"])
    };
    let whole = verified(&lines).succeeded();
    assert!(
        whole.stdout.contains("as they were signed") && whole.stderr.contains("--key"),
        "{}",
        whole.report()
    );
    let last = lines.len() - 1;
    let edit = |lines: &mut Vec<String>, at: usize| {
        lines[at] = lines[at].replacen("\"subject\":\"", "\"subject\":\"x", 1)
    };
    type Tampering<'t> = &'t dyn Fn(&mut Vec<String>);
    let kinds: [(Tampering<'_>, &str); 8] = [
        (&|lines| edit(lines, 2), "entry 1 (line 3) was edited"),
        (&|lines| drop(lines.remove(2)), "entries 1 to 1 were deleted before line 3"),
        (&|lines| lines.insert(3, lines[2].clone()), "which calls itself entry 1, was inserted"),
        (&|lines| lines.swap(2, 3), "entry 1 was moved to line 4"),
        (&|lines| drop(lines.remove(last - 1)), "the log ends after"),
        (&|lines| edit(lines, last - 1), "are not those that were signed"),
        (&|lines| drop(lines.pop()), "the signed checkpoint at the end is missing"),
        (&|lines| lines[2].push('}'), "line 3 is no entry"),
    ];
    for (tamper, what) in kinds {
        let mut tampered = lines.clone();
        tamper(&mut tampered);
        assert_ne!(tampered, lines, "{what}");
        found(&verified(&tampered), what);
    }
    site.world.heard(&site.server.terminate().succeeded());
}

#[test]
fn a_file_is_held_against_key_and_checkpoint_that_were_kept_elsewhere() {
    let (site, lines) = exported();
    let header: Value = serde_json::from_str(&lines[0]).unwrap();
    let key = header["key"].as_str().unwrap();
    site.log_in("op", "op@host.example");
    site.asked("op", &["audit", "export", "--installation", "--to", "newer.jsonl"]).succeeded();
    let newer = site.world.read("newer.jsonl");
    site.world.file("checkpoint.json", newer.lines().last().unwrap());
    let fits =
        site.world.run(&["audit", "verify", "newer.jsonl", "--key", key, "--checkpoint", "checkpoint.json"]);
    assert!(!fits.succeeded().stderr.contains("--key"), "its key is known");
    let older =
        site.world.run(&["audit", "verify", "log.jsonl", "--key", key, "--checkpoint", "checkpoint.json"]);
    found(&older, "an old copy with");
    // A whole log in another's name: all fits together, and is signed by a key that is not the known one.
    let other = Site::new();
    other.asked("op", &["audit", "export", "--installation", "--to", "log.jsonl"]).succeeded();
    site.world.file("other.jsonl", other.world.read("log.jsonl"));
    found(
        &site.world.run(&["audit", "verify", "other.jsonl", "--key", key]),
        "is not signed by the key of the log",
    );
    let ran = site.world.run(&["audit", "verify", "checkpoint.json"]);
    assert!(ran.stderr.contains("error[CD1209]"), "{}", ran.report());
    other.world.heard(&other.server.terminate().succeeded());
    site.world.heard(&site.server.terminate().succeeded());
}

#[test]
fn a_server_is_held_against_what_was_seen_of_it_before() {
    let site = Site::new();
    let id = site.organization("Acme");
    let first = site.asked("ada", &["audit", "verify"]).succeeded();
    assert!(
        first.stdout.contains(&id) && first.stderr.contains("remembered from now on"),
        "{}",
        first.report()
    );
    let second = site.asked("ada", &["audit", "verify", "--organization", "Acme"]).succeeded();
    assert!(second.stderr.contains("begins with what was seen"), "{}", second.report());
    let listed = site.asked("ada", &["audit", "list", "-n", "3"]).succeeded();
    assert!(listed.stdout.contains("organization_created"), "{}", listed.report());
    // Names are all that an operator sees.
    let refused = site.asked("op", &["audit", "verify", "--organization", "Acme"]);
    assert!(refused.stderr.contains("error[CD1242]"), "{}", refused.report());
    site.world.heard(&site.server.terminate().succeeded());
}

#[test]
fn an_old_copy_of_a_data_directory_is_found_by_what_was_remembered() {
    let site = Site::new();
    let verify = ["audit", "verify", "--installation", "--data", "data"];
    let held = site.world.run(&verify);
    assert!(held.stderr.contains("cofferdam serve"), "one process has it: {}", held.report());
    let Site { world, server, .. } = site;
    world.heard(&server.terminate().succeeded());
    let copied = Command::new("cp").arg("-a").args([world.path("data"), world.path("old")]).status().unwrap();
    assert!(copied.success());
    let first = world.run(&verify).succeeded();
    assert!(first.stderr.contains("remembered from now on"), "{}", first.report());
    world.run(&["audit", "export", "--installation", "--data", "data", "--to", "log.jsonl"]).succeeded();
    let second = world.run(&verify).succeeded();
    assert!(second.stderr.contains("begins with what was seen"), "{}", second.report());
    std::fs::remove_dir_all(world.path("data")).unwrap();
    std::fs::rename(world.path("old"), world.path("data")).unwrap();
    found(&world.run(&verify), "an old copy with");
    let nothing = world.run(&["audit", "verify", "--data", "elsewhere"]);
    assert_eq!(nothing.status, Some(1), "{}", nothing.report());
}
