//! What every implementation of [`RunRecords`] promises, as a test of it. Behind the feature `testing`, for crates that
//! bring an implementation of their own; it panics where a promise is broken.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test, which other crates run too")]

use super::{
    Amendment, Counters, Effect, Error, KeptBatch, KeptRow, Position, Prepared, PreparedBatch, Purpose,
    RejectedBy, RowCopy, RowError, RowErrorChunk, RunRecords, RunTicket,
};
use crate::model::{
    Batch, JsonLines, Layout, Operation, Operations, RowOperations, Rows, Schema, StreamSchema,
};
use crate::report::{Outcome, RunReport};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Holds an implementation against its promises; `fresh` gives records in which nothing is kept yet. To be awaited on a
/// tokio runtime.
pub async fn conformance(fresh: impl AsyncFn() -> Arc<dyn RunRecords>) {
    a_prepared_record_becomes_true_once(&*fresh().await).await;
    row_errors_come_back_whole_but_for_their_keys(&*fresh().await).await;
    a_discarded_record_leaves_nothing(&*fresh().await).await;
    a_discarded_record_gives_way_to_the_next(&*fresh().await).await;
    calls_in_an_impossible_order_are_refused(&*fresh().await).await;
    one_sync_has_one_run_at_a_time_and_runs_are_numbered(&*fresh().await).await;
    what_an_earlier_run_prepared_is_settled_by_the_next(&*fresh().await).await;
    reports_are_kept_by_run(&*fresh().await).await;
    kept_rows_come_back_until_their_commit_is_settled(&*fresh().await).await;
    kept_rows_outlive_a_run_only_with_a_prepared_commit(&*fresh().await).await;
}

/// A row error of the stream `s`, with a row; the first of them has bytes that never became one.
pub fn row_error(index: u64) -> RowError {
    RowError {
        index,
        code: "c".into(),
        message: "m".into(),
        retryable: false,
        by: RejectedBy::Destination,
        operation: if index == 0 { None } else { Some(Operation::Insert) },
        attempt: 1,
        row: if index == 0 { RowCopy::Raw(vec![0, 255]) } else { RowCopy::Row(KeptRow::alone(row())) },
        fields: Vec::new(),
        key: None,
    }
}

fn row() -> Batch {
    Batch {
        stream: "s".into(),
        schema_version: 0,
        operations: RowOperations::All(Operation::Insert),
        rows: Rows::JsonLines(JsonLines { row_count: 1, data: b"{}\n".to_vec() }),
    }
}

/// A chunk of run 1 and unit `u` with one row error.
pub fn chunk(index: u64) -> RowErrorChunk {
    let schema = StreamSchema {
        stream: "s".into(),
        version: 0,
        schema: Schema { fields: Vec::new(), additional_fields: true },
        keys: Vec::new(),
        operations: Operations { insert: true, ..Operations::default() },
        layout: Layout::JsonLines,
    };
    RowErrorChunk { run: 1, unit: "u".into(), schema, errors: vec![row_error(index)] }
}

/// What a commit of ten rows of run 1 prepares, one of which is rejected.
pub fn prepared(token: &str, checkpoint: &str, row_errors: Vec<RowErrorChunk>) -> Prepared {
    let counters = Counters { read: 10, accepted: 8, rejected: 1, filtered: 1 };
    Prepared {
        token: token.into(),
        run: 1,
        purpose: Purpose::Sync,
        position: Position { checkpoint: Some(checkpoint.into()), ..Position::default() },
        effect: Effect {
            streams: BTreeMap::from([("s".into(), counters)]),
            written: BTreeMap::from([("s".into(), 8)]),
            row_errors,
            settled: BTreeMap::new(),
        },
        batches: vec![PreparedBatch {
            output: "s".into(),
            rows: 8,
            source: 0,
            stream: "s".into(),
            first_index: 0,
            origin: Some(vec![0, 1, 2, 3, 4, 5, 6, 9]),
            rejected: vec![7],
            open: Vec::new(),
        }],
    }
}

/// The chunks of a run one after the other, with all row errors of neighbours in one: an implementation may cut them
/// elsewhere.
async fn errors_of(records: &dyn RunRecords, run: u64) -> Vec<RowError> {
    let chunks = records.row_errors("sync", run, 0, usize::MAX).await.unwrap();
    chunks.into_iter().flat_map(|chunk| chunk.errors).collect()
}

