//! Whatever commit of the engine is the last before a crash, the next process finds everything whole and nothing double.

use super::rows::{chunk, rejected, rows_of, run_with};
use super::world::World;
use crate::tables::{ERROR_CHUNKS, ERROR_INDEX, ERROR_KEYS, KEPT_ROWS, Key};
use crate::{ErrorFilter, ErrorState, SealedRecords, Settings};
use async_trait::async_trait;
use pipeline::records::{Amendment, KeptBatch, RowCopy, RunRecords, RunTicket};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use storage::{Batch, Engine, EngineError, Entry, MemoryEngine, Scan, Sequence, Snapshot};

/// An engine that stops after so many commits, as a process that dies does. A commit in which it stops is lost or kept.
pub(super) struct Dying {
    inner: MemoryEngine,
    left: AtomicU64,
    keeps_the_last: bool,
}

impl Dying {
    pub(super) fn new(keeps_the_last: bool) -> Arc<Self> {
        Arc::new(Self { inner: MemoryEngine::new(), left: AtomicU64::new(u64::MAX), keeps_the_last })
    }

    pub(super) fn die_after(&self, commits: u64) {
        self.left.store(commits, Ordering::SeqCst);
    }

    /// It lives on for the next process.
    pub(super) fn revive(&self) {
        self.left.store(u64::MAX, Ordering::SeqCst);
    }
}

#[async_trait]
impl Engine for Dying {
    async fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, EngineError> {
        self.inner.get(key).await
    }

    async fn scan(&self, scan: Scan) -> Result<Vec<Entry>, EngineError> {
        self.inner.scan(scan).await
    }

    async fn commit(&self, batch: Batch) -> Result<Sequence, EngineError> {
        let spend =
            |left: u64| left.checked_sub(1).map(|left| if left == u64::MAX - 1 { u64::MAX } else { left });
        if self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, spend).is_ok() {
            return self.inner.commit(batch).await;
        }
        if self.keeps_the_last {
            self.inner.commit(batch).await?;
        }
        Err(EngineError::Stopped { reason: "the process is dead".into() })
    }

    async fn snapshot(&self) -> Result<Box<dyn Snapshot>, EngineError> {
        self.inner.snapshot().await
    }

    fn is_exclusive(&self) -> bool {
        true
    }
}

/// Chunks that no group and no prepared record names.
pub(super) async fn remains(records: &SealedRecords) -> usize {
    let mut named = std::collections::BTreeSet::new();
    let mut walk = records.walk("sync", None).await.unwrap();
    while let Some(listed) = walk.next().await.unwrap() {
        named.insert((listed.at.run, listed.at.stage));
    }
    let (stored, _) = records.read_unit("sync", "sync/s").await.unwrap();
    named.extend(stored.staged.map(|staged| (staged.run, staged.stage)));
    let mut remains = 0;
    let prefix = Key::of("sync");
    for (table, skip) in [
        (ERROR_CHUNKS, prefix.len()),
        (ERROR_INDEX, prefix.len()),
        (ERROR_KEYS, Key::of("sync").name("s").len()),
    ] {
        for (key, _) in records.scan_all(table, &prefix).await.unwrap() {
            let number = |at: usize| u64::from_be_bytes(key[skip + at..skip + at + 8].try_into().unwrap());
            if !named.contains(&(number(0), number(8))) {
                remains += 1;
            }
        }
    }
    remains
}

/// Row errors that need more than one batch of storage.
fn many(run: u64, first: u64) -> Vec<pipeline::records::RowErrorChunk> {
    let noise = |seed: u64| -> String {
        let mut random = fastrand::Rng::with_seed(seed);
        (0..2_000).map(|_| random.alphanumeric()).collect()
    };
    let errors = (first..first + 400)
        .map(|index| rejected("s", index, i64::try_from(index).unwrap(), &noise(index), "x"));
    vec![chunk(run, "sync/s", "s", errors.collect())]
}

/// Source batches of a commit, in two calls.
fn kept(token: &str) -> [Vec<KeptBatch>; 2] {
    let batch = |number: u32| KeptBatch {
        number,
        schema: Arc::new(super::rows::schema("s")),
        rows: None,
        batch: Arc::new(super::rows::batch("s", &[(number.into(), token)])),
    };
    [vec![batch(0), batch(1)], vec![batch(2)]]
}

/// A run of two commits, the second with late rejects, as the pipeline makes it; nothing more after the first error.
async fn run(records: &SealedRecords) -> Result<(), pipeline::records::Error> {
    let ticket = records.begin("sync").await?;
    let unit = records.unit(&ticket, "sync/s").await?;
    if let Some(prepared) = &unit.prepared {
        let rows = records.kept(&ticket, "sync/s", &prepared.token).await?;
        assert_eq!(rows, kept(&prepared.token).concat());
        // As if the destination knew the commit, whenever it was prepared.
        records
            .commit(&ticket, "sync/s", &prepared.token.clone(), late(prepared.run, &prepared.token))
            .await?;
    }
    let done = records.unit(&ticket, "sync/s").await?.commits;
    for number in done..2 {
        let token = format!("t{number}");
        for batches in kept(&token) {
            records.keep(&ticket, "sync/s", &token, batches).await?;
        }
        let prepared = super::rows::prepared(&ticket, &token, many(ticket.run, number * 800));
        records.prepare(&ticket, "sync/s", prepared).await?;
        records.commit(&ticket, "sync/s", &token, late(ticket.run, &token)).await?;
    }
    records.release(&ticket);
    Ok(())
}

