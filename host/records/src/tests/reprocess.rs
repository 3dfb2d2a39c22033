//! Row errors are sent through again, by the real pipeline.

use super::crash::Dying;
use super::rows::{batch, chunk, commit, rejected, run_with, schema};
use super::systems::{Rows, Target, TargetOf};
use super::world::World;
use crate::{Choice, Error, ErrorFilter, KeptError, Reprocess, SealedRecords, Session};
use pipeline::clock::SystemClock;
use pipeline::connector::Source;
use pipeline::model::DataType;
use pipeline::records::{Counters, Purpose, RowCopy, RunRecords};
use pipeline::report::{Outcome, RunReport};
use pipeline::run::{NoObserver, Options, Run, RunSpec};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

fn spec(source: Arc<dyn Source>, target: &Arc<Target>) -> RunSpec {
    // A commit for each checkpoint.
    let options = Options { commit_bytes: 1, backoff_first_ms: 1, ..Options::default() };
    RunSpec { options, ..RunSpec::new("sync", source, Arc::new(TargetOf(Arc::clone(target)))) }
}

async fn run(spec: RunSpec, session: Session) -> RunReport {
    let run = Run::new(spec, Arc::new(session), Arc::new(SystemClock::new()), Arc::new(NoObserver));
    run.run(CancellationToken::new()).await
}

/// A run of twelve rows named `a` to `l`.
async fn sync(records: &Arc<SealedRecords>, target: &Arc<Target>) -> RunReport {
    let rows = (1..).zip('a'..='l').map(|(id, letter)| (id, letter.to_string())).collect();
    run(spec(Arc::new(Rows(rows)), target), Session::new(Arc::clone(records))).await
}

async fn again(records: &Arc<SealedRecords>, target: &Arc<Target>, reprocess: &Arc<Reprocess>) -> RunReport {
    let spec = RunSpec { purpose: Purpose::Reprocess, ..spec(reprocess.source(), target) };
    run(spec, Session::new(Arc::clone(records)).with_reprocess(Arc::clone(reprocess))).await
}

async fn chosen(records: &Arc<SealedRecords>, of_run: u64) -> Arc<Reprocess> {
    Reprocess::new(Arc::clone(records), "sync", of_run, ErrorFilter::default(), false).await.unwrap()
}

async fn kept(records: &SealedRecords) -> Vec<KeptError> {
    records.errors("sync", &ErrorFilter::default(), None, 99).await.unwrap().errors
}

fn completed(report: &RunReport) -> Counters {
    assert_eq!(report.outcome, Outcome::Completed, "{:?}", report.error);
    report.total()
}

/// A destination that refuses every row of a run: all of them are row errors.
async fn all_rejected(records: &Arc<SealedRecords>, target: &Arc<Target>) {
    let names = "abcdefghijkl";
    let rows: Vec<(i64, String)> =
        (1..).zip(names.chars()).map(|(id, name)| (id, format!("{name}!"))).collect();
    target.refuse(Some('!'), None);
    let report = run(spec(Arc::new(Rows(rows)), target), Session::new(Arc::clone(records))).await;
    assert_eq!(completed(&report).rejected, 12);
}

#[tokio::test]
async fn a_row_that_is_accepted_now_is_no_row_error_any_more_and_the_sync_stays_where_it_was() {
    let world = World::new();
    let records = world.open().await;
    let target = Target::refusing(Some('b'), Some('k'));
    assert_eq!(completed(&sync(&records, &target).await).rejected, 2);
    let before = records.checkpoints("sync").await.unwrap().remove(0);
    target.refuse(None, None);
    let reprocess = chosen(&records, 1).await;
    assert_eq!(reprocess.choice(), Choice { rows: 2, kept_without_row: 0, superseded: 0 });
    let report = again(&records, &target, &reprocess).await;
    assert_eq!(completed(&report), Counters { read: 2, accepted: 2, rejected: 0, filtered: 0 });
    assert_eq!(kept(&records).await, []);
    assert_eq!(target.ids(), (1..=12).collect::<Vec<i64>>());
    let after = records.checkpoints("sync").await.unwrap().remove(0);
    assert_eq!(after.position, before.position);
    let entry = records.run("sync", Some(2)).await.unwrap();
    assert_eq!((entry.purpose, entry.reprocesses), (Purpose::Reprocess, Some(1)));
}

