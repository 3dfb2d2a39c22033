//! Exported logs that somebody has tampered with: each way is found, and named with its place.

use super::audit::filled;
use super::world::World;
use crate::audit::{Log, Remembered};
use crate::{Audit, Finding, NoteKey, Verification, VerifyOptions, verify_export};
use std::io::Cursor;

const ENTRIES: u64 = 10;

pub(super) async fn export(audit: &Audit) -> Vec<u8> {
    let mut file = Vec::new();
    audit.export(&Log::installation(), &mut file).await.unwrap();
    file
}

pub(super) async fn verify(audit: &Audit, remembered: &[String]) -> Verification {
    let options = VerifyOptions { key: Some(audit.key().clone()), remembered: remembered.to_vec() };
    verify_export(&mut Cursor::new(export(audit).await), &options).unwrap()
}

/// A log of ten entries: its lines, its key, and checkpoints of four and of ten entries.
struct Exported {
    lines: Vec<String>,
    key: NoteKey,
    four: String,
    ten: String,
}

async fn exported() -> Exported {
    let world = World::new();
    let audit = filled(&world, 4).await;
    let four = audit.checkpoint(&Log::installation()).await.unwrap();
    for number in 4..ENTRIES {
        audit.append(&Log::installation(), &again(number)).await.unwrap();
    }
    let ten = audit.checkpoint(&Log::installation()).await.unwrap();
    let text = String::from_utf8(export(&audit).await).unwrap();
    Exported { lines: text.lines().map(str::to_owned).collect(), key: audit.key().clone(), four, ten }
}

fn again(number: u64) -> crate::Event {
    crate::Event::done(crate::Act::LoggedIn, "usr_1", "usr_1").detail("number", number.to_string())
}

impl Exported {
    fn judge(&self, lines: &[String], remembered: &[&String]) -> Vec<Finding> {
        let remembered = remembered.iter().map(|note| (*note).clone()).collect();
        let options = VerifyOptions { key: Some(self.key.clone()), remembered };
        verify_export(&mut Cursor::new(lines.join("\n") + "\n"), &options).unwrap().findings
    }

    fn after(&self, tamper: impl FnOnce(&mut Vec<String>)) -> Vec<Finding> {
        let mut lines = self.lines.clone();
        tamper(&mut lines);
        assert_ne!(lines, self.lines);
        self.judge(&lines, &[])
    }
}

/// Rewrites what entries say they follow, from this line on, so that all of them fit together again.
fn relink(lines: &mut [String], from: usize) {
    use base64::Engine as _;
    for line in from..lines.len() - 1 {
        let before = crate::audit::test_leaf_hash(lines[line - 1].as_bytes());
        let mut entry: serde_json::Value = serde_json::from_str(&lines[line]).unwrap();
        let previous = base64::engine::general_purpose::STANDARD.encode(before);
        let old = entry["previous"].as_str().unwrap().to_owned();
        entry["previous"] = previous.clone().into();
        lines[line] = lines[line].replace(&old, &previous);
    }
}

#[tokio::test]
async fn a_log_that_nobody_touched_has_no_finding() {
    let exported = exported().await;
    assert_eq!(exported.judge(&exported.lines, &[]), []);
    assert_eq!(exported.judge(&exported.lines, &[&exported.four, &exported.ten]), []);
}

#[tokio::test]
async fn each_way_of_tampering_is_found_at_its_place() {
    let exported = exported().await;
    let one = |finding| vec![finding];
    // Entry n stands on line n + 2.
    for number in 0..ENTRIES - 1 {
        let at = usize::try_from(number).unwrap() + 1;
        let edited = exported.after(|lines| lines[at] = lines[at].replace("usr_1", "usr_9"));
        assert_eq!(edited, one(Finding::Edited { number, line: number + 2 }));
        let deleted = exported.after(|lines| drop(lines.remove(at)));
        assert_eq!(deleted, one(Finding::Deleted { from: number, to: number, line: number + 2 }));
        let inserted = exported.after(|lines| lines.insert(at + 1, lines[at].replace("usr_1", "usr_9")));
        assert_eq!(inserted, one(Finding::Inserted { number, line: number + 3 }));
        let before = exported.after(|lines| lines.insert(at, lines[at].replace("usr_1", "usr_9")));
        assert_eq!(before, one(Finding::Inserted { number, line: number + 2 }));
        let swapped = exported.after(|lines| lines.swap(at, at + 1));
        assert_eq!(swapped, one(Finding::Reordered { number, line: number + 3 }));
        let cut = exported.after(|lines| drop(lines.drain(at + 1..11)));
        assert_eq!(cut, one(Finding::Truncated { entries: number + 1, signed: ENTRIES }));
    }
    let deleted = exported.after(|lines| drop(lines.drain(3..6)));
    assert_eq!(deleted, one(Finding::Deleted { from: 2, to: 4, line: 4 }));
    let appended =
        exported.after(|lines| lines.insert(11, lines[10].replace("\"number\":9,", "\"number\":10,")));
    assert_eq!(appended, one(Finding::Inserted { number: 10, line: 12 }));
    let garbage = exported.after(|lines| lines[5] = "{}".into());
    assert_eq!(garbage, [Finding::NotAnEntry { line: 6 }, Finding::Deleted { from: 4, to: 4, line: 7 }]);
    let long = exported.after(|lines| lines.insert(5, "x".repeat(200_000)));
    assert!(long.contains(&Finding::NotAnEntry { line: 6 }), "{long:?}");
}

