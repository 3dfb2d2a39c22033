use super::{
    Amendment, Counters, DirectoryRecords, Effect, Error, MemoryRecords, Position, Prepared, PreparedBatch,
    RejectedBy, RowCopy, RowError, RowErrorChunk, RunRecords, RunTicket,
};
use crate::fixtures::{lines_batch, schema};
use crate::model::Layout;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

fn row_error(index: u64) -> RowError {
    RowError {
        index,
        code: "c".into(),
        message: "m".into(),
        retryable: false,
        by: RejectedBy::Destination,
        operation: None,
        attempt: 1,
        row: if index == 0 { RowCopy::Raw(vec![0, 255]) } else { RowCopy::Row(lines_batch("s", &["{}"])) },
    }
}

fn chunk(index: u64) -> RowErrorChunk {
    RowErrorChunk {
        run: 1,
        unit: "u".into(),
        schema: schema("s", &[], Layout::JsonLines),
        errors: vec![row_error(index)],
    }
}

fn prepared(token: &str, checkpoint: &str, row_errors: Vec<RowErrorChunk>) -> Prepared {
    let counters = Counters { read: 10, accepted: 8, rejected: 1, filtered: 1 };
    Prepared {
        token: token.into(),
        run: 1,
        position: Position { checkpoint: Some(checkpoint.into()), ..Position::default() },
        effect: Effect {
            streams: BTreeMap::from([("s".into(), counters)]),
            written: BTreeMap::from([("s".into(), 8)]),
            row_errors,
        },
        batches: vec![PreparedBatch {
            output: "s".into(),
            rows: 8,
            stream: "s".into(),
            first_index: 0,
            origin: Some(vec![0, 1, 2, 3, 4, 5, 6, 9]),
            rejected: vec![7],
        }],
    }
}

/// Both implementations keep the same promises.
async fn each(test: impl AsyncFn(&dyn RunRecords)) {
    test(&MemoryRecords::new()).await;
    let folder = TempDir::new().unwrap();
    test(&DirectoryRecords::new(folder.path().join("not/there/yet"))).await;
}

