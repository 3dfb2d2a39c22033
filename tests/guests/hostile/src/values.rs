//! Attacks by values: at the ends of their types, of no number, with more digits than were declared. The stream `values` has a
//! field of each type that has ends.

use crate::{Attack, Context, field};
use cofferdam_sdk::{
    Batch, Column, ColumnData, Columns, DataType, DecimalType, Layout, Operation, Page, Result,
    RowOperations, Rows, Schema, Step, StreamSchema, VarData, Zone,
};

pub(crate) const ATTACKS: &[(&str, Attack)] = &[
    ("extreme-values", |context| once(context, ends())),
    ("extreme-decimal-too-precise", |context| once(context, with(3, decimals(1_000_000)))),
    ("extreme-decimal-far-too-precise", |context| {
        once(context, with(3, ColumnData::Decimal([u64::MAX, u64::MAX >> 1].repeat(ROWS))))
    }),
    ("extreme-decimal-words-missing", |context| once(context, with(3, ColumnData::Decimal(vec![0; 5])))),
    ("extreme-digits-without-end", |context| once(context, with(4, digits(1_000_000)))),
];

const ROWS: usize = 3;

pub(crate) fn schema() -> StreamSchema {
    let amount = DecimalType { precision: 6, scale: 2 };
    let mut digits = field("digits", DataType::Text);
    digits.logical_type = Some("decimal".into());
    let fields = vec![
        field("day", DataType::Date),
        field("moment", DataType::Timestamp(Zone::Utc)),
        field("ratio", DataType::Float64),
        field("amount", DataType::Decimal(amount)),
        digits,
    ];
    StreamSchema::new(
        "values",
        Schema { fields, children: Vec::new(), additional_fields: false },
        Layout::Columns,
    )
}

fn once(context: &Context, columns: Vec<ColumnData>) -> Result<Step> {
    if context.calls > 1 {
        return Ok(Step::End);
    }
    let column = |data| Column { validity: None, presence: None, data };
    let columns = columns.into_iter().map(column).collect();
    let rows = Rows::Columns(Columns { row_count: ROWS as u32, columns, children: Vec::new() });
    let (stream, schema_version) = ("values".into(), schema().version);
    let batch = Batch { stream, schema_version, operations: RowOperations::All(Operation::Insert), rows };
    Ok(Step::Page(Page { batches: vec![batch], ..crate::pages::empty() }))
}

/// Before all times and after them, and numbers that are none with something in the bits that nobody reads.
fn ends() -> Vec<ColumnData> {
    let payloads = [f64::from_bits(0x7ff0_dead_beef_cafe), f64::NEG_INFINITY, f64::from_bits(u64::MAX)];
    vec![
        ColumnData::Date(vec![i32::MIN, 0, i32::MAX]),
        ColumnData::Timestamp(vec![i64::MIN, 0, i64::MAX]),
        ColumnData::Float64(payloads.to_vec()),
        decimals(999_999),
        digits(1),
    ]
}

fn with(place: usize, data: ColumnData) -> Vec<ColumnData> {
    let mut columns = ends();
    columns[2] = ColumnData::Float64(vec![0.0; ROWS]);
    columns[0] = ColumnData::Date(vec![0; ROWS]);
    columns[1] = ColumnData::Timestamp(vec![0; ROWS]);
    columns[place] = data;
    columns
}

fn decimals(value: u64) -> ColumnData {
    ColumnData::Decimal([value, 0].repeat(ROWS))
}

fn digits(count: usize) -> ColumnData {
    let offsets = (0..=ROWS).map(|row| (row * count) as i32).collect();
    ColumnData::Text(VarData { offsets, data: vec![b'9'; ROWS * count] })
}
