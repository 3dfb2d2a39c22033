//! The values of one row, as an expression asks for them.

use std::sync::OnceLock;

use cel::{
    common::{
        types::{CelBool, CelBytes, CelDouble, CelInt, CelNull, CelString, CelTimestamp},
        value::CowVal,
    },
    context::VariableResolver,
};
use chrono::DateTime;
use cofferdam_sdk::{Cell, ColumnView, DataType, DecimalType, Zone};

use super::{json, names::meaning};
use crate::{cast, decimal};

/// Each decimal number of so many digits has a float of its own that rounds back to it.
const EXACT_DIGITS_MAX: u8 = 15;

/// Why a value could not be given.
#[derive(Debug)]
pub(super) enum Missing {
    /// The field is not part of the row.
    Absent(String),
    /// There is a value, and the language has no form for it.
    Unreadable(String),
}

/// The values of one row.
#[derive(Debug)]
pub(super) struct RowValues<'r> {
    columns: &'r [ColumnView<'r>],
    row: usize,
    missing: OnceLock<Missing>,
}

impl<'r> RowValues<'r> {
    pub(super) fn new(columns: &'r [ColumnView<'r>], row: usize) -> Self {
        Self { columns, row, missing: OnceLock::new() }
    }

    /// What was asked for and could not be given, if anything.
    pub(super) fn missing(&self) -> Option<&Missing> {
        self.missing.get()
    }

    fn note<T>(&self, missing: impl FnOnce() -> Missing) -> Option<T> {
        self.missing.get_or_init(missing);
        None
    }

    fn value<'b>(&'b self, column: &ColumnView<'b>) -> Option<CowVal<'b, 'b>> {
        let name = || column.field().name.clone();
        Some(match column.cell(self.row) {
            Cell::Absent => return self.note(|| Missing::Absent(name())),
            Cell::Null => CowVal::owned(CelNull),
            Cell::Boolean(value) => CowVal::owned(CelBool::from(value)),
            Cell::Int64(value) => CowVal::owned(CelInt::from(value)),
            Cell::Float64(value) => CowVal::owned(CelDouble::from(value)),
            Cell::Decimal { unscaled, scale } if is_number(&column.field().data_type) => {
                CowVal::owned(CelDouble::from(decimal::to_float(unscaled, scale)))
            }
            Cell::Text(text) => CowVal::owned(CelString::from(text)),
            Cell::Bytes(bytes) => CowVal::owned(CelBytes::from(bytes)),
            Cell::Json(text) => match json::parse(text) {
                Ok(value) => CowVal::Owned(value),
                Err(error) => {
                    return self.note(|| Missing::Unreadable(format!("`{}` is no JSON: {error}", name())));
                }
            },
            Cell::Timestamp(micros, Zone::Utc) => match DateTime::from_timestamp_micros(micros) {
                Some(moment) => CowVal::owned(CelTimestamp::from(moment.fixed_offset())),
                None => {
                    return self.note(|| Missing::Unreadable(format!("`{}` is out of all years", name())));
                }
            },
            cell => CowVal::owned(CelString::from(cast::text(cell).unwrap_or_default())),
        })
    }
}

/// Whether a decimal is a number in expressions, and not its text.
fn is_number(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Decimal(DecimalType { precision, .. }) if *precision <= EXACT_DIGITS_MAX)
}

impl VariableResolver for RowValues<'_> {
    fn resolve<'b>(&'b self, name: &str) -> Option<CowVal<'b, 'b>> {
        let (place, presence) = meaning(name)?;
        let column = self.columns.get(place)?;
        if presence {
            return Some(CowVal::owned(CelBool::from(column.is_present(self.row))));
        }
        self.value(column)
    }
}