#[tokio::test]
async fn several_edits_are_found_each_at_its_place() {
    let exported = exported().await;
    let found = exported.after(|lines| {
        for at in [2, 6, 9] {
            lines[at] = lines[at].replace("usr_1", "usr_9");
        }
    });
    assert_eq!(found, [1, 5, 8].map(|number| Finding::Edited { number, line: number + 2 }));
}

#[tokio::test]
async fn a_log_whose_links_were_made_to_fit_again_is_rewritten_and_a_remembered_checkpoint_says_from_where() {
    let exported = exported().await;
    let mut lines = exported.lines.clone();
    lines[7] = lines[7].replace("usr_1", "usr_9");
    relink(&mut lines, 8);
    assert_eq!(exported.judge(&lines, &[]), [Finding::Rewritten { from: 0, to: 9 }]);
    assert_eq!(exported.judge(&lines, &[&exported.four]), [Finding::Rewritten { from: 4, to: 9 }]);
    // The last entry is followed by nothing: the tree alone tells.
    let last = exported.after(|lines| lines[10] = lines[10].replace("usr_1", "usr_9"));
    assert_eq!(last, [Finding::Rewritten { from: 0, to: 9 }]);
}

#[tokio::test]
async fn a_checkpoint_that_is_missing_changed_or_foreign_is_found() {
    let exported = exported().await;
    assert_eq!(exported.after(|lines| drop(lines.pop())), [Finding::NoCheckpoint]);
    let changed = exported.after(|lines| lines[11] = lines[11].replace("\\n10\\n", "\\n11\\n"));
    assert_eq!(changed, [Finding::NotSigned]);
    let origin = exported.after(|lines| lines[0] = lines[0].replace("/installation", "/org_a"));
    assert!(matches!(origin.as_slice(), [Finding::ForeignCheckpoint { .. }]), "{origin:?}");
    let behind = exported.after(|lines| lines.push(lines[3].clone()));
    assert_eq!(behind, [Finding::NotAnEntry { line: 13 }]);
}

#[tokio::test]
async fn a_log_that_somebody_signed_with_another_key_is_not_signed() {
    let (ours, theirs) = (exported().await, exported().await);
    assert_eq!(ours.judge(&theirs.lines, &[]), [Finding::NotSigned]);
    // Without the key the file's own is believed, and the answer says so.
    let unknown = VerifyOptions::default();
    let checked = verify_export(&mut Cursor::new(theirs.lines.join("\n") + "\n"), &unknown).unwrap();
    assert_eq!((checked.findings, checked.is_key_known), (vec![], false));
}

#[tokio::test]
async fn an_old_copy_that_was_put_back_is_found_by_a_remembered_checkpoint() {
    let world = World::new();
    let audit = filled(&world, 6).await;
    let (old, key) = (export(&audit).await, audit.key().clone());
    for number in 6..9 {
        audit.append(&Log::installation(), &again(number)).await.unwrap();
    }
    let newer = audit.checkpoint(&Log::installation()).await.unwrap();
    let options = VerifyOptions { key: Some(key), remembered: vec![newer] };
    let checked = verify_export(&mut Cursor::new(old), &options).unwrap();
    assert_eq!(checked.findings, [Finding::Restored { signed: 6, remembered: 9 }]);
}

/// Somebody who has every key puts back what storage held, and goes on from there.
#[tokio::test]
async fn a_log_in_storage_that_was_put_back_or_written_anew_is_found() {
    use storage::{Batch, Engine as _, MemoryEngine, Scan};
    let (engine, log) = (std::sync::Arc::new(MemoryEngine::new()), Log::installation());
    let world = World::over(engine.clone());
    let audit = filled(&world, 3).await;
    let old = engine.scan(Scan { limit: 10_000, ..Scan::default() }).await.unwrap();
    audit.append(&log, &again(3)).await.unwrap();
    audit.append(&log, &again(4)).await.unwrap();
    let note = audit.checkpoint(&log).await.unwrap();
    drop(audit);
    engine.commit(Batch { put: old, ..Batch::default() }).await.unwrap();
    let audit = world.audit().await;
    let restored = Remembered::Restored { entries: 3, remembered: 5 };
    assert_eq!(audit.hold_against(&log, &note).await.unwrap(), restored);
    for number in [7, 8, 9] {
        audit.append(&log, &again(number)).await.unwrap();
    }
    assert_eq!(audit.hold_against(&log, &note).await.unwrap(), Remembered::Rewritten { remembered: 5 });
}

#[tokio::test]
async fn what_is_no_export_is_refused_and_nothing_is_read_without_end() {
    for text in
        ["", "{}\n", "x", "{\"cofferdam_audit\":2,\"origin\":\"o\",\"key\":\"k\"}\n", &"x".repeat(1 << 20)]
    {
        let error = verify_export(&mut Cursor::new(text), &VerifyOptions::default()).unwrap_err();
        assert_eq!(error.code(), "CD1209");
    }
}
