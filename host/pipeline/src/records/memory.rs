//! Records that live as long as the process: for tests, and for runs of which nothing need be kept.

use super::{Amendment, Error, KeptBatch, Prepared, RowErrorChunk, RunRecords, RunTicket, UnitRecord};
use crate::report::RunReport;
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Records in memory.
#[derive(Debug, Default)]
pub struct MemoryRecords {
    syncs: Mutex<BTreeMap<String, Sync>>,
}

#[derive(Debug, Default)]
struct Sync {
    runs: u64,
    alive: bool,
    units: BTreeMap<String, UnitRecord>,
    reports: BTreeMap<u64, RunReport>,
    row_errors: BTreeMap<u64, Vec<RowErrorChunk>>,
    /// By unit: the token of the commit for which they are kept, and they.
    kept: BTreeMap<String, (String, Vec<KeptBatch>)>,
}

impl MemoryRecords {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// As they stand after so many runs of this sync, and its units with them.
    pub fn standing(sync: &str, runs: u64, units: BTreeMap<String, UnitRecord>) -> Self {
        let sync = (sync.to_owned(), Sync { runs, units, ..Sync::default() });
        Self { syncs: Mutex::new(BTreeMap::from([sync])) }
    }

    /// A panic of another task leaves each map whole: every change below is made at once.
    fn syncs(&self) -> MutexGuard<'_, BTreeMap<String, Sync>> {
        self.syncs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn of<T>(
        &self,
        ticket: &RunTicket,
        change: impl FnOnce(&mut Sync) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut syncs = self.syncs();
        match syncs.get_mut(&ticket.sync) {
            Some(sync) if sync.alive && sync.runs == ticket.run => change(sync),
            _ => Err(Error::Fenced { sync: ticket.sync.clone(), run: ticket.run }),
        }
    }
}

#[async_trait]
impl RunRecords for MemoryRecords {
    async fn begin(&self, sync: &str) -> Result<RunTicket, Error> {
        let mut syncs = self.syncs();
        let entry = syncs.entry(sync.to_owned()).or_default();
        if entry.alive {
            return Err(Error::Locked { sync: sync.into() });
        }
        entry.alive = true;
        entry.runs += 1;
        let Sync { kept, units, .. } = entry;
        let prepared = |unit: &String| units.get(unit).and_then(|unit| unit.prepared.as_ref());
        kept.retain(|unit, (token, _)| prepared(unit).is_some_and(|prepared| prepared.token == *token));
        Ok(RunTicket { sync: sync.into(), run: entry.runs })
    }

    async fn unit(&self, ticket: &RunTicket, unit: &str) -> Result<UnitRecord, Error> {
        self.of(ticket, |sync| Ok(sync.units.get(unit).cloned().unwrap_or_default()))
    }

    async fn keep(
        &self,
        ticket: &RunTicket,
        unit: &str,
        token: &str,
        batches: Vec<KeptBatch>,
    ) -> Result<(), Error> {
        self.of(ticket, |sync| {
            let (of, kept) = sync.kept.entry(unit.into()).or_default();
            if of != token {
                *of = token.into();
                kept.clear();
            }
            kept.extend(batches);
            Ok(())
        })
    }

    async fn kept(&self, ticket: &RunTicket, unit: &str, token: &str) -> Result<Vec<KeptBatch>, Error> {
        self.of(ticket, |sync| {
            let kept = sync.kept.get(unit).filter(|(of, _)| of == token);
            Ok(kept.map(|(_, kept)| kept.clone()).unwrap_or_default())
        })
    }

    async fn prepare(&self, ticket: &RunTicket, unit: &str, prepared: Prepared) -> Result<(), Error> {
        self.of(ticket, |sync| sync.units.entry(unit.into()).or_default().prepare(unit, prepared))
    }

    async fn commit(
        &self,
        ticket: &RunTicket,
        unit: &str,
        token: &str,
        amendment: Amendment,
    ) -> Result<(), Error> {
        self.of(ticket, |sync| {
            let committed = sync.units.entry(unit.into()).or_default().commit(unit, token, amendment)?;
            if let Some((run, mut chunks)) = committed {
                sync.kept.remove(unit);
                RowErrorChunk::detach(&mut chunks);
                sync.row_errors.entry(run).or_default().extend(chunks);
            }
            Ok(())
        })
    }

    async fn discard(&self, ticket: &RunTicket, unit: &str, token: &str) -> Result<(), Error> {
        self.of(ticket, |sync| {
            sync.units.entry(unit.into()).or_default().discard(token);
            if sync.kept.get(unit).is_some_and(|(of, _)| of == token) {
                sync.kept.remove(unit);
            }
            Ok(())
        })
    }

    async fn finish(&self, ticket: &RunTicket, report: RunReport) -> Result<(), Error> {
        self.of(ticket, |sync| {
            sync.reports.insert(ticket.run, report);
            Ok(())
        })
    }

    fn release(&self, ticket: &RunTicket) {
        if let Some(sync) = self.syncs().get_mut(&ticket.sync).filter(|sync| sync.runs == ticket.run) {
            sync.alive = false;
        }
    }

    async fn report(&self, sync: &str, run: Option<u64>) -> Result<Option<RunReport>, Error> {
        let syncs = self.syncs();
        let Some(found) = syncs.get(sync) else { return Ok(None) };
        Ok(match run {
            Some(run) => found.reports.get(&run).cloned(),
            None => found.reports.last_key_value().map(|(_, report)| report.clone()),
        })
    }

    async fn row_errors(
        &self,
        sync: &str,
        run: u64,
        skip: usize,
        limit: usize,
    ) -> Result<Vec<RowErrorChunk>, Error> {
        let syncs = self.syncs();
        let chunks = syncs.get(sync).and_then(|found| found.row_errors.get(&run));
        Ok(chunks.into_iter().flatten().skip(skip).take(limit).cloned().collect())
    }
}
