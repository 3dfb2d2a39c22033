//! The history of runs. What stands says what happened, in codes and counts; texts, which may quote rows, expire.

use crate::codec;
use crate::error::Error;
use crate::records::{Attempts, SealedRecords, SyncRecord};
use crate::seat::Seat;
use crate::tables::{Key, LEDGERS, REPORTS, RUNS, SYNCS};
use crate::taken::TakenBack;
use pipeline::connector::Budget;
use pipeline::records::{Counters, Purpose};
use pipeline::report::{Delivery, GroupReport, Outcome, RunReport, StreamReport};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use storage::Life;

/// An order is looked for among so many runs: it is mostly the newest one's.
const ORDERS_LOOKED_AT: usize = 256;

/// A sync of which something is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownSync {
    /// Its name.
    pub sync: String,
    /// Its newest run; also how many it has had.
    pub runs: u64,
    /// Whether it runs in this process.
    pub runs_here: bool,
}

/// What is kept of a run for good.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunEntry {
    /// The run.
    pub run: u64,
    /// What it was for.
    pub purpose: Purpose,
    /// The run whose row errors it sent through again.
    pub reprocesses: Option<u64>,
    /// The order by which it was begun, in the words of whoever gave it: one order is begun anew after a failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<String>,
    /// When it began, in milliseconds since 1970.
    pub started_ms: u64,
    /// How it ended; none: it runs, or its process ended before it did.
    pub end: Option<RunEnd>,
    /// What else is to be known.
    #[serde(default)]
    pub notes: Vec<String>,
    /// What was taken back from it while it went on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taken_back: Vec<TakenBack>,
}

/// How a run ended, and what it did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunEnd {
    /// How.
    pub outcome: Outcome,
    /// How long it took.
    pub duration_ms: u64,
    /// The code of its error.
    pub error: Option<String>,
    /// Its read groups.
    pub groups: Vec<GroupEnd>,
    /// What became of source rows, by source stream.
    pub streams: BTreeMap<String, StreamReport>,
    /// Output rows that the destination took, by output stream.
    pub written: BTreeMap<String, u64>,
    /// Commits of earlier runs that were made true.
    pub recovered: BTreeMap<String, Counters>,
    /// What each connector used of its limits.
    pub budgets: BTreeMap<String, Budget>,
}

/// What one read group did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupEnd {
    /// The read group.
    pub group: String,
    /// Its commit unit.
    pub unit: String,
    /// Its chosen streams.
    pub streams: Vec<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// The code of its error.
    pub error: Option<String>,
    /// How often it was tried.
    pub attempts: u32,
    /// How often it committed.
    pub commits: u64,
    /// Whether a crash can make rows come twice.
    pub delivery: Option<Delivery>,
}

/// Why a run is begun.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reasons {
    /// The run whose row errors it sends through again.
    pub(crate) reprocesses: Option<u64>,
    /// By whose order.
    pub(crate) order: Option<String>,
}

impl RunEntry {
    pub(crate) fn begun(run: u64, started_ms: u64, reasons: Reasons) -> Self {
        let Reasons { reprocesses, order } = reasons;
        let purpose = if reprocesses.is_some() { Purpose::Reprocess } else { Purpose::Sync };
        let (notes, taken_back) = (Vec::new(), Vec::new());
        Self { run, purpose, reprocesses, order, started_ms, end: None, notes, taken_back }
    }
}

impl RunEnd {
    fn new(report: &RunReport) -> Self {
        let code =
            |error: &Option<pipeline::report::ErrorReport>| error.as_ref().map(|error| error.code.clone());
        let group = |group: &GroupReport| GroupEnd {
            group: group.group.clone(),
            unit: group.unit.clone(),
            streams: group.streams.clone(),
            outcome: group.outcome,
            error: code(&group.error),
            attempts: group.attempts,
            commits: group.commits,
            delivery: group.delivery,
        };
        Self {
            outcome: report.outcome,
            duration_ms: report.duration_ms,
            error: code(&report.error),
            groups: report.groups.iter().map(group).collect(),
            streams: report.streams.clone(),
            written: report.written.clone(),
            recovered: report.recovered.clone(),
            budgets: report.budgets.clone(),
        }
    }
}

