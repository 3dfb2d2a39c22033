//! For the record: why storage never uses sled bare.

use std::process::Command;
use std::time::Duration;

use fastrand::Rng;
use power::{Event, Faults, moments, record, run, scratch};

const CUTS: usize = 30;

/// `flush` says that what was inserted is on disk. It is not: on Linux sled asks for `sync_file_range`, of which the manual
/// says that it is no sync, and its directories and new sizes are not synced at all.
#[test]
fn flush_of_bare_sled_loses_what_it_has_acknowledged() {
    let seed = 1;
    let mut random = Rng::with_seed(seed);
    let root = scratch().unwrap();
    let roots = [root.path().to_owned()];
    let subject = |action: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_subject"));
        command.args(["bare", action]).arg(&roots[0]);
        command
    };
    let recording = record(&roots, Faults::default(), &subject("write")).unwrap();
    assert!(recording.ended.status.success(), "{}", recording.ended.errors);
    let mut disk = recording.start.clone();
    let mut done = 0;
    let mut broken = 0;
    for moment in moments(&recording.events, CUTS, &mut random) {
        for event in &recording.events[done..moment] {
            disk.apply(event, &mut random).unwrap();
        }
        done = moment;
        let acknowledged =
            recording.events[..moment].iter().filter(|event| matches!(event, Event::Mark(_))).count();
        disk.after_cut(&mut random).write(&roots).unwrap();
        let found = run(&mut subject("read"), Duration::from_secs(30));
        let is_whole =
            found.is_ok_and(|ended| ended.status.success() && ended.output.lines().count() >= acknowledged);
        broken += usize::from(!is_whole);
    }
    eprintln!("bare sled: {broken} of {CUTS} cuts lost what was acknowledged, or the database");
    assert!(broken > CUTS / 2, "only {broken} of {CUTS}");
}
