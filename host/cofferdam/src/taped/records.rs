//! The records of a run that is recorded: those that it has anyway, and what they say of its beginning goes onto the cassette.

use std::sync::Arc;

use async_trait::async_trait;
use cassette::Recorder;
use pipeline::records::{
    Amendment, Error, KeptBatch, OpenKeys, Prepared, RowErrorChunk, RunRecords, RunTicket, UnitRecord,
};
use pipeline::report::RunReport;

/// Records whose answers at the beginning are kept. Each call is passed on by hand: a new call of the port is not compiled here
/// before somebody has thought of whether a replay needs what it answers.
pub(crate) struct TapedRecords {
    real: Arc<dyn RunRecords>,
    recorder: Recorder,
}

impl TapedRecords {
    pub(crate) fn new(real: Arc<dyn RunRecords>, recorder: Recorder) -> Self {
        Self { real, recorder }
    }
}

#[async_trait]
impl RunRecords for TapedRecords {
    async fn begin(&self, sync: &str) -> Result<RunTicket, Error> {
        self.real.begin(sync).await
    }

    async fn unit(&self, ticket: &RunTicket, unit: &str) -> Result<UnitRecord, Error> {
        let record = self.real.unit(ticket, unit).await?;
        if let Ok(known) = serde_json::to_value(&record) {
            self.recorder.stands(unit, known);
        }
        Ok(record)
    }

    async fn open_keys(&self, ticket: &RunTicket, stream: &str) -> Result<Option<Arc<dyn OpenKeys>>, Error> {
        self.real.open_keys(ticket, stream).await
    }

    async fn keep(
        &self,
        ticket: &RunTicket,
        unit: &str,
        token: &str,
        batches: Vec<KeptBatch>,
    ) -> Result<(), Error> {
        self.real.keep(ticket, unit, token, batches).await
    }

    async fn kept(&self, ticket: &RunTicket, unit: &str, token: &str) -> Result<Vec<KeptBatch>, Error> {
        self.real.kept(ticket, unit, token).await
    }

    async fn prepare(&self, ticket: &RunTicket, unit: &str, prepared: Prepared) -> Result<(), Error> {
        self.real.prepare(ticket, unit, prepared).await
    }

    async fn commit(
        &self,
        ticket: &RunTicket,
        unit: &str,
        token: &str,
        amendment: Amendment,
    ) -> Result<(), Error> {
        self.real.commit(ticket, unit, token, amendment).await
    }

    async fn discard(&self, ticket: &RunTicket, unit: &str, token: &str) -> Result<(), Error> {
        self.real.discard(ticket, unit, token).await
    }

    async fn finish(&self, ticket: &RunTicket, report: RunReport) -> Result<(), Error> {
        self.real.finish(ticket, report).await
    }

    fn release(&self, ticket: &RunTicket) {
        self.real.release(ticket);
    }

    async fn report(&self, sync: &str, run: Option<u64>) -> Result<Option<RunReport>, Error> {
        self.real.report(sync, run).await
    }

    async fn row_errors(
        &self,
        sync: &str,
        run: u64,
        skip: usize,
        limit: usize,
    ) -> Result<Vec<RowErrorChunk>, Error> {
        self.real.row_errors(sync, run, skip, limit).await
    }
}
