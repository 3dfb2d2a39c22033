//! The slow judge: counts and reads value by value, and knows nothing of how the fast one does it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pipeline::model::{
    Batch, Column, ColumnData, Columns, DataType, Layout, Operation, RowOperations, Rows, StreamSchema,
    VarData,
};
use pipeline::validate::Limits;
use serde_json::Value;

use super::Line;

pub(super) fn is_sound(batch: &Batch, schema: &StreamSchema, limits: &Limits) -> bool {
    let rows = match &batch.rows {
        Rows::Columns(columns) => columns.row_count,
        Rows::JsonLines(lines) => lines.row_count,
    } as usize;
    let allowed = if rows > 1 { limits.batch_bytes_max } else { limits.row_bytes_max };
    batch.stream == schema.stream
        && batch.schema_version == schema.version
        && bytes(batch) <= allowed
        && operations(batch, schema, rows)
        && match (&batch.rows, schema.layout) {
            (Rows::Columns(columns), Layout::Columns) => {
                let fields = &schema.schema.fields;
                columns.columns.len() == fields.len()
                    && columns
                        .columns
                        .iter()
                        .zip(fields)
                        .all(|(one, field)| column(one, field.data_type, rows))
            }
            (Rows::JsonLines(lines), Layout::JsonLines) => {
                let all: Vec<&[u8]> = lines.data.split(|byte| *byte == b'\n').collect();
                let (last, all) = all.split_last().unwrap();
                last.is_empty()
                    && all.len() == rows
                    && all
                        .iter()
                        .all(|line| line.len() <= limits.row_bytes_max && std::str::from_utf8(line).is_ok())
            }
            _ => false,
        }
}

fn operations(batch: &Batch, schema: &StreamSchema, rows: usize) -> bool {
    let declared = schema.operations;
    let is_declared = |operation: Operation| match operation {
        Operation::Insert => declared.insert,
        Operation::Update => declared.update,
        Operation::Upsert => declared.upsert,
        Operation::Delete => declared.delete,
    };
    match &batch.operations {
        RowOperations::All(operation) => rows == 0 || is_declared(*operation),
        RowOperations::Each(bytes) => {
            let known = |byte: &u8| match byte {
                0 => is_declared(Operation::Insert),
                1 => is_declared(Operation::Update),
                2 => is_declared(Operation::Upsert),
                3 => is_declared(Operation::Delete),
                _ => false,
            };
            bytes.len() == rows && bytes.iter().all(known)
        }
    }
}

fn bytes(batch: &Batch) -> usize {
    let each = if let RowOperations::Each(bytes) = &batch.operations { bytes.len() } else { 0 };
    each + match &batch.rows {
        Rows::JsonLines(lines) => lines.data.len(),
        Rows::Columns(columns) => {
            let optional = |bits: &Option<Vec<u8>>| bits.clone().unwrap_or_default().len();
            columns
                .columns
                .iter()
                .map(|one| optional(&one.validity) + optional(&one.presence) + width(&one.data))
                .sum()
        }
    }
}

fn width(data: &ColumnData) -> usize {
    match data {
        ColumnData::Boolean(bits) => bits.len(),
        ColumnData::Int64(all) | ColumnData::Time(all) | ColumnData::Timestamp(all) => all.len() * 8,
        ColumnData::Float64(all) => all.len() * 8,
        ColumnData::Decimal(words) => words.len() * 8,
        ColumnData::Date(days) => days.len() * 4,
        ColumnData::Text(var) | ColumnData::Bytes(var) | ColumnData::Json(var) => {
            var.offsets.len() * 4 + var.data.len()
        }
    }
}

fn column(column: &Column, data_type: DataType, rows: usize) -> bool {
    let fits = |bits: &Option<Vec<u8>>| bits.as_ref().is_none_or(|bits| is_bitmap(bits, rows));
    fits(&column.validity)
        && fits(&column.presence)
        && match (&column.data, data_type) {
            (ColumnData::Boolean(bits), DataType::Boolean) => is_bitmap(bits, rows),
            (ColumnData::Int64(all), DataType::Int64)
            | (ColumnData::Time(all), DataType::Time(_))
            | (ColumnData::Timestamp(all), DataType::Timestamp(_)) => all.len() == rows,
            (ColumnData::Float64(all), DataType::Float64) => all.len() == rows,
            (ColumnData::Date(all), DataType::Date) => all.len() == rows,
            (ColumnData::Decimal(words), DataType::Decimal { precision, .. }) => {
                words.len() == rows * 2
                    && (0..rows).all(|row| {
                        !has_value(column, row) || digits(decimal(words, row)) <= usize::from(precision)
                    })
            }
            (ColumnData::Text(var), DataType::Text) | (ColumnData::Json(var), DataType::Json) => {
                values(var, rows)
                    .is_some_and(|values| values.iter().all(|value| std::str::from_utf8(value).is_ok()))
            }
            (ColumnData::Bytes(var), DataType::Bytes) => values(var, rows).is_some(),
            _ => false,
        }
}

fn is_bitmap(bits: &[u8], rows: usize) -> bool {
    bits.len() * 8 >= rows && bits.len() * 8 < rows + 8
}