#[tokio::test]
async fn a_row_that_is_rejected_again_says_what_the_new_run_said() {
    let world = World::new();
    let records = world.open().await;
    let target = Target::refusing(None, None);
    all_rejected(&records, &target).await;
    target.refuse(Some('b'), Some('k'));
    let report = again(&records, &target, &chosen(&records, 1).await).await;
    assert_eq!(completed(&report), Counters { read: 12, accepted: 10, rejected: 2, filtered: 0 });
    let left = kept(&records).await;
    let said: Vec<_> = left
        .iter()
        .map(|error| (error.id.to_string(), error.error.code.as_str(), error.tries, error.tried_by))
        .collect();
    assert_eq!(said, [("1-2".into(), "refused", 2, Some(2)), ("1-11".into(), "refused_late", 2, Some(2))]);
    assert!(matches!(&left[0].error.row, RowCopy::Row(row) if row.to_batch() == batch("s", &[(2, "b!")])));
    assert_eq!(
        records
            .errors("sync", &ErrorFilter { run: Some(2), ..ErrorFilter::default() }, None, 9)
            .await
            .unwrap()
            .errors,
        []
    );
    target.refuse(None, None);
    completed(&again(&records, &target, &chosen(&records, 1).await).await);
    assert_eq!(kept(&records).await, []);
    assert_eq!(target.ids(), (1..=12).collect::<Vec<i64>>());
}

#[tokio::test]
async fn only_what_the_filter_finds_is_sent() {
    let world = World::new();
    let records = world.open().await;
    let target = Target::refusing(None, None);
    all_rejected(&records, &target).await;
    target.refuse(None, None);
    let filter =
        ErrorFilter { ids: vec!["1-3".parse().unwrap(), "1-7".parse().unwrap()], ..ErrorFilter::default() };
    let reprocess = Reprocess::new(Arc::clone(&records), "sync", 1, filter, false).await.unwrap();
    completed(&again(&records, &target, &reprocess).await);
    assert_eq!(target.ids(), [3, 7]);
    assert_eq!(kept(&records).await.len(), 10);
}

#[tokio::test]
async fn what_is_superseded_is_sent_by_force_only() {
    let world = World::new();
    let records = world.open().await;
    let target = Target::refusing(Some('b'), None);
    completed(&sync(&records, &target).await);
    // Its key comes again and is accepted.
    let newer = vec![(2, "newer".to_owned())];
    records.reset_checkpoint("sync", None).await.unwrap();
    let report = run(spec(Arc::new(Rows(newer)), &target), Session::new(Arc::clone(&records))).await;
    assert_eq!(completed(&report).accepted, 1);
    let skipped =
        Reprocess::new(Arc::clone(&records), "sync", 1, ErrorFilter::default(), false).await.err().unwrap();
    assert!(matches!(skipped, Error::NothingToReprocess { superseded: 1, .. }), "{skipped}");
    target.refuse(None, None);
    let forced = Reprocess::new(Arc::clone(&records), "sync", 1, ErrorFilter::default(), true).await.unwrap();
    completed(&again(&records, &target, &forced).await);
    assert_eq!(target.state.lock().unwrap().rows.last().unwrap(), &(2, "b".to_owned()));
    assert_eq!(kept(&records).await, []);
}

#[tokio::test]
async fn what_has_no_row_is_counted_and_stays() {
    let world = World::new();
    let records = world.open().await;
    let ticket = records.begin("sync").await.unwrap();
    let mut errors: Vec<_> = (0..4).map(|index| rejected("s", index, 1, "a", "x")).collect();
    errors[0].row = RowCopy::GivenUp;
    errors[1].row = RowCopy::Withheld;
    errors[2].row = RowCopy::Raw(vec![1]);
    commit(&records, &ticket, "t", vec![chunk(1, "sync/s", "s", errors)]).await;
    records.release(&ticket);
    let target = Target::refusing(None, None);
    let reprocess = chosen(&records, 1).await;
    assert_eq!(reprocess.choice(), Choice { rows: 1, kept_without_row: 3, superseded: 0 });
    completed(&again(&records, &target, &reprocess).await);
    assert_eq!((target.ids(), kept(&records).await.len()), (vec![1], 3));
    let nothing =
        Reprocess::new(Arc::clone(&records), "sync", 1, ErrorFilter::default(), true).await.err().unwrap();
    assert_eq!(nothing.code(), "CD1060");
    let unknown =
        Reprocess::new(Arc::clone(&records), "sync", 9, ErrorFilter::default(), true).await.err().unwrap();
    assert_eq!(unknown.code(), "CD1053");
}

