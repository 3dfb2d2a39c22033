//! Reads the columns of one batch in place: checked once, then slices.

use super::{
    cell::Cell,
    row_view::RowView,
    values::{Booleans, Decimals, Nulls, Values, VarValues},
};
use crate::{Column, ColumnData, Columns, DataType, Error, Field, Result, Row, VarData};

/// The columns of a batch, checked against the fields of its schema.
#[derive(Debug)]
pub struct ColumnsView<'a> {
    rows: usize,
    columns: Vec<ColumnView<'a>>,
}

impl<'a> ColumnsView<'a> {
    /// Check counts, types, lengths and UTF-8 once; an error is a fault of whoever made the columns.
    pub fn new(fields: &'a [Field], columns: &'a Columns) -> Result<Self> {
        if fields.len() != columns.columns.len() {
            let counts = (columns.columns.len(), fields.len());
            return Err(Error::bug(format!("{} columns for {} fields", counts.0, counts.1)));
        }
        let rows = columns.row_count as usize;
        let views =
            fields.iter().zip(&columns.columns).map(|(field, column)| ColumnView::new(field, column, rows));
        Ok(Self { rows, columns: views.collect::<Result<_>>()? })
    }

    /// How many rows there are.
    pub fn row_count(&self) -> usize {
        self.rows
    }

    /// All columns, in the order of the schema.
    pub fn columns(&self) -> &[ColumnView<'a>] {
        &self.columns
    }

    /// The column of this name.
    pub fn column(&self, name: &str) -> Result<&ColumnView<'a>> {
        let found = self.columns.iter().find(|column| column.field.name == name);
        found.ok_or_else(|| Error::bug(format!("there is no column `{name}`")))
    }

    /// One row, across all columns.
    pub fn row(&self, row: usize) -> RowView<'_> {
        RowView::new(&self.columns, row)
    }

    /// The rows as values of a type made by [`row!`](crate::row). A row that does not fit it is an error of its own.
    pub fn rows<R: Row>(&self) -> Result<impl Iterator<Item = Result<R>>> {
        let wanted = R::fields();
        let columns = wanted.iter().map(|field| {
            let column = self.column(&field.name)?;
            if column.field.data_type == field.data_type {
                Ok(*column)
            } else {
                Err(column.mismatch(&field.data_type.name()))
            }
        });
        let columns = columns.collect::<Result<Vec<_>>>()?;
        Ok((0..self.rows).map(move |row| R::read(&RowView::new(&columns, row))))
    }

    /// The booleans of the column of this name.
    pub fn booleans(&self, name: &str) -> Result<Booleans<'a>> {
        self.column(name)?.booleans()
    }

    /// The integers of the column of this name.
    pub fn i64s(&self, name: &str) -> Result<Values<'a, i64>> {
        self.column(name)?.i64s()
    }

    /// The floats of the column of this name.
    pub fn f64s(&self, name: &str) -> Result<Values<'a, f64>> {
        self.column(name)?.f64s()
    }

    /// The texts of the column of this name.
    pub fn texts(&self, name: &str) -> Result<VarValues<'a, str>> {
        self.column(name)?.texts()
    }
}

/// One column.
#[derive(Debug, Clone, Copy)]
pub struct ColumnView<'a> {
    field: &'a Field,
    rows: usize,
    nulls: Nulls<'a>,
    data: Checked<'a>,
}

