//! A disk that fails, fills up or can only be read: the program says so and stops, and nothing that it has acknowledged is
//! lost, also when the power goes then.

use fastrand::Rng;
use power::{Event, Faults};

use crate::campaign::After;
use crate::site::{Site, apply, marks, seed};
use crate::steps;

/// So many times more with `COFFERDAM_TEST_LONG`.
const LONG: usize = 10;

/// What such a failure is told as, by whoever meets it: the engine, the keyring, or the system.
const COMPLAINTS: [&str; 5] = [
    "storage has stopped after a failure",
    "Input/output error",
    "No space left on device",
    "the disk of",
    "Read-only file system",
];

/// How a program ends that panics.
const PANIC: i32 = 101;

#[test]
fn a_failed_sync_stops_storage_and_loses_nothing() {
    each("a sync fails", 12, |recording, random| {
        let is_sync = |event: &&Event| matches!(event, Event::Sync { .. });
        let syncs = recording.iter().filter(is_sync).count() as u64;
        Faults { fail_sync: Some(random.u64(1..=syncs)), ..Faults::default() }
    });
}

#[test]
fn a_full_disk_stops_storage_and_loses_nothing() {
    each("the disk is full", 8, |recording, random| {
        let bytes = recording.iter().map(|event| match event {
            Event::Write { data, .. } => data.len() as u64,
            _ => 0,
        });
        Faults { full_from: Some(random.u64(1..bytes.sum())), ..Faults::default() }
    });
}

#[test]
fn a_disk_that_is_read_only_from_some_moment_on_stops_storage_and_loses_nothing() {
    each("the disk is read-only", 8, |recording, random| {
        let is_change =
            |event: &&Event| !matches!(event, Event::Sync { .. } | Event::Mark(_) | Event::Root { .. });
        let changes = recording.iter().filter(is_change).count() as u64;
        Faults { read_only_from: Some(random.u64(1..changes)), ..Faults::default() }
    });
}

/// Runs the load with faults that `choose` places within what happens without any.
fn each(what: &str, count: usize, choose: impl Fn(&[Event], &mut Rng) -> Faults) {
    let count = if std::env::var_os("COFFERDAM_TEST_LONG").is_some() { count * LONG } else { count };
    let mut random = Rng::with_seed(seed());
    let without = Site::new().record("load", "write", Faults::default()).events;
    let mut stopped = 0;
    for _ in 0..count {
        let faults = choose(&without, &mut random);
        let what = format!("{what}: {faults:?}, seed {}", seed());
        stopped += usize::from(one(&what, faults, &mut random));
    }
    // Threads do not run twice alike: where one had less to do than the first time, the fault may lie behind its end.
    assert!(stopped * 4 >= count * 3, "only {stopped} of {count} were met");
    eprintln!("{what}: {stopped} of {count} times the program stopped, and nothing was lost");
}

/// Whether the program met the fault.
fn one(what: &str, faults: Faults, random: &mut Rng) -> bool {
    let site = Site::new();
    let recording = site.record("load", "write", faults);
    let errors = &recording.ended.errors;
    let has_stopped = !recording.ended.status.success();
    // sled panics over a failed sync, which is caught and told as an error.
    assert_ne!(recording.ended.status.code(), Some(PANIC), "{what}: {}", site.kept(errors));
    let is_told = COMPLAINTS.iter().any(|complaint| errors.contains(complaint));
    assert!(is_told || !has_stopped, "{what}: {}", site.kept(errors));
    assert!(!is_trusted_again(&recording.events), "{what}: a file is trusted whose sync has failed");
    let mut disk = recording.start.clone();
    apply(&mut disk, &recording.events, seed());
    let marks = marks(&recording.events);
    site.restart(&disk, random, &marks);
    let found = site.read("load", "read", what);
    let after = After { marks, found: found.lines().collect() };
    if let Err(wrong) = steps::judge(&after) {
        panic!("{what}: {}", site.kept(&wrong));
    }
    has_stopped
}

/// A sync that succeeds after one that has failed says nothing: what the first has lost is not written again. A database may be
/// given up and built anew in another file, and sled syncs its file once more when it is closed; but whoever goes on to
/// acknowledge what was begun later must not do so on a file that has failed.
fn is_trusted_again(events: &[Event]) -> bool {
    let failed = events.iter().enumerate().find_map(|(at, event)| match event {
        Event::FailedSync { inode } => Some((at, *inode)),
        _ => None,
    });
    let Some((at, failed)) = failed else { return false };
    let after = &events[at..];
    let marks = marks(after);
    let mut begun = marks.iter().filter_map(|mark| mark.strip_prefix("begin "));
    after.iter().any(|event| matches!(event, Event::Sync { inode, .. } if *inode == failed))
        && begun.any(|step| marks.contains(&format!("acknowledged {step}").as_str()))
}
