//! Schemas: what a stream's rows look like.

use super::Operation;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Whether a time is an instant or what a clock on some wall showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Zone {
    /// An instant.
    Utc,
    /// A wall clock's reading; never converted silently.
    Local,
}

/// The type of one field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DataType {
    /// True or false.
    Boolean,
    /// A signed 64-bit integer.
    Int64,
    /// A 64-bit IEEE 754 number.
    Float64,
    /// A fixed-point number: `precision` 1 to 38, `scale` 0 to `precision`.
    Decimal {
        /// Decimal digits in all.
        precision: u8,
        /// Digits after the point.
        scale: u8,
    },
    /// UTF-8 text.
    Text,
    /// Bytes.
    Bytes,
    /// One JSON value as text.
    Json,
    /// Days since 1970-01-01.
    Date,
    /// Microseconds since midnight.
    Time(Zone),
    /// Microseconds since 1970-01-01T00:00:00.
    Timestamp(Zone),
}

impl fmt::Display for DataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let zone = |zone: &Zone| match zone {
            Zone::Utc => "utc",
            Zone::Local => "local",
        };
        match self {
            Self::Boolean => f.write_str("boolean"),
            Self::Int64 => f.write_str("int64"),
            Self::Float64 => f.write_str("float64"),
            Self::Decimal { precision, scale } => write!(f, "decimal({precision}, {scale})"),
            Self::Text => f.write_str("text"),
            Self::Bytes => f.write_str("bytes"),
            Self::Json => f.write_str("json"),
            Self::Date => f.write_str("date"),
            Self::Time(of) => write!(f, "time({})", zone(of)),
            Self::Timestamp(of) => write!(f, "timestamp({})", zone(of)),
        }
    }
}

/// One field of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// The field's name.
    pub name: String,
    /// Its type.
    pub data_type: DataType,
    /// Whether null is a legal value.
    pub nullable: bool,
    /// What the value means beyond its type; carried, not interpreted.
    pub logical_type: Option<String>,
    /// For people.
    pub description: Option<String>,
}

/// The fields of a stream at one version of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schema {
    /// The declared fields, in order.
    pub fields: Vec<Field>,
    /// Whether rows (JSON lines) may carry fields that are not declared.
    pub additional_fields: bool,
}

/// How the rows of a batch are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// Arrow's memory layout.
    Columns,
    /// One JSON object a line.
    JsonLines,
}

/// A set of layouts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layouts {
    /// Columns are understood.
    pub columns: bool,
    /// JSON lines are understood.
    pub json_lines: bool,
}

impl Layouts {
    /// Whether `layout` is in the set.
    pub fn contains(self, layout: Layout) -> bool {
        match layout {
            Layout::Columns => self.columns,
            Layout::JsonLines => self.json_lines,
        }
    }
}

/// A set of operations.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operations {
    /// New rows.
    pub insert: bool,
    /// Changes of existing rows.
    pub update: bool,
    /// Insert or update.
    pub upsert: bool,
    /// Removals.
    pub delete: bool,
}

impl Operations {
    /// Whether `operation` is in the set.
    pub fn contains(self, operation: Operation) -> bool {
        match operation {
            Operation::Insert => self.insert,
            Operation::Update => self.update,
            Operation::Upsert => self.upsert,
            Operation::Delete => self.delete,
        }
    }
}

/// What a stream looks like at one version of its schema.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamSchema {
    /// The stream's name.
    pub stream: String,
    /// Counts up with each change within a run.
    pub version: u32,
    /// Its fields.
    pub schema: Schema,
    /// The fields that name a row; empty: rows have no key.
    pub keys: Vec<String>,
    /// What rows of this stream may ask for.
    pub operations: Operations,
    /// How its batches are laid out.
    pub layout: Layout,
}
