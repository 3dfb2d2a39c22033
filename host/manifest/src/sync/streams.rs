//! Which streams of a source move, and what of them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::fault::Code;
use crate::json::to_json;
use crate::reader::{Node, refuse_duplicates};

/// Names of streams and fields are the source's own; this is longer than any database allows.
pub(super) const NAME_CHARS_MAX: usize = 255;

/// What to do with the rows that are there already.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Leave them; add ours.
    #[default]
    Append,
    /// Rows with the same key are updated; others stay.
    Upsert,
    /// As `upsert`, and rows that the source deletes are deleted.
    Mirror,
    /// Ours take the place of all that was there.
    Replace,
}

const MODES: [(&str, Mode); 4] = [
    ("append", Mode::Append),
    ("upsert", Mode::Upsert),
    ("mirror", Mode::Mirror),
    ("replace", Mode::Replace),
];

/// How a condition compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Comparison {
    /// The same value.
    Equal,
    /// Another value, not null.
    NotEqual,
    /// Below.
    Less,
    /// Below or the same.
    LessOrEqual,
    /// Above.
    Greater,
    /// Above or the same.
    GreaterOrEqual,
    /// Null.
    IsNull,
    /// Anything but null.
    IsNotNull,
}

const COMPARISONS: [(&str, Comparison); 8] = [
    ("equal", Comparison::Equal),
    ("not-equal", Comparison::NotEqual),
    ("less", Comparison::Less),
    ("less-or-equal", Comparison::LessOrEqual),
    ("greater", Comparison::Greater),
    ("greater-or-equal", Comparison::GreaterOrEqual),
    ("is-null", Comparison::IsNull),
    ("is-not-null", Comparison::IsNotNull),
];

/// `field comparison value`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Condition {
    /// The field.
    pub field: String,
    /// How it is compared.
    pub comparison: Comparison,
    /// With what; null for `is-null` and `is-not-null`.
    pub value: Value,
}

/// One stream that moves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StreamSelection {
    /// The stream's name.
    pub name: String,
    /// How it is written.
    pub mode: Mode,
    /// The fields wanted, in this order; none: all.
    pub fields: Option<Vec<String>>,
    /// All must hold; empty: every row.
    pub filter: Vec<Condition>,
    /// At most so many rows.
    pub limit: Option<u64>,
}

/// The `streams` of a sync.
pub(super) fn read_streams(node: &Node<'_>) -> Option<Vec<StreamSelection>> {
    let items = node.items()?;
    if items.is_empty() {
        let hint = "leave `streams` out to move every stream".to_owned();
        node.fault_with(Code::WrongValue, "names no stream", Some(hint));
        return None;
    }
    let read: Vec<Option<StreamSelection>> = items.iter().map(read_stream).collect();
    let named = read
        .iter()
        .zip(&items)
        .filter_map(|(read, node)| read.as_ref().map(|read| (read.name.as_str(), node)));
    refuse_duplicates("the stream", named);
    read.into_iter().collect()
}

fn read_stream(node: &Node<'_>) -> Option<StreamSelection> {
    let table = node.table(&["name", "mode", "fields", "filter", "limit"])?;
    let name = table.required("name").and_then(|name| name.line_of_text(NAME_CHARS_MAX));
    let mode = table.optional("mode", |mode| mode.choice(&MODES));
    let fields = table.optional("fields", read_fields);
    let limit = table.optional("limit", Node::unsigned);
    let filter: Vec<Option<Condition>> = table.items("filter").iter().map(read_condition).collect();
    let filter: Option<Vec<Condition>> = filter.into_iter().collect();
    Some(StreamSelection {
        name: name?,
        mode: mode?.unwrap_or_default(),
        fields: fields?,
        filter: filter?,
        limit: limit?,
    })
}

fn read_fields(node: &Node<'_>) -> Option<Vec<String>> {
    let items = node.items()?;
    if items.is_empty() {
        let hint = "leave `fields` out to move every field".to_owned();
        node.fault_with(Code::WrongValue, "names no field", Some(hint));
        return None;
    }
    let read: Vec<Option<String>> = items.iter().map(|item| item.line_of_text(NAME_CHARS_MAX)).collect();
    let named = read.iter().zip(&items).filter_map(|(name, node)| name.as_deref().map(|name| (name, node)));
    refuse_duplicates("the field", named);
    read.into_iter().collect()
}

fn read_condition(node: &Node<'_>) -> Option<Condition> {
    let table = node.table(&["field", "comparison", "value"])?;
    let field = table.required("field").and_then(|field| field.line_of_text(NAME_CHARS_MAX));
    let comparison = table.required("comparison").and_then(|comparison| comparison.choice(&COMPARISONS));
    let value = match comparison {
        Some(Comparison::IsNull | Comparison::IsNotNull) => table.optional("value", |value| {
            value.fault(Code::WrongValue, "a comparison with null has no value");
            None
        }),
        Some(_) => table.required("value").and_then(|value| to_json(&value)).map(Some),
        None => None,
    };
    Some(Condition { field: field?, comparison: comparison?, value: value?.unwrap_or(Value::Null) })
}
