//! Batches: rows of one stream that move together.

use super::wire;
use serde::{Deserialize, Serialize};

/// What a row asks the destination to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// A new row.
    Insert,
    /// A change of an existing row; absent fields stay untouched.
    Update,
    /// Insert, or update when the key exists.
    Upsert,
    /// Remove the row with this key.
    Delete,
}

impl Operation {
    /// The byte by which the contract names it in a list of operations.
    pub fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::Insert),
            1 => Some(Self::Update),
            2 => Some(Self::Upsert),
            3 => Some(Self::Delete),
            _ => None,
        }
    }

    /// The byte by which the contract names it in a list of operations.
    pub fn to_byte(self) -> u8 {
        match self {
            Self::Insert => 0,
            Self::Update => 1,
            Self::Upsert => 2,
            Self::Delete => 3,
        }
    }

    /// Its word in the contract.
    pub fn name(self) -> &'static str {
        match self {
            Self::Insert => "insert",
            Self::Update => "update",
            Self::Upsert => "upsert",
            Self::Delete => "delete",
        }
    }
}

/// The operation of each row of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum RowOperations {
    /// One for all rows.
    All(Operation),
    /// A byte a row, as [`Operation::from_byte`] reads it.
    Each(#[serde(with = "wire::bytes")] Vec<u8>),
}

/// Values of variable length: value `i` is `data[offsets[i]..offsets[i + 1]]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VarData {
    /// One more than there are rows; the first is 0; never falling.
    pub offsets: Vec<i32>,
    /// The bytes of all values.
    #[serde(with = "wire::bytes")]
    pub data: Vec<u8>,
}

/// The values of a column in Arrow's memory layout.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum ColumnData {
    /// A bitmap, LSB-first.
    Boolean(#[serde(with = "wire::bytes")] Vec<u8>),
    /// 64-bit integers.
    Int64(Vec<i64>),
    /// 64-bit floats; NaN and infinities are legal.
    Float64(#[serde(with = "wire::floats")] Vec<f64>),
    /// Two words a value: low, then high 64 bits of a 128-bit two's complement integer.
    Decimal(Vec<u64>),
    /// UTF-8 text.
    Text(VarData),
    /// Bytes.
    Bytes(VarData),
    /// JSON values as text.
    Json(VarData),
    /// Days since 1970-01-01.
    Date(Vec<i32>),
    /// Microseconds since midnight.
    Time(Vec<i64>),
    /// Microseconds since 1970-01-01T00:00:00.
    Timestamp(Vec<i64>),
}

/// One column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Column {
    /// A bitmap: 1 is a value, 0 is null. None: no nulls.
    #[serde(with = "wire::optional_bytes", default)]
    pub validity: Option<Vec<u8>>,
    /// A bitmap: 1 is present, 0 is absent. None: all present.
    #[serde(with = "wire::optional_bytes", default)]
    pub presence: Option<Vec<u8>>,
    /// The values.
    pub data: ColumnData,
}

/// Rows as columns, in the order of the (selected) fields.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Columns {
    /// How many rows.
    pub row_count: u32,
    /// One for each field.
    pub columns: Vec<Column>,
}

/// Rows as JSON objects, one a line, each ended by one line feed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JsonLines {
    /// How many lines.
    pub row_count: u32,
    /// The lines.
    #[serde(with = "wire::bytes")]
    pub data: Vec<u8>,
}

/// The rows of a batch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Rows {
    /// As columns.
    Columns(Columns),
    /// As JSON lines.
    JsonLines(JsonLines),
}

/// Rows of one stream that move together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Batch {
    /// The stream's name.
    pub stream: String,
    /// The version of the stream's schema by which the rows are laid out.
    pub schema_version: u32,
    /// What each row asks for.
    pub operations: RowOperations,
    /// The rows.
    pub rows: Rows,
}

impl VarData {
    /// The bytes of one value; none past the end or for broken offsets.
    pub fn value(&self, row: usize) -> Option<&[u8]> {
        let start = usize::try_from(*self.offsets.get(row)?).ok()?;
        let end = usize::try_from(*self.offsets.get(row.checked_add(1)?)?).ok()?;
        self.data.get(start..end)
    }
}

impl Batch {
    /// How many rows the batch says it has.
    pub fn row_count(&self) -> u32 {
        match &self.rows {
            Rows::Columns(columns) => columns.row_count,
            Rows::JsonLines(lines) => lines.row_count,
        }
    }

    /// Bytes of all values, bitmaps and offsets.
    pub fn byte_count(&self) -> usize {
        let rows = match &self.rows {
            Rows::Columns(columns) => columns.columns.iter().map(Column::byte_count).sum(),
            Rows::JsonLines(lines) => lines.data.len(),
        };
        let operations = match &self.operations {
            RowOperations::All(_) => 0,
            RowOperations::Each(bytes) => bytes.len(),
        };
        rows + operations
    }
}

impl RowOperations {
    /// The operation of one row; none past the end or for a byte that is no operation.
    pub fn get(&self, row: usize) -> Option<Operation> {
        match self {
            Self::All(operation) => Some(*operation),
            Self::Each(bytes) => bytes.get(row).copied().and_then(Operation::from_byte),
        }
    }
}

/// Bit `index` of an LSB-first bitmap; false past its end.
pub(crate) fn bit(bits: &[u8], index: usize) -> bool {
    bits.get(index / 8).is_some_and(|byte| byte >> (index % 8) & 1 == 1)
}

impl Column {
    /// Whether the row has the field at all, be it null.
    pub fn is_present(&self, row: usize) -> bool {
        self.presence.as_ref().is_none_or(|bits| bit(bits, row))
    }

    /// Whether the row has a value here: present and not null.
    pub fn is_value(&self, row: usize) -> bool {
        self.is_present(row) && self.validity.as_ref().is_none_or(|bits| bit(bits, row))
    }

    fn byte_count(&self) -> usize {
        let bitmap = |bits: &Option<Vec<u8>>| bits.as_ref().map_or(0, Vec::len);
        bitmap(&self.validity) + bitmap(&self.presence) + self.data.byte_count()
    }
}

impl ColumnData {
    /// The word for its type, for messages.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Boolean(_) => "boolean",
            Self::Int64(_) => "int64",
            Self::Float64(_) => "float64",
            Self::Decimal(_) => "decimal",
            Self::Text(_) => "text",
            Self::Bytes(_) => "bytes",
            Self::Json(_) => "json",
            Self::Date(_) => "date",
            Self::Time(_) => "time",
            Self::Timestamp(_) => "timestamp",
        }
    }

    fn byte_count(&self) -> usize {
        match self {
            Self::Boolean(bits) => bits.len(),
            Self::Int64(values) | Self::Time(values) | Self::Timestamp(values) => values.len() * 8,
            Self::Float64(values) => values.len() * 8,
            Self::Decimal(words) => words.len() * 8,
            Self::Date(days) => days.len() * 4,
            Self::Text(var) | Self::Bytes(var) | Self::Json(var) => var.offsets.len() * 4 + var.data.len(),
        }
    }
}

/// One row that is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reject {
    /// Index of the row in its batch, from 0.
    pub row: u32,
    /// Stable, for machines.
    pub code: String,
    /// For people; may quote the row.
    pub message: String,
    /// Whether the same row could be taken at a later time.
    pub retryable: bool,
}