/// The values, after the check of their lengths.
#[derive(Debug, Clone, Copy)]
enum Checked<'a> {
    Boolean(&'a [u8]),
    /// Integers, times of day and timestamps; the field says which.
    Words(&'a [i64]),
    Floats(&'a [f64]),
    Decimals(&'a [u64]),
    Days(&'a [i32]),
    /// Text and JSON.
    Text(&'a str, &'a [i32]),
    Bytes(&'a [u8], &'a [i32]),
}

macro_rules! fixed {
    ($(#[$doc:meta])* $name:ident, $case:ident, $pattern:pat, $value:ty) => {
        $(#[$doc])*
        pub fn $name(&self) -> Result<Values<'a, $value>> {
            match (self.data, &self.field.data_type) {
                (Checked::$case(data), $pattern) => Ok(Values { data, nulls: self.nulls }),
                _ => Err(self.mismatch(stringify!($name))),
            }
        }
    };
}

impl<'a> ColumnView<'a> {
    fn new(field: &'a Field, column: &'a Column, rows: usize) -> Result<Self> {
        let fault = |what: &str| Error::bug(format!("column `{}`: {what}", field.name));
        let bitmap = |bits: &'a Option<Vec<u8>>| match bits {
            Some(bits) if bits.len() < rows.div_ceil(8) => Err(fault("a bitmap is too short")),
            bits => Ok(bits.as_deref()),
        };
        let nulls = Nulls { validity: bitmap(&column.validity)?, presence: bitmap(&column.presence)? };
        let text = |values: &'a VarData| -> Result<Checked<'a>> {
            let text = std::str::from_utf8(&values.data).map_err(|_| fault("text is not UTF-8"))?;
            Ok(Checked::Text(text, &values.offsets))
        };
        let (data, length) = match (&column.data, &field.data_type) {
            (ColumnData::Boolean(bits), DataType::Boolean) => {
                (Checked::Boolean(bits), (bits.len() * 8).min(rows))
            }
            (ColumnData::Int64(values), DataType::Int64)
            | (ColumnData::Time(values), DataType::Time(_))
            | (ColumnData::Timestamp(values), DataType::Timestamp(_)) => {
                (Checked::Words(values), values.len())
            }
            (ColumnData::Float64(values), DataType::Float64) => (Checked::Floats(values), values.len()),
            (ColumnData::Decimal(words), DataType::Decimal(_)) => (Checked::Decimals(words), words.len() / 2),
            (ColumnData::Date(days), DataType::Date) => (Checked::Days(days), days.len()),
            (ColumnData::Text(values), DataType::Text) | (ColumnData::Json(values), DataType::Json) => {
                (text(values)?, values.offsets.len().saturating_sub(1))
            }
            (ColumnData::Bytes(values), DataType::Bytes) => {
                (Checked::Bytes(&values.data, &values.offsets), values.offsets.len().saturating_sub(1))
            }
            _ => return Err(fault(&format!("its data is not {}", field.data_type.name()))),
        };
        if length != rows {
            return Err(fault(&format!("{length} values for {rows} rows")));
        }
        Ok(Self { field, rows, nulls, data })
    }

    /// What the schema says of it.
    pub fn field(&self) -> &'a Field {
        self.field
    }

    /// How many values there are, nulls and absent ones too.
    pub fn row_count(&self) -> usize {
        self.rows
    }

    /// Whether the field is part of this row at all.
    #[inline]
    pub fn is_present(&self, row: usize) -> bool {
        self.nulls.is_present(row)
    }

    /// Whether the value of this row is null.
    #[inline]
    pub fn is_null(&self, row: usize) -> bool {
        self.is_present(row) && !self.nulls.is_valid(row)
    }

    fixed!(
        /// Integers.
        i64s, Words, DataType::Int64, i64
    );
    fixed!(
        /// Floats.
        f64s, Floats, DataType::Float64, f64
    );
    fixed!(
        /// Days since 1970-01-01.
        dates, Days, DataType::Date, i32
    );
    fixed!(
        /// Microseconds since midnight.
        times, Words, DataType::Time(_), i64
    );
    fixed!(
        /// Microseconds since 1970-01-01T00:00:00.
        timestamps, Words, DataType::Timestamp(_), i64
    );

    /// Booleans.
    pub fn booleans(&self) -> Result<Booleans<'a>> {
        match self.data {
            Checked::Boolean(bits) => Ok(Booleans { bits, rows: self.rows, nulls: self.nulls }),
            _ => Err(self.mismatch("booleans")),
        }
    }

    /// Decimals.
    pub fn decimals(&self) -> Result<Decimals<'a>> {
        match (self.data, &self.field.data_type) {
            (Checked::Decimals(words), DataType::Decimal(kind)) => {
                Ok(Decimals { words, scale: kind.scale, nulls: self.nulls })
            }
            _ => Err(self.mismatch("decimals")),
        }
    }

    /// Texts.
    pub fn texts(&self) -> Result<VarValues<'a, str>> {
        self.text_of(&DataType::Text, "texts")
    }

    /// JSON values, as text.
    pub fn jsons(&self) -> Result<VarValues<'a, str>> {
        self.text_of(&DataType::Json, "jsons")
    }

    fn text_of(&self, data_type: &DataType, wanted: &str) -> Result<VarValues<'a, str>> {
        match self.data {
            Checked::Text(data, offsets) if self.field.data_type == *data_type => {
                Ok(VarValues { data, offsets, nulls: self.nulls })
            }
            _ => Err(self.mismatch(wanted)),
        }
    }

    /// Bytes.
    pub fn bytes(&self) -> Result<VarValues<'a, [u8]>> {
        match self.data {
            Checked::Bytes(data, offsets) => Ok(VarValues { data, offsets, nulls: self.nulls }),
            _ => Err(self.mismatch("bytes")),
        }
    }

    /// The value of one row, whatever its type. For whole columns the typed ways are faster.
    pub fn cell(&self, row: usize) -> Cell<'a> {
        if !self.is_present(row) || row >= self.rows {
            return Cell::Absent;
        }
        let nulls = self.nulls;
        let cell = match (self.data, &self.field.data_type) {
            (Checked::Boolean(bits), _) => {
                Booleans { bits, rows: self.rows, nulls }.get(row).map(Cell::Boolean)
            }
            (Checked::Words(data), DataType::Time(zone)) => {
                Values { data, nulls }.get(row).map(|micros| Cell::Time(micros, *zone))
            }
            (Checked::Words(data), DataType::Timestamp(zone)) => {
                Values { data, nulls }.get(row).map(|micros| Cell::Timestamp(micros, *zone))
            }
            (Checked::Words(data), _) => Values { data, nulls }.get(row).map(Cell::Int64),
            (Checked::Floats(data), _) => Values { data, nulls }.get(row).map(Cell::Float64),
            (Checked::Decimals(words), DataType::Decimal(kind)) => {
                Decimals { words, scale: kind.scale, nulls }
                    .get(row)
                    .map(|unscaled| Cell::Decimal { unscaled, scale: kind.scale })
            }
            (Checked::Decimals(_), _) => None,
            (Checked::Days(data), _) => Values { data, nulls }.get(row).map(Cell::Date),
            (Checked::Text(data, offsets), DataType::Json) => {
                VarValues { data, offsets, nulls }.get(row).map(Cell::Json)
            }
            (Checked::Text(data, offsets), _) => VarValues { data, offsets, nulls }.get(row).map(Cell::Text),
            (Checked::Bytes(data, offsets), _) => {
                VarValues { data, offsets, nulls }.get(row).map(Cell::Bytes)
            }
        };
        cell.unwrap_or(Cell::Null)
    }

    fn mismatch(&self, wanted: &str) -> Error {
        let found = self.field.data_type.name();
        Error::bug(format!("column `{}` is {found} and was read as {wanted}", self.field.name))
    }
}
