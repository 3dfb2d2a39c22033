//! Reads one column of a row group.

use parquet::{
    column::reader::{ColumnReader, ColumnReaderImpl},
    data_type::{AsBytes, DataType},
    errors::{ParquetError, Result},
};

use super::{convert::Value, plan::LeafPlan};

/// One column of a row group, being read.
pub(crate) struct Leaf {
    pub(crate) plan: LeafPlan,
    reader: ColumnReader,
}

/// Definition and repetition levels of what was read.
#[derive(Debug, Default)]
pub(crate) struct Levels {
    pub(crate) definition: Vec<i16>,
    pub(crate) repetition: Vec<i16>,
}

impl Leaf {
    pub(crate) fn new(plan: LeafPlan, reader: ColumnReader) -> Self {
        Self { plan, reader }
    }

    pub(crate) fn skip(&mut self, rows: usize) -> Result<()> {
        let skipped = match &mut self.reader {
            ColumnReader::BoolColumnReader(reader) => reader.skip_records(rows),
            ColumnReader::Int32ColumnReader(reader) => reader.skip_records(rows),
            ColumnReader::Int64ColumnReader(reader) => reader.skip_records(rows),
            ColumnReader::Int96ColumnReader(reader) => reader.skip_records(rows),
            ColumnReader::FloatColumnReader(reader) => reader.skip_records(rows),
            ColumnReader::DoubleColumnReader(reader) => reader.skip_records(rows),
            ColumnReader::ByteArrayColumnReader(reader) => reader.skip_records(rows),
            ColumnReader::FixedLenByteArrayColumnReader(reader) => reader.skip_records(rows),
        };
        enough(skipped?, rows)
    }

    /// Read so many rows: their levels at once, then each value that is not null. Where the levels of a column are
    /// always the same, none are given.
    pub(crate) fn read(&mut self, rows: usize, take: &mut dyn FnMut(&Levels, Value<'_>)) -> Result<Levels> {
        match &mut self.reader {
            ColumnReader::BoolColumnReader(reader) => {
                read(reader, rows, |value| Value::Boolean(*value), take)
            }
            ColumnReader::Int32ColumnReader(reader) => {
                read(reader, rows, |value| Value::Integer((*value).into()), take)
            }
            ColumnReader::Int64ColumnReader(reader) => {
                read(reader, rows, |value| Value::Integer(*value), take)
            }
            ColumnReader::Int96ColumnReader(reader) => read(reader, rows, |value| Value::Int96(*value), take),
            ColumnReader::FloatColumnReader(reader) => {
                read(reader, rows, |value| Value::Float((*value).into()), take)
            }
            ColumnReader::DoubleColumnReader(reader) => {
                read(reader, rows, |value| Value::Float(*value), take)
            }
            ColumnReader::ByteArrayColumnReader(reader) => {
                read(reader, rows, |value| Value::Bytes(value.as_bytes()), take)
            }
            ColumnReader::FixedLenByteArrayColumnReader(reader) => {
                read(reader, rows, |value| Value::Bytes(value.as_bytes()), take)
            }
        }
    }
}

fn read<T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    rows: usize,
    wrap: fn(&T::T) -> Value<'_>,
    take: &mut dyn FnMut(&Levels, Value<'_>),
) -> Result<Levels> {
    let (mut levels, mut values) = (Levels::default(), Vec::new());
    let (definition, repetition) = (&mut levels.definition, &mut levels.repetition);
    let (read, ..) = reader.read_records(rows, Some(definition), Some(repetition), &mut values)?;
    enough(read, rows)?;
    for value in &values {
        take(&levels, wrap(value));
    }
    Ok(levels)
}

fn enough(found: usize, wanted: usize) -> Result<()> {
    if found == wanted {
        return Ok(());
    }
    Err(ParquetError::EOF(format!("a column has {found} rows where {wanted} were announced")))
}
