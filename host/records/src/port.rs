//! The port `RunRecords`, over sealed storage.

use crate::error::Error;
use crate::records::SealedRecords;
use crate::reprocess::Plan;
use crate::runs::Reasons;
use async_trait::async_trait;
use pipeline::records::{
    self as port, Amendment, KeptBatch, OpenKeys, Prepared, RowErrorChunk, RunRecords, RunTicket, UnitRecord,
};
use pipeline::report::RunReport;
use std::sync::Arc;

impl SealedRecords {
    pub(crate) async fn prepare_of(
        &self,
        ticket: &RunTicket,
        unit: &str,
        prepared: Prepared,
        plan: Option<&Plan>,
    ) -> Result<(), port::Error> {
        let seat = self.seats.of(ticket)?;
        let done = self.prepare_unit(&seat, unit, prepared, plan).await;
        done.map_err(|error| error.of_run("prepare a commit in", ticket))
    }

    pub(crate) async fn commit_of(
        &self,
        ticket: &RunTicket,
        unit: &str,
        token: &str,
        amendment: Amendment,
        plan: Option<&Plan>,
    ) -> Result<(), port::Error> {
        let seat = self.seats.of(ticket)?;
        let done = self.commit_unit(&seat, unit, token, amendment, plan).await;
        done.map_err(|error| error.of_run("make a commit true in", ticket))
    }
}

#[async_trait]
impl RunRecords for SealedRecords {
    async fn begin(&self, sync: &str) -> Result<RunTicket, port::Error> {
        self.begin_run(sync, Reasons::default()).await.map_err(|error| error.into_port("begin a run in"))
    }

    /// Row errors and keys of what is prepared stay where they are stored: the commit makes them true from there.
    async fn unit(&self, ticket: &RunTicket, unit: &str) -> Result<UnitRecord, port::Error> {
        let seat = self.seats.of(ticket)?;
        let read = self.read_unit(&seat.sync, unit).await;
        Ok(read.map_err(|error| error.of_run("read a position from", ticket))?.0.record)
    }

    async fn open_keys(
        &self,
        ticket: &RunTicket,
        stream: &str,
    ) -> Result<Option<Arc<dyn OpenKeys>>, port::Error> {
        let seat = self.seats.of(ticket)?;
        let open = self.load_open(&seat, stream).await;
        let open = open.map_err(|error| error.of_run("read keys of row errors from", ticket))?;
        Ok(open.map(|open| open as Arc<dyn OpenKeys>))
    }

    async fn keep(
        &self,
        ticket: &RunTicket,
        unit: &str,
        token: &str,
        batches: Vec<KeptBatch>,
    ) -> Result<(), port::Error> {
        let seat = self.seats.of(ticket)?;
        let done = self.keep_rows(&seat, unit, token, batches).await;
        done.map_err(|error| error.of_run("keep rows in", ticket))
    }

    async fn kept(&self, ticket: &RunTicket, unit: &str, token: &str) -> Result<Vec<KeptBatch>, port::Error> {
        let seat = self.seats.of(ticket)?;
        let read = self.read_kept(&seat.sync, unit, token).await;
        read.map_err(|error| error.of_run("read kept rows from", ticket))
    }

    async fn prepare(&self, ticket: &RunTicket, unit: &str, prepared: Prepared) -> Result<(), port::Error> {
        self.prepare_of(ticket, unit, prepared, None).await
    }

    async fn commit(
        &self,
        ticket: &RunTicket,
        unit: &str,
        token: &str,
        amendment: Amendment,
    ) -> Result<(), port::Error> {
        self.commit_of(ticket, unit, token, amendment, None).await
    }

    async fn discard(&self, ticket: &RunTicket, unit: &str, token: &str) -> Result<(), port::Error> {
        let seat = self.seats.of(ticket)?;
        let done = self.discard_unit(&seat, unit, token).await;
        done.map_err(|error| error.of_run("forget a commit in", ticket))
    }

    async fn finish(&self, ticket: &RunTicket, report: RunReport) -> Result<(), port::Error> {
        let seat = self.seats.of(ticket)?;
        let done = self.finish_run(&seat, &report).await;
        done.map_err(|error| error.of_run("keep a report in", ticket))
    }

    fn release(&self, ticket: &RunTicket) {
        self.seats.give_back(ticket);
    }

    async fn report(&self, sync: &str, run: Option<u64>) -> Result<Option<RunReport>, port::Error> {
        self.read_report(sync, run).await.map_err(|error| error.into_port("read a report from"))
    }

    async fn row_errors(
        &self,
        sync: &str,
        run: u64,
        skip: usize,
        limit: usize,
    ) -> Result<Vec<RowErrorChunk>, port::Error> {
        let chunks = self.row_error_chunks(sync, run, skip, limit).await;
        chunks.map_err(|error: Error| error.into_port("read row errors from"))
    }
}
