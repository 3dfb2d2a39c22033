//! The script, what is durable, and what must be true at each moment.

use super::destination::{ScriptedDestination, Unit};
use super::faults::{Fault, Faults, lock};
use super::records::FaultyRecords;
use super::replay::Replay;
use super::source::{ScriptedSource, ScriptedTransform};
use crate::clock::{Clock, SystemClock};
use crate::model::{DataType, Layout, Layouts, Mode, StreamSchema};
use crate::records::{Counters, KeptBatch, MemoryRecords, Prepared, RowCopy, RunRecords};
use crate::report::RunReport;
use crate::run::{ChosenStream, GroupProgress, Observer, Options, Run, RunSpec, StreamProgress};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

/// One page of the script.
#[derive(Debug, Clone, Default)]
pub(super) struct ScriptPage {
    /// Stream and ids of the rows of each batch; an id stands once in the whole script.
    pub(super) batches: Vec<(&'static str, Vec<i64>)>,
    /// Ids of lines that the source cannot read, of the first stream.
    pub(super) raw: Vec<i64>,
    pub(super) checkpoint: bool,
    pub(super) mark: bool,
    pub(super) wait_ms: Option<u32>,
    /// The streams have one more field from here on.
    pub(super) schema_changes: bool,
}

/// What the connectors do.
#[derive(Debug, Clone)]
pub(super) struct Script {
    /// Pages by read group.
    pub(super) groups: BTreeMap<&'static str, Vec<ScriptPage>>,
    pub(super) layout: Layout,
    pub(super) layouts: Layouts,
    pub(super) incremental: bool,
    pub(super) marks: bool,
    pub(super) transactions: bool,
    pub(super) exactly_once: bool,
    pub(super) transform: bool,
    pub(super) source_rejects: bool,
    pub(super) write_rejects: bool,
    pub(super) late_rejects: bool,
    /// Keys of some rows have open row errors.
    pub(super) open_errors: bool,
    pub(super) mode: Mode,
    pub(super) options: Options,
    /// Whether it is checked at each position that everything before it is durable; not where the run itself filters.
    pub(super) checked: bool,
}

pub(super) fn page(stream: &'static str, ids: impl IntoIterator<Item = i64>) -> ScriptPage {
    ScriptPage {
        batches: vec![(stream, ids.into_iter().collect())],
        checkpoint: true,
        ..ScriptPage::default()
    }
}

impl Script {
    /// One group `g` with these pages, everything else as simple as can be: each page is committed on its own.
    pub(super) fn of(pages: Vec<ScriptPage>) -> Self {
        Self {
            groups: BTreeMap::from([("g", pages)]),
            layout: Layout::Columns,
            layouts: Layouts { columns: true, json_lines: true },
            incremental: true,
            marks: false,
            transactions: false,
            exactly_once: true,
            transform: false,
            source_rejects: false,
            write_rejects: false,
            late_rejects: false,
            open_errors: true,
            mode: Mode::Append,
            options: Options { commit_bytes: 1, ..Options::default() },
            checked: true,
        }
    }

    /// Streams of a group, with those first that come first.
    pub(super) fn streams_of(&self, group: &str) -> BTreeSet<&'static str> {
        let pages = self.groups.get(group).into_iter().flatten();
        pages.flat_map(|page| page.batches.iter().map(|(stream, _)| *stream)).collect()
    }

    pub(super) fn schema(&self, stream: &str, version: u32) -> StreamSchema {
        let mut fields = vec![("id", DataType::Int64), ("name", DataType::Text)];
        if version > 0 {
            fields.push(("extra", DataType::Boolean));
        }
        let mut schema = crate::fixtures::schema(stream, &fields, self.layout);
        schema.version = version;
        schema.keys = vec!["id".into()];
        schema
    }

    fn fate(&self, id: i64, raw: bool) -> Fate {
        if raw || (self.source_rejects && source_rejects(id)) {
            return Fate::Rejected(Vec::new());
        }
        let outputs = match (self.transform, transformed(id)) {
            (true, Transformed::Filtered) => return Fate::Filtered,
            (true, Transformed::Rejected) => return Fate::Rejected(Vec::new()),
            (true, Transformed::Made(outputs)) => outputs,
            (false, _) => vec![id],
        };
        let refused =
            |id: &i64| (self.write_rejects && write_rejects(*id)) || (self.late_rejects && late_rejects(*id));
        let kept: Vec<i64> = outputs.iter().copied().filter(|id| !refused(id)).collect();
        if kept.len() == outputs.len() { Fate::Accepted(kept) } else { Fate::Rejected(kept) }
    }

