//! Work on the rows of batches: from one layout to the other, selection, filter, single rows.
//!
//! A row that cannot be converted becomes a reject; it never fails its batch. The host comes here only when two sides
//! disagree, or when a row error or a preview needs it.
//!
//! How a value is written in a JSON line, and read from it:
//!
//! | type | JSON | also read |
//! |---|---|---|
//! | boolean | `true`, `false` | |
//! | int64 | number | a number with a fraction of zeros or an exponent, within ±2^53 |
//! | float64 | number; NaN and infinities are refused (`not_a_json_number`) | |
//! | decimal | string, `"-12.50"`, as many digits after the point as the scale | number |
//! | text | string | |
//! | bytes | string, base64 with padding | base64 without padding |
//! | json | the value itself | |
//! | date | string, `"2026-07-01"`, years 0000 to 9999 | |
//! | time | string, `"13:05:00.25"`, with `Z` for utc and without for local | |
//! | timestamp | string, RFC 3339, `"2026-07-01T13:05:00Z"` for utc; without `Z` for local | utc: an offset instead of `Z` |
//!
//! An absent value is a missing key, null is `null`. Undeclared keys, where the schema allows them, are kept in one more
//! column of type json, `_additional`: an object, or null where there are none.

mod build;
mod cell;
mod columns;
mod date;
mod decimal;
mod filter;
mod json_line;
mod json_lines;
mod key;
mod pieces;
mod project;
mod single;
mod take;

pub use columns::to_columns;
pub use filter::{Filter, FilterFault};
pub use json_lines::{row_json, to_json_lines};
pub use key::Keys;
pub use pieces::{Piece, convert_in_pieces};
pub use project::{project, project_schema};
pub use single::{field_names, singles, sizes};
pub use take::{row, split, take};

use crate::model::{Batch, DataType, Field, Layout, Reject, Rows, StreamSchema};

/// Codes of the rejects that are made here.
pub mod codes {
    /// A float that is NaN or infinite has no form in JSON.
    pub const NOT_A_JSON_NUMBER: &str = "not_a_json_number";
    /// The line, or a value of type json, is not JSON.
    pub const NOT_JSON: &str = "not_json";
    /// The line is JSON, but no object.
    pub const NOT_AN_OBJECT: &str = "not_an_object";
    /// A value is not of the declared type.
    pub const WRONG_TYPE: &str = "wrong_type";
    /// A value is of the type, but too large for it or for its text form.
    pub const OUT_OF_RANGE: &str = "out_of_range";
    /// A value has digits that the declared type would lose.
    pub const PRECISION_LOSS: &str = "precision_loss";
    /// A key is not declared and the schema does not allow others.
    pub const UNDECLARED_FIELD: &str = "undeclared_field";
    /// A key stands twice in its object.
    pub const DUPLICATE_FIELD: &str = "duplicate_field";
    /// The row is over the contract's limit in the layout that is wanted.
    pub const ROW_TOO_LARGE: &str = "row_too_large";
}

/// What became of a batch: the rows that went through, and those that could not.
#[derive(Debug, Clone, PartialEq)]
pub struct Converted {
    /// The rows that went through, in their order.
    pub batch: Batch,
    /// The index that each of them had before; none: all rows went through.
    pub kept: Option<Vec<u32>>,
    /// The others, by the index that they had before.
    pub rejected: Vec<Reject>,
}

/// The schema of a stream after [`to_columns`] or [`to_json_lines`]; the same where the layout is that already.
pub fn converted_schema(schema: &StreamSchema, layout: Layout) -> StreamSchema {
    let mut converted = schema.clone();
    if schema.layout == layout {
        return converted;
    }
    converted.layout = layout;
    if layout == Layout::Columns && schema.schema.additional_fields {
        converted.schema.additional_fields = false;
        converted.schema.fields.push(Field {
            name: additional_name(schema),
            data_type: DataType::Json,
            nullable: true,
            logical_type: None,
            description: Some("the fields of the row that the schema does not declare".into()),
        });
    }
    converted
}

/// The batch in the layout that is wanted, at once; `schema` is the one that it has now. [`convert_in_pieces`] does the
/// same in bounded memory.
pub fn convert(batch: &Batch, schema: &StreamSchema, layout: Layout) -> Converted {
    match (&batch.rows, layout) {
        (Rows::Columns(_), Layout::JsonLines) => to_json_lines(batch, schema),
        (Rows::JsonLines(_), Layout::Columns) => to_columns(batch, schema),
        _ => Converted { batch: batch.clone(), kept: None, rejected: Vec::new() },
    }
}

/// `_additional`, with as many more `_` as it takes to be no declared field.
fn additional_name(schema: &StreamSchema) -> String {
    let mut name = String::from("_additional");
    while schema.schema.fields.iter().any(|field| field.name == name) {
        name.push('_');
    }
    name
}

/// Why one row cannot be converted.
#[derive(Debug)]
struct RowFault {
    code: &'static str,
    message: String,
}

impl RowFault {
    fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    fn in_field(self, field: &str) -> Self {
        Self { code: self.code, message: format!("field `{field}`: {}", self.message) }
    }

    /// Trying again cannot help: the same bytes would fail in the same way.
    fn reject(self, row: u32) -> Reject {
        Reject { row, code: self.code.into(), message: self.message, retryable: false }
    }
}

/// Collects which rows of a batch went through.
#[derive(Debug, Default)]
struct Sieve {
    kept: Vec<u32>,
    rejected: Vec<Reject>,
    left_out: bool,
}

impl Sieve {
    fn keep(&mut self, row: u32) {
        self.kept.push(row);
    }

    fn leave_out(&mut self) {
        self.left_out = true;
    }

    fn reject(&mut self, row: u32, fault: RowFault) {
        self.left_out = true;
        self.rejected.push(fault.reject(row));
    }

    /// The rows that went through; none: all of them.
    fn finish(self) -> (Option<Vec<u32>>, Vec<Reject>) {
        (self.left_out.then_some(self.kept), self.rejected)
    }
}

#[cfg(test)]
mod tests;
