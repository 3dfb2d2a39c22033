//! Conditions that the source does not push down, judged by the host.

use super::cell::{Cell, of_column, of_json};
use super::json_line::{FieldIndex, ParsedLine, lines};
use super::{RowFault, Sieve};
use crate::model::{Batch, Comparison, Condition, DataType, Reject, Rows, StreamSchema};
use std::cmp::Ordering;

/// Why a condition cannot be judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterFault {
    /// The field that it names.
    pub field: String,
    /// Whether the schema has this field at all.
    pub known: bool,
    /// What is wrong.
    pub message: String,
}

/// Conditions that were checked against a schema; a row passes when all hold.
///
/// Null and absent pass only `is-null`. Text is compared byte by byte, NaN is equal to nothing.
#[derive(Debug)]
pub struct Filter {
    schema: StreamSchema,
    tests: Vec<Test>,
}

#[derive(Debug)]
struct Test {
    place: usize,
    comparison: Comparison,
    value: Cell<'static>,
}

impl Filter {
    /// Checks the conditions against the schema of the batches that will come.
    pub fn new(schema: &StreamSchema, conditions: &[Condition]) -> Result<Self, FilterFault> {
        let tests = conditions.iter().map(|condition| test(schema, condition)).collect::<Result<_, _>>()?;
        Ok(Self { schema: schema.clone(), tests })
    }

    /// The rows that pass (none: all of them), and those that cannot be judged.
    pub fn apply(&self, batch: &Batch) -> (Option<Vec<u32>>, Vec<Reject>) {
        let mut sieve = Sieve::default();
        match &batch.rows {
            Rows::Columns(given) => {
                for row in 0..given.row_count {
                    let holds = |test: &Test| {
                        given
                            .columns
                            .get(test.place)
                            .is_some_and(|column| test.holds(&of_column(column, row as usize)))
                    };
                    if self.tests.iter().all(holds) { sieve.keep(row) } else { sieve.leave_out() }
                }
            }
            Rows::JsonLines(given) => {
                let index = FieldIndex::new(&self.schema.schema.fields);
                let mut parsed = ParsedLine::new(&index);
                for (row, line) in (0..).zip(lines(given)) {
                    match parsed.parse(line, &index).and_then(|()| self.passes(&parsed)) {
                        Ok(true) => sieve.keep(row),
                        Ok(false) => sieve.leave_out(),
                        Err(fault) => sieve.reject(row, fault),
                    }
                }
            }
        }
        sieve.finish()
    }

    fn passes(&self, parsed: &ParsedLine<'_>) -> Result<bool, RowFault> {
        for test in &self.tests {
            let Some(field) = self.schema.schema.fields.get(test.place) else { return Ok(false) };
            let raw = parsed.declared.get(test.place).copied().flatten().unwrap_or("null");
            let cell = of_json(raw, field.data_type).map_err(|fault| fault.in_field(&field.name))?;
            if !test.holds(&cell) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn test(schema: &StreamSchema, condition: &Condition) -> Result<Test, FilterFault> {
    let fault = |known: bool, message: String| FilterFault { field: condition.field.clone(), known, message };
    let fields = &schema.schema.fields;
    let Some((place, field)) = fields.iter().enumerate().find(|(_, field)| field.name == condition.field)
    else {
        return Err(fault(false, "is not a field of the stream".into()));
    };
    let by_null = matches!(condition.comparison, Comparison::IsNull | Comparison::IsNotNull);
    let value = if by_null {
        Cell::Null
    } else if field.data_type == DataType::Json {
        return Err(fault(true, "is of type json, which compares with null only".into()));
    } else {
        value(condition, field.data_type).map_err(|message| fault(true, message))?
    };
    let ordered = !matches!(condition.comparison, Comparison::Equal | Comparison::NotEqual) && !by_null;
    if ordered && field.data_type == DataType::Boolean {
        return Err(fault(true, "is a boolean, which has no order".into()));
    }
    Ok(Test { place, comparison: condition.comparison, value })
}

fn value(condition: &Condition, data_type: DataType) -> Result<Cell<'static>, String> {
    let wrong = |what: String| format!("cannot be compared with `{}`: {what}", condition.value);
    let parsed: &serde_json::value::RawValue =
        serde_json::from_str(&condition.value).map_err(|error| wrong(error.to_string()))?;
    match of_json(parsed.get(), data_type).map_err(|fault| wrong(fault.message))? {
        Cell::Null => Err(wrong("use `is-null` or `is-not-null`".into())),
        cell => Ok(owned(cell)),
    }
}

fn owned(cell: Cell<'_>) -> Cell<'static> {
    match cell {
        Cell::Text(text) => Cell::Text(text.into_owned().into()),
        Cell::Json(text) => Cell::Json(text.into_owned().into()),
        Cell::Bytes(bytes) => Cell::Bytes(bytes.into_owned().into()),
        Cell::Absent => Cell::Absent,
        Cell::Null => Cell::Null,
        Cell::Boolean(value) => Cell::Boolean(value),
        Cell::Int64(value) => Cell::Int64(value),
        Cell::Float64(value) => Cell::Float64(value),
        Cell::Decimal(value) => Cell::Decimal(value),
        Cell::Date(value) => Cell::Date(value),
        Cell::Time(value) => Cell::Time(value),
        Cell::Timestamp(value) => Cell::Timestamp(value),
    }
}

impl Test {
    fn holds(&self, cell: &Cell<'_>) -> bool {
        let is_null = matches!(cell, Cell::Null | Cell::Absent);
        match self.comparison {
            Comparison::IsNull => is_null,
            Comparison::IsNotNull => !is_null,
            _ if is_null => false,
            Comparison::Equal => order(cell, &self.value) == Some(Ordering::Equal),
            Comparison::NotEqual => order(cell, &self.value) != Some(Ordering::Equal),
            Comparison::Less => order(cell, &self.value) == Some(Ordering::Less),
            Comparison::LessOrEqual => order(cell, &self.value).is_some_and(Ordering::is_le),
            Comparison::Greater => order(cell, &self.value) == Some(Ordering::Greater),
            Comparison::GreaterOrEqual => order(cell, &self.value).is_some_and(Ordering::is_ge),
        }
    }
}

fn order(left: &Cell<'_>, right: &Cell<'_>) -> Option<Ordering> {
    match (left, right) {
        (Cell::Boolean(left), Cell::Boolean(right)) => Some(left.cmp(right)),
        (Cell::Int64(left), Cell::Int64(right))
        | (Cell::Time(left), Cell::Time(right))
        | (Cell::Timestamp(left), Cell::Timestamp(right)) => Some(left.cmp(right)),
        (Cell::Float64(left), Cell::Float64(right)) => left.partial_cmp(right),
        (Cell::Decimal(left), Cell::Decimal(right)) => Some(left.cmp(right)),
        (Cell::Text(left), Cell::Text(right)) => Some(left.cmp(right)),
        (Cell::Bytes(left), Cell::Bytes(right)) => Some(left.cmp(right)),
        (Cell::Date(left), Cell::Date(right)) => Some(left.cmp(right)),
        _ => None,
    }
}
