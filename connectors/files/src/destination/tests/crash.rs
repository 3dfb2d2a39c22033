//! The power is cut at every step, and at every step of what comes after: each row is there once.

use std::collections::BTreeMap;

use cofferdam_sdk::Mode;
use serde_json::json;

use super::{
    memory_disk::{CUTS, MemoryDisk},
    run::{Job, visible},
};

/// Cut the run at every step in every way, then the run after it at every step, then let the third one finish.
/// The second run is cut at each `stride`th step, at other ones for each step of the first.
fn sweep(job: &Job, stride: usize, prepare: impl Fn(&MemoryDisk)) {
    let expected: Vec<i64> = job.rows.clone().collect();
    for cut in CUTS {
        for first in 0.. {
            let (disk, ended) = cut_at(job, &prepare, cut, &[first]);
            check(job, &disk, &expected, &format!("{cut:?} {first}"));
            if !ended {
                assert!(first > 20, "the run has but {first} steps");
                break;
            }
            for second in (first % stride..).step_by(stride) {
                let (disk, ended) = cut_at(job, &prepare, cut, &[first, second]);
                check(job, &disk, &expected, &format!("{cut:?} {first} {second}"));
                if !ended {
                    break;
                }
            }
        }
    }
}

/// Whether the last of the runs was cut short.
fn cut_at(
    job: &Job,
    prepare: &impl Fn(&MemoryDisk),
    cut: super::memory_disk::Cut,
    steps: &[usize],
) -> (MemoryDisk, bool) {
    let disk = MemoryDisk::default();
    prepare(&disk);
    let mut ended = false;
    for (fence, steps) in (10..).zip(steps) {
        disk.end_after(Some(*steps));
        ended = job.run(&disk, fence).is_err();
        disk.cut(cut);
        let seen = visible(&disk).unwrap_or_else(|fault| panic!("{cut:?} {steps}: {fault}"));
        for numbers in seen.values() {
            let distinct: std::collections::BTreeSet<&i64> = numbers.iter().collect();
            assert_eq!(distinct.len(), numbers.len(), "{cut:?} {steps}: a row is seen twice: {seen:?}");
        }
    }
    (disk, ended)
}

fn check(job: &Job, disk: &MemoryDisk, expected: &[i64], place: &str) {
    job.run(disk, 99).unwrap_or_else(|fault| panic!("{place}: {fault}"));
    let expected: BTreeMap<String, Vec<i64>> =
        job.streams.iter().map(|stream| ((*stream).to_owned(), expected.to_vec())).collect();
    assert_eq!(visible(disk).unwrap(), expected, "{place}");
    // One more opening, and nothing hidden is left but the state.
    job.open(disk.clone(), Some(100)).unwrap();
    let hidden = crate::destination::disk::Disk::list(disk).unwrap();
    let hidden: Vec<_> = hidden.iter().filter(|name| name.starts_with('.')).collect();
    assert_eq!(hidden.len(), 1, "{place}: {hidden:?}");
}

#[test]
fn appended_parts_are_seen_once_wherever_a_run_ends() {
    sweep(&Job::new(json!({}), Mode::Append, 0..20), 11, |_| {});
}

#[test]
fn two_streams_are_committed_together() {
    sweep(
        &Job { streams: &["a", "b"], ..Job::new(json!({"format": "csv"}), Mode::Append, 0..20) },
        3,
        |_| {},
    );
}

#[test]
fn a_single_packed_file_grows_by_whole_commits() {
    let config = json!({"single_file": true, "compression": "gzip"});
    // Packing takes most of the time of this test.
    sweep(&Job::new(config, Mode::Append, 0..20), 31, |_| {});
}

#[test]
fn a_new_generation_takes_the_place_of_all_parts_of_the_one_before() {
    let old = Job::new(json!({"format": "csv"}), Mode::Replace, -30..-1);
    let new = Job { generation: 2, rows: 0..20, ..old.clone() };
    sweep(&new, 11, |disk| old.run(disk, 1).unwrap());
}

#[test]
fn a_new_generation_takes_the_place_of_a_single_file() {
    let old = Job::new(json!({"single_file": true, "format": "csv"}), Mode::Replace, -30..-1);
    let new = Job { generation: 2, rows: 0..20, ..old.clone() };
    sweep(&new, 11, |disk| old.run(disk, 1).unwrap());
}

#[test]
fn the_generation_before_is_seen_whole_until_the_new_one_is() {
    for single_file in [false, true] {
        let old = Job::new(json!({"single_file": single_file}), Mode::Replace, -12..-1);
        let new = Job { generation: 2, rows: 0..20, ..old.clone() };
        for cut in CUTS {
            for steps in 0.. {
                let disk = MemoryDisk::default();
                old.run(&disk, 1).unwrap();
                disk.end_after(Some(steps));
                let ended = new.run(&disk, 10).is_err();
                disk.cut(cut);
                // Who opens next finishes what was begun.
                let last = new.open(disk.clone(), Some(11)).unwrap().committed().unwrap();
                let rows = if last.is_some_and(|last| last.token == "20") { 0..20 } else { -12..-1 };
                assert_eq!(visible(&disk).unwrap()["a"], rows.collect::<Vec<_>>(), "{cut:?} {steps}");
                if !ended {
                    break;
                }
            }
        }
    }
}

#[test]
fn a_full_disk_says_so_and_loses_nothing_that_was_committed() {
    let job = Job::new(json!({}), Mode::Append, 0..30);
    for bytes in 0.. {
        let disk = MemoryDisk::default();
        disk.fill_after(Some(bytes));
        let result = job.run(&disk, 1);
        disk.fill_after(None);
        match result {
            Ok(()) => {
                assert!(bytes > 500, "{bytes} bytes were enough");
                break;
            }
            Err(fault) => assert!(fault.to_string().contains("the disk is full"), "{bytes}: {fault}"),
        }
        check(&job, &disk, &(0..30).collect::<Vec<_>>(), &format!("full after {bytes} bytes"));
    }
}