    /// How many rows of the stream come before this one.
    fn index_of(&self, stream: &str, id: i64) -> u64 {
        self.ids_of(stream).iter().position(|one| *one == id).unwrap() as u64
    }

    /// The rows of the stream, in the order in which they come.
    pub(super) fn ids_of(&self, stream: &str) -> Vec<i64> {
        let mut before = Vec::new();
        for (group, pages) in &self.groups {
            let is_first = self.streams_of(group).first() == Some(&stream);
            for page in pages {
                let batches = page.batches.iter().filter(|(of, _)| *of == stream);
                before.extend(batches.flat_map(|(_, ids)| ids.iter().copied()));
                before.extend(page.raw.iter().copied().filter(|_| is_first));
            }
        }
        before
    }

    /// Everything that should be at the destination in the end, and what became of the rows of each stream.
    pub(super) fn expected(&self) -> Expected {
        let mut expected = Expected::default();
        for (group, pages) in &self.groups {
            for page in pages {
                self.expect_page(page, group, &mut expected);
            }
        }
        expected.rows.sort_unstable();
        expected.settled.sort_unstable();
        expected
    }

    pub(super) fn expect_page(&self, page: &ScriptPage, group: &str, expected: &mut Expected) {
        let first = self.streams_of(group).first().copied().unwrap_or("?");
        let batches =
            page.batches.iter().flat_map(|(stream, ids)| ids.iter().map(move |id| (*stream, *id, false)));
        for (stream, id, raw) in batches.chain(page.raw.iter().map(|id| (first, *id, true))) {
            let counters = expected.counters.entry(stream.to_owned()).or_default();
            counters.read += 1;
            let kept = match self.fate(id, raw) {
                Fate::Filtered => {
                    counters.filtered += 1;
                    Vec::new()
                }
                Fate::Rejected(kept) => {
                    counters.rejected += 1;
                    expected.rejected.insert(id);
                    kept
                }
                Fate::Accepted(kept) => {
                    counters.accepted += 1;
                    if self.open_errors && is_open(id) {
                        expected.settled.push(id);
                    }
                    kept
                }
            };
            expected.rows.extend(kept);
        }
    }
}

enum Fate {
    Accepted(Vec<i64>),
    /// With the outputs that were kept all the same.
    Rejected(Vec<i64>),
    Filtered,
}

pub(super) enum Transformed {
    Filtered,
    Rejected,
    Made(Vec<i64>),
}

pub(super) fn transformed(id: i64) -> Transformed {
    match id {
        _ if id % 6 == 1 => Transformed::Filtered,
        _ if id % 13 == 2 => Transformed::Rejected,
        _ if id % 5 == 0 => Transformed::Made(vec![id, id + 1_000_000]),
        _ => Transformed::Made(vec![id]),
    }
}

pub(super) fn source_rejects(id: i64) -> bool {
    id % 7 == 3
}

pub(super) fn write_rejects(id: i64) -> bool {
    id % 11 == 4
}

pub(super) fn late_rejects(id: i64) -> bool {
    id % 9 == 5
}

