//! Two runs of one unit at once: the older one does no harm, at whatever step the newer one comes.

use cofferdam_sdk::{Batch, Incoming, LastCommit, Mode, Operation, Result};
use serde_json::json;

use super::{
    memory_disk::MemoryDisk,
    run::{Job, columns, schema, visible},
};

fn job() -> Job {
    Job::new(json!({}), Mode::Append, 0..10)
}

#[test]
fn an_older_run_is_refused_once_a_newer_one_was_seen() {
    let disk = MemoryDisk::default();
    job().open(disk.clone(), Some(7)).unwrap();
    let Err(fault) = job().open(disk.clone(), Some(6)) else { panic!("the older fence was accepted") };
    assert!(fault.to_string().contains("fenced off"), "{fault}");
    job().open(disk.clone(), Some(7)).unwrap();
    job().open(disk, Some(8)).unwrap();
}

#[test]
fn a_run_that_was_overtaken_publishes_nothing_that_the_newer_one_does_not_know() {
    let (mut committed, mut dropped) = (0, 0);
    for step in 0.. {
        let disk = MemoryDisk::default();
        let newer = disk.clone();
        let older = disk.interrupted_at(step, move || {
            // The newer run comes, and writes what the older one has not committed.
            job().run(&newer, 2).unwrap();
        });
        let result = older_run(&older);
        let interrupted = older.was_interrupted();
        if !interrupted {
            result.unwrap();
            break;
        }
        match result {
            Ok(()) => committed += 1,
            Err(fault) => {
                assert!(fault.to_string().contains("fenced off"), "{step}: {fault}");
                dropped += 1;
            }
        }
        assert_eq!(visible(&disk).unwrap()["a"], (0..10).collect::<Vec<_>>(), "{step}");
        job().run(&disk, 3).unwrap();
        assert_eq!(visible(&disk).unwrap()["a"], (0..10).collect::<Vec<_>>(), "{step}");
    }
    assert!(committed > 0 && dropped > 0, "{committed} {dropped}");
}

/// A run that writes four rows and commits them.
fn older_run(disk: &MemoryDisk) -> Result<()> {
    let mut writer = job().open(disk.clone(), Some(1))?;
    writer.prepare(&job().plans(), false)?;
    let schema = schema("a");
    let incoming = Incoming { schema: &schema, batch: Batch::new(&schema, Operation::Insert, columns(0..4)) };
    writer.write(0, incoming)?;
    writer.commit("4", false).map(drop)
}

#[test]
fn without_a_fence_nothing_is_changed() {
    let disk = MemoryDisk::default();
    let mut writer = job().open(disk.clone(), None).unwrap();
    assert_eq!(writer.committed().unwrap(), None);
    assert_eq!(writer.prepare(&job().plans(), true).unwrap().len(), 1);
    assert!(writer.prepare(&job().plans(), false).is_err());
    assert!(writer.commit("x", true).is_err());
    assert_eq!(crate::destination::disk::Disk::list(&disk).unwrap(), Vec::<String>::new());
    job().run(&disk, 1).unwrap();
    let last = job().open(disk, None).unwrap().committed().unwrap();
    assert_eq!(last, Some(LastCommit::of_token("10".to_owned())));
}