fn is_set(bits: &Option<Vec<u8>>, row: usize) -> bool {
    bits.as_ref().is_none_or(|bits| bits[row / 8] & (1 << (row % 8)) != 0)
}

fn has_value(column: &Column, row: usize) -> bool {
    is_set(&column.presence, row) && is_set(&column.validity, row)
}

fn decimal(words: &[u64], row: usize) -> i128 {
    let bytes = [words[row * 2].to_le_bytes(), words[row * 2 + 1].to_le_bytes()].concat();
    i128::from_le_bytes(bytes.try_into().unwrap())
}

fn digits(value: i128) -> usize {
    if value == 0 { 0 } else { value.unsigned_abs().to_string().len() }
}

/// Every value, if there are as many as rows and they are all of the data.
fn values(var: &VarData, rows: usize) -> Option<Vec<&[u8]>> {
    if var.offsets.len() != rows + 1 {
        return None;
    }
    let mut values = Vec::new();
    let mut end = 0;
    for pair in var.offsets.windows(2) {
        let (from, to) = (usize::try_from(pair[0]).ok()?, usize::try_from(pair[1]).ok()?);
        if from != end || to < from {
            return None;
        }
        values.push(var.data.get(from..to)?);
        end = to;
    }
    (var.offsets[0] == 0 && end == var.data.len()).then_some(values)
}

/// The line says what the columns say.
pub(super) fn same(line: &Line, columns: &Columns, schema: &StreamSchema, row: usize) {
    let mut present = 0;
    for (column, field) in columns.columns.iter().zip(&schema.schema.fields) {
        let given = line.get(&field.name);
        if !is_set(&column.presence, row) {
            assert!(given.is_none(), "absent in {columns:?}");
            continue;
        }
        present += 1;
        let text = given.unwrap_or_else(|| panic!("{} is missing, of {columns:?}", field.name));
        if !is_set(&column.validity, row) {
            assert_eq!(text.get(), "null", "{columns:?}");
            continue;
        }
        if let ColumnData::Json(var) = &column.data {
            let written = String::from_utf8(of_row(var, row)).unwrap().replace(['\n', '\r'], " ");
            assert_eq!(text.get(), written.trim_ascii(), "{columns:?}");
            continue;
        }
        let given: Value = serde_json::from_str(text.get()).unwrap();
        assert!(is_value(&given, &column.data, field.data_type, row), "{given} of row {row} in {columns:?}");
    }
    assert_eq!(line.len(), present, "{line:?}");
}

fn is_value(given: &Value, data: &ColumnData, data_type: DataType, row: usize) -> bool {
    let bytes = |var: &VarData| of_row(var, row);
    match (data, data_type) {
        (ColumnData::Boolean(bits), _) => given.as_bool() == Some(bits[row / 8] >> (row % 8) & 1 == 1),
        (ColumnData::Int64(all), _) => given.as_i64() == Some(all[row]),
        (ColumnData::Float64(all), _) => given.as_f64().map(f64::to_bits) == Some(all[row].to_bits()),
        (ColumnData::Decimal(words), DataType::Decimal { scale, .. }) => {
            let text = given.as_str().unwrap();
            let places = text.split_once('.').map_or(0, |(_, places)| places.len());
            places == usize::from(scale) && text.replace('.', "").parse() == Ok(decimal(words, row))
        }
        (ColumnData::Text(var), _) => given.as_str().map(str::as_bytes) == Some(&bytes(var)),
        (ColumnData::Bytes(var), _) => {
            given.as_str().map(|text| STANDARD.decode(text).unwrap()) == Some(bytes(var))
        }

        (ColumnData::Date(all), _) => date(given.as_str().unwrap()) == i64::from(all[row]),
        (ColumnData::Time(all), _) => micros_of_day(given.as_str().unwrap()) == all[row],
        (ColumnData::Timestamp(all), _) => {
            let (day, time) = given.as_str().unwrap().split_once('T').unwrap();
            date(day) * 86_400_000_000 + micros_of_day(time) == all[row]
        }
        _ => false,
    }
}

fn of_row(var: &VarData, row: usize) -> Vec<u8> {
    values(var, var.offsets.len() - 1).unwrap()[row].to_vec()
}

/// Days since 1970, counted year by year and month by month.
fn date(text: &str) -> i64 {
    let numbers: Vec<i64> = text.split('-').map(|number| number.parse().unwrap()).collect();
    let is_leap = |year: i64| (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let length = |year: i64| if is_leap(year) { 366 } else { 365 };
    let years: i64 = (numbers[0].min(1970)..numbers[0].max(1970)).map(length).sum();
    let months = [31, if is_leap(numbers[0]) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let before: i64 = months.iter().take(usize::try_from(numbers[1]).unwrap() - 1).sum();
    (if numbers[0] < 1970 { -years } else { years }) + before + numbers[2] - 1
}

fn micros_of_day(text: &str) -> i64 {
    let text = text.trim_end_matches('Z');
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let seconds = whole.split(':').fold(0, |sum, number| sum * 60 + number.parse::<i64>().unwrap());
    seconds * 1_000_000 + format!("{fraction:0<6}").parse::<i64>().unwrap()
}