#[tokio::test]
async fn a_prepared_record_becomes_true_once() {
    each(async |records| {
        let ticket = records.begin("sync").await.unwrap();
        records.prepare(&ticket, "u", prepared("t1", "1", vec![chunk(0)])).await.unwrap();
        let amendment = Amendment {
            rejected: BTreeMap::from([("s".into(), 2)]),
            unwritten: BTreeMap::from([("s".into(), 3)]),
            row_errors: vec![chunk(1)],
        };
        records.commit(&ticket, "u", "t1", amendment.clone()).await.unwrap();
        records.commit(&ticket, "u", "t1", amendment).await.unwrap();
        let unit = records.unit(&ticket, "u").await.unwrap();
        assert_eq!(unit.streams["s"], Counters { read: 10, accepted: 6, rejected: 3, filtered: 1 });
        assert_eq!((unit.written["s"], unit.commits, unit.token.as_deref(), unit.run), (5, 1, Some("t1"), 1));
        assert_eq!(unit.position.checkpoint.as_deref(), Some("1"));
        assert_eq!(unit.prepared, None);
        assert_eq!(records.row_errors("sync", 1, 0, 9).await.unwrap(), [chunk(0), chunk(1)]);
        assert_eq!(records.row_errors("sync", 1, 1, 9).await.unwrap(), [chunk(1)]);
        assert_eq!(records.row_errors("sync", 1, 0, 1).await.unwrap(), [chunk(0)]);
        assert_eq!(records.row_errors("sync", 2, 0, 9).await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn a_discarded_record_leaves_nothing() {
    each(async |records| {
        let ticket = records.begin("sync").await.unwrap();
        records.prepare(&ticket, "u", prepared("t1", "1", vec![chunk(0)])).await.unwrap();
        records.discard(&ticket, "u", "other").await.unwrap();
        assert!(records.unit(&ticket, "u").await.unwrap().prepared.is_some());
        records.discard(&ticket, "u", "t1").await.unwrap();
        records.discard(&ticket, "never", "t1").await.unwrap();
        let unit = records.unit(&ticket, "u").await.unwrap();
        assert_eq!((unit.prepared, unit.commits, unit.position), (None, 0, Position::default()));
        assert_eq!(records.row_errors("sync", 1, 0, 9).await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn calls_in_an_impossible_order_are_refused() {
    each(async |records| {
        let ticket = records.begin("sync").await.unwrap();
        records.prepare(&ticket, "u", prepared("t1", "1", vec![])).await.unwrap();
        let twice = records.prepare(&ticket, "u", prepared("t2", "2", vec![])).await.unwrap_err();
        assert_eq!(twice.code(), "CD0734");
        let other = records.commit(&ticket, "u", "t2", Amendment::default()).await.unwrap_err();
        assert_eq!(other.code(), "CD0734");
    })
    .await;
}

#[tokio::test]
async fn one_sync_has_one_run_at_a_time_and_runs_are_numbered() {
    each(async |records| {
        let first = records.begin("sync").await.unwrap();
        assert_eq!(records.begin("sync").await.unwrap_err(), Error::Locked { sync: "sync".into() });
        let other = records.begin("other").await.unwrap();
        assert_eq!((first.run, other.run), (1, 1));
        records.release(&first);
        let second = records.begin("sync").await.unwrap();
        assert_eq!(second.run, 2);
        let late = records.prepare(&first, "u", prepared("t", "1", vec![])).await.unwrap_err();
        assert_eq!(late, Error::Fenced { sync: "sync".into(), run: 1 });
        let stranger = RunTicket { sync: "never".into(), run: 1 };
        assert_eq!(records.unit(&stranger, "u").await.unwrap_err().code(), "CD0731");
    })
    .await;
}

fn only_unit_file(root: &Path) -> std::path::PathBuf {
    fs::read_dir(root.join("sync/units")).unwrap().next().unwrap().unwrap().path()
}

#[tokio::test]
async fn records_survive_the_process_and_lock_out_others() {
    let folder = TempDir::new().unwrap();
    let first = DirectoryRecords::new(folder.path());
    let ticket = first.begin("sync").await.unwrap();
    first.prepare(&ticket, "u/ü", prepared("t1", "1", vec![chunk(0)])).await.unwrap();
    let second = DirectoryRecords::new(folder.path());
    assert_eq!(second.begin("sync").await.unwrap_err().code(), "CD0730");
    drop(first);
    let ticket = second.begin("sync").await.unwrap();
    assert_eq!(ticket.run, 2);
    assert_eq!(
        second.unit(&ticket, "u/ü").await.unwrap().prepared,
        Some(prepared("t1", "1", vec![chunk(0)]))
    );
}

#[tokio::test]
async fn a_commit_cut_off_between_its_files_is_repeated_without_a_double() {
    let folder = TempDir::new().unwrap();
    let records = DirectoryRecords::new(folder.path());
    let ticket = records.begin("sync").await.unwrap();
    records.prepare(&ticket, "u", prepared("t1", "1", vec![chunk(0)])).await.unwrap();
    let unit = only_unit_file(folder.path());
    let before = fs::read(&unit).unwrap();
    records.commit(&ticket, "u", "t1", Amendment::default()).await.unwrap();
    fs::write(&unit, before).unwrap();
    records.commit(&ticket, "u", "t1", Amendment::default()).await.unwrap();
    assert_eq!(records.row_errors("sync", 1, 0, 9).await.unwrap(), [chunk(0)]);
    assert_eq!(records.unit(&ticket, "u").await.unwrap().streams["s"].read, 10);
}

#[tokio::test]
async fn a_file_that_is_not_ours_is_named_and_not_guessed_at() {
    let folder = TempDir::new().unwrap();
    let records = DirectoryRecords::new(folder.path());
    let ticket = records.begin("sync").await.unwrap();
    records.prepare(&ticket, "u", prepared("t1", "1", vec![])).await.unwrap();
    let unit = only_unit_file(folder.path());
    for (content, part) in
        [("{", "EOF"), ("{\"format\":2}", "format 2"), ("{\"format\":1,\"commits\":-1}", "invalid")]
    {
        fs::write(&unit, content).unwrap();
        let error = records.unit(&ticket, "u").await.unwrap_err();
        assert_eq!(error.code(), "CD0733");
        assert!(error.to_string().contains(part), "{error}");
    }
}

#[tokio::test]
async fn a_place_that_cannot_be_written_is_named() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let error = DirectoryRecords::new(&file).begin("sync").await.unwrap_err();
    assert_eq!(error.code(), "CD0732");
    assert!(error.to_string().contains("file"), "{error}");
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_reads_rows() {
    use std::os::unix::fs::PermissionsExt;
    let folder = TempDir::new().unwrap();
    let records = DirectoryRecords::new(folder.path().join("r"));
    let ticket = records.begin("sync").await.unwrap();
    records.prepare(&ticket, "u", prepared("t1", "1", vec![chunk(0)])).await.unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&only_unit_file(&folder.path().join("r"))), 0o600);
    assert_eq!(mode(&folder.path().join("r/sync")), 0o700);
}

#[tokio::test]
async fn names_of_syncs_and_units_never_meet_and_never_leave_the_folder() {
    let folder = TempDir::new().unwrap();
    let records = DirectoryRecords::new(folder.path().join("r"));
    let long = "x".repeat(300);
    let longer = "x".repeat(301);
    let names = ["..", "a/b", "a%2fb", "A", "a", "", long.as_str(), longer.as_str(), "é"];
    for name in names {
        let ticket = records.begin(name).await.unwrap();
        assert_eq!(ticket.run, 1, "{name}");
        records.prepare(&ticket, name, prepared("t", "1", vec![])).await.unwrap();
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}
