//! A sync that has run, and what its run has left behind.

use super::world::{Cast, World};
use control::Act;
use pipeline::model::{
    Batch, Column, ColumnData, Columns, DataType, Field, Layout, Operation, Operations, RowOperations, Rows,
    Schema, StreamSchema, VarData,
};
use pipeline::records::{
    Amendment, Counters, Effect, KeptRow, Position, Prepared, Purpose, RejectedBy, RowCopy, RowError,
    RowErrorChunk, RunRecords, RunTicket,
};
use pipeline::report::{Delivery, ErrorReport, GroupReport, Outcome, RunReport, StreamReport};
use records::{LogLevel, LogLine, Preview, RunLog, SealedRecords, Session, TakenBack};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

/// In every row, text and line of a run.
pub(crate) const CANARY: &str = "CANARY-4711";

/// A sync of an organization.
pub(crate) struct Kept {
    pub(crate) sync: String,
    /// Where the sync is.
    pub(crate) path: String,
    pub(crate) records: Arc<SealedRecords>,
}

impl World {
    /// A sync that never ran.
    pub(crate) async fn idle_sync(&self, cast: &Cast) -> Kept {
        let works = self.works(cast).await;
        let sync = self.sync(&cast.admin, &works, json!({})).await;
        self.kept(&cast.acme, &sync)
    }

    pub(crate) fn kept(&self, acme: &str, sync: &str) -> Kept {
        let path = format!("/v1/organizations/{acme}/syncs/{sync}");
        let records = self.parts.records.of(&self.parts.organizations.owner(acme));
        Kept { sync: sync.to_owned(), path, records }
    }

    /// A sync that has run once.
    pub(crate) async fn sync_that_ran(&self, cast: &Cast) -> Kept {
        let kept = self.idle_sync(cast).await;
        kept.run(&[("x", "refused"), ("y", "refused"), ("z", "odd")]).await;
        kept
    }
}

impl Kept {
    pub(crate) fn at(&self, rest: &str) -> String {
        format!("{}{rest}", self.path)
    }

    /// A run in which rows of these names are rejected with these codes, and as many others are accepted.
    pub(crate) async fn run(&self, rejected: &[(&str, &str)]) -> u64 {
        let log = Arc::new(RunLog::new(Arc::clone(&self.records)));
        let session = Session::new(Arc::clone(&self.records)).with_log(Arc::clone(&log)).with_order("run_x");
        let ticket = session.begin(&self.sync).await.unwrap();
        for number in 0..3 {
            let text = format!("line {number} of {CANARY}");
            log.push(LogLine { at_ms: 1, connector: "source".into(), level: LogLevel::Info, text });
        }
        let errors = (0..).zip(rejected).map(|(index, (name, code))| row_error(index, name, code)).collect();
        let unit = format!("{}/orders", self.sync);
        let chunk = RowErrorChunk { run: ticket.run, unit: unit.clone(), schema: schema(), errors };
        let prepared = prepared(&ticket, chunk);
        session.prepare(&ticket, &unit, prepared).await.unwrap();
        session.commit(&ticket, &unit, "t", Amendment::default()).await.unwrap();
        session.finish(&ticket, self.report(&ticket, rejected.len() as u64)).await.unwrap();
        session.release(&ticket);
        let ledger = [json!({"group": {"host": "https://shop.test"}, "amounts": {"message": CANARY}})];
        self.records.keep_ledger(&self.sync, ticket.run, &ledger).await.unwrap();
        let text = "`shop.test` was taken back".to_owned();
        let (by, connection) = ("usr_x".to_owned(), "source".to_owned());
        let taken = TakenBack { at_ms: 2, by, connection, text, code: None };
        self.records.keep_taken_back(&self.sync, ticket.run, &[taken]).await.unwrap();
        ticket.run
    }

    /// How many entries of this act the audit log has for the sync.
    pub(crate) async fn acts(&self, world: &World, act: Act) -> usize {
        self.acts_of(world, act, &self.sync).await
    }

    /// The same for another subject.
    pub(crate) async fn acts_of(&self, world: &World, act: Act, subject: &str) -> usize {
        let organization = self.path.split('/').nth(3).unwrap();
        let log = world.parts.organizations.log(organization);
        let entries = world.parts.audit.read(&log, 0, 1_000).await.unwrap();
        entries.iter().filter(|entry| entry.act == act.name() && entry.subject == subject).count()
    }