#[tokio::test]
async fn rows_of_an_older_schema_are_sent_by_the_schema_that_they_have() {
    let world = World::new();
    let records = world.open().await;
    let ticket = records.begin("sync").await.unwrap();
    let older = chunk(1, "sync/s", "s", vec![rejected("s", 0, 1, "a", "x")]);
    let mut newer = chunk(1, "sync/s", "s", vec![rejected("s", 1, 2, "b", "x")]);
    newer.schema.version = 1;
    newer.schema.schema.fields[1].logical_type = Some("nickname".into());
    commit(&records, &ticket, "t", vec![older, newer]).await;
    records.release(&ticket);
    let target = Target::refusing(None, None);
    let report = again(&records, &target, &chosen(&records, 1).await).await;
    assert_eq!(completed(&report).accepted, 2);
    let versions: Vec<u32> =
        target.state.lock().unwrap().batches.iter().map(|batch| batch.schema_version).collect();
    assert_eq!(versions, [0, 1]);
    assert_eq!(schema("s").schema.fields[1].data_type, DataType::Text);
}

#[tokio::test]
async fn nothing_is_sent_while_the_sync_runs() {
    let world = World::new();
    let records = world.open().await;
    run_with(&records, &[(1, "a", "x")]).await;
    let target = Target::refusing(None, None);
    let reprocess = chosen(&records, 1).await;
    let ticket = records.begin("sync").await.unwrap();
    let report = again(&records, &target, &reprocess).await;
    assert_eq!(report.error.unwrap().code, "CD0730");
    records.release(&ticket);
    assert_eq!((kept(&records).await.len(), target.ids()), (1, vec![]));
}

/// Reprocesses until nothing is left that a run could change; at most three runs are needed.
async fn to_the_end(records: &Arc<SealedRecords>, target: &Arc<Target>) {
    for _ in 0..3 {
        let Ok(reprocess) =
            Reprocess::new(Arc::clone(records), "sync", 1, ErrorFilter::default(), false).await
        else {
            return;
        };
        completed(&again(records, target, &reprocess).await);
    }
}

#[tokio::test]
async fn each_row_is_dealt_with_once_wherever_a_process_dies() {
    let step = if std::env::var_os("COFFERDAM_TEST_LONG").is_some() { 1 } else { 3 };
    for keeps_the_last in [false, true] {
        for commits in (u64::from(keeps_the_last)..).step_by(step) {
            let engine = Dying::new(keeps_the_last);
            let world = World::over(engine.clone());
            let records = world.open().await;
            let target = Target::refusing(None, None);
            all_rejected(&records, &target).await;
            World::close(records).await;
            let records = world.open().await;
            target.refuse(Some('b'), Some('k'));
            engine.die_after(commits);
            let first =
                match Reprocess::new(Arc::clone(&records), "sync", 1, ErrorFilter::default(), false).await {
                    Ok(reprocess) => Some(again(&records, &target, &reprocess).await.outcome),
                    Err(_) => None,
                };
            World::close(records).await;
            engine.revive();
            let records = world.open().await;
            to_the_end(&records, &target).await;
            let left: Vec<u64> = kept(&records).await.iter().map(|error| error.id.number).collect();
            assert_eq!(left, [2, 11], "{commits} commits");
            let expected: Vec<i64> = (1..=12).filter(|id| ![2, 11].contains(id)).collect();
            assert_eq!(target.ids(), expected, "{commits} commits");
            if first == Some(Outcome::Completed) {
                assert!(commits > 10, "so many commits are to be swept over: {commits}");
                break;
            }
        }
    }
}
