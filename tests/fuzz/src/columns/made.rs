//! Schemas and batches that are nearly right, so that each rule is the only one that is broken now and then.

use arbitrary::{Result, Unstructured};
use pipeline::model::{
    Batch, Column, ColumnData, Columns, DataType, Field, JsonLines, Layout, Operation, Operations,
    RowOperations, Rows, Schema, StreamSchema, VarData, Zone,
};

const TEXTS: [&str; 8] = ["a", "é", "🔑", "\"", "\n", "\\u0000", "", "ab\tc"];
const JSON: [&str; 10] = [
    "null",
    "1",
    "\"a\"",
    "{\"b\": [1, 2]}",
    " 1e400 ",
    "[\n]",
    "{",
    "-0",
    "12345678901234567890",
    "\"\\ud800\"",
];
const LINES: [&str; 14] = [
    "{}",
    "{\"f0\": 1}",
    "{\"f0\": null, \"f1\": \"x\"}",
    "{\"f0\": \"2026-07-01\"}",
    "{\"f0\": true}",
    "{\"f0\": 1.5}",
    "{\"f0\": \"13:05:00.25Z\"}",
    "{\"f1\": \"AAE=\"}",
    "{\"f0\": \"12.50\"}",
    "{\"other\": [1]}",
    "[]",
    "{\"f0\": 1, \"f0\": 2}",
    "{\"f0\": \"2026-07-01T13:05:00+02:00\"}",
    "{\"f\\u0030\": 3}",
];

pub(super) fn schema(input: &mut Unstructured<'_>) -> Result<StreamSchema> {
    let layout = if input.ratio(2, 3)? { Layout::Columns } else { Layout::JsonLines };
    let count = input.int_in_range(0..=4)?;
    let mut fields = Vec::new();
    for index in 0..count {
        let (data_type, nullable) = (data_type(input)?, input.arbitrary()?);
        fields.push(Field {
            name: format!("f{index}"),
            data_type,
            nullable,
            logical_type: None,
            description: None,
        });
    }
    let operations = Operations { insert: true, update: input.arbitrary()?, upsert: false, delete: true };
    let schema = Schema { fields, additional_fields: layout == Layout::JsonLines && input.arbitrary()? };
    Ok(StreamSchema { stream: "s".into(), version: 1, schema, keys: Vec::new(), operations, layout })
}

fn data_type(input: &mut Unstructured<'_>) -> Result<DataType> {
    let zone = if input.arbitrary()? { Zone::Utc } else { Zone::Local };
    Ok(match input.int_in_range(0..=9)? {
        0 => DataType::Boolean,
        1 => DataType::Int64,
        2 => DataType::Float64,
        3 => {
            let precision = input.int_in_range(1..=38)?;
            DataType::Decimal { precision, scale: input.int_in_range(0..=precision)? }
        }
        4 => DataType::Text,
        5 => DataType::Bytes,
        6 => DataType::Json,
        7 => DataType::Date,
        8 => DataType::Time(zone),
        _ => DataType::Timestamp(zone),
    })
}

pub(super) fn batch(input: &mut Unstructured<'_>, schema: &StreamSchema) -> Result<Batch> {
    let count = input.int_in_range(0..=9)?;
    let rows = match (schema.layout, input.ratio(1, 40)?) {
        (Layout::Columns, false) | (Layout::JsonLines, true) => Rows::Columns(columns(input, schema, count)?),
        _ => Rows::JsonLines(lines(input, count)?),
    };
    let operations = if input.arbitrary()? {
        RowOperations::All(if input.ratio(1, 20)? { Operation::Upsert } else { Operation::Insert })
    } else {
        let byte =
            |input: &mut Unstructured<'_>| Ok(if input.ratio(1, 40)? { input.arbitrary()? } else { 3 });
        RowOperations::Each((0..off(input, count)?).map(|_| byte(input)).collect::<Result<_>>()?)
    };
    let stream = if input.ratio(1, 60)? { "t".into() } else { schema.stream.clone() };
    let schema_version = if input.ratio(1, 60)? { 2 } else { schema.version };
    Ok(Batch { stream, schema_version, operations, rows })
}

/// The count, or now and then another one.
fn off(input: &mut Unstructured<'_>, count: usize) -> Result<usize> {
    if input.ratio(1, 40)? { input.int_in_range(0..=12) } else { Ok(count) }
}

