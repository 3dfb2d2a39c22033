//! Where paths lead: links in and out, to the parent, absolute and in circles, `..`, hard links, letters and long names.

use super::{CANARY, Granted};
use serde_json::json;
use std::os::unix::fs::symlink;

#[tokio::test(flavor = "multi_thread")]
async fn symbolic_links_are_followed_as_far_as_they_stay_inside() {
    let granted = Granted::new(false);
    std::fs::create_dir(granted.at("below")).unwrap();
    let links = [
        ("in", "file".into()),
        ("below/up-and-in", "../file".into()),
        ("out", "../beside/secret".into()),
        ("out-in-two", "parent/beside/secret".into()),
        ("parent", "..".into()),
        ("absolute", granted.beside("secret")),
        ("absolute-in", granted.at("file")),
        ("root", "/".into()),
        ("self", "self".into()),
        ("one", "two".into()),
        ("two", "one".into()),
        ("nowhere", "not-there".into()),
    ];
    for (name, target) in links {
        symlink(target, granted.at(name)).unwrap();
    }
    granted
        .expect(&[
            ("read", "in", "", "`inside`"),
            ("read", "below/up-and-in", "", "`inside`"),
            ("read", "out", "", "not-permitted"),
            ("type", "out", "", "not-permitted"),
            ("read", "out-in-two", "", "not-permitted"),
            ("list", "parent", "", "not-permitted"),
            ("read", "parent/data/file", "", "not-permitted"),
            ("read", "absolute", "", "not-permitted"),
            ("read", "absolute-in", "", "not-permitted"),
            ("list", "root", "", "not-permitted"),
            ("read", "root/etc/passwd", "", "not-permitted"),
            ("read", "self", "", "loop"),
            ("read", "one", "", "loop"),
            ("read", "nowhere", "", "no-entry"),
        ])
        .await;
    let unfollowed = json!([{ "do": "read", "path": "in", "follow": false }]);
    assert_eq!(granted.steps(unfollowed).await.unwrap(), ["read in: loop"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_that_climb_out_or_begin_at_the_root_are_refused() {
    let granted = Granted::new(false);
    std::fs::create_dir_all(granted.at("a/b")).unwrap();
    granted
        .expect(&[
            ("read", "a/b/../../file", "", "`inside`"),
            ("read", "../beside/secret", "", "not-permitted"),
            ("read", "a/../../beside/secret", "", "not-permitted"),
            ("read", "a/b/../../../beside/secret", "", "not-permitted"),
            ("read", "../data/file", "", "not-permitted"),
            ("list", "..", "", "not-permitted"),
            ("list", "a/b/../../..", "", "not-permitted"),
            ("type", "../beside", "", "not-permitted"),
            ("read", "/etc/passwd", "", "not-permitted"),
            ("read", "//etc/passwd", "", "not-permitted"),
            ("read", "", "", "no-entry"),
            ("read", "file/..", "", "not-directory"),
            ("read", "file\0/../../beside/secret", "", "invalid"),
            ("read", "..\\beside\\secret", "", "no-entry"),
            ("read", "%2e%2e/beside/secret", "", "no-entry"),
            ("read", "\u{ff0e}\u{ff0e}/beside/secret", "", "no-entry"),
            ("list", ".", "", "a file"),
        ])
        .await;
}

/// A file's other name is the same file, and nothing of it tells where it was made. So says the documentation.
#[tokio::test(flavor = "multi_thread")]
async fn a_hard_link_that_the_owner_made_to_a_file_outside_is_a_file_inside() {
    let granted = Granted::new(false);
    std::fs::hard_link(granted.beside("secret"), granted.at("linked")).unwrap();
    granted
        .expect(&[("read", "linked", "", &format!("`{CANARY}`")), ("write", "linked", "", "not-permitted")])
        .await;
}

/// Names are the file system's matter: nothing on the way compares, folds or composes them.
#[tokio::test(flavor = "multi_thread")]
async fn names_that_differ_in_case_or_composition_are_what_the_file_system_says() {
    let granted = Granted::new(true);
    let differs = |one: &str, other: &str| {
        std::fs::write(granted.at(one), "one").unwrap();
        let differs = !granted.at(other).exists();
        std::fs::remove_file(granted.at(one)).unwrap();
        differs
    };
    for (one, other) in [("case", "CASE"), ("\u{e9}", "e\u{301}"), ("stra\u{df}e", "strasse")] {
        let expect = if differs(one, other) { "no-entry" } else { "``" };
        granted
            .expect(&[("create", one, "", "done"), ("read", other, "", expect), ("unlink", one, "", "done")])
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_and_paths_that_are_too_long_are_refused_and_the_longest_work() {
    let granted = Granted::new(true);
    let name = |length: usize| "n".repeat(length);
    let deep = "d/".repeat(2_100);
    std::fs::create_dir(granted.at("d")).unwrap();
    for (call, path, expect) in [
        ("create", name(255), "done"),
        ("create", name(256), "name-too-long"),
        ("make-directory", name(4_000), "name-too-long"),
        ("read", deep, "name-too-long"),
        ("read", "./".repeat(1 << 19) + "file", "name-too-long"),
    ] {
        let said = granted.steps(json!([{ "do": call, "path": path }])).await.unwrap();
        let shown: String = path.chars().take(40).collect();
        assert_eq!(said, [format!("{call} {shown}: {expect}")]);
    }
    granted.nothing_outside_was_touched();
}