impl RunEnd {
    /// Of one that said nothing at its end.
    fn broken_off(outcome: Outcome, duration_ms: u64) -> Self {
        Self {
            outcome,
            duration_ms,
            error: None,
            groups: Vec::new(),
            streams: BTreeMap::new(),
            written: BTreeMap::new(),
            recovered: BTreeMap::new(),
            budgets: BTreeMap::new(),
        }
    }
}

impl SealedRecords {
    /// Every sync of which something is kept, by name.
    ///
    /// # Errors
    /// When storage cannot be read.
    pub async fn syncs(&self) -> Result<Vec<KnownSync>, Error> {
        let mut syncs = Vec::new();
        for (_, found) in self.scan_all(SYNCS, &[]).await? {
            let SyncRecord { name, runs } = codec::from_json(SYNCS, found.value.expose())?;
            syncs.push(KnownSync { runs_here: self.seats.is_taken(&name), sync: name, runs });
        }
        syncs.sort_by(|left, right| left.sync.cmp(&right.sync));
        Ok(syncs)
    }

    /// Runs of the sync, the newest first: those before `before`, at most `limit`.
    ///
    /// # Errors
    /// [`Error::UnknownSync`], or when storage cannot be read.
    pub async fn runs(&self, sync: &str, before: Option<u64>, limit: usize) -> Result<Vec<RunEntry>, Error> {
        let newest = self.newest_run(sync).await?;
        let mut run = before.map_or(newest, |before| newest.min(before.saturating_sub(1)));
        let mut entries = Vec::new();
        while run > 0 && entries.len() < limit {
            entries.extend(self.read_run(sync, run).await?);
            run -= 1;
        }
        Ok(entries)
    }

    /// A run of the sync; none: the newest.
    ///
    /// # Errors
    /// [`Error::UnknownSync`], [`Error::UnknownRun`], or when storage cannot be read.
    pub async fn run(&self, sync: &str, run: Option<u64>) -> Result<RunEntry, Error> {
        let newest = self.newest_run(sync).await?;
        let wanted = run.unwrap_or(newest);
        self.read_run(sync, wanted).await?.ok_or(Error::UnknownRun { sync: sync.into(), run: wanted, newest })
    }

    /// The newest run that was begun by this order, of the last few; none: it has begun none.
    ///
    /// # Errors
    /// When storage cannot be read.
    pub async fn run_of_order(&self, sync: &str, order: &str) -> Result<Option<RunEntry>, Error> {
        let newest = self.read_sync(sync).await?.map_or(0, |(known, _)| known.runs);
        for run in (1..=newest).rev().take(ORDERS_LOOKED_AT) {
            let entry = self.read_run(sync, run).await?;
            if let Some(entry) = entry.filter(|entry| entry.order.as_deref() == Some(order)) {
                return Ok(Some(entry));
            }
        }
        Ok(None)
    }

    /// The report of a run with its texts, which may quote rows; none once they have expired, or where it gave none.
    ///
    /// # Errors
    /// When storage cannot be read.
    pub async fn whole_report(&self, sync: &str, run: u64) -> Result<Option<RunReport>, Error> {
        self.read_report(sync, Some(run)).await
    }

    /// What is kept of a run's report with its texts; none once they have expired, or where it gave none.
    pub(crate) async fn read_report(&self, sync: &str, run: Option<u64>) -> Result<Option<RunReport>, Error> {
        let mut wanted = match run {
            Some(run) => run,
            None => self.read_sync(sync).await?.map_or(0, |(sync, _)| sync.runs),
        };
        loop {
            let found = self.read_json(REPORTS, &Key::of(sync).number(wanted)).await?;
            match found {
                Some((report, _)) => return Ok(Some(report)),
                // The newest run may be under way, or have been cut off.
                None if run.is_none() && wanted > 1 => wanted -= 1,
                None => return Ok(None),
            }
        }
    }