fn columns(input: &mut Unstructured<'_>, schema: &StreamSchema, count: usize) -> Result<Columns> {
    let mut columns = Vec::new();
    for field in &schema.schema.fields {
        columns.push(Column {
            validity: bitmap(input, count)?,
            presence: bitmap(input, count)?,
            data: data(input, field.data_type, count)?,
        });
    }
    if input.ratio(1, 40)? {
        columns.pop();
    }
    Ok(Columns { row_count: u32::try_from(off(input, count)?).unwrap(), columns })
}

fn bitmap(input: &mut Unstructured<'_>, count: usize) -> Result<Option<Vec<u8>>> {
    if input.arbitrary()? { Ok(Some(bits(input, count)?)) } else { Ok(None) }
}

fn bits(input: &mut Unstructured<'_>, count: usize) -> Result<Vec<u8>> {
    let count = off(input, count)?;
    (0..count.div_ceil(8)).map(|_| input.arbitrary()).collect()
}

fn data(input: &mut Unstructured<'_>, data_type: DataType, count: usize) -> Result<ColumnData> {
    let data_type = if input.ratio(1, 60)? { DataType::Int64 } else { data_type };
    let length = off(input, count)?;
    Ok(match data_type {
        DataType::Boolean => ColumnData::Boolean(bits(input, count)?),
        DataType::Int64 => ColumnData::Int64(numbers(input, length)?),
        DataType::Float64 => {
            ColumnData::Float64((0..length).map(|_| input.arbitrary()).collect::<Result<_>>()?)
        }
        DataType::Decimal { precision, .. } => {
            let mut words = Vec::new();
            for _ in 0..length {
                let value = decimal(input, precision)?.cast_unsigned();
                words.extend([value as u64, (value >> 64) as u64]);
            }
            ColumnData::Decimal(words)
        }
        DataType::Text => ColumnData::Text(var(input, length, &TEXTS)?),
        DataType::Bytes => ColumnData::Bytes(var(input, length, &TEXTS)?),
        DataType::Json => ColumnData::Json(var(input, length, &JSON)?),
        DataType::Date => {
            ColumnData::Date(numbers(input, length)?.into_iter().map(|days| days as i32).collect())
        }
        DataType::Time(_) => ColumnData::Time(numbers(input, length)?),
        DataType::Timestamp(_) => ColumnData::Timestamp(numbers(input, length)?),
    })
}

/// Small ones, and any.
fn numbers(input: &mut Unstructured<'_>, length: usize) -> Result<Vec<i64>> {
    let number = |input: &mut Unstructured<'_>| match input.int_in_range(0..=3)? {
        0 => input.arbitrary(),
        1 => Ok(i64::from(input.arbitrary::<i32>()?)),
        // About the last microseconds of a day.
        2 => Ok(86_400_000_000 - i64::from(input.arbitrary::<u8>()?)),
        _ => Ok(i64::from(input.arbitrary::<i8>()?)),
    };
    (0..length).map(|_| number(input)).collect()
}

/// About the edge of the precision, and any.
fn decimal(input: &mut Unstructured<'_>, precision: u8) -> Result<i128> {
    let edge = 10_i128.pow(u32::from(precision));
    Ok(match input.int_in_range(0..=15)? {
        0 => input.arbitrary()?,
        1 => edge,
        2 => -edge,
        3 => edge - 1,
        4 => 1 - edge,
        _ => i128::from(input.arbitrary::<i64>()?) % edge,
    })
}

fn var(input: &mut Unstructured<'_>, length: usize, texts: &[&str]) -> Result<VarData> {
    let (mut offsets, mut data) = (vec![0], Vec::new());
    for _ in 0..length {
        if input.ratio(1, 30)? {
            data.push(input.arbitrary()?);
        } else {
            data.extend_from_slice(input.choose(texts)?.as_bytes());
        }
        offsets.push(i32::try_from(data.len()).unwrap());
    }
    if input.ratio(1, 12)? {
        let index = input.choose_index(offsets.len())?;
        offsets[index] = if input.arbitrary()? { offsets[index] + 1 } else { input.arbitrary()? };
    }
    Ok(VarData { offsets, data })
}

fn lines(input: &mut Unstructured<'_>, count: usize) -> Result<JsonLines> {
    let mut data = Vec::new();
    for _ in 0..count {
        if input.ratio(1, 12)? {
            let length = input.int_in_range(0..=20)?;
            data.extend_from_slice(input.bytes(length)?);
        } else {
            data.extend_from_slice(input.choose(&LINES)?.as_bytes());
        }
        data.push(b'\n');
    }
    if input.ratio(1, 40)? {
        data.pop();
    }
    Ok(JsonLines { row_count: u32::try_from(off(input, count)?).unwrap(), data })
}
