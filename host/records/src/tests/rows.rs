//! Rows, row errors and commits for the tests.

use crate::SealedRecords;
use pipeline::model::{
    Batch, Column, ColumnData, Columns, DataType, Field, Layout, Operation, Operations, RowOperations, Rows,
    Schema, StreamSchema, VarData,
};
use pipeline::records::{
    Amendment, Counters, Effect, KeptRow, Position, Prepared, Purpose, RejectedBy, RowCopy, RowError,
    RowErrorChunk, RunRecords, RunTicket,
};
use std::collections::BTreeMap;

/// A stream with a key and a text.
pub(super) fn schema(stream: &str) -> StreamSchema {
    let field = |name: &str, data_type| Field {
        name: name.into(),
        data_type,
        nullable: true,
        logical_type: None,
        description: None,
    };
    StreamSchema {
        stream: stream.into(),
        version: 0,
        schema: Schema {
            fields: vec![field("id", DataType::Int64), field("name", DataType::Text)],
            additional_fields: false,
        },
        keys: vec!["id".into()],
        operations: Operations { insert: true, ..Operations::default() },
        layout: Layout::Columns,
    }
}

/// Rows of such a stream.
pub(super) fn batch(stream: &str, rows: &[(i64, &str)]) -> Batch {
    let column = |data| Column { validity: None, presence: None, data };
    let mut names = VarData { offsets: vec![0], data: Vec::new() };
    for (_, name) in rows {
        names.data.extend_from_slice(name.as_bytes());
        names.offsets.push(i32::try_from(names.data.len()).unwrap());
    }
    Batch {
        stream: stream.into(),
        schema_version: 0,
        operations: RowOperations::All(Operation::Insert),
        rows: Rows::Columns(Columns {
            row_count: u32::try_from(rows.len()).unwrap(),
            columns: vec![
                column(ColumnData::Int64(rows.iter().map(|(id, _)| *id).collect())),
                column(ColumnData::Text(names)),
            ],
        }),
    }
}

/// What is kept of such a row.
pub(super) fn row(stream: &str, id: i64, name: &str) -> RowCopy {
    RowCopy::Row(KeptRow::alone(batch(stream, &[(id, name)])))
}

/// The ids and names of a batch.
pub(super) fn rows_of(batch: &Batch) -> Vec<(i64, String)> {
    let Rows::Columns(columns) = &batch.rows else { panic!("no columns") };
    let (ColumnData::Int64(ids), ColumnData::Text(names)) =
        (&columns.columns[0].data, &columns.columns[1].data)
    else {
        panic!("other columns")
    };
    let name = |row| String::from_utf8(names.value(row).unwrap().to_vec()).unwrap();
    ids.iter().enumerate().map(|(row, id)| (*id, name(row))).collect()
}

/// A row error of the row `(id, name)`, whose key is its id.
pub(super) fn rejected(stream: &str, index: u64, id: i64, name: &str, code: &str) -> RowError {
    RowError {
        index,
        code: code.into(),
        message: format!("`{name}` is refused"),
        retryable: false,
        by: RejectedBy::Destination,
        operation: Some(Operation::Insert),
        attempt: 1,
        row: row(stream, id, name),
        fields: Vec::new(),
        key: Some(id.to_be_bytes().to_vec()),
    }
}

pub(super) fn chunk(run: u64, unit: &str, stream: &str, errors: Vec<RowError>) -> RowErrorChunk {
    RowErrorChunk { run, unit: unit.into(), schema: schema(stream), errors }
}

/// A commit of as many accepted rows as there are rejected ones.
pub(super) fn prepared(ticket: &RunTicket, token: &str, chunks: Vec<RowErrorChunk>) -> Prepared {
    let mut streams: BTreeMap<String, Counters> = BTreeMap::new();
    for chunk in &chunks {
        let rejected = chunk.errors.len() as u64;
        let counters = Counters { read: 2 * rejected, accepted: rejected, rejected, filtered: 0 };
        streams.entry(chunk.schema.stream.clone()).or_default().add(counters);
    }
    Prepared {
        token: token.into(),
        run: ticket.run,
        purpose: Purpose::Sync,
        position: Position { checkpoint: Some(format!("\"{token}\"")), ..Position::default() },
        effect: Effect { streams, row_errors: chunks, ..Effect::default() },
        batches: Vec::new(),
    }
}

/// Commits row errors of the unit `sync/s`.
pub(super) async fn commit(
    records: &SealedRecords,
    ticket: &RunTicket,
    token: &str,
    chunks: Vec<RowErrorChunk>,
) {
    records.prepare(ticket, "sync/s", prepared(ticket, token, chunks)).await.unwrap();
    records.commit(ticket, "sync/s", token, Amendment::default()).await.unwrap();
}

/// One run of the sync `sync` in which these rows `(id, name, code)` of the stream `s` are rejected.
pub(super) async fn run_with(records: &SealedRecords, rows: &[(i64, &str, &str)]) -> u64 {
    let ticket = records.begin("sync").await.unwrap();
    let errors = (0..).zip(rows).map(|(index, (id, name, code))| rejected("s", index, *id, name, code));
    commit(records, &ticket, "t", vec![chunk(ticket.run, "sync/s", "s", errors.collect())]).await;
    records.release(&ticket);
    ticket.run
}