    pub(crate) async fn finish_run(&self, seat: &Seat, report: &RunReport) -> Result<(), Error> {
        let key = Key::of(&seat.sync).number(seat.run());
        let texts = codec::to_json(REPORTS, report)?;
        let until = self.storage.now_ms().saturating_add(seat.retention().run_logs_ms);
        let mut attempts = Attempts::at(RUNS);
        loop {
            let (mut entry, read) = match self.read_json::<RunEntry>(RUNS, &key).await? {
                Some((entry, read)) => (entry, Some(read)),
                None => (RunEntry::begun(seat.run(), report.started_ms, Reasons::default()), None),
            };
            entry.purpose = report.purpose;
            entry.end = Some(RunEnd::new(report));
            entry.notes = seat.notes();
            let value = codec::to_json(RUNS, &entry)?;
            let change = self.change().expect(RUNS, key.clone(), read.as_ref());
            let change = change.put(RUNS, key.clone(), Life::Standing, value);
            let change = change.put(REPORTS, key.clone(), Life::Until(until), texts.clone());
            if self.try_commit(self.fenced(seat, change).await?).await? {
                return Ok(());
            }
            attempts.again()?;
        }
    }

    /// Ends in the history a run that was broken off, as somebody wished. What it did is known of its commits alone.
    ///
    /// # Errors
    /// When storage refuses.
    pub async fn end_broken_off(&self, sync: &str, run: u64, outcome: Outcome) -> Result<(), Error> {
        let key = Key::of(sync).number(run);
        let mut attempts = Attempts::at(RUNS);
        loop {
            let Some((mut entry, read)) = self.read_json::<RunEntry>(RUNS, &key).await? else {
                return Ok(());
            };
            if entry.end.is_some() {
                return Ok(());
            }
            let duration_ms = self.storage.now_ms().saturating_sub(entry.started_ms);
            entry.end = Some(RunEnd::broken_off(outcome, duration_ms));
            let value = codec::to_json(RUNS, &entry)?;
            let change = self.change().expect(RUNS, key.clone(), Some(&read));
            if self.try_commit(change.put(RUNS, key.clone(), Life::Standing, value)).await? {
                return Ok(());
            }
            attempts.again()?;
        }
    }

    /// Keeps the ledger of a run: any list of what went out of it, and what was denied. In the place of an earlier one.
    ///
    /// # Errors
    /// When storage refuses.
    pub async fn keep_ledger<T: Serialize + Sync>(
        &self,
        sync: &str,
        run: u64,
        ledger: &T,
    ) -> Result<(), Error> {
        let value = codec::to_json(LEDGERS, ledger)?;
        let until = self.storage.now_ms().saturating_add(self.retention().await?.run_logs_ms);
        let key = Key::of(sync).number(run);
        self.storage.commit(self.change().put(LEDGERS, key, Life::Until(until), value)).await?;
        Ok(())
    }

    /// The ledger of a run; none where none was kept, or it has expired.
    ///
    /// # Errors
    /// When storage cannot be read, or what was kept is something else.
    pub async fn ledger<T: DeserializeOwned>(&self, sync: &str, run: u64) -> Result<Option<T>, Error> {
        Ok(self.read_json(LEDGERS, &Key::of(sync).number(run)).await?.map(|(ledger, _)| ledger))
    }

    async fn read_run(&self, sync: &str, run: u64) -> Result<Option<RunEntry>, Error> {
        Ok(self.read_json(RUNS, &Key::of(sync).number(run)).await?.map(|(entry, _)| entry))
    }

    /// The newest run of a sync that is known.
    pub(crate) async fn newest_run(&self, sync: &str) -> Result<u64, Error> {
        match self.read_sync(sync).await? {
            Some((known, _)) => Ok(known.runs),
            None => {
                let known = self.syncs().await?.into_iter().map(|known| known.sync).collect();
                Err(Error::UnknownSync { sync: sync.into(), known })
            }
        }
    }
}
