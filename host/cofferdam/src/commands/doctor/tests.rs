use serde_json::json;

use super::finding::{Finding, State, Topic};
use super::{of_state, text};

fn findings() -> Vec<Finding> {
    vec![
        Finding::ok(Topic::Clock, "it is now"),
        Finding::warning(Topic::Disk, "little\u{1b}[2J room", "it fills", "make more"),
        Finding::fault(Topic::FileSystem, "no promises", "nothing stays", "take another"),
    ]
}

#[test]
fn a_finding_says_what_was_seen_why_it_matters_and_what_mends_it() {
    let expected = "\
clock        ok       it is now
disk         warning  little\\u{1b}[2J room
                      why: it fills
                      fix: make more
                      more: cofferdam explain CD1102
file system  fault    no promises
                      why: nothing stays
                      fix: take another
                      more: cofferdam explain CD1103

1 warning, 1 fault
";
    assert_eq!(text(&findings()), expected);
    assert_eq!(of_state(&findings(), State::Ok), 1);
}

#[test]
fn machines_get_the_same() {
    let documents = json!(findings());
    assert_eq!(documents[0], json!({ "topic": "clock", "state": "ok", "seen": "it is now" }));
    let fault = json!({ "topic": "file system", "state": "fault", "code": "CD1103", "seen": "no promises",
        "why": "nothing stays", "fix": "take another" });
    assert_eq!(documents[2], fault);
}
