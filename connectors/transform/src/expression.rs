//! Expressions in the Common Expression Language: read once, bound to the fields of a schema, evaluated row by row over
//! no other columns than those that they mention.

mod failure;
mod functions;
mod json;
mod names;
mod result;
mod row;

use std::sync::Arc;

use cel::{Context, Env, ExecutionError, IdedExpr, Value, common::value::Val, parser::PrattParser};
use cofferdam_sdk::{ColumnView, Field};

use row::{Missing, RowValues};

pub(crate) use result::{push, truth};

/// How long an expression may be: it is written by a person.
const SOURCE_BYTES_MAX: usize = 16 << 10;
/// How deep it may be: each level takes some stack, of which a connector has one MiB.
const DEPTH_MAX: usize = 200;
/// How much of an error a message repeats: it may quote whole values.
const MESSAGE_CHARS_MAX: usize = 300;

/// An expression that parses.
#[derive(Debug, Clone)]
pub(crate) struct Parsed {
    tree: IdedExpr,
}

/// An expression whose names are fields of a schema.
pub(crate) struct Expression {
    tree: IdedExpr,
    env: Arc<Env>,
    /// The fields that it mentions, and their places in the schema.
    pub(crate) fields: Vec<Field>,
    pub(crate) places: Vec<usize>,
}

/// Why there is no value.
#[derive(Debug, PartialEq)]
pub(crate) enum Fault {
    /// A field that it needs is not part of the row.
    Absent(String),
    /// It failed.
    Failed(String),
}

impl Parsed {
    /// Parse; else where it fails and why.
    pub(crate) fn new(source: &str) -> Result<Self, String> {
        if source.len() > SOURCE_BYTES_MAX {
            return Err(format!("has {} bytes, {SOURCE_BYTES_MAX} are allowed", source.len()));
        }
        match PrattParser::new().enable_ident_escape_syntax(true).parse(source) {
            Ok(tree) => {
                let depth = names::depth(&tree);
                if depth <= DEPTH_MAX {
                    return Ok(Self { tree });
                }
                // To free it would take as much stack as to evaluate it. It is small, and the instance ends here.
                std::mem::forget(tree);
                Err(format!("is {depth} calls deep, {DEPTH_MAX} are allowed"))
            }
            // What follows the first error is mostly its consequence.
            Err(errors) => Err(errors.errors.first().map_or_else(
                || "does not parse".to_owned(),
                |error| {
                    let message = error.msg.trim_start_matches("Syntax error: ");
                    match error.pos {
                        // An error of the whole has no place.
                        (0, _) => format!("does not parse: {message}"),
                        (line, column) => {
                            format!("does not parse at line {line}, column {column}: {message}")
                        }
                    }
                },
            )),
        }
    }

    /// Bind the names to fields; else each name that is none.
    pub(crate) fn bind(&self, fields: &[Field]) -> Result<Expression, Vec<String>> {
        let mut tree = self.tree.clone();
        let places = names::bind(&mut tree, fields)?;
        let fields = places.iter().filter_map(|place| fields.get(*place).cloned()).collect();
        Ok(Expression { tree, env: functions::env(), fields, places })
    }
}

impl Expression {
    /// The value for one row of the columns of [`fields`](Self::fields), as `read` takes it.
    pub(crate) fn evaluate<T>(
        &self,
        columns: &[ColumnView<'_>],
        row: usize,
        read: impl FnOnce(&dyn Val) -> Result<T, String>,
    ) -> Result<T, Fault> {
        let values = RowValues::new(columns, row);
        let mut context = Context::with_env(Arc::clone(&self.env));
        context.set_variable_resolver(&values);
        let error = match Value::resolve_val(&self.tree, &context) {
            Ok(value) => return read(value.as_ref()).map_err(Fault::Failed),
            Err(error) => error,
        };
        Err(match values.missing() {
            Some(Missing::Absent(field)) => Fault::Absent(field.clone()),
            Some(Missing::Unreadable(message)) => Fault::Failed(message.clone()),
            None => Fault::Failed(describe(&error, columns, row)),
        })
    }
}

/// The error and, since that is mostly why, which of the fields are null.
fn describe(error: &ExecutionError, columns: &[ColumnView<'_>], row: usize) -> String {
    let error = failure::describe(error);
    let mut message: String = error.chars().take(MESSAGE_CHARS_MAX).collect();
    if message.len() < error.len() {
        message.push('…');
    }
    let nulls = columns.iter().filter(|column| column.is_null(row));
    let nulls: Vec<String> = nulls.map(|column| format!("`{}`", column.field().name)).collect();
    if !nulls.is_empty() {
        message.push_str(&format!("; null here: {}", nulls.join(", ")));
    }
    message
}

impl std::fmt::Debug for Expression {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Expression").field("tree", &self.tree).finish_non_exhaustive()
    }
}
