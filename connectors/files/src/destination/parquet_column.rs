//! One column of a Parquet row group, collected in memory.

use std::ops::Range;

use cofferdam_sdk::{ColumnView, DataType, Error, Field, Reject, Result, Zone};
use parquet::{
    basic::{LogicalType, Repetition, TimeUnit, Type as Physical},
    data_type::{
        BoolType, ByteArray, ByteArrayType, DataType as ParquetType, DoubleType, FixedLenByteArray,
        FixedLenByteArrayType, Int32Type, Int64Type,
    },
    errors::ParquetError,
    file::writer::SerializedColumnWriter,
    schema::types::{Type, TypePtr},
};

use crate::text::{Cells, ValueFault, is_json};

/// Bytes of a wider decimal.
const WIDE_BYTES: usize = 16;

const NOT_JSON: ValueFault = ValueFault { code: "not_json", what: "the value is no JSON" };

/// The values of some rows; nulls take no place among them.
#[derive(Debug)]
pub(crate) struct ParquetColumn {
    /// 1: a value, 0: null.
    levels: Vec<i16>,
    values: Values,
    bytes: usize,
}

#[derive(Debug)]
enum Values {
    Boolean(Vec<bool>),
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    Double(Vec<f64>),
    Bytes(Vec<ByteArray>),
    Wide(Vec<FixedLenByteArray>),
}

/// How many bits a decimal takes.
enum Width {
    Bits32,
    Bits64,
    Bits128,
}

impl Width {
    /// 32 bits hold 9 digits, 64 bits 18.
    fn of(precision: u8) -> Self {
        match precision {
            0..=9 => Self::Bits32,
            10..=18 => Self::Bits64,
            _ => Self::Bits128,
        }
    }
}

/// The schema of a file. Every column may be null: an absent value must be something.
pub(crate) fn schema(fields: &[Field]) -> Result<Type, ParquetError> {
    let columns = fields.iter().map(|field| column_type(field).map(TypePtr::new));
    Type::group_type_builder("rows").with_fields(columns.collect::<Result<_, _>>()?).build()
}

fn column_type(field: &Field) -> Result<Type, ParquetError> {
    let micros = TimeUnit::MICROS;
    let (physical, logical) = match &field.data_type {
        DataType::Boolean => (Physical::BOOLEAN, None),
        DataType::Int64 => (Physical::INT64, None),
        DataType::Float64 => (Physical::DOUBLE, None),
        DataType::Decimal(decimal) => {
            let physical = match Width::of(decimal.precision) {
                Width::Bits32 => Physical::INT32,
                Width::Bits64 => Physical::INT64,
                Width::Bits128 => Physical::FIXED_LEN_BYTE_ARRAY,
            };
            (physical, Some(LogicalType::decimal(decimal.scale.into(), decimal.precision.into())))
        }
        DataType::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        DataType::Bytes => (Physical::BYTE_ARRAY, None),
        DataType::Json => (Physical::BYTE_ARRAY, Some(LogicalType::Json)),
        DataType::Date => (Physical::INT32, Some(LogicalType::Date)),
        DataType::Time(zone) => (Physical::INT64, Some(LogicalType::time(*zone == Zone::Utc, micros))),
        DataType::Timestamp(zone) => {
            (Physical::INT64, Some(LogicalType::timestamp(*zone == Zone::Utc, micros)))
        }
        DataType::List(_) | DataType::Struct(_) => {
            return Err(ParquetError::NYI("a reserved type".to_owned()));
        }
    };
    let mut builder = Type::primitive_type_builder(&field.name, physical)
        .with_repetition(Repetition::OPTIONAL)
        .with_logical_type(logical);
    if let DataType::Decimal(decimal) = &field.data_type {
        builder = builder.with_precision(decimal.precision.into()).with_scale(decimal.scale.into());
    }
    if physical == Physical::FIXED_LEN_BYTE_ARRAY {
        builder = builder.with_length(WIDE_BYTES as i32);
    }
    builder.build()
}

impl ParquetColumn {
    pub(crate) fn new(field: &Field) -> Result<Self> {
        let values = match &field.data_type {
            DataType::Boolean => Values::Boolean(Vec::new()),
            DataType::Date => Values::Int32(Vec::new()),
            DataType::Int64 | DataType::Time(_) | DataType::Timestamp(_) => Values::Int64(Vec::new()),
            DataType::Float64 => Values::Double(Vec::new()),
            DataType::Decimal(decimal) => match Width::of(decimal.precision) {
                Width::Bits32 => Values::Int32(Vec::new()),
                Width::Bits64 => Values::Int64(Vec::new()),
                Width::Bits128 => Values::Wide(Vec::new()),
            },
            DataType::Text | DataType::Bytes | DataType::Json => Values::Bytes(Vec::new()),
            DataType::List(_) | DataType::Struct(_) => return Err(Error::bug("a reserved type")),
        };
        Ok(Self { levels: Vec::new(), values, bytes: 0 })
    }

    pub(crate) fn row_count(&self) -> usize {
        self.levels.len()
    }

