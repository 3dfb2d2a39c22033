//! A disk that is really full, and one that is really read-only: small file systems in memory. Needs root, as the machines
//! that run this suite have it.

use std::path::{Path, PathBuf};
use std::process::Command;

use cofferdam_storage::sled::{OpenError, SledEngine};
use cofferdam_storage::{Engine, EngineError, Entry};
use tempfile::TempDir;

use super::child::options;
use super::open::files;
use crate::factory::{delete, everything, put};

struct Mount {
    place: TempDir,
}

fn run(arguments: &[&str], path: &Path) {
    let (program, arguments) = arguments.split_first().unwrap();
    let status = Command::new(program).args(arguments).arg(path).status().unwrap();
    assert!(status.success(), "`{program}` needs root");
}

impl Mount {
    fn new(megabytes: u32) -> Self {
        let place = tempfile::tempdir().unwrap();
        let size = format!("size={megabytes}m");
        run(&["mount", "-t", "tmpfs", "-o", &size, "cofferdam-test"], place.path());
        Self { place }
    }

    fn directory(&self) -> PathBuf {
        self.place.path().join("data")
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        run(&["umount", "--lazy"], self.place.path());
    }
}

#[tokio::test]
async fn a_full_disk_refuses_commits_and_keeps_what_was_committed() {
    let mount = Mount::new(96);
    let engine = SledEngine::open(&options(&mount.directory())).unwrap();
    let value = vec![7; 60_000];
    let mut expected: Vec<Entry> = Vec::new();
    let refusal = loop {
        let key = u32::try_from(expected.len()).unwrap().to_be_bytes();
        match engine.commit(put(&key, &value)).await {
            Ok(_) => expected.push((key.to_vec(), value.clone())),
            Err(error) => break error,
        }
    };
    assert!(matches!(&refusal, EngineError::Unavailable { action: "write", .. }), "{refusal}");
    assert!(expected.len() > 100, "the disk was full after {} commits", expected.len());
    // Reads go on, and so does everything else once somebody has made room.
    assert!(everything(&engine).await.unwrap() == expected);
    assert!(matches!(engine.commit(delete(b"x")).await, Err(EngineError::Unavailable { .. })));
    run(&["mount", "-o", "remount,size=400m"], mount.place.path());
    engine.commit(put(b"z", b"1")).await.unwrap();
    expected.push((b"z".to_vec(), b"1".to_vec()));
    engine.close().await.unwrap();
    let engine = SledEngine::open(&options(&mount.directory())).unwrap();
    assert!(everything(&engine).await.unwrap() == expected);
}

#[tokio::test]
async fn a_full_disk_is_named_when_a_directory_is_made() {
    let mount = Mount::new(1);
    std::fs::write(mount.place.path().join("full"), vec![1; 1 << 20]).unwrap();
    let error = SledEngine::open(&options(&mount.directory())).map(drop).unwrap_err();
    assert!(matches!(error, OpenError::Full { .. }), "{error:?}");
    assert_eq!(error.code(), "CD1046");
}

#[tokio::test]
async fn a_read_only_directory_is_refused_and_works_again_when_it_is_writable() {
    let mount = Mount::new(96);
    let engine = SledEngine::open(&options(&mount.directory())).unwrap();
    engine.commit(put(b"a", b"1")).await.unwrap();
    engine.close().await.unwrap();
    drop(engine);
    run(&["mount", "-o", "remount,ro"], mount.place.path());
    let before = files(&mount.directory());
    let error = SledEngine::open(&options(&mount.directory())).map(drop).unwrap_err();
    assert!(matches!(error, OpenError::ReadOnly { .. }), "{error:?}");
    assert_eq!(error.code(), "CD1043");
    assert_eq!(files(&mount.directory()), before);
    run(&["mount", "-o", "remount,rw"], mount.place.path());
    let engine = SledEngine::open(&options(&mount.directory())).unwrap();
    assert_eq!(engine.get(b"a").await, Ok(Some(b"1".to_vec())));
}
