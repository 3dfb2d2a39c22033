//! A source that gives row errors once more, as whoever keeps them does: what a commit dealt with is not given again.

use super::faults::lock;
use super::source::batch;
use super::world::World;
use crate::connector::{Budget, Reader, Source};
use crate::failure::Failure;
use crate::model::{Catalog, OpenRead, Page, PageBudget, Pushdown, Step, StreamInfo};
use crate::records::{Effect, RowCopy, RunRecords};
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Row errors by their ids, in the order in which they are given, by stream.
#[derive(Debug, Default)]
pub(super) struct Replay {
    /// Not yet dealt with in this run.
    left: BTreeMap<String, Vec<i64>>,
    /// Rejected again.
    kept: BTreeMap<String, Vec<i64>>,
    /// How many of the run's rows are dealt with, by stream.
    done: BTreeMap<String, u64>,
}

impl Replay {
    /// What is left of all runs, those that were rejected again included, is there for another run.
    fn begin(&mut self) {
        self.done.clear();
        for (stream, ids) in std::mem::take(&mut self.kept) {
            self.left.entry(stream).or_default().extend(ids);
        }
    }

    /// A commit dealt with the next rows of each stream: as many as it read.
    pub(super) fn settle(&mut self, effect: &Effect) {
        for (stream, counters) in &effect.streams {
            let left = self.left.get_mut(stream).unwrap();
            let rows: Vec<i64> = left.drain(..usize::try_from(counters.read).unwrap()).collect();
            let done = self.done.entry(stream.clone()).or_default();
            let chunks = effect.row_errors.iter().filter(|chunk| chunk.schema.stream == *stream);
            for error in chunks.flat_map(|chunk| &chunk.errors) {
                let id = rows[usize::try_from(error.index - *done).unwrap()];
                self.kept.entry(stream.clone()).or_default().push(id);
            }
            *done += counters.read;
        }
    }

    /// Ids of all that are errors still, sorted.
    pub(super) fn errors(&self) -> Vec<i64> {
        let mut ids: Vec<i64> = self.left.values().chain(self.kept.values()).flatten().copied().collect();
        ids.sort_unstable();
        ids
    }
}

impl World {
    /// Puts the row errors of the runs so far, of which there is a copy, into the replay.
    pub(super) async fn store_row_errors(&self) {
        let mut replay = Replay::default();
        for run in 1..20 {
            for chunk in self.records.row_errors("sync", run, 0, usize::MAX).await.unwrap() {
                let ids = replay.left.entry(chunk.schema.stream.clone()).or_default();
                ids.extend(chunk.errors.iter().filter_map(|error| match &error.row {
                    RowCopy::Row(batch) => Some(super::destination::ids(batch)[0]),
                    _ => None,
                }));
            }
        }
        *lock(&self.replay) = replay;
    }
}

pub(super) struct ReplaySource(pub(super) Arc<World>);

impl ReplaySource {
    /// For one run.
    pub(super) fn new(world: &Arc<World>) -> Self {
        lock(&world.replay).begin();
        Self(Arc::clone(world))
    }
}

#[async_trait]
impl Source for ReplaySource {
    async fn check(&self) -> Result<(), Failure> {
        Ok(())
    }

    async fn discover(&self) -> Result<Catalog, Failure> {
        let script = &self.0.script;
        let info = |stream: &String| StreamInfo {
            schema: script.schema(stream, 0),
            group: Some("g".into()),
            cursor_fields: Vec::new(),
            incremental: true,
            pushdown: Pushdown::default(),
            estimated_rows: None,
            description: None,
        };
        let streams = lock(&self.0.replay).left.keys().map(info).collect();
        self.0.faults.call("discover", || Catalog { streams, groups: Vec::new() }).await
    }

    async fn open(&self, read: OpenRead) -> Result<Box<dyn Reader>, Failure> {
        self.0.must(read.checkpoint.is_none(), || "a reprocess was opened at a checkpoint".into());
        let left = lock(&self.0.replay).left.clone();
        let rows = left.into_iter().flat_map(|(stream, ids)| {
            ids.into_iter().map(move |id| (stream.clone(), id)).collect::<Vec<_>>()
        });
        let reader = ReplayReader { world: Arc::clone(&self.0), rows: rows.collect(), place: 0 };
        self.0.faults.call("source.open", || Box::new(reader) as Box<dyn Reader>).await
    }
}

struct ReplayReader {
    world: Arc<World>,
    rows: Vec<(String, i64)>,
    place: usize,
}

#[async_trait]
impl Reader for ReplayReader {
    async fn next(&mut self, _budget: PageBudget) -> Result<Step, Failure> {
        let layout = self.world.script.layout;
        let step = match self.rows.get(self.place) {
            None => Step::End,
            Some((stream, id)) => Step::Page(Page {
                batches: vec![batch(stream, &[*id], 0, layout)],
                checkpoint: Some(self.place.to_string()),
                ..Page::default()
            }),
        };
        let world = Arc::clone(&self.world);
        world
            .faults
            .call("reader.next", || {
                self.place += 1;
                step
            })
            .await
    }

    async fn committed(&mut self, checkpoint: String) -> Result<(), Failure> {
        let given = checkpoint.parse::<usize>().is_ok_and(|place| place < self.place);
        self.world.must(given, || format!("`{checkpoint}` was never given"));
        self.world.faults.call("reader.committed", || ()).await
    }

    fn budget(&self) -> Budget {
        Vec::new()
    }
}
