//! Stages overlap, and what is between them is bounded.

use super::sweep::jumping;
use super::world::{Script, ScriptPage, World, page};
use crate::clock::SystemClock;
use crate::connector::{Budget, Destination, Reader, Source, Writer};
use crate::failure::Failure;
use crate::model::{
    Batch, Capabilities, Catalog, CommitReport, LastCommit, OpenRead, PageBudget, Step, StreamPlan,
    StreamVerdict, WriteReport,
};
use crate::records::{MemoryRecords, RowCopy, RunRecords};
use crate::report::Outcome;
use crate::run::{NoObserver, Options, Run, RunSpec};
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

/// How far the source is ahead of the destination, and how many groups are open.
#[derive(Debug, Default)]
struct Gauge {
    given: AtomicU64,
    taken: AtomicU64,
    ahead_max: AtomicU64,
    open: AtomicU64,
    open_max: AtomicU64,
}

/// A connector that takes its time for each call.
struct Slow<C: ?Sized> {
    inner: Arc<C>,
    gauge: Arc<Gauge>,
}

struct SlowReader {
    inner: Box<dyn Reader>,
    gauge: Arc<Gauge>,
}

struct SlowWriter {
    inner: Box<dyn Writer>,
    gauge: Arc<Gauge>,
}

const SLOW: Duration = Duration::from_millis(100);

#[async_trait]
impl Source for Slow<dyn Source> {
    async fn check(&self) -> Result<(), Failure> {
        self.inner.check().await
    }

    async fn discover(&self) -> Result<Catalog, Failure> {
        self.inner.discover().await
    }

    async fn open(&self, read: OpenRead) -> Result<Box<dyn Reader>, Failure> {
        let open = self.gauge.open.fetch_add(1, Ordering::SeqCst) + 1;
        self.gauge.open_max.fetch_max(open, Ordering::SeqCst);
        Ok(Box::new(SlowReader { inner: self.inner.open(read).await?, gauge: Arc::clone(&self.gauge) }))
    }
}