fn late(run: u64, token: &str) -> Amendment {
    let first = if token == "t1" { 1_200 } else { 9_000 };
    let rejected = if token == "t1" { 400 } else { 0 };
    Amendment {
        rejected: BTreeMap::from([("s".into(), rejected)]),
        row_errors: if rejected > 0 { many(run, first) } else { Vec::new() },
        ..Amendment::default()
    }
}

/// What there must be once all was committed.
async fn assert_whole(records: &SealedRecords, commits: u64) {
    let page = records.errors("sync", &ErrorFilter::default(), None, usize::MAX).await.unwrap();
    let mut indexes: Vec<u64> = page.errors.iter().map(|error| error.error.index).collect();
    indexes.sort_unstable();
    let expected: Vec<u64> = (0..400).chain(800..1_600).collect();
    assert!(indexes == expected, "{} row errors, {commits} commits before the crash", indexes.len());
    for error in &page.errors {
        let RowCopy::Row(row) = &error.error.row else { panic!("without a row") };
        assert_eq!(rows_of(&row.to_batch())[0].0, i64::try_from(error.error.index).unwrap());
    }
    let unit = records.checkpoints("sync").await.unwrap().remove(0);
    assert_eq!((unit.commits, unit.streams["s"].rejected), (2, 1_200));
    assert_eq!(remains(records).await, 0, "remains, {commits} commits before the crash");
    let kept = records.scan_all(KEPT_ROWS, &Key::of("sync")).await.unwrap();
    assert_eq!(kept.len(), 0, "kept rows, {commits} commits before the crash");
}

#[tokio::test]
async fn row_errors_are_exactly_once_wherever_a_process_dies() {
    for keeps_the_last in [false, true] {
        let step = if std::env::var_os("COFFERDAM_TEST_LONG").is_some() { 1 } else { 2 };
        let mut commits = u64::from(keeps_the_last);
        loop {
            let engine = Dying::new(keeps_the_last);
            let world = World::over(engine.clone());
            let records = world.open().await;
            engine.die_after(commits);
            let died = run(&records).await.is_err();
            World::close(records).await;
            engine.revive();
            let records = world.open().await;
            run(&records).await.unwrap();
            assert_whole(&records, commits).await;
            if !died {
                assert!(commits > 10, "so many commits are to be swept over: {commits}");
                break;
            }
            commits += step;
        }
    }
}

/// A run in which rows with the keys of open row errors are accepted.
async fn supersede(records: &SealedRecords) -> Result<(), pipeline::records::Error> {
    let ticket: RunTicket = records.begin("sync").await?;
    let prepared = records.unit(&ticket, "sync/s").await?.prepared;
    if let Some(prepared) = prepared {
        records.commit(&ticket, "sync/s", &prepared.token, Amendment::default()).await?;
    }
    if records.unit(&ticket, "sync/s").await?.token.as_deref() != Some("t2") {
        let open = records.open_keys(&ticket, "s").await?.unwrap();
        let hash = |id: i64| open.hash_if_open(&id.to_be_bytes()).unwrap();
        let mut prepared = super::rows::prepared(&ticket, "t2", vec![]);
        prepared.effect.settled = BTreeMap::from([("s".into(), vec![hash(1), hash(3)])]);
        records.prepare(&ticket, "sync/s", prepared).await?;
        records.commit(&ticket, "sync/s", "t2", Amendment::default()).await?;
    }
    records.release(&ticket);
    Ok(())
}

#[tokio::test]
async fn what_is_superseded_is_so_with_its_commit_wherever_a_process_dies() {
    for commits in 0.. {
        let engine = Dying::new(false);
        let world = World::over(engine.clone());
        let records = world.open_with(Settings::default()).await;
        run_with(&records, &[(1, "a", "x"), (2, "b", "x"), (3, "c", "x")]).await;
        World::close(records).await;
        let records = world.open().await;
        engine.die_after(commits);
        let died = supersede(&records).await.is_err();
        World::close(records).await;
        engine.revive();
        let records = world.open().await;
        let states = async || {
            let page = records.errors("sync", &ErrorFilter::default(), None, 9).await.unwrap();
            page.errors.iter().map(|error| error.state != ErrorState::Open).collect::<Vec<bool>>()
        };
        let is_true = records.checkpoints("sync").await.unwrap()[0].commits == 2;
        assert_eq!(states().await, [is_true, false, is_true], "before the next run, {commits} commits");
        supersede(&records).await.unwrap();
        assert_eq!(states().await, [true, false, true], "after the next run, {commits} commits");
        if !died {
            assert!(commits > 4);
            break;
        }
    }
}

#[tokio::test]
async fn a_call_that_is_dropped_has_happened_whole_or_not_at_all() {
    let step = if std::env::var_os("COFFERDAM_TEST_LONG").is_some() { 1 } else { 4 };
    for polls in (0..40).step_by(step) {
        let world = World::new();
        let records = world.open().await;
        let ticket = records.begin("sync").await.unwrap();
        let prepared = super::rows::prepared(&ticket, "t0", many(1, 0));
        {
            let mut call = std::pin::pin!(records.prepare(&ticket, "sync/s", prepared));
            for _ in 0..polls {
                if std::future::poll_fn(|context| {
                    let polled = call.as_mut().poll(context);
                    std::task::Poll::Ready(polled.is_ready())
                })
                .await
                {
                    break;
                }
                tokio::task::yield_now().await;
            }
        }
        records.release(&ticket);
        run(&records).await.unwrap();
        assert_whole(&records, polls as u64).await;
    }
}
