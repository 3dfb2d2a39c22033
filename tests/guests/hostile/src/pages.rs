//! Attacks by what is returned: counts that lie, columns that break their layout, names and checkpoints out of bounds.

use crate::{Attack, Context, field, schema};
use cofferdam_sdk::{
    Batch, Catalog, Column, ColumnData, Columns, DataType, JsonLines, Operation, Page, RejectedRow, Result,
    RowOperations, Rows, SourceReject, Step, StreamInfo, StreamSchema, VarData,
};

pub(crate) const ATTACKS: &[(&str, Attack)] = &[
    ("behave", behave),
    ("count-too-high", |_| columns(|c| c.row_count = 1000)),
    ("count-overflow", |_| columns(|c| c.row_count = u32::MAX)),
    ("column-missing", |_| columns(|c| c.columns.truncate(1))),
    ("column-too-many", |_| columns(|c| c.columns.push(c.columns[0].clone()))),
    ("column-of-other-type", |_| columns(|c| c.columns[0].data = ColumnData::Date(vec![1; 10]))),
    ("values-too-few", |_| columns(|c| c.columns[0].data = ColumnData::Int64(vec![1; 9]))),
    ("values-too-many", |_| columns(|c| c.columns[0].data = ColumnData::Int64(vec![1; 11]))),
    ("offsets-falling", |_| texts(|var| var.offsets[5] = 100)),
    ("offsets-negative", |_| texts(|var| var.offsets[5] = -1)),
    ("offsets-not-from-zero", |_| texts(|var| var.offsets[0] = 1)),
    ("offsets-past-the-end", |_| texts(|var| var.offsets[10] = 1000)),
    ("offsets-too-few", |_| texts(|var| var.offsets.truncate(10))),
    ("text-not-utf8", |_| texts(|var| var.data[3] = 0xff)),
    ("text-cut-inside-a-character", |_| texts(|var| var.data[1..3].copy_from_slice("\u{e4}".as_bytes()))),
    ("bitmap-too-short", |_| columns(|c| c.columns[0].validity = Some(vec![0xff]))),
    ("presence-too-long", |_| columns(|c| c.columns[0].presence = Some(vec![0xff; 64]))),
    ("reserved-column", |_| columns(|c| c.columns[0].data = ColumnData::List((vec![0; 11], 0)))),
    ("operations-too-few", |_| batch(|b| b.operations = RowOperations::Each(vec![0; 9]))),
    ("operation-unknown", |_| batch(|b| b.operations = RowOperations::Each(vec![9; 10]))),
    ("operation-not-declared", |_| batch(|b| b.operations = RowOperations::All(Operation::Delete))),
    ("stream-unknown", |_| batch(|b| b.stream = "other".into())),
    ("schema-version-unknown", |_| batch(|b| b.schema_version = 7)),
    ("layout-not-declared", |_| batch(|b| b.rows = lines(b"{}\n", 1))),
    ("page-over-budget", |_| Ok(Step::Page(Page { batches: vec![good(); 200], ..empty() }))),
    ("page-of-many-empty-batches", |_| Ok(Step::Page(Page { batches: vec![nothing(); 50_000], ..empty() }))),
    ("checkpoint-not-json", |_| checkpoint("{broken".into())),
    ("checkpoint-huge", |_| checkpoint(format!("\"{}\"", "x".repeat(5 << 20)))),
    ("checkpoint-deep", |_| checkpoint("[".repeat(100_000) + &"]".repeat(100_000))),
    ("checkpoint-that-stands-still", |_| checkpoint("1".into())),
    ("cursor-goes-nowhere", goes_nowhere),
    ("behave-then-panic", behave_then_panic),
    ("stream-of-a-megabyte", |_| batch(|b| b.stream = "x".repeat(1 << 20))),
    ("reject-flood", reject_flood),
    ("reject-stream-unknown", reject_elsewhere),
    ("reject-code-huge", |_| reject(&"x".repeat(1 << 20), RejectedRow::Raw(vec![1]))),
    ("schema-changes-another-stream", schema_of_another),
    ("schema-changes-to-nothing", |_| Ok(Step::SchemaChanged(Vec::new()))),
    ("schema-changes-twice-at-once", schema_twice),
    ("reject-code-bad", |_| reject("Not A Code\n", RejectedRow::Raw(vec![1]))),
    ("reject-row-unknown", |_| reject("bad", RejectedRow::At((0, 99)))),
    ("reject-batch-unknown", |_| reject("bad", RejectedRow::At((9, 0)))),
    ("schema-changes-forever", schema_changes),
    ("schema-goes-back", |_| Ok(Step::SchemaChanged(vec![schema()]))),
    ("wait-forever", |_| Ok(Step::Wait(u32::MAX))),
    ("result-of-a-gigabyte", |_| texts(|var| var.data = vec![b'x'; 200 << 20])),
];

