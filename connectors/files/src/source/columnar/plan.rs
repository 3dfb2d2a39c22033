//! What each field of a Parquet file becomes. Fields within fields become JSON.

use cofferdam_sdk::{Error, Result};
use parquet::{
    basic::{ConvertedType, LogicalType, Repetition},
    schema::types::{SchemaDescriptor, Type},
};

use super::convert::Conversion;
use crate::kind::Kind;

/// Deeper ones are of no use, and following them costs stack.
const DEPTH_MAX: usize = 32;

/// One field of a file.
#[derive(Debug)]
pub(crate) struct RootField {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) logical_type: Option<&'static str>,
    pub(crate) node: Node,
    /// In the order of the file.
    pub(crate) leaves: Vec<LeafPlan>,
}

/// One column of a file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LeafPlan {
    /// Its number in the file.
    pub(crate) number: usize,
    pub(crate) max_definition: i16,
    pub(crate) conversion: Conversion,
}

/// How a value is put together. A level is what the definition level reaches when the value is there.
#[derive(Debug)]
pub(crate) enum Node {
    /// The number is the leaf's place within its field.
    Leaf {
        leaf: usize,
        level: i16,
    },
    Group {
        members: Vec<(String, Node)>,
        level: i16,
    },
    /// `item_level` is reached when there is at least one item, `repetition` when a further one begins.
    List {
        item: Box<Node>,
        level: i16,
        item_level: i16,
        repetition: i16,
    },
    Map {
        key: usize,
        value: Option<Box<Node>>,
        level: i16,
        item_level: i16,
        repetition: i16,
    },
}

impl Node {
    /// A leaf of it: its levels say whether the value is there.
    pub(crate) fn first_leaf(&self) -> usize {
        match self {
            Self::Leaf { leaf, .. } => *leaf,
            Self::Group { members, .. } => members.first().map_or(0, |(_, node)| node.first_leaf()),
            Self::List { item, .. } => item.first_leaf(),
            Self::Map { key, .. } => *key,
        }
    }

    pub(crate) fn level(&self) -> i16 {
        match self {
            Self::Leaf { level, .. }
            | Self::Group { level, .. }
            | Self::List { level, .. }
            | Self::Map { level, .. } => *level,
        }
    }

    pub(crate) fn for_each_leaf(&self, visit: &mut impl FnMut(usize)) {
        match self {
            Self::Leaf { leaf, .. } => visit(*leaf),
            Self::Group { members, .. } => members.iter().for_each(|(_, node)| node.for_each_leaf(visit)),
            Self::List { item, .. } => item.for_each_leaf(visit),
            Self::Map { key, value, .. } => {
                visit(*key);
                if let Some(value) = value {
                    value.for_each_leaf(visit);
                }
            }
        }
    }
}

/// The fields of a file.
pub(crate) fn plan(schema: &SchemaDescriptor) -> Result<Vec<RootField>, String> {
    let mut fields = Vec::new();
    let mut next_leaf = 0;
    for field in schema.root_schema().get_fields() {
        let mut planner = Planner { schema, next_leaf, leaves: Vec::new() };
        let node = planner.node(field, 0, 0, 0)?;
        next_leaf = planner.next_leaf;
        let leaves = planner.leaves;
        let (kind, logical_type) = match (&node, leaves.first()) {
            (Node::Leaf { .. }, Some(leaf)) => (leaf.conversion.kind, leaf.conversion.logical_type),
            _ => (Kind::Json, None),
        };
        fields.push(RootField { name: field.name().to_owned(), kind, logical_type, node, leaves });
    }
    Ok(fields)
}

impl RootField {
    /// The field as the configuration wants it.
    pub(crate) fn with_kind(mut self, kind: Option<&Kind>) -> Result<Self> {
        let Some(kind) = kind.filter(|kind| **kind != self.kind) else { return Ok(self) };
        let refused = || {
            let message = format!("is {} in the file and cannot be read as {kind}", self.kind);
            Error::config(format!("/columns/{}", self.name), message)
        };
        let Node::Leaf { .. } = self.node else { return Err(refused()) };
        let leaf = self.leaves.first().ok_or_else(refused)?;
        let conversion = leaf.conversion.by_text(*kind).ok_or_else(refused)?;
        if let Some(leaf) = self.leaves.first_mut() {
            leaf.conversion = conversion;
        }
        Ok(Self { kind: *kind, logical_type: None, ..self })
    }
}

struct Planner<'a> {
    schema: &'a SchemaDescriptor,
    next_leaf: usize,
    leaves: Vec<LeafPlan>,
}

