//! The records as one run uses them: its lines are written with its commits, and a reprocess knows what it deals with.

use crate::log::{LogLevel, LogLine, RunLog};
use crate::records::SealedRecords;
use crate::reprocess::{Plan, Reprocess};
use crate::runs::Reasons;
use async_trait::async_trait;
use pipeline::records::{
    self as port, Amendment, KeptBatch, OpenKeys, Prepared, RowErrorChunk, RunRecords, RunTicket, UnitRecord,
};
use pipeline::report::RunReport;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Records for one run.
pub struct Session {
    records: Arc<SealedRecords>,
    log: Option<Arc<RunLog>>,
    reprocess: Option<Arc<Reprocess>>,
    order: Option<String>,
    /// What each unit's prepared commit brings, for the log.
    prepared: Mutex<HashMap<String, String>>,
}

impl Session {
    /// For a run without a log that moves what its source has.
    #[must_use]
    pub fn new(records: Arc<SealedRecords>) -> Self {
        Self { records, log: None, reprocess: None, order: None, prepared: Mutex::default() }
    }

    /// The run's lines are written to this log.
    #[must_use]
    pub fn with_log(self, log: Arc<RunLog>) -> Self {
        Self { log: Some(log), ..self }
    }

    /// The run sends these row errors through again; its source must be that of the reprocess.
    #[must_use]
    pub fn with_reprocess(self, reprocess: Arc<Reprocess>) -> Self {
        Self { reprocess: Some(reprocess), ..self }
    }

    /// The run is begun by this order, and says so in its history.
    #[must_use]
    pub fn with_order(self, order: impl Into<String>) -> Self {
        Self { order: Some(order.into()), ..self }
    }

    fn plan(&self) -> Option<&Plan> {
        self.reprocess.as_ref().map(|reprocess| &reprocess.plan)
    }

    fn prepared(&self) -> MutexGuard<'_, HashMap<String, String>> {
        self.prepared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Success logs: what each commit brought.
    fn note(&self, ticket: &RunTicket, unit: &str, prepared: &Prepared) {
        let says_so = self.records.seats.of(ticket).is_ok_and(|seat| seat.retention().success_logs);
        if !says_so || self.log.is_none() {
            return;
        }
        let streams = prepared.effect.streams.iter().map(|(stream, counters)| {
            let port::Counters { read, accepted, rejected, filtered } = *counters;
            format!("{stream}: {read} read, {accepted} accepted, {rejected} rejected, {filtered} filtered")
        });
        let text = format!("committed {unit}: {}", streams.collect::<Vec<_>>().join("; "));
        self.prepared().insert(unit.to_owned(), text);
    }

    async fn tell(&self, unit: &str) {
        let Some(log) = &self.log else { return };
        let text = self.prepared().remove(unit);
        if let Some(text) = text {
            let at_ms = self.records.storage.now_ms();
            log.push(LogLine { at_ms, connector: "host".into(), level: LogLevel::Info, text });
        }
        // What cannot be written waits; the run's end says so if it never can be.
        let _waits = log.write_if_much().await;
    }
}

#[async_trait]
impl RunRecords for Session {
    async fn begin(&self, sync: &str) -> Result<RunTicket, port::Error> {
        let reprocesses = self.reprocess.as_ref().map(|reprocess| reprocess.of_run());
        let begun = self.records.begin_run(sync, Reasons { reprocesses, order: self.order.clone() }).await;
        let ticket = begun.map_err(|error| error.into_port("begin a run in"))?;
        if let Some(log) = &self.log {
            log.bind(&ticket.sync, ticket.run);
        }
        if let Some(reprocess) = &self.reprocess {
            reprocess.bind(ticket.run);
        }
        Ok(ticket)
    }

    async fn unit(&self, ticket: &RunTicket, unit: &str) -> Result<UnitRecord, port::Error> {
        self.records.unit(ticket, unit).await
    }

    async fn open_keys(
        &self,
        ticket: &RunTicket,
        stream: &str,
    ) -> Result<Option<Arc<dyn OpenKeys>>, port::Error> {
        match self.reprocess {
            // Old rows say nothing of newer row errors of the same key.
            Some(_) => Ok(None),
            None => self.records.open_keys(ticket, stream).await,
        }
    }

    async fn keep(
        &self,
        ticket: &RunTicket,
        unit: &str,
        token: &str,
        batches: Vec<KeptBatch>,
    ) -> Result<(), port::Error> {
        self.records.keep(ticket, unit, token, batches).await
    }

    async fn kept(&self, ticket: &RunTicket, unit: &str, token: &str) -> Result<Vec<KeptBatch>, port::Error> {
        self.records.kept(ticket, unit, token).await
    }

    async fn prepare(&self, ticket: &RunTicket, unit: &str, prepared: Prepared) -> Result<(), port::Error> {
        self.note(ticket, unit, &prepared);
        self.records.prepare_of(ticket, unit, prepared, self.plan()).await
    }

    async fn commit(
        &self,
        ticket: &RunTicket,
        unit: &str,
        token: &str,
        amendment: Amendment,
    ) -> Result<(), port::Error> {
        self.records.commit_of(ticket, unit, token, amendment, self.plan()).await?;
        self.tell(unit).await;
        Ok(())
    }

    async fn discard(&self, ticket: &RunTicket, unit: &str, token: &str) -> Result<(), port::Error> {
        self.records.discard(ticket, unit, token).await
    }

    async fn finish(&self, ticket: &RunTicket, report: RunReport) -> Result<(), port::Error> {
        self.records.finish(ticket, report).await?;
        match &self.log {
            Some(log) => log.write().await.map_err(|error| error.of_run("keep a log in", ticket)),
            None => Ok(()),
        }
    }

    fn release(&self, ticket: &RunTicket) {
        self.records.release(ticket);
    }

    async fn report(&self, sync: &str, run: Option<u64>) -> Result<Option<RunReport>, port::Error> {
        self.records.report(sync, run).await
    }

    async fn row_errors(
        &self,
        sync: &str,
        run: u64,
        skip: usize,
        limit: usize,
    ) -> Result<Vec<RowErrorChunk>, port::Error> {
        self.records.row_errors(sync, run, skip, limit).await
    }
}