impl Drop for SlowReader {
    fn drop(&mut self) {
        self.gauge.open.fetch_sub(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl Reader for SlowReader {
    async fn next(&mut self, budget: PageBudget) -> Result<Step, Failure> {
        sleep(SLOW).await;
        let step = self.inner.next(budget).await?;
        if let Step::Page(page) = &step {
            let rows = page.batches.iter().map(|batch| u64::from(batch.row_count())).sum();
            let given = self.gauge.given.fetch_add(rows, Ordering::SeqCst) + rows;
            self.gauge.ahead_max.fetch_max(given - self.gauge.taken.load(Ordering::SeqCst), Ordering::SeqCst);
        }
        Ok(step)
    }

    async fn committed(&mut self, checkpoint: String) -> Result<(), Failure> {
        self.inner.committed(checkpoint).await
    }

    fn budget(&self) -> Budget {
        self.inner.budget()
    }
}

#[async_trait]
impl Destination for Slow<dyn Destination> {
    async fn check(&self) -> Result<(), Failure> {
        self.inner.check().await
    }

    async fn open(&self, unit: String, fence: Option<u64>) -> Result<Box<dyn Writer>, Failure> {
        Ok(Box::new(SlowWriter {
            inner: self.inner.open(unit, fence).await?,
            gauge: Arc::clone(&self.gauge),
        }))
    }
}

#[async_trait]
impl Writer for SlowWriter {
    async fn capabilities(&mut self) -> Result<Capabilities, Failure> {
        self.inner.capabilities().await
    }

    async fn committed(&mut self) -> Result<Option<LastCommit>, Failure> {
        self.inner.committed().await
    }

    async fn prepare(
        &mut self,
        plans: Vec<StreamPlan>,
        dry_run: bool,
    ) -> Result<Vec<StreamVerdict>, Failure> {
        self.inner.prepare(plans, dry_run).await
    }

    async fn write(&mut self, number: u64, batch: Arc<Batch>) -> Result<WriteReport, Failure> {
        sleep(SLOW).await;
        let rows = u64::from(batch.row_count());
        let report = self.inner.write(number, batch).await?;
        self.gauge.taken.fetch_add(rows, Ordering::SeqCst);
        Ok(report)
    }

    async fn commit(&mut self, token: String, last: bool) -> Result<CommitReport, Failure> {
        self.inner.commit(token, last).await
    }

    fn budget(&self) -> Budget {
        self.inner.budget()
    }
}

fn slow(world: &Arc<World>) -> (RunSpec, Arc<Gauge>) {
    let gauge = Arc::new(Gauge::default());
    let mut spec = world.spec();
    spec.source = Arc::new(Slow { inner: spec.source, gauge: Arc::clone(&gauge) });
    spec.destination = Arc::new(Slow { inner: spec.destination, gauge: Arc::clone(&gauge) });
    (spec, gauge)
}

fn pages(count: i64) -> Vec<ScriptPage> {
    (0..count).map(|number| page("a", number * 10..number * 10 + 10)).collect()
}

#[test]
fn reading_goes_on_while_rows_are_written() {
    jumping(async {
        let world = World::new(Script { options: Options::default(), ..Script::of(pages(20)) });
        let (spec, _) = slow(&world);
        let began = Instant::now();
        let report = world.run_spec(spec, None).await.unwrap();
        assert_eq!(report.outcome, Outcome::Completed);
        // One after the other they would take 4.1 s.
        let took = began.elapsed().as_millis();
        assert!(took <= 2_400, "{took} ms");
    });
}

#[test]
fn reading_is_ahead_by_no_more_than_the_bytes_allow() {
    for transform in [false, true] {
        jumping(async {
            // A page of ten rows is about 230 bytes.
            let options = Options { look_ahead_bytes: 600, ..Options::default() };
            let world =
                World::new(Script { options, transform, checked: !transform, ..Script::of(pages(200)) });
            let (mut spec, gauge) = slow(&world);
            // The source is as fast as it can be.
            spec.source = Arc::clone(&world.spec().source);
            spec.source = Arc::new(Counting { inner: spec.source, gauge: Arc::clone(&gauge) });
            world.run_spec(spec, None).await.unwrap();
            let ahead = gauge.ahead_max.load(Ordering::SeqCst);
            let filtered = if transform { 400 } else { 0 };
            assert!(ahead <= 80 + filtered, "{ahead} rows");
        });
    }
}

/// As [`Slow`], but without taking time.
struct Counting {
    inner: Arc<dyn Source>,
    gauge: Arc<Gauge>,
}

#[async_trait]
impl Source for Counting {
    async fn check(&self) -> Result<(), Failure> {
        self.inner.check().await
    }

    async fn discover(&self) -> Result<Catalog, Failure> {
        self.inner.discover().await
    }

    async fn open(&self, read: OpenRead) -> Result<Box<dyn Reader>, Failure> {
        self.gauge.open.fetch_add(1, Ordering::SeqCst);
        Ok(Box::new(CountingReader(SlowReader {
            inner: self.inner.open(read).await?,
            gauge: Arc::clone(&self.gauge),
        })))
    }
}

struct CountingReader(SlowReader);

#[async_trait]
impl Reader for CountingReader {
    async fn next(&mut self, budget: PageBudget) -> Result<Step, Failure> {
        let step = self.0.inner.next(budget).await?;
        if let Step::Page(page) = &step {
            let rows = page.batches.iter().map(|batch| u64::from(batch.row_count())).sum();
            let given = self.0.gauge.given.fetch_add(rows, Ordering::SeqCst) + rows;
            let ahead = given.saturating_sub(self.0.gauge.taken.load(Ordering::SeqCst));
            self.0.gauge.ahead_max.fetch_max(ahead, Ordering::SeqCst);
        }
        Ok(step)
    }

    async fn committed(&mut self, checkpoint: String) -> Result<(), Failure> {
        self.0.inner.committed(checkpoint).await
    }

    fn budget(&self) -> Budget {
        self.0.inner.budget()
    }
}

#[test]
fn so_many_groups_move_at_one_time() {
    let names = ["g1", "g2", "g3", "g4", "g5", "g6", "g7"];
    for parallel_groups in [1, 3] {
        jumping(async {
            let script = Script::of(Vec::new());
            let groups: BTreeMap<_, _> =
                (0..).zip(names).map(|(n, name)| (name, vec![page(name, n * 5..n * 5 + 5)])).collect();
            let options = Options { parallel_groups, ..Options::default() };
            let world = World::new(Script { groups, options, ..script });
            let (spec, gauge) = slow(&world);
            let report = world.run_spec(spec, None).await.unwrap();
            assert_eq!(report.groups.iter().map(|group| group.group.as_str()).collect::<Vec<_>>(), names);
            assert_eq!(gauge.open_max.load(Ordering::SeqCst), u64::from(parallel_groups));
            world.assert_exact().await;
        });
    }
}

#[test]
fn a_source_without_checkpoints_does_not_fill_the_memory() {
    jumping(async {
        let uncovered = |page: ScriptPage| ScriptPage { checkpoint: false, ..page };
        let mut script = Script::of(pages(60).into_iter().map(uncovered).collect());
        // About 45 kB come; rows are given up over 32 kB, and what is left may be twice as much.
        script.options.page.max_bytes = 16 << 10;
        script.options.limits.row_bytes_max = 16 << 10;
        let script = Script { write_rejects: true, late_rejects: true, ..script };
        let world = World::new(script);
        let report = world.run(None).await.unwrap();
        assert_eq!(report.outcome, Outcome::Completed, "{report:#?}");
        let chunks = world.records.row_errors("sync", 1, 0, 999).await.unwrap();
        let errors = || chunks.iter().flat_map(|chunk| &chunk.errors);
        // What was rejected when it was written is kept with its row; what is rejected at the very end may not be.
        assert!(
            errors().filter(|error| error.code == "write").all(|error| matches!(error.row, RowCopy::Row(_)))
        );
        assert!(errors().any(|error| error.code == "late" && error.row == RowCopy::GivenUp));
        let expected = world.script.expected();
        assert_eq!(errors().count(), expected.rejected.len());
        assert_eq!(world.totals().await, expected.counters);
        assert_eq!(world.rows(), expected.rows);
    });
}

#[test]
fn rejected_rows_that_no_checkpoint_lets_go_have_a_limit() {
    jumping(async {
        let uncovered =
            |n: i64| ScriptPage { checkpoint: false, ..page("a", (0..20).map(|k| (n * 20 + k) * 11 + 4)) };
        let mut script = Script::of((0..60).map(uncovered).collect());
        script.options.page.max_bytes = 1_024;
        script.options.limits.row_bytes_max = 1_024;
        let world = World::new(Script { write_rejects: true, ..script });
        let report = world.run(None).await.unwrap();
        assert_eq!(report.error.unwrap().code, "CD0723");
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_run_on_many_threads_is_as_exact() {
    for _ in 0..20 {
        let groups = ["g", "h", "i"].into_iter().zip([0_i64, 10_000, 20_000]);
        let stream = |group| {
            if group == "g" {
                "a"
            } else if group == "h" {
                "b"
            } else {
                "c"
            }
        };
        let pages = |group, first: i64| {
            (0..40).map(|n| page(stream(group), first + n * 10..first + n * 10 + 10)).collect()
        };
        let groups = groups.map(|(group, first)| (group, pages(group, first))).collect();
        let options =
            Options { commit_bytes: 700, parallel_groups: 3, look_ahead_bytes: 500, ..Options::default() };
        let flags = Script {
            transform: true,
            source_rejects: true,
            write_rejects: true,
            late_rejects: true,
            ..Script::of(Vec::new())
        };
        let world = World::new(Script { groups, options, ..flags });
        let report = world.run(None).await.unwrap();
        assert_eq!(report.outcome, Outcome::Completed, "{report:#?}");
        world.assert_exact().await;
    }
}

#[test]
fn a_run_that_is_dropped_gives_its_right_back() {
    jumping(async {
        let world = World::new(Script::of(pages(20)));
        let (spec, _) = slow(&world);
        let records: Arc<dyn RunRecords> = Arc::new(MemoryRecords::new());
        let clock = Arc::new(SystemClock::new());
        let observer = Arc::new(NoObserver);
        let run = Run::new(spec.clone(), Arc::clone(&records), clock, observer).run(CancellationToken::new());
        assert!(tokio::time::timeout(Duration::from_millis(350), run).await.is_err());
        records.begin("sync").await.unwrap();
    });
}

#[tokio::test]
async fn runs_go_on_from_the_records_of_earlier_ones() {
    let records: Arc<dyn RunRecords> = Arc::new(MemoryRecords::new());
    let world = World::new(Script { write_rejects: true, checked: false, ..Script::of(pages(5)) });
    for (run, read) in [(1, 50), (2, 0)] {
        let clock = Arc::new(SystemClock::new());
        let run_now = Run::new(world.spec(), Arc::clone(&records), clock, Arc::new(NoObserver));
        let report = run_now.run(CancellationToken::new()).await;
        assert_eq!((report.outcome, report.run, report.total().read), (Outcome::Completed, run, read));
        assert_eq!(records.report("sync", None).await.unwrap(), Some(report));
        let kept = records.row_errors("sync", 1, 0, 99).await.unwrap();
        assert_eq!(kept.iter().map(|chunk| chunk.errors.len()).sum::<usize>(), 5);
    }
    assert_eq!(world.rows(), world.script.expected().rows);
}