impl Planner<'_> {
    /// The node of a field, whose parent is there at this definition level and repeated at this repetition level.
    fn node(&mut self, field: &Type, level: i16, repetition: i16, depth: usize) -> Result<Node, String> {
        if depth > DEPTH_MAX {
            return Err(format!("more than {DEPTH_MAX} fields lie within each other"));
        }
        match field.get_basic_info().repetition() {
            Repetition::REQUIRED => self.present(field, level, repetition, depth),
            Repetition::OPTIONAL => self.present(field, level + 1, repetition, depth),
            // A repeated field without a list around it is a list that is never null.
            Repetition::REPEATED => {
                let item = self.present(field, level + 1, repetition + 1, depth)?;
                Ok(list(item, level, level + 1, repetition + 1))
            }
        }
    }

    fn present(&mut self, field: &Type, level: i16, repetition: i16, depth: usize) -> Result<Node, String> {
        if field.is_primitive() {
            return Ok(self.leaf(level));
        }
        let members = field.get_fields();
        let repeated = match members {
            [only] if only.get_basic_info().has_repetition() => {
                (only.get_basic_info().repetition() == Repetition::REPEATED).then_some(only)
            }
            _ => None,
        };
        match (outer(field), repeated) {
            (Some(Outer::List), Some(repeated)) => {
                let item = if is_item_itself(field, repeated) {
                    self.present(repeated, level + 1, repetition + 1, depth + 1)?
                } else {
                    let inner = repeated.get_fields().first().ok_or("a list without an item")?;
                    self.node(inner, level + 1, repetition + 1, depth + 1)?
                };
                Ok(list(item, level, level + 1, repetition + 1))
            }
            (Some(Outer::Map), Some(entries)) if entries.is_group() => {
                self.map(entries, level, repetition, depth)
            }
            _ => {
                if members.is_empty() {
                    return Err(format!("the field `{}` has no members", field.name()));
                }
                let members = members.iter().map(|member| {
                    Ok((member.name().to_owned(), self.node(member, level, repetition, depth + 1)?))
                });
                Ok(Node::Group { members: members.collect::<Result<_, String>>()?, level })
            }
        }
    }

    fn map(&mut self, entries: &Type, level: i16, repetition: i16, depth: usize) -> Result<Node, String> {
        let (key, value) = match entries.get_fields() {
            [key] => (key, None),
            [key, value] => (key, Some(value)),
            _ => return Err("a map whose entries are no pairs".to_owned()),
        };
        if !key.is_primitive() {
            return Err("a map whose keys are no plain values".to_owned());
        }
        let key_level = level + 1 + i16::from(key.is_optional());
        let Node::Leaf { leaf, .. } = self.leaf(key_level) else {
            return Err("a map without a key".to_owned());
        };
        let value = value.map(|value| self.node(value, level + 1, repetition + 1, depth + 1)).transpose()?;
        Ok(Node::Map {
            key: leaf,
            value: value.map(Box::new),
            level,
            item_level: level + 1,
            repetition: repetition + 1,
        })
    }

    fn leaf(&mut self, level: i16) -> Node {
        let column = self.schema.column(self.next_leaf);
        let leaf = LeafPlan {
            number: self.next_leaf,
            max_definition: column.max_def_level(),
            conversion: Conversion::of(&column),
        };
        self.next_leaf += 1;
        self.leaves.push(leaf);
        Node::Leaf { leaf: self.leaves.len() - 1, level }
    }
}

fn list(item: Node, level: i16, item_level: i16, repetition: i16) -> Node {
    Node::List { item: Box::new(item), level, item_level, repetition }
}

enum Outer {
    List,
    Map,
}

fn outer(field: &Type) -> Option<Outer> {
    let info = field.get_basic_info();
    match (info.logical_type_ref(), info.converted_type()) {
        (Some(LogicalType::List), _) | (None, ConvertedType::LIST) => Some(Outer::List),
        (Some(LogicalType::Map), _) | (None, ConvertedType::MAP | ConvertedType::MAP_KEY_VALUE) => {
            Some(Outer::Map)
        }
        _ => None,
    }
}

/// Old writers made lists of two levels: then what is repeated is the item, and no wrapper of it. These are the rules
/// of the format's document on backward compatibility.
fn is_item_itself(list: &Type, repeated: &Type) -> bool {
    repeated.is_primitive()
        || repeated.get_fields().len() != 1
        || repeated.name() == "array"
        || repeated.name() == format!("{}_tuple", list.name())
}
