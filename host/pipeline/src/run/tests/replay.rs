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

/// Row errors by their ids, as what keeps them sees them.
#[derive(Debug, Default)]
pub(super) struct Replay {
    /// All that are open, in the order in which they are given, by stream.
    open: BTreeMap<String, Vec<i64>>,
    /// By run and stream: those that it dealt with, then those that it was given last.
    given: BTreeMap<(u64, String), (usize, Vec<i64>)>,
    /// The run that is under way.
    run: u64,
}

impl Replay {
    pub(super) fn begin(&mut self, run: u64) {
        self.run = run;
    }

    fn streams(&self) -> Vec<String> {
        self.open.iter().filter(|(_, ids)| !ids.is_empty()).map(|(stream, _)| stream.clone()).collect()
    }

    /// What the run has not dealt with yet.
    fn give(&mut self, stream: &str) -> Vec<i64> {
        let (done, given) = self.given.entry((self.run, stream.to_owned())).or_default();
        given.truncate(*done);
        let left: Vec<i64> =
            self.open.get(stream).into_iter().flatten().copied().filter(|id| !given.contains(id)).collect();
        given.extend(&left);
        left
    }

    /// A commit dealt with the next rows of each stream, as many as it read: those that were not rejected again are open no
    /// more.
    pub(super) fn settle(&mut self, run: u64, effect: &Effect) {
        for (stream, counters) in &effect.streams {
            let (done, given) = self.given.get_mut(&(run, stream.clone())).unwrap();
            let end = *done + usize::try_from(counters.read).unwrap();
            let chunks = effect.row_errors.iter().filter(|chunk| chunk.schema.stream == *stream);
            let again = chunks.flat_map(|chunk| &chunk.errors);
            let again: Vec<i64> = again.map(|error| given[usize::try_from(error.index).unwrap()]).collect();
            let dealt = &given[*done..end];
            assert!(again.iter().all(|id| dealt.contains(id)), "{again:?} are not of {dealt:?}");
            let open = self.open.get_mut(stream).unwrap();
            open.retain(|id| again.contains(id) || !dealt.contains(id));
            *done = end;
        }
    }

    /// Ids of all that are errors still, sorted.
    pub(super) fn errors(&self) -> Vec<i64> {
        let mut ids: Vec<i64> = self.open.values().flatten().copied().collect();
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
                let ids = replay.open.entry(chunk.schema.stream.clone()).or_default();
                ids.extend(chunk.errors.iter().filter_map(|error| match &error.row {
                    RowCopy::Row(row) => Some(super::destination::ids(&row.to_batch())[0]),
                    _ => None,
                }));
            }
        }
        *lock(&self.replay) = replay;
    }
}

pub(super) struct ReplaySource(pub(super) Arc<World>);

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
        let streams = lock(&self.0.replay).streams().iter().map(info).collect();
        self.0.faults.call("discover", || Catalog { streams, groups: Vec::new() }).await
    }

    async fn open(&self, read: OpenRead) -> Result<Box<dyn Reader>, Failure> {
        self.0.must(read.checkpoint.is_none(), || "a reprocess was opened at a checkpoint".into());
        let mut rows = Vec::new();
        for selection in read.selections {
            let ids = lock(&self.0.replay).give(&selection.stream);
            rows.extend(ids.into_iter().map(|id| (selection.stream.clone(), id)));
        }
        let reader = ReplayReader { world: Arc::clone(&self.0), rows, place: 0 };
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
