//! What may be changed: nothing where a directory is granted for reading, nothing outside where it is granted for writing.

use super::Granted;
use crate::harness::{eventually, tight};
use pipeline::failure::Cause;
use runtime::{Limits, Stopper};
use serde_json::json;
use std::os::unix::fs::symlink;

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_for_reading_refuses_every_kind_of_change() {
    let granted = Granted::new(false);
    std::fs::create_dir(granted.at("below")).unwrap();
    std::fs::write(granted.at("below/file"), "inside too").unwrap();
    let before = std::fs::metadata(granted.at("file")).unwrap();
    granted
        .expect(&[
            ("create", "new", "", "not-permitted"),
            ("truncate", "file", "", "not-permitted"),
            ("write", "file", "", "not-permitted"),
            ("write", "below/file", "", "not-permitted"),
            ("append", "file", "", "not-permitted"),
            ("resize", "file", "", "not-permitted"),
            ("touch", "file", "", "not-permitted"),
            ("touch", "below", "", "not-permitted"),
            ("set-times", "file", "", "not-permitted"),
            ("rename", "file", "renamed", "not-permitted"),
            ("link", "file", "linked", "not-permitted"),
            ("symlink", "link", "file", "not-permitted"),
            ("unlink", "file", "", "not-permitted"),
            ("make-directory", "made", "", "not-permitted"),
            ("remove-directory", "below", "", "not-permitted"),
            ("read", "file", "", "`inside`"),
            ("list", ".", "", "below file"),
        ])
        .await;
    let after = std::fs::metadata(granted.at("file")).unwrap();
    assert_eq!(before.modified().unwrap(), after.modified().unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_for_writing_allows_each_of_them() {
    let granted = Granted::new(true);
    granted
        .expect(&[
            ("create", "new", "", "done"),
            ("create", "new", "", "exist"),
            ("write", "new", "", "done"),
            ("append", "new", "", "done"),
            ("read", "new", "", "`changedmore`"),
            ("resize", "new", "", "done"),
            ("read", "new", "", "``"),
            ("truncate", "file", "", "done"),
            ("touch", "file", "", "done"),
            ("set-times", "file", "", "done"),
            ("make-directory", "below", "", "done"),
            ("rename", "file", "below/file", "done"),
            ("link", "below/file", "linked", "done"),
            ("symlink", "link", "below/file", "done"),
            ("read-link", "link", "", "below/file"),
            ("remove-directory", "below", "", "not-empty"),
            ("unlink", "linked", "", "done"),
            ("list", ".", "", "below link new"),
        ])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_changed_outside_by_path_or_by_link() {
    let granted = Granted::new(true);
    for (name, target) in [("out", "../beside"), ("secret", "../beside/secret"), ("absolute", "/tmp")] {
        symlink(target, granted.at(name)).unwrap();
    }
    granted
        .expect(&[
            ("create", "../beside/new", "", "not-permitted"),
            ("create", "out/new", "", "not-permitted"),
            ("truncate", "secret", "", "not-permitted"),
            ("write", "secret", "", "not-permitted"),
            ("append", "out/secret", "", "not-permitted"),
            ("set-times", "secret", "", "not-permitted"),
            ("make-directory", "out/made", "", "not-permitted"),
            ("make-directory", "absolute/made-by-a-connector", "", "not-permitted"),
            ("rename", "file", "../beside/file", "not-permitted"),
            ("rename", "out/secret", "stolen", "not-permitted"),
            ("rename", "../beside/secret", "stolen", "not-permitted"),
            ("link", "../beside/secret", "stolen", "not-permitted"),
            ("link", "out/secret", "stolen", "not-permitted"),
            ("link", "file", "out/file", "not-permitted"),
            ("unlink", "out/secret", "", "not-permitted"),
            ("unlink", "../beside/secret", "", "not-permitted"),
            ("remove-directory", "../beside", "", "not-permitted"),
            ("symlink", "../beside/link", "file", "not-permitted"),
            // The links themselves are the directory's own, and may go.
            ("unlink", "out", "", "done"),
            ("unlink", "absolute", "", "done"),
        ])
        .await;
}

/// A link is made for others to follow: the engine would refuse to, another program of the owner would not.
#[tokio::test(flavor = "multi_thread")]
async fn no_link_is_made_that_leads_out() {
    let granted = Granted::new(true);
    std::fs::create_dir(granted.at("below")).unwrap();
    granted
        .expect(&[
            ("symlink", "a", "/etc/passwd", "not-permitted"),
            ("symlink", "b", "../beside/secret", "not-permitted"),
            ("symlink", "c", "below/../../beside", "not-permitted"),
            ("symlink", "below/d", "..", "not-permitted"),
            ("symlink", "e", "below", "done"),
            ("list", ".", "", "below e file"),
        ])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_to_a_link_that_leads_out_is_made_and_leads_nowhere() {
    let granted = Granted::new(true);
    symlink("../beside/secret", granted.at("out")).unwrap();
    granted
        .expect(&[
            ("link", "out", "another", "done"),
            ("symlink", "third", "another", "done"),
            ("read", "another", "", "not-permitted"),
            ("read", "third", "", "not-permitted"),
        ])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_open_files_than_handles_are_allowed_end_the_call_with_that_limit() {
    let granted = Granted::new(false).limits(tight());
    let failure =
        granted.steps(json!([{ "do": "hold", "path": "file", "count": 10_000 }])).await.unwrap_err();
    assert!(matches!(&failure.cause, Cause::Limit { name, .. } if name == "handles"), "{failure}");
    let few = granted.steps(json!([{ "do": "hold", "path": "file", "count": 50 }])).await.unwrap();
    assert_eq!(few, ["hold file: 50"]);
}

/// A listing is kept whole in the host's memory while the connector reads it.
#[tokio::test(flavor = "multi_thread")]
async fn a_directory_of_more_entries_than_may_be_listed_ends_the_call_with_that_limit() {
    let granted = Granted::new(false);
    std::fs::create_dir(granted.at("many")).unwrap();
    for at in 0..100_000 {
        std::fs::hard_link(granted.at("file"), granted.at(&format!("many/{at}")))
            .or_else(|_| {
                // A file system lets one file have only so many names.
                std::fs::write(granted.at(&format!("many/{at}")), "")
            })
            .unwrap();
    }
    let list = json!([{ "do": "list", "path": "many" }]);
    granted.steps(list.clone()).await.unwrap();
    std::fs::write(granted.at("many/more"), "").unwrap();
    let failure = granted.steps(list).await.unwrap_err();
    let Cause::Limit { name, allowed, .. } = &failure.cause else { panic!("no limit: {failure}") };
    assert_eq!((name.as_str(), allowed.as_str()), ("directory_entries", "100000 entries"));
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_closed_with_the_instance_that_held_them() {
    let granted = Granted::new(false).limits(Limits { handles: 500, ..Limits::defaults() });
    for _ in 0..20 {
        granted.steps(json!([{ "do": "hold", "path": "file", "count": 400 }])).await.unwrap();
    }
    let mine = granted.at("file");
    eventually("no file of the directory is open", || {
        let open = std::fs::read_dir("/proc/self/fd").unwrap();
        !open.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok()).any(|path| path == mine)
    })
    .await;
}

/// E64: the run may have five seconds to end in order; what is taken back is not written to meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_is_taken_back_is_written_to_no_more() {
    let granted = std::sync::Arc::new(Granted::new(true));
    let (cutter, cut_off) = Stopper::new();
    let (writing, until) = (granted.clone(), cut_off.clone());
    let forever = json!([{ "do": "grow", "path": "growing", "count": u32::MAX }]);
    let writing = tokio::spawn(async move { writing.steps_until(until, forever).await });
    let bytes = || std::fs::metadata(granted.at("growing")).map_or(0, |file| file.len());
    eventually("it writes", || bytes() > 0).await;
    cutter.stop();
    let failure = writing.await.unwrap().unwrap_err();
    assert_eq!(failure.cause, Cause::Stopped, "{failure}");
    // Who has not begun does not begin.
    let create = json!([{ "do": "create", "path": "late" }]);
    let failure = granted.steps_until(cut_off, create.clone()).await.unwrap_err();
    assert_eq!(failure.cause, Cause::Stopped, "{failure}");
    assert!(!granted.at("late").exists());
    assert_eq!(granted.steps(create).await.unwrap(), ["create late: done"]);
}
