//! Which streams of a source move, and what of them.

use super::words;
use manifest::{Comparison, Condition, Mode, StreamSelection};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// A stream that moves.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SyncStream)]
pub(crate) struct WrittenStream {
    /// As the source calls it.
    #[schema(min_length = 1, max_length = 255)]
    name: String,
    /// What becomes of the rows that are there already.
    #[serde(default)]
    #[schema(schema_with = words::mode)]
    mode: Mode,
    /// The fields wanted, in this order; none: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_items = 1)]
    fields: Option<Vec<String>>,
    /// All of these must hold; empty: every row moves.
    #[serde(default)]
    filter: Vec<WrittenCondition>,
    /// At most so many rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    limit: Option<u64>,
}

/// A condition that a row fulfils.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SyncCondition)]
pub(crate) struct WrittenCondition {
    #[schema(min_length = 1, max_length = 255)]
    field: String,
    #[schema(schema_with = words::comparison)]
    comparison: Comparison,
    /// With what the field is compared; left out for `is-null` and `is-not-null`.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    value: Value,
}

impl From<WrittenStream> for StreamSelection {
    fn from(written: WrittenStream) -> Self {
        let WrittenStream { name, mode, fields, filter, limit } = written;
        Self { name, mode, fields, filter: filter.into_iter().map(Into::into).collect(), limit }
    }
}

impl From<StreamSelection> for WrittenStream {
    fn from(selection: StreamSelection) -> Self {
        let StreamSelection { name, mode, fields, filter, limit } = selection;
        Self { name, mode, fields, filter: filter.into_iter().map(Into::into).collect(), limit }
    }
}

impl From<WrittenCondition> for Condition {
    fn from(written: WrittenCondition) -> Self {
        let WrittenCondition { field, comparison, value } = written;
        Self { field, comparison, value }
    }
}

impl From<Condition> for WrittenCondition {
    fn from(condition: Condition) -> Self {
        let Condition { field, comparison, value } = condition;
        Self { field, comparison, value }
    }
}