async fn a_prepared_record_becomes_true_once(records: &dyn RunRecords) {
    let ticket = records.begin("sync").await.unwrap();
    records.prepare(&ticket, "u", prepared("t1", "1", vec![chunk(0)])).await.unwrap();
    assert_eq!(errors_of(records, 1).await, [], "before the commit nothing is there");
    let amendment = Amendment {
        rejected: BTreeMap::from([("s".into(), 2)]),
        unwritten: BTreeMap::from([("s".into(), 3)]),
        row_errors: vec![chunk(1)],
        unsettled: BTreeMap::new(),
    };
    records.commit(&ticket, "u", "t1", amendment.clone()).await.unwrap();
    records.commit(&ticket, "u", "t1", amendment).await.unwrap();
    let unit = records.unit(&ticket, "u").await.unwrap();
    assert_eq!(unit.streams["s"], Counters { read: 10, accepted: 6, rejected: 3, filtered: 1 });
    assert_eq!((unit.written["s"], unit.commits, unit.token.as_deref(), unit.run), (5, 1, Some("t1"), 1));
    assert_eq!(unit.position.checkpoint.as_deref(), Some("1"));
    assert_eq!(unit.prepared, None);
    assert_eq!(errors_of(records, 1).await, [row_error(0), row_error(1)]);
    assert_eq!(errors_of(records, 2).await, []);
    let chunks = records.row_errors("sync", 1, 0, usize::MAX).await.unwrap();
    assert!(chunks.iter().all(|chunk| (chunk.run, chunk.unit.as_str()) == (1, "u")), "{chunks:?}");
    assert_eq!(records.row_errors("sync", 1, 1, usize::MAX).await.unwrap(), chunks[1..]);
    assert_eq!(records.row_errors("sync", 1, 0, 1).await.unwrap(), chunks[..1]);
}

async fn row_errors_come_back_whole_but_for_their_keys(records: &dyn RunRecords) {
    let mut given = chunk(1);
    given.errors.push(RowError {
        row: RowCopy::Withheld,
        message: String::new(),
        fields: vec!["a".into(), "ü".into()],
        key: Some(vec![1, 0, 255]),
        ..row_error(2)
    });
    given.errors.push(RowError { row: RowCopy::GivenUp, by: RejectedBy::Transform(3), ..row_error(3) });
    let ticket = records.begin("sync").await.unwrap();
    records.prepare(&ticket, "u", prepared("t1", "1", vec![given.clone()])).await.unwrap();
    records.commit(&ticket, "u", "t1", Amendment::default()).await.unwrap();
    given.errors[1].key = None;
    let kept = records.row_errors("sync", 1, 0, usize::MAX).await.unwrap();
    assert!(kept.iter().all(|chunk| chunk.schema == given.schema), "{kept:?}");
    assert_eq!(errors_of(records, 1).await, given.errors);
}

async fn a_discarded_record_leaves_nothing(records: &dyn RunRecords) {
    let ticket = records.begin("sync").await.unwrap();
    records.prepare(&ticket, "u", prepared("t1", "1", vec![chunk(0)])).await.unwrap();
    records.discard(&ticket, "u", "other").await.unwrap();
    assert!(records.unit(&ticket, "u").await.unwrap().prepared.is_some());
    records.discard(&ticket, "u", "t1").await.unwrap();
    records.discard(&ticket, "never", "t1").await.unwrap();
    let unit = records.unit(&ticket, "u").await.unwrap();
    assert_eq!((unit.prepared, unit.commits, unit.position), (None, 0, Position::default()));
    assert_eq!(errors_of(records, 1).await, []);
}

async fn a_discarded_record_gives_way_to_the_next(records: &dyn RunRecords) {
    let ticket = records.begin("sync").await.unwrap();
    records.prepare(&ticket, "u", prepared("t1", "1", vec![chunk(1)])).await.unwrap();
    records.discard(&ticket, "u", "t1").await.unwrap();
    records.prepare(&ticket, "u", prepared("t2", "2", vec![chunk(2)])).await.unwrap();
    records.commit(&ticket, "u", "t2", Amendment::default()).await.unwrap();
    assert_eq!(errors_of(records, 1).await, [row_error(2)]);
    assert_eq!(records.unit(&ticket, "u").await.unwrap().position.checkpoint.as_deref(), Some("2"));
}

async fn calls_in_an_impossible_order_are_refused(records: &dyn RunRecords) {
    let ticket = records.begin("sync").await.unwrap();
    records.prepare(&ticket, "u", prepared("t1", "1", vec![])).await.unwrap();
    let twice = records.prepare(&ticket, "u", prepared("t2", "2", vec![])).await.unwrap_err();
    assert_eq!(twice.code(), "CD0734");
    let other = records.commit(&ticket, "u", "t2", Amendment::default()).await.unwrap_err();
    assert_eq!(other.code(), "CD0734");
}

async fn one_sync_has_one_run_at_a_time_and_runs_are_numbered(records: &dyn RunRecords) {
    let first = records.begin("sync").await.unwrap();
    assert_eq!(records.begin("sync").await.unwrap_err(), Error::Locked { sync: "sync".into() });
    let other = records.begin("other").await.unwrap();
    assert_eq!((first.run, other.run), (1, 1));
    records.release(&first);
    let second = begin_after_release(records).await;
    assert_eq!(second.run, 2);
    let late = records.prepare(&first, "u", prepared("t", "1", vec![])).await.unwrap_err();
    assert_eq!(late, Error::Fenced { sync: "sync".into(), run: 1 });
    let stranger = RunTicket { sync: "never".into(), run: 1 };
    assert_eq!(records.unit(&stranger, "u").await.unwrap_err().code(), "CD0731");
}

