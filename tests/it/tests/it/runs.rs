//! Whole runs through the pipeline whose source and destination are both real guests in the sandbox: where transactions end,
//! what a crash leaves, and what comes of a source or a destination that does not keep its word.

use crate::contract::Proof;
use crate::harness::hostile;
use async_trait::async_trait;
use pipeline::clock::SystemClock;
use pipeline::connector::{Budget, Destination, Writer};
use pipeline::failure::{Cause, Failure, GuestError};
use pipeline::model::{
    Batch, Capabilities, CommitReport, LastCommit, StreamPlan, StreamVerdict, WriteReport,
};
use pipeline::records::MemoryRecords;
use pipeline::report::{Outcome, RunReport};
use pipeline::run::{ChosenStream, GroupProgress, NoObserver, Observer, Phase, Run, RunSpec, StreamProgress};
use runtime::Limits;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio_util::sync::CancellationToken;

/// A sync that remembers where it stands.
struct Sync {
    records: Arc<MemoryRecords>,
}

impl Sync {
    fn new() -> Self {
        Self { records: Arc::new(MemoryRecords::new()) }
    }

    /// One run that commits whenever it may.
    async fn run(&self, source: &Proof, destination: Arc<dyn Destination>, streams: &[&str]) -> RunReport {
        let mut spec = RunSpec::new("sync", Arc::new(source.source()), destination);
        let chosen = |stream: &&str| ChosenStream { stream: (*stream).to_owned(), ..ChosenStream::default() };
        spec.streams = Some(streams.iter().map(chosen).collect());
        spec.options.commit_bytes = 1;
        spec.options.backoff_first_ms = 1;
        let (clock, records) = (Arc::new(SystemClock::new()), self.records.clone());
        Run::new(spec, records, clock, Arc::new(NoObserver)).run(CancellationToken::new()).await
    }

    /// Both streams of the group `log`, which marks its transactions.
    async fn run_log(&self, source: &Proof, destination: Arc<dyn Destination>) -> RunReport {
        self.run(source, destination, &["orders", "items"]).await
    }
}

/// A page of one row, with a checkpoint behind it.
fn page(stream: &str, id: u64, checkpoint: &str, transaction_end: bool) -> Value {
    let rows = [json!({ "id": id }).to_string()];
    let batches = json!([{ "stream": stream, "rows": rows }]);
    json!({ "page": { "batches": batches, "checkpoint": checkpoint, "transaction_end": transaction_end } })
}

/// Two transactions of an order and its item each.
fn two_transactions() -> Vec<Value> {
    vec![
        page("orders", 1, "1", false),
        page("items", 1, "2", true),
        page("orders", 2, "3", false),
        page("items", 2, "4", true),
    ]
}

async fn source(steps: impl Into<Value>) -> Proof {
    Proof::new(json!({ "steps": steps.into() })).await
}

/// The destination that keeps what was committed, exactly once, in files of this directory.
async fn keeping(directory: &Path) -> Proof {
    Proof::in_directory("example-destination", json!({}), directory).await
}

fn ids(directory: &Path, stream: &str) -> Vec<u64> {
    let text = std::fs::read_to_string(directory.join(format!("{stream}.jsonl"))).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].as_u64().unwrap()).collect()
}