pub(super) fn is_open(id: i64) -> bool {
    id % 4 < 2
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Expected {
    pub(super) rows: Vec<i64>,
    pub(super) rejected: BTreeSet<i64>,
    pub(super) counters: BTreeMap<String, Counters>,
    /// Accepted rows whose key has an open row error.
    pub(super) settled: Vec<i64>,
}

/// Everything outside of the run.
#[derive(Debug)]
pub(super) struct World {
    pub(super) script: Script,
    pub(super) faults: Faults,
    pub(super) units: Mutex<BTreeMap<String, Unit>>,
    pub(super) records: MemoryRecords,
    /// Checkpoints at which readers were opened, and those they were told were committed.
    pub(super) opened: Mutex<Vec<Option<usize>>>,
    pub(super) told: Mutex<Vec<usize>>,
    pub(super) prepared: Mutex<Vec<crate::model::StreamPlan>>,
    /// What commits did that became true.
    pub(super) effects: Mutex<Vec<Prepared>>,
    /// What was kept while rows flowed.
    pub(super) kept: Mutex<Vec<KeptBatch>>,
    /// From now on the destination takes what it rejected so far.
    pub(super) mended: AtomicBool,
    /// Row errors that are to be replayed.
    pub(super) replay: Mutex<Replay>,
    /// What a connector saw that must not be. A panic of a connector would be caught by the run.
    violations: Mutex<Vec<String>>,
    pub(super) watched: Mutex<(Vec<GroupProgress>, BTreeMap<String, StreamProgress>)>,
}

impl World {
    pub(super) fn new(script: Script) -> Arc<Self> {
        Arc::new(Self {
            script,
            faults: Faults::default(),
            units: Mutex::default(),
            records: MemoryRecords::new(),
            opened: Mutex::default(),
            told: Mutex::default(),
            prepared: Mutex::default(),
            effects: Mutex::default(),
            kept: Mutex::default(),
            mended: AtomicBool::new(false),
            replay: Mutex::default(),
            violations: Mutex::default(),
            watched: Mutex::default(),
        })
    }

    pub(super) fn spec(self: &Arc<Self>) -> RunSpec {
        let (source, destination) = (ScriptedSource(Arc::clone(self)), ScriptedDestination(Arc::clone(self)));
        let mut spec = RunSpec::new("sync", Arc::new(source), Arc::new(destination));
        if self.script.transform {
            spec.transforms.push(Arc::new(ScriptedTransform(Arc::clone(self))));
        }
        let streams = self.script.groups.keys().flat_map(|group| self.script.streams_of(group));
        let choose = |stream: &str| ChosenStream {
            stream: stream.into(),
            mode: self.script.mode,
            ..ChosenStream::default()
        };
        spec.streams = Some(streams.map(choose).collect());
        spec.options = self.script.options.clone();
        spec
    }

    /// Notes what must hold.
    pub(super) fn must(&self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            lock(&self.violations).push(what());
        }
    }

    /// Notes what must be valid.
    pub(super) fn must_be<E: std::fmt::Display>(&self, valid: Result<(), E>) {
        if let Err(error) = valid {
            lock(&self.violations).push(error.to_string());
        }
    }

    /// One run with a fault in it; none if it crashed.
    pub(super) async fn run(self: &Arc<Self>, fault: Option<(u64, Fault)>) -> Option<RunReport> {
        self.run_spec(self.spec(), fault).await
    }

    pub(super) async fn run_spec(
        self: &Arc<Self>,
        spec: RunSpec,
        fault: Option<(u64, Fault)>,
    ) -> Option<RunReport> {
        let cancel = self.faults.arm(fault);
        lock(&self.watched).1.clear();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let records = Arc::new(FaultyRecords(Arc::clone(self)));
        let run = Run::new(spec, records, clock, Arc::new(Watcher(Arc::clone(self))));
        tokio::select! {
            biased;
            report = run.run(cancel) => {
                self.must_have_watched(&report);
                assert_eq!(*lock(&self.violations), Vec::<String>::new());
                return Some(report);
            }
            () = self.faults.crashed() => {}
        }
        assert_eq!(*lock(&self.violations), Vec::<String>::new());
        // The tasks of the run that was dropped are dropped too, when they would have gone on.
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        None
    }

    /// What was shown last is what the report says: nothing that was rolled back is left in it.
    fn must_have_watched(&self, report: &RunReport) {
        for (stream, seen) in &lock(&self.watched).1 {
            let counters = report.streams.get(stream).map(|stream| stream.counters).unwrap_or_default();
            let shown = Counters {
                read: seen.read,
                accepted: seen.accepted,
                rejected: seen.rejected,
                filtered: seen.filtered,
            };
            // A group that panicked shows nothing any more.
            let panicked = report.error.as_ref().is_some_and(|error| error.code == "CD0743");
            self.must(panicked || shown == counters, || format!("{seen:?} was shown, {counters:?} is true"));
        }
    }

    /// All rows that are visible at the destination, sorted.
    pub(super) fn rows(&self) -> Vec<i64> {
        let mut rows: Vec<i64> = lock(&self.units).values().flat_map(|unit| unit.visible.clone()).collect();
        rows.sort_unstable();
        rows
    }

    /// Ids of all rows that are kept as row errors, in all runs. Of a row whose copy is gone the message says the id, and in
    /// a first run its index must be right.
    pub(super) async fn row_errors(&self) -> Vec<i64> {
        let mut ids = Vec::new();
        for run in 1..200 {
            for chunk in self.records.row_errors("sync", run, 0, usize::MAX).await.unwrap() {
                ids.extend(chunk.errors.iter().map(|error| match &error.row {
                    RowCopy::Row(row) => super::destination::ids(&row.to_batch())[0],
                    RowCopy::Raw(bytes) => String::from_utf8(bytes.clone()).unwrap().parse().unwrap(),
                    RowCopy::GivenUp => {
                        let id =
                            error.message.rsplit(' ').next().unwrap().parse::<i64>().unwrap() % 1_000_000;
                        let index = self.script.index_of(&chunk.schema.stream, id);
                        assert!(run > 1 || error.index == index, "{error:?} should be row {index}");
                        id
                    }
                    // Only in a first run, in which the index says which row it was.
                    RowCopy::Withheld => {
                        assert_eq!(run, 1);
                        self.script.ids_of(&chunk.schema.stream)[usize::try_from(error.index).unwrap()]
                    }
                    copy @ RowCopy::TooLarge { .. } => panic!("no id in {copy:?}"),
                }));
            }
        }
        ids.sort_unstable();
        ids
    }

    /// What the records say of all units and runs together.
    pub(super) async fn totals(&self) -> BTreeMap<String, Counters> {
        let ticket = self.records.begin("sync").await.unwrap();
        let mut totals: BTreeMap<String, Counters> = BTreeMap::new();
        for group in self.script.groups.keys() {
            let unit = self.records.unit(&ticket, &format!("sync/{group}")).await.unwrap();
            assert_eq!(unit.prepared, None);
            for (stream, counters) in unit.streams {
                totals.entry(stream).or_default().add(counters);
            }
        }
        self.records.release(&ticket);
        totals
    }

    /// Nothing lost, nothing double, everything accounted for: rows, row errors, counters.
    pub(super) async fn assert_exact(&self) {
        let expected = self.script.expected();
        assert_eq!(self.rows(), expected.rows);
        assert_eq!(self.row_errors().await, expected.rejected.iter().copied().collect::<Vec<_>>());
        let mut counters = expected.counters;
        counters.retain(|_, counters| counters.read > 0);
        let mut totals = self.totals().await;
        totals.retain(|_, counters| counters.read > 0);
        assert_eq!(totals, counters);
        assert_eq!(self.settled(), expected.settled);
    }

    /// The rows whose acceptance settled open row errors, sorted.
    fn settled(&self) -> Vec<i64> {
        let effects = lock(&self.effects);
        let hashes = effects.iter().flat_map(|prepared| prepared.effect.settled.values().flatten());
        let mut ids: Vec<i64> = hashes.map(|hash| id_of(hash)).collect();
        ids.sort_unstable();
        ids
    }

    /// A position may only be where everything before it is durable: rows at the destination, rejected ones in the records.
    pub(super) async fn assert_durable_before(&self, group: &str, checkpoint: usize) {
        if !self.script.checked {
            return;
        }
        let mut before = Expected::default();
        for page in &self.script.groups[group][..checkpoint] {
            self.script.expect_page(page, group, &mut before);
        }
        let rows: BTreeSet<i64> = {
            let units = lock(&self.units);
            units.values().flat_map(|unit| unit.visible.iter().chain(&unit.staged).copied()).collect()
        };
        let arrived = before.rows.iter().all(|id| rows.contains(id));
        self.must(arrived, || format!("the position {checkpoint} passes rows"));
        let kept: BTreeSet<i64> = self.row_errors().await.into_iter().collect();
        self.must(before.rejected.is_subset(&kept), || {
            format!("the position {checkpoint} passes row errors")
        });
    }
}

/// The row of which this is the hash, as [`FaultyRecords`] makes it.
pub(super) fn id_of(hash: &[u8]) -> i64 {
    // The name `id` with its length, the type, the value.
    i64::from_le_bytes(hash[7..15].try_into().unwrap())
}

struct Watcher(Arc<World>);

impl Observer for Watcher {
    fn stream(&self, progress: StreamProgress) {
        let settled = progress.accepted + progress.rejected + progress.filtered;
        self.0.must(progress.read == settled, || format!("{progress:?}"));
        lock(&self.0.watched).1.insert(progress.stream.clone(), progress);
    }

    fn group(&self, progress: GroupProgress) {
        lock(&self.0.watched).0.push(progress);
    }
}