    /// What it takes in memory, about.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Rows whose value Parquet cannot say: JSON that is none.
    pub(crate) fn refused(view: &ColumnView<'_>) -> Vec<Reject> {
        let Ok(Cells::Json(values)) = Cells::of(view) else { return Vec::new() };
        let broken = values.iter().enumerate().filter(|(_, value)| value.is_some_and(|text| !is_json(text)));
        broken.map(|(row, _)| NOT_JSON.in_field(row, &view.field().name)).collect()
    }

    /// Append the values of the rows that are kept.
    pub(crate) fn take(&mut self, view: &ColumnView<'_>, kept: &[bool]) -> Result<()> {
        let cells = Cells::of(view)?;
        let rows = || kept.iter().enumerate().filter(|(_, kept)| **kept).map(|(row, _)| row);
        let levels = &mut self.levels;
        match (&mut self.values, cells) {
            (Values::Boolean(values), Cells::Boolean(cells)) => {
                append(rows(), levels, values, |row| cells.get(row));
            }
            (Values::Int32(values), Cells::Date(cells)) => {
                append(rows(), levels, values, |row| cells.get(row))
            }
            (Values::Int32(values), Cells::Decimal(cells)) => {
                append(rows(), levels, values, |row| {
                    cells.get(row).and_then(|value| i32::try_from(value).ok())
                });
            }
            (
                Values::Int64(values),
                Cells::Int64(cells) | Cells::Time(cells, _) | Cells::Timestamp(cells, _),
            ) => append(rows(), levels, values, |row| cells.get(row)),
            (Values::Int64(values), Cells::Decimal(cells)) => {
                append(rows(), levels, values, |row| {
                    cells.get(row).and_then(|value| i64::try_from(value).ok())
                });
            }
            (Values::Wide(values), Cells::Decimal(cells)) => append(rows(), levels, values, |row| {
                cells.get(row).map(|value| ByteArray::from(value.to_be_bytes().to_vec()).into())
            }),
            (Values::Double(values), Cells::Float64(cells)) => {
                append(rows(), levels, values, |row| cells.get(row))
            }
            (Values::Bytes(values), Cells::Text(cells) | Cells::Json(cells)) => {
                let pieces = pieces(kept, |row| cells.get(row).map(str::as_bytes));
                self.bytes += pieces.all.len();
                append(rows(), levels, values, |row| pieces.get(row));
            }
            (Values::Bytes(values), Cells::Bytes(cells)) => {
                let pieces = pieces(kept, |row| cells.get(row));
                self.bytes += pieces.all.len();
                append(rows(), levels, values, |row| pieces.get(row));
            }
            _ => return Err(Error::bug(format!("column `{}` has changed its type", view.field().name))),
        }
        // A level, and a value or the handle of one.
        self.bytes += rows().count() * 32;
        Ok(())
    }

    /// Write the values and forget them.
    pub(crate) fn write(&mut self, writer: &mut SerializedColumnWriter<'_>) -> Result<(), ParquetError> {
        let levels = std::mem::take(&mut self.levels);
        self.bytes = 0;
        match &mut self.values {
            Values::Boolean(values) => write::<BoolType>(writer, values, &levels),
            Values::Int32(values) => write::<Int32Type>(writer, values, &levels),
            Values::Int64(values) => write::<Int64Type>(writer, values, &levels),
            Values::Double(values) => write::<DoubleType>(writer, values, &levels),
            Values::Bytes(values) => write::<ByteArrayType>(writer, values, &levels),
            Values::Wide(values) => write::<FixedLenByteArrayType>(writer, values, &levels),
        }
    }
}

fn append<T>(
    rows: impl Iterator<Item = usize>,
    levels: &mut Vec<i16>,
    values: &mut Vec<T>,
    get: impl Fn(usize) -> Option<T>,
) {
    for row in rows {
        let value = get(row);
        levels.push(i16::from(value.is_some()));
        values.extend(value);
    }
}

/// The values of all rows in one allocation, of which each is a part.
struct Pieces {
    all: bytes::Bytes,
    /// By row.
    ranges: Vec<Option<Range<usize>>>,
}

fn pieces<'a>(kept: &[bool], get: impl Fn(usize) -> Option<&'a [u8]>) -> Pieces {
    let mut all = Vec::new();
    let ranges = kept.iter().enumerate().map(|(row, kept)| {
        let value = get(row).filter(|_| *kept)?;
        all.extend_from_slice(value);
        Some(all.len() - value.len()..all.len())
    });
    let ranges = ranges.collect();
    Pieces { all: all.into(), ranges }
}

impl Pieces {
    fn get(&self, row: usize) -> Option<ByteArray> {
        let range = self.ranges.get(row)?.clone()?;
        Some(ByteArray::from(self.all.slice(range)))
    }
}

fn write<T: ParquetType>(
    writer: &mut SerializedColumnWriter<'_>,
    values: &mut Vec<T::T>,
    levels: &[i16],
) -> Result<(), ParquetError> {
    writer.typed::<T>().write_batch(&std::mem::take(values), Some(levels), None).map(drop)
}
