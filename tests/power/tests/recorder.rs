//! The recorder misses nothing, and says so where it would.

use std::path::{Path, PathBuf};
use std::process::Command;

use fastrand::Rng;
use power::{Disk, Event, Faults, Image, Recording, record, scratch};

fn subject(arguments: &[&str], directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_subject"));
    command.args(arguments).arg(directory);
    command
}

fn calls(root: &Path, faults: Faults) -> Recording {
    record(&[root.to_owned()], faults, &subject(&["calls", "write"], root)).unwrap()
}

fn replayed(recording: &Recording) -> Image {
    let mut disk = recording.start.clone();
    let mut random = Rng::with_seed(0);
    recording.events.iter().for_each(|event| disk.apply(event, &mut random).unwrap());
    disk.live()
}

#[test]
fn what_was_recorded_is_what_is_there() {
    let root = scratch().unwrap();
    std::fs::write(root.path().join("appended"), "from before, ").unwrap();
    let recording = calls(root.path(), Faults::default());
    assert!(recording.ended.status.success(), "{}", recording.ended.errors);
    let there = Disk::read(&[root.path().to_owned()]).unwrap().live();
    assert_eq!(replayed(&recording), there);
    assert_eq!(there.file("appended").unwrap(), b"from before, firstsecond");
    assert_eq!(there.file("a/moved/c/file").unwrap(), b"deep and written when the name was gone");
    let marks: Vec<&Event> =
        recording.events.iter().filter(|event| matches!(event, Event::Mark(_))).collect();
    assert_eq!(marks, [&Event::Mark("start".to_owned()), &Event::Mark("end".to_owned())]);
}

#[test]
fn an_image_that_is_made_real_is_the_same() {
    let (root, copy) = (scratch().unwrap(), scratch().unwrap());
    let recording = calls(root.path(), Faults::default());
    let image = replayed(&recording);
    image.write(&[copy.path().to_owned()]).unwrap();
    assert_eq!(Disk::read(&[copy.path().to_owned()]).unwrap().live(), image);
}

#[test]
fn what_would_be_missed_is_refused() {
    let cases = [
        ("mapping", "a shared mapping"),
        ("mapping-later", "a shared mapping"),
        ("copy", "copy_file_range"),
        ("sendfile", "sendfile"),
        ("clone", "a clone of a file"),
        ("symbolic-link", "a symbolic link"),
        ("nameless", "a file without a name"),
        ("exchange", "a rename into or out of"),
        ("rename-out", "a rename into or out of"),
        ("punch", "fallocate"),
        ("ring", "io_uring"),
    ];
    for (what, complaint) in cases {
        let error = offend(what).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains(complaint), "{what}: {error}");
    }
    assert!(offend("private-mapping").is_ok(), "nothing is missed there");
}

fn offend(what: &str) -> anyhow::Result<Recording> {
    let outside = scratch()?;
    let root: PathBuf = outside.path().join("root");
    std::fs::create_dir(&root)?;
    let mut offender = Command::new(env!("POWER_OFFENDER"));
    offender.arg(what).arg(&root);
    record(&[root], Faults::default(), &offender)
}

#[test]
fn a_sync_can_be_made_to_fail() {
    let root = scratch().unwrap();
    let recording = calls(root.path(), Faults { fail_sync: Some(2), ..Faults::default() });
    assert!(recording.ended.errors.contains("Input/output error"), "{}", recording.ended.errors);
    let syncs: Vec<bool> = recording
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Sync { .. } => Some(true),
            Event::FailedSync { .. } => Some(false),
            _ => None,
        })
        .collect();
    assert_eq!(syncs, [true, false], "the program ends at the failure");
}

#[test]
fn a_disk_can_be_full_or_read_only_from_some_moment_on() {
    let full = Faults { full_from: Some(10_005), ..Faults::default() };
    let read_only = Faults { read_only_from: Some(5), ..Faults::default() };
    for (faults, complaint) in [(full, "No space left"), (read_only, "Read-only file system")] {
        let root = scratch().unwrap();
        let recording = calls(root.path(), faults);
        assert!(recording.ended.errors.contains(complaint), "{}", recording.ended.errors);
        let there = Disk::read(&[root.path().to_owned()]).unwrap().live();
        assert_eq!(replayed(&recording), there, "a call that failed has changed nothing");
    }
}