fn completed(report: &RunReport) {
    assert_eq!(report.outcome, Outcome::Completed, "{:?}", report.error);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_is_committed_whole_where_the_destination_can_and_page_by_page_where_not() {
    let transactional = json!(["transactions", "json-lines", "append", "insert"]);
    let other = json!(["json-lines", "append", "insert"]);
    for (abilities, commits_expected) in [(transactional, 2), (other, 4)] {
        let destination = Proof::new(json!({ "abilities": abilities })).await;
        let report =
            Sync::new().run_log(&source(two_transactions()).await, Arc::new(destination.destination())).await;
        completed(&report);
        let told = destination.said().into_iter().filter_map(|line| match line.split(' ').next()? {
            "write" => Some(line.split('`').nth(1)?.to_owned()),
            "commit" => Some("commit".to_owned()),
            _ => None,
        });
        let told: Vec<String> = told.collect();
        let expect: &[&str] = if commits_expected == 2 {
            &["orders", "items", "commit", "orders", "items", "commit"]
        } else {
            &["orders", "commit", "items", "commit", "orders", "commit", "items", "commit"]
        };
        // A last commit may follow that holds no row and says that this was all.
        assert_eq!(told.iter().take(expect.len()).collect::<Vec<_>>(), expect, "{told:?}");
        assert!(told[expect.len()..].iter().all(|line| line == "commit"), "{told:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn h56_half_a_transaction_is_never_visible_and_the_next_run_begins_with_it() {
    let directory = tempfile::tempdir().unwrap();
    let destination = keeping(directory.path()).await;
    let (sync, mut steps) = (Sync::new(), two_transactions());
    // The source breaks the contract in the middle of its second transaction.
    steps[3] = page("nowhere", 2, "4", true);
    let report = sync.run_log(&source(steps).await, Arc::new(destination.destination())).await;
    assert_eq!(report.outcome, Outcome::Failed);
    assert_eq!(report.error.as_ref().unwrap().code, "CD0611");
    assert_eq!((ids(directory.path(), "orders"), ids(directory.path(), "items")), (vec![1], vec![1]));
    let rest = source(two_transactions().split_off(2)).await;
    completed(&sync.run_log(&rest, Arc::new(destination.destination())).await);
    assert_eq!(rest.said_of("open"), ["open `log` at Some(\"2\")"]);
    assert_eq!((ids(directory.path(), "orders"), ids(directory.path(), "items")), (vec![1, 2], vec![1, 2]));
}

#[tokio::test(flavor = "multi_thread")]
async fn h49_ids_that_come_twice_are_rows_like_others_where_nothing_tells_them_apart() {
    let steps = [page("orders", 1, "1", false), page("orders", 1, "2", false), page("orders", 1, "3", false)];
    let destination = Proof::new(json!({ "abilities": ["json-lines", "append", "insert"] })).await;
    let report =
        Sync::new().run_log(&source(steps.to_vec()).await, Arc::new(destination.destination())).await;
    completed(&report);
    let total = report.total();
    assert_eq!((total.read, total.accepted, total.rejected), (3, 3, 0));
    assert_eq!(destination.said_of("row").len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn h49_ids_that_come_twice_are_row_errors_where_the_destination_knows_keys() {
    let directory = tempfile::tempdir().unwrap();
    let destination = keeping(directory.path()).await;
    let steps = [page("orders", 1, "1", true), page("orders", 2, "2", true), page("orders", 1, "3", true)];
    let report =
        Sync::new().run_log(&source(steps.to_vec()).await, Arc::new(destination.destination())).await;
    completed(&report);
    let total = report.total();
    assert_eq!((total.read, total.accepted, total.rejected), (3, 2, 1));
    assert_eq!(report.streams["orders"].reject_codes["duplicate_key"], 1);
    assert_eq!(ids(directory.path(), "orders"), [1, 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn h49_a_position_that_goes_back_is_taken_at_its_word_and_loses_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let destination = keeping(directory.path()).await;
    let sync = Sync::new();
    let steps = [page("orders", 1, "9", true), page("orders", 2, "3", true), page("nowhere", 3, "4", true)];
    let report = sync.run_log(&source(steps.to_vec()).await, Arc::new(destination.destination())).await;
    assert_eq!(report.outcome, Outcome::Failed);
    // Only the source knows what a position is: the last one that it gave is where it is opened again.
    let again = source([page("orders", 3, "4", true)].to_vec()).await;
    completed(&sync.run_log(&again, Arc::new(destination.destination())).await);
    assert_eq!(again.said_of("open"), ["open `log` at Some(\"3\")"]);
    assert_eq!(ids(directory.path(), "orders"), [1, 2, 3]);
}

/// The real destination; the answer to its first commit is lost, or it is lost before the commit was made.
struct Unheard {
    real: runtime::Destination,
    lost: Arc<AtomicBool>,
    commits: bool,
}

struct UnheardWriter {
    real: Box<dyn Writer>,
    lost: Arc<AtomicBool>,
    commits: bool,
}

fn lost(call: &str) -> Failure {
    let error = GuestError::Transient { message: "the answer was lost".into(), retry_after_ms: None };
    Failure {
        cause: Cause::Guest(error),
        connector: "unheard".into(),
        call: call.into(),
        log_tail: Vec::new(),
        denials: Vec::new(),
    }
}

#[async_trait]
impl Destination for Unheard {
    async fn check(&self) -> Result<(), Failure> {
        self.real.check().await
    }

    async fn open(&self, unit: String, fence: Option<u64>) -> Result<Box<dyn Writer>, Failure> {
        let real = self.real.open(unit, fence).await?;
        Ok(Box::new(UnheardWriter { real, lost: self.lost.clone(), commits: self.commits }))
    }
}

#[async_trait]
impl Writer for UnheardWriter {
    async fn capabilities(&mut self) -> Result<Capabilities, Failure> {
        self.real.capabilities().await
    }

    async fn committed(&mut self) -> Result<Option<LastCommit>, Failure> {
        self.real.committed().await
    }

    async fn prepare(&mut self, plans: Vec<StreamPlan>, dry: bool) -> Result<Vec<StreamVerdict>, Failure> {
        self.real.prepare(plans, dry).await
    }

    async fn write(&mut self, number: u64, batch: Arc<Batch>) -> Result<WriteReport, Failure> {
        self.real.write(number, batch).await
    }

    async fn commit(&mut self, token: String, last: bool) -> Result<CommitReport, Failure> {
        if self.lost.swap(true, Ordering::SeqCst) {
            return self.real.commit(token, last).await;
        }
        if self.commits {
            self.real.commit(token, last).await?;
        }
        Err(lost("writer.commit"))
    }

    fn budget(&self) -> Budget {
        self.real.budget()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn h56_a_commit_whose_answer_is_lost_leaves_each_row_once() {
    let from = tempfile::tempdir().unwrap();
    let rows: String = (1..=10).map(|id| json!({ "id": id }).to_string() + "\n").collect();
    std::fs::write(from.path().join("orders.jsonl"), rows).unwrap();
    for commits in [true, false] {
        let to = tempfile::tempdir().unwrap();
        let real = keeping(to.path()).await.destination();
        let destination = Arc::new(Unheard { real, lost: Arc::default(), commits });
        let source = keeping(from.path()).await;
        let report = Sync::new().run(&source, destination.clone(), &["orders"]).await;
        completed(&report);
        assert!(destination.lost.load(Ordering::SeqCst), "no answer was lost");
        assert_eq!(report.groups[0].attempts, 2);
        assert_eq!(ids(to.path(), "orders"), Vec::from_iter(1..=10));
        assert_eq!((report.total().read, report.total().accepted), (10, 10));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn h57_a_run_that_panics_gives_back_its_right_to_run() {
    let sync = Sync::new();
    for (attack, code) in [("behave-then-panic", Some("CD0610")), ("loop", Some("CD0501")), ("behave", None)]
    {
        let limits = Limits { cpu_ms: 100, ..Limits::defaults() };
        let hostile = hostile(attack, "next", limits).await;
        let destination = Proof::new(json!({ "abilities": ["columns", "append", "insert"] })).await;
        let source = Proof { connection: hostile.connection, lines: hostile.lines };
        let report = sync.run(&source, Arc::new(destination.destination()), &["rows"]).await;
        assert_eq!(report.error.map(|error| error.code).as_deref(), code);
    }
}

/// Values at the ends of their types go from columns to columns as they are; in JSON lines some have no form, and such a row is
/// rejected with its code.
#[tokio::test(flavor = "multi_thread")]
async fn h45_values_at_the_ends_of_their_types_pass_or_are_row_errors() {
    let expect = [("columns", 3, 0), ("json-lines", 0, 3)];
    for (layout, accepted, rejected) in expect {
        let hostile = hostile("extreme-values", "next", Limits::defaults()).await;
        let destination = Proof::new(json!({ "abilities": [layout, "append", "insert"] })).await;
        let source = Proof { connection: hostile.connection, lines: hostile.lines };
        let report = Sync::new().run(&source, Arc::new(destination.destination()), &["values"]).await;
        completed(&report);
        let total = report.total();
        assert_eq!((total.read, total.accepted, total.rejected), (3, accepted, rejected), "{layout}");
        let codes: Vec<_> = report.streams["values"].reject_codes.keys().cloned().collect();
        assert_eq!(codes, if rejected > 0 { vec!["not_a_json_number", "out_of_range"] } else { Vec::new() });
    }
}

/// A wait is a wait, however long: it holds no thread, and ends with the wish to stop.
#[tokio::test(flavor = "multi_thread")]
async fn h22_a_wait_of_weeks_ends_with_the_wish_to_stop() {
    let hostile = hostile("wait-forever", "next", Limits::defaults()).await;
    let destination = Proof::new(json!({ "abilities": ["columns", "append", "insert"] })).await;
    let mut spec = RunSpec::new("weeks", Arc::new(hostile.source), Arc::new(destination.destination()));
    spec.streams = None;
    let cancel = CancellationToken::new();
    let observer = Arc::new(CancelsAWait(cancel.clone()));
    let run = Run::new(spec, Arc::new(MemoryRecords::new()), Arc::new(SystemClock::new()), observer);
    let report = run.run(cancel).await;
    assert_eq!(report.outcome, Outcome::Cancelled, "{:?}", report.error);
}

/// Wishes the run to stop as soon as its source waits.
struct CancelsAWait(CancellationToken);

impl Observer for CancelsAWait {
    fn stream(&self, _: StreamProgress) {}

    fn group(&self, progress: GroupProgress) {
        if matches!(progress.phase, Phase::Waiting { .. }) {
            self.0.cancel();
        }
    }
}