/// Giving the right back does not block, so that it may take a moment to come into effect.
async fn begin_after_release(records: &dyn RunRecords) -> RunTicket {
    loop {
        match records.begin("sync").await {
            Err(Error::Locked { .. }) => tokio::task::yield_now().await,
            begun => return begun.unwrap(),
        }
    }
}

async fn what_an_earlier_run_prepared_is_settled_by_the_next(records: &dyn RunRecords) {
    let first = records.begin("sync").await.unwrap();
    records.prepare(&first, "u", prepared("t1", "1", vec![chunk(1)])).await.unwrap();
    records.release(&first);
    let second = begin_after_release(records).await;
    let unit = records.unit(&second, "u").await.unwrap();
    let waiting = unit.prepared.unwrap();
    assert_eq!((waiting.token.as_str(), waiting.run, waiting.batches.len()), ("t1", 1, 1));
    records.commit(&second, "u", "t1", Amendment::default()).await.unwrap();
    assert_eq!(errors_of(records, 1).await, [row_error(1)], "they belong to the run that rejected the rows");
    assert_eq!(errors_of(records, 2).await, []);
    assert_eq!(records.unit(&second, "u").await.unwrap().run, 1);
}

/// A source batch with this number, of a schema of its own.
fn kept(number: u32) -> KeptBatch {
    let mut schema = chunk(1).schema;
    schema.version = number;
    let line = format!("{{\"number\":{number}}}\n");
    let rows = Rows::JsonLines(JsonLines { row_count: 1, data: line.into_bytes() });
    let of = (number > 0).then(|| vec![number]);
    KeptBatch { number, schema: Arc::new(schema), rows: of, batch: Arc::new(Batch { rows, ..row() }) }
}

async fn kept_rows_come_back_until_their_commit_is_settled(records: &dyn RunRecords) {
    let ticket = records.begin("sync").await.unwrap();
    for (token, is_committed) in [("t1", true), ("t2", false), ("t3", true)] {
        records.keep(&ticket, "u", token, vec![kept(0), kept(1)]).await.unwrap();
        records.keep(&ticket, "u", token, vec![kept(4)]).await.unwrap();
        records.keep(&ticket, "other", token, vec![kept(7)]).await.unwrap();
        records.prepare(&ticket, "u", prepared(token, "1", vec![])).await.unwrap();
        assert_eq!(records.kept(&ticket, "u", token).await.unwrap(), [kept(0), kept(1), kept(4)]);
        if is_committed {
            let amendment = Amendment { row_errors: vec![chunk(1)], ..Amendment::default() };
            records.commit(&ticket, "u", token, amendment).await.unwrap();
        } else {
            records.discard(&ticket, "u", token).await.unwrap();
        }
        assert_eq!(records.kept(&ticket, "u", token).await.unwrap(), []);
    }
    assert_eq!(errors_of(records, 1).await, [row_error(1), row_error(1)]);
}

async fn kept_rows_outlive_a_run_only_with_a_prepared_commit(records: &dyn RunRecords) {
    let first = records.begin("sync").await.unwrap();
    records.keep(&first, "u", "given up", vec![kept(0)]).await.unwrap();
    records.keep(&first, "u", "t1", vec![kept(1)]).await.unwrap();
    records.prepare(&first, "u", prepared("t1", "1", vec![])).await.unwrap();
    records.keep(&first, "other", "t1", vec![kept(2)]).await.unwrap();
    records.release(&first);
    let second = begin_after_release(records).await;
    assert_eq!(records.kept(&second, "u", "t1").await.unwrap(), [kept(1)]);
    assert_eq!(records.kept(&second, "u", "given up").await.unwrap(), []);
    assert_eq!(records.kept(&second, "other", "t1").await.unwrap(), []);
    records.commit(&second, "u", "t1", Amendment::default()).await.unwrap();
    assert_eq!(records.kept(&second, "u", "t1").await.unwrap(), []);
}

async fn reports_are_kept_by_run(records: &dyn RunRecords) {
    assert_eq!(records.report("sync", None).await.unwrap(), None);
    let mut reports = Vec::new();
    for _ in 0..2 {
        let ticket = begin_after_release(records).await;
        let report = report(ticket.run);
        records.finish(&ticket, report.clone()).await.unwrap();
        records.release(&ticket);
        reports.push(report);
    }
    assert_eq!(records.report("sync", Some(1)).await.unwrap().as_ref(), reports.first());
    assert_eq!(records.report("sync", Some(2)).await.unwrap().as_ref(), reports.last());
    assert_eq!(records.report("sync", None).await.unwrap().as_ref(), reports.last());
    assert_eq!(records.report("sync", Some(3)).await.unwrap(), None);
}

fn report(run: u64) -> RunReport {
    RunReport {
        sync: "sync".into(),
        run,
        purpose: Purpose::Sync,
        outcome: Outcome::Completed,
        started_ms: 1_000 * run,
        duration_ms: 10,
        error: None,
        groups: Vec::new(),
        streams: BTreeMap::new(),
        written: BTreeMap::from([("s".into(), run)]),
        recovered: BTreeMap::new(),
        budgets: BTreeMap::new(),
        secrets: Vec::new(),
    }
}