    fn report(&self, ticket: &RunTicket, rejected: u64) -> RunReport {
        let text = format!("it said {CANARY}");
        let error = pipeline::Error::UnknownStream { stream: text.clone(), suggestion: None };
        let error = ErrorReport { code: error.code().into(), message: text, error, attempt: None };
        let group = GroupReport {
            group: "orders".into(),
            unit: format!("{}/orders", self.sync),
            streams: vec!["orders".into()],
            outcome: Outcome::Failed,
            error: Some(error.clone()),
            retried: Vec::new(),
            attempts: 1,
            commits: 1,
            position: Some(Position { checkpoint: Some(format!("\"{CANARY}\"")), ..Position::default() }),
            delivery: Some(Delivery::ExactlyOnce),
            notes: Vec::new(),
        };
        let stream = StreamReport { counters: counters(rejected), bytes: 9, reject_codes: BTreeMap::new() };
        let usage = pipeline::connector::Usage { limit: "memory_bytes".into(), used: 5, allowed: 9 };
        RunReport {
            sync: self.sync.clone(),
            run: ticket.run,
            purpose: Purpose::Sync,
            outcome: Outcome::Failed,
            started_ms: 1,
            duration_ms: 2,
            error: Some(error),
            groups: vec![group],
            streams: BTreeMap::from([("orders".into(), stream)]),
            written: BTreeMap::from([("orders".into(), rejected)]),
            recovered: BTreeMap::new(),
            budgets: BTreeMap::from([("source".into(), vec![usage])]),
            secrets: Vec::new(),
        }
    }

    /// What a connector shows before anything is moved.
    pub(crate) fn preview(world: &World) {
        let (at_ms, schema) = (storage::Clock::now_ms(&*world.clock), schema());
        let preview = Preview { at_ms, schema, batches: vec![batch(&[CANARY, "b"])] };
        *world.connectors.previews.lock().unwrap() = vec![preview];
    }
}

fn counters(rejected: u64) -> Counters {
    Counters { read: 2 * rejected, accepted: rejected, rejected, filtered: 0 }
}

fn prepared(ticket: &RunTicket, chunk: RowErrorChunk) -> Prepared {
    let streams = BTreeMap::from([("orders".into(), counters(chunk.errors.len() as u64))]);
    Prepared {
        token: "t".into(),
        run: ticket.run,
        purpose: Purpose::Sync,
        position: Position { checkpoint: Some(format!("\"at {}\"", ticket.run)), ..Position::default() },
        effect: Effect { streams, row_errors: vec![chunk], ..Effect::default() },
        batches: Vec::new(),
    }
}

fn row_error(index: u64, name: &str, code: &str) -> RowError {
    let text = format!("{CANARY} {name}");
    RowError {
        index,
        code: code.into(),
        message: format!("`{text}` is refused"),
        retryable: false,
        by: RejectedBy::Transform(0),
        operation: Some(Operation::Insert),
        attempt: 1,
        row: RowCopy::Row(KeptRow::alone(batch(&[&text]))),
        fields: Vec::new(),
        key: None,
    }
}

fn schema() -> StreamSchema {
    let field = Field {
        name: "name".into(),
        data_type: DataType::Text,
        nullable: true,
        logical_type: None,
        description: None,
    };
    StreamSchema {
        stream: "orders".into(),
        version: 0,
        schema: Schema { fields: vec![field], additional_fields: false },
        keys: Vec::new(),
        operations: Operations { insert: true, ..Operations::default() },
        layout: Layout::Columns,
    }
}

fn batch(names: &[&str]) -> Batch {
    let mut texts = VarData { offsets: vec![0], data: Vec::new() };
    for name in names {
        texts.data.extend_from_slice(name.as_bytes());
        texts.offsets.push(i32::try_from(texts.data.len()).unwrap());
    }
    let column = Column { validity: None, presence: None, data: ColumnData::Text(texts) };
    Batch {
        stream: "orders".into(),
        schema_version: 0,
        operations: RowOperations::All(Operation::Insert),
        rows: Rows::Columns(Columns {
            row_count: u32::try_from(names.len()).unwrap(),
            columns: vec![column],
        }),
    }
}