pub(crate) fn empty() -> Page {
    Page { batches: Vec::new(), rejects: Vec::new(), checkpoint: None, transaction_end: false }
}

/// Ten rows of a number and a text of two letters.
fn good() -> Batch {
    let numbers = Column { validity: None, presence: None, data: ColumnData::Int64((0..10).collect()) };
    let var = VarData { offsets: (0..=10).map(|row| row * 2).collect(), data: b"ab".repeat(10) };
    let texts = Column { validity: None, presence: None, data: ColumnData::Text(var) };
    rows(Columns { row_count: 10, columns: vec![numbers, texts], children: Vec::new() })
}

fn nothing() -> Batch {
    let numbers = Column { validity: None, presence: None, data: ColumnData::Int64(Vec::new()) };
    let var = VarData { offsets: vec![0], data: Vec::new() };
    let texts = Column { validity: None, presence: None, data: ColumnData::Text(var) };
    rows(Columns { row_count: 0, columns: vec![numbers, texts], children: Vec::new() })
}

fn rows(columns: Columns) -> Batch {
    let operations = RowOperations::All(Operation::Insert);
    Batch {
        stream: "rows".into(),
        schema_version: schema().version,
        operations,
        rows: Rows::Columns(columns),
    }
}

fn lines(data: &[u8], row_count: u32) -> Rows {
    Rows::JsonLines(JsonLines { row_count, data: data.to_vec() })
}

/// Ten rows, then the end.
pub(crate) fn behave(context: &Context) -> Result<Step> {
    if context.calls > 1 {
        return Ok(Step::End);
    }
    Ok(Step::Page(Page { batches: vec![good()], checkpoint: Some("1".into()), ..empty() }))
}

fn batch(change: impl Fn(&mut Batch)) -> Result<Step> {
    let mut batch = good();
    change(&mut batch);
    Ok(Step::Page(Page { batches: vec![batch], ..empty() }))
}

fn columns(change: impl Fn(&mut Columns)) -> Result<Step> {
    batch(|batch| {
        if let Rows::Columns(columns) = &mut batch.rows {
            change(columns);
        }
    })
}

fn texts(change: impl Fn(&mut VarData)) -> Result<Step> {
    columns(|columns| {
        if let ColumnData::Text(var) = &mut columns.columns[1].data {
            change(var);
        }
    })
}

fn checkpoint(text: String) -> Result<Step> {
    Ok(Step::Page(Page { checkpoint: Some(text), ..empty() }))
}

fn reject(code: &str, row: RejectedRow) -> Result<Step> {
    let reject = SourceReject {
        stream: "rows".into(),
        row,
        code: code.into(),
        message: "bad".into(),
        retryable: false,
    };
    Ok(Step::Page(Page { batches: vec![good()], rejects: vec![reject], ..empty() }))
}

/// A position that is always the next, and never a row.
fn goes_nowhere(context: &Context) -> Result<Step> {
    Ok(Step::Page(Page { checkpoint: Some(context.calls.to_string()), ..empty() }))
}

