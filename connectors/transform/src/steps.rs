//! What is done with the rows of a batch.

use cofferdam_sdk::{Cell, Column, ColumnsBuilder, ColumnsView, Error, Field, Operation, Result};

use crate::{
    cast,
    config::OnError,
    expression::{self, Expression, Fault},
    work::Work,
};

/// One step over rows.
#[derive(Debug)]
pub(crate) enum RowStep {
    /// Leave out the columns at these places, from the last one.
    Drop(Vec<usize>),
    Cast {
        place: usize,
        from: Field,
        to: Field,
        on_error: OnError,
    },
    /// The place may be one past the last column.
    Compute {
        place: usize,
        field: Field,
        expression: Expression,
        on_error: OnError,
    },
    Filter(Expression),
}

impl RowStep {
    pub(crate) fn apply(&self, work: &mut Work) -> Result<()> {
        match self {
            Self::Drop(places) => {
                places.iter().for_each(|place| work.drop_column(*place));
                Ok(())
            }
            Self::Cast { place, from, to, on_error } => {
                let made = work.view(&[*place], std::slice::from_ref(from), |view, work| {
                    make(to, "cast_failed", *on_error, work, |row, column| match view.columns().first() {
                        Some(values) => match values.cell(row) {
                            Cell::Null | Cell::Json("null") if !to.nullable => Err("is null".to_owned()),
                            cell => cast::push(cell, column),
                        },
                        None => Err("is not there".to_owned()),
                    })
                })?;
                put(work, *place, made?);
                Ok(())
            }
            Self::Compute { place, field, expression, on_error } => {
                let made = work.view(&expression.places, &expression.fields, |view, work| {
                    make(field, "expression_failed", *on_error, work, |row, column| {
                        let push = |value: &dyn cel::common::value::Val| {
                            expression::push(value, column, field.nullable)
                        };
                        match expression.evaluate(view.columns(), row, push) {
                            Ok(()) => Ok(()),
                            // What follows from a field that a change leaves untouched is left untouched too.
                            Err(Fault::Absent(_)) => {
                                column.push_absent();
                                Ok(())
                            }
                            Err(Fault::Failed(message)) => Err(message),
                        }
                    })
                })?;
                put(work, *place, made?);
                Ok(())
            }
            Self::Filter(expression) => {
                let kept = work.view(&expression.places, &expression.fields, |view, work| {
                    filter(expression, view, work)
                })?;
                work.keep(&kept);
                Ok(())
            }
        }
    }
}

/// A column of the rows that are kept.
struct Made {
    column: Column,
    kept: Vec<u32>,
}

/// Make a column row by row; a row for which that fails is null there or rejected.
fn make(
    field: &Field,
    code: &str,
    on_error: OnError,
    work: &mut Work,
    mut push: impl FnMut(usize, &mut cofferdam_sdk::ColumnBuilder) -> Result<(), String>,
) -> Result<Made> {
    let mut builder = ColumnsBuilder::new(std::slice::from_ref(field));
    let mut kept = Vec::with_capacity(work.rows() as usize);
    for row in 0..work.rows() {
        match push(row as usize, builder.column(0)) {
            Ok(()) => kept.push(row),
            Err(_) if on_error == OnError::Null => {
                builder.column(0).push_null();
                kept.push(row);
            }
            Err(message) => work.reject(row, code, format!("`{}`: {message}", field.name)),
        }
    }
    let column = builder.finish()?.columns.pop();
    let column = column.ok_or_else(|| Error::bug("a column was made and is not there"))?;
    Ok(Made { column, kept })
}

fn put(work: &mut Work, place: usize, made: Made) {
    work.keep(&made.kept);
    work.put(place, made.column);
}

/// The rows for which the expression is true.
fn filter(expression: &Expression, view: &ColumnsView<'_>, work: &mut Work) -> Vec<u32> {
    let mut kept = Vec::with_capacity(work.rows() as usize);
    for row in 0..work.rows() {
        match expression.evaluate(view.columns(), row as usize, expression::truth) {
            Ok(true) => kept.push(row),
            Ok(false) => {}
            // A removal names its row and no more; to remove what never came in does no harm.
            Err(Fault::Absent(_)) if work.operation(row) == Some(Operation::Delete) => kept.push(row),
            Err(Fault::Absent(field)) => {
                work.reject(row, "expression_failed", format!("the filter needs `{field}`, which is absent"));
            }
            Err(Fault::Failed(message)) => {
                work.reject(row, "expression_failed", format!("the filter: {message}"))
            }
        }
    }
    kept
}
