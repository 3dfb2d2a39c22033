//! Records that outlive a crash, which may come before or after what a call does.

use super::faults::lock;
use super::world::{World, id_of, is_open};
use crate::records::{
    Amendment, Error, KeptBatch, KeyHash, OpenKeys, Prepared, Purpose, RowErrorChunk, RunRecords, RunTicket,
    UnitRecord,
};
use crate::report::RunReport;
use async_trait::async_trait;
use std::sync::Arc;

pub(super) struct FaultyRecords(pub(super) Arc<World>);

impl FaultyRecords {
    /// Notes what became true by a commit, once.
    async fn commit_and_note(
        &self,
        ticket: &RunTicket,
        unit: &str,
        token: &str,
        amendment: Amendment,
    ) -> Result<(), Error> {
        let World { records, effects, .. } = self.0.as_ref();
        let prepared = records.unit(ticket, unit).await?.prepared.filter(|waiting| waiting.token == token);
        records.commit(ticket, unit, token, amendment.clone()).await?;
        if let Some(mut prepared) = prepared {
            prepared.effect.amend(amendment);
            if prepared.purpose == Purpose::Reprocess {
                lock(&self.0.replay).settle(prepared.run, &prepared.effect);
            }
            lock(effects).push(prepared);
        }
        Ok(())
    }
}

#[async_trait]
impl RunRecords for FaultyRecords {
    async fn begin(&self, sync: &str) -> Result<RunTicket, Error> {
        let ticket = self.0.records.begin(sync).await?;
        lock(&self.0.replay).begin(ticket.run);
        Ok(ticket)
    }

    async fn unit(&self, ticket: &RunTicket, unit: &str) -> Result<UnitRecord, Error> {
        self.0.faults.records("records.unit", self.0.records.unit(ticket, unit)).await
    }

    async fn open_keys(
        &self,
        _ticket: &RunTicket,
        _stream: &str,
    ) -> Result<Option<Arc<dyn OpenKeys>>, Error> {
        let open = self.0.script.open_errors.then(|| Arc::new(OpenIds) as Arc<dyn OpenKeys>);
        self.0.faults.records("records.open_keys", async { Ok(open) }).await
    }

    async fn keep(
        &self,
        ticket: &RunTicket,
        unit: &str,
        token: &str,
        batches: Vec<KeptBatch>,
    ) -> Result<(), Error> {
        lock(&self.0.kept).extend(batches.clone());
        self.0.faults.records("records.keep", self.0.records.keep(ticket, unit, token, batches)).await
    }

    async fn kept(&self, ticket: &RunTicket, unit: &str, token: &str) -> Result<Vec<KeptBatch>, Error> {
        self.0.faults.records("records.kept", self.0.records.kept(ticket, unit, token)).await
    }

    async fn prepare(&self, ticket: &RunTicket, unit: &str, prepared: Prepared) -> Result<(), Error> {
        self.0.must_stay(&prepared, self.0.records.unit(ticket, unit).await?);
        self.0.faults.records("records.prepare", self.0.records.prepare(ticket, unit, prepared)).await
    }

    async fn commit(
        &self,
        ticket: &RunTicket,
        unit: &str,
        token: &str,
        amendment: Amendment,
    ) -> Result<(), Error> {
        let commit = self.commit_and_note(ticket, unit, token, amendment);
        self.0.faults.records("records.commit", commit).await
    }

    async fn discard(&self, ticket: &RunTicket, unit: &str, token: &str) -> Result<(), Error> {
        self.0.faults.records("records.discard", self.0.records.discard(ticket, unit, token)).await
    }

    async fn finish(&self, ticket: &RunTicket, report: RunReport) -> Result<(), Error> {
        self.0.faults.records("records.finish", self.0.records.finish(ticket, report)).await
    }

    fn release(&self, ticket: &RunTicket) {
        self.0.records.release(ticket);
    }

    async fn report(&self, sync: &str, run: Option<u64>) -> Result<Option<RunReport>, Error> {
        self.0.records.report(sync, run).await
    }

    async fn row_errors(
        &self,
        sync: &str,
        run: u64,
        skip: usize,
        limit: usize,
    ) -> Result<Vec<RowErrorChunk>, Error> {
        self.0.records.row_errors(sync, run, skip, limit).await
    }
}

/// The key itself, as far as it goes: a test wants to see which row it was.
struct OpenIds;

impl OpenKeys for OpenIds {
    fn hash_if_open(&self, key: &[u8]) -> Option<KeyHash> {
        let mut hash = KeyHash::default();
        hash[..key.len()].copy_from_slice(key);
        is_open(id_of(&hash)).then_some(hash)
    }
}