fn behave_then_panic(context: &Context) -> Result<Step> {
    assert!(context.calls < 2, "in the middle of a stream");
    behave(context)
}

fn reject_flood(_: &Context) -> Result<Step> {
    let reject = SourceReject {
        stream: "rows".into(),
        row: RejectedRow::Raw(vec![1]),
        code: "bad".into(),
        message: "bad".into(),
        retryable: false,
    };
    Ok(Step::Page(Page { rejects: vec![reject; 100_000], ..empty() }))
}

fn reject_elsewhere(_: &Context) -> Result<Step> {
    let row = RejectedRow::Raw(vec![1]);
    let (stream, code, message) = ("elsewhere".into(), "bad".into(), "bad".into());
    let reject = SourceReject { stream, row, code, message, retryable: false };
    Ok(Step::Page(Page { rejects: vec![reject], ..empty() }))
}

fn schema_of_another(_: &Context) -> Result<Step> {
    let mut schema = schema();
    schema.version += 1;
    schema.stream = "elsewhere".into();
    Ok(Step::SchemaChanged(vec![schema]))
}

fn schema_twice(_: &Context) -> Result<Step> {
    let mut schema = schema();
    schema.version += 1;
    Ok(Step::SchemaChanged(vec![schema.clone(), schema]))
}

fn schema_changes(context: &Context) -> Result<Step> {
    let mut schema = schema();
    schema.version += context.calls;
    schema.schema.fields.push(field(&format!("field_{}", context.calls), DataType::Text));
    Ok(Step::SchemaChanged(vec![schema]))
}

/// Catalogs that no connector may return.
pub(crate) fn catalog(attack: &str) -> Catalog {
    let mut schema = schema();
    let fields = &mut schema.schema.fields;
    match attack {
        "catalog-duplicate-field" => fields.push(field("number", DataType::Text)),
        "catalog-empty-field" => fields.push(field("", DataType::Text)),
        "catalog-field-of-a-megabyte" => fields.push(field(&"x".repeat(1 << 20), DataType::Text)),
        "catalog-many-fields" => {
            fields.extend((0..100_000).map(|at| field(&format!("f{at}"), DataType::Text)))
        }
        "catalog-reserved-type" => fields.push(field("list", DataType::List(0))),
        "catalog-cycle" => {
            schema.schema.children = vec![field("child", DataType::List(0))];
            schema.schema.fields.push(field("list", DataType::List(0)));
        }
        "catalog-struct-of-itself" => fields.push(field("struct", DataType::Struct(vec![0; 100_000]))),
        "catalog-homoglyphs" => fields.push(field("numb\u{435}r", DataType::Int64)),
        "catalog-field-that-turns-around" => fields.push(field("\u{202e}rebmun", DataType::Int64)),
        "catalog-field-with-escapes" => fields.push(field("\u{1b}[2J", DataType::Int64)),
        "catalog-stream-of-nothing" => schema.stream = String::new(),
        "catalog-many-keys" => schema.keys = vec!["number".into(); 100_000],
        "catalog-no-operation" => schema.operations = cofferdam_sdk::Operations::empty(),
        "catalog-many-streams" => {
            let many = (0..100_000)
                .map(|at| StreamInfo::new(StreamSchema { stream: format!("s{at}"), ..schema.clone() }));
            return Catalog::new(many);
        }
        "catalog-key-unknown" => schema.keys = vec!["nowhere".into()],
        "catalog-bad-decimal" => {
            let wrong = cofferdam_sdk::DecimalType { precision: 99, scale: 100 };
            fields.push(field("amount", DataType::Decimal(wrong)));
        }
        _ => {
            let twice = [StreamInfo::new(schema.clone()), StreamInfo::new(schema)];
            return Catalog::new(twice);
        }
    }
    Catalog::new([StreamInfo::new(schema)])
}
