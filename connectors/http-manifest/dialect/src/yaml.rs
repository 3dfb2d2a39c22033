//! YAML as a tree in which each node knows its place. Bounded: what nests too deep, is too large or shares too much is
//! refused before it costs memory. Anchors and merge keys are resolved here, `$ref` is not.

mod builder;
mod scalar;

use std::rc::Rc;

use saphyr_parser::Parser;
use serde_json::Number;

use crate::{Fault, Place};

/// A manifest with all its schemas is some hundred kilobytes; the largest published ones are under two megabytes.
const TEXT_BYTES_MAX: usize = 8 << 20;

/// One value with its place. Cloning shares the value.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) place: Place,
    pub(crate) value: Rc<Value>,
}

/// A value.
#[derive(Debug)]
pub(crate) enum Value {
    Null,
    Boolean(bool),
    Number(Number),
    Text(String),
    Sequence(Vec<Node>),
    Mapping(Mapping),
}

/// Keys and values in the order of the text; each key once.
#[derive(Debug, Default)]
pub(crate) struct Mapping {
    pub(crate) entries: Vec<Entry>,
}

/// A key and its value.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) place: Place,
    pub(crate) node: Node,
    /// Whether it came through a merge key.
    merged: bool,
}

impl Mapping {
    pub(crate) fn get(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }
}

/// Reads one document.
pub(crate) fn parse(text: &str) -> Result<Node, Fault> {
    if text.len() > TEXT_BYTES_MAX {
        let message = format!("the text has {} bytes, at most {TEXT_BYTES_MAX} are read", text.len());
        return Err(whole(message));
    }
    let mut builder = builder::Builder::default();
    for event in Parser::new_from_str(text.trim_start_matches('\u{feff}')) {
        let (event, span) = event.map_err(|error| Fault {
            place: place(error.marker()),
            path: String::new(),
            message: format!("is not YAML: {}", error.info()),
            hint: None,
        })?;
        builder.take(event, place(&span.start))?;
    }
    builder.finish().ok_or_else(|| whole("the text is empty".to_owned()))
}

fn place(marker: &saphyr_parser::Marker) -> Place {
    Place { line: marker.line(), column: marker.col() + 1 }
}

fn whole(message: String) -> Fault {
    Fault { place: Place { line: 1, column: 1 }, path: String::new(), message, hint: None }
}

#[cfg(test)]
mod tests;
