//! Builds the tree out of the parser's events. Anchored values are shared, not copied.

use std::{collections::HashMap, rc::Rc};

use saphyr_parser::{Event, ScalarStyle};

use super::{Entry, Mapping, Node, Value, scalar};
use crate::{Fault, Place, words::quoted};

/// Deeper values are of no use to a manifest, and each level costs stack in whoever walks the tree.
const DEPTH_MAX: usize = 100;

/// Values of one document, each alias counted as what it stands for.
const NODES_MAX: usize = 1_000_000;

#[derive(Default)]
pub(super) struct Builder {
    open: Vec<Open>,
    /// Values with anchors, and how many values each holds.
    anchors: HashMap<usize, (Node, usize)>,
    nodes: usize,
    root: Option<Node>,
}

/// A collection that is not closed yet.
struct Open {
    place: Place,
    anchor: usize,
    /// How many values there were when it was opened.
    nodes_before: usize,
    content: Content,
}

enum Content {
    Sequence(Vec<Node>),
    /// The entries, and the key that waits for its value.
    Mapping(Mapping, Option<(String, Place)>),
}

impl Builder {
    pub(super) fn take(&mut self, event: Event<'_>, place: Place) -> Result<(), Fault> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let text_tag = tag.as_ref().is_some_and(|tag| tag.suffix == "str");
                if let Some(tag) = tag.filter(|tag| !tag.is_yaml_core_schema()) {
                    let name = format!("{}{}", tag.handle, tag.suffix);
                    return Err(fault(place, format!("the tag {} is not known", quoted(&name))));
                }
                let value = scalar::value(&text, style == ScalarStyle::Plain && !text_tag);
                let node = self.count(Node { place, value: Rc::new(value) }, 1)?;
                self.keep_anchor(anchor, &node, 1);
                self.add(node)
            }
            Event::SequenceStart(anchor, _) => self.open(place, anchor, Content::Sequence(Vec::new())),
            Event::MappingStart(anchor, _) => {
                self.open(place, anchor, Content::Mapping(Mapping::default(), None))
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Alias(anchor) => self.alias(anchor, place),
            Event::DocumentStart(_) if self.root.is_some() => {
                Err(fault(place, "a second document begins; a manifest is one".to_owned()))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn finish(self) -> Option<Node> {
        self.root
    }

    fn open(&mut self, place: Place, anchor: usize, content: Content) -> Result<(), Fault> {
        if self.open.len() == DEPTH_MAX {
            return Err(fault(place, format!("values nest more than {DEPTH_MAX} deep")));
        }
        if let Some(Open { content: Content::Mapping(_, None), .. }) = self.open.last() {
            return Err(fault(place, "a key must be text".to_owned()));
        }
        self.open.push(Open { place, anchor, nodes_before: self.nodes, content });
        Ok(())
    }

    fn close(&mut self) -> Result<(), Fault> {
        let Some(closed) = self.open.pop() else { return Ok(()) };
        let value = match closed.content {
            Content::Sequence(items) => Value::Sequence(items),
            Content::Mapping(mapping, _) => Value::Mapping(mapping),
        };
        let node = self.count(Node { place: closed.place, value: Rc::new(value) }, 1)?;
        self.keep_anchor(closed.anchor, &node, self.nodes - closed.nodes_before);
        self.add(node)
    }

    fn alias(&mut self, anchor: usize, place: Place) -> Result<(), Fault> {
        let Some((node, nodes)) = self.anchors.get(&anchor).map(|(node, nodes)| (node.clone(), *nodes))
        else {
            return Err(fault(place, "an alias stands within the value that it names".to_owned()));
        };
        let node = self.count(node, nodes)?;
        self.add(node)
    }

    fn count(&mut self, node: Node, nodes: usize) -> Result<Node, Fault> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes > NODES_MAX {
            return Err(fault(node.place, format!("the manifest has more than {NODES_MAX} values")));
        }
        Ok(node)
    }

    fn keep_anchor(&mut self, anchor: usize, node: &Node, nodes: usize) {
        if anchor > 0 {
            self.anchors.insert(anchor, (node.clone(), nodes));
        }
    }

    fn add(&mut self, node: Node) -> Result<(), Fault> {
        match self.open.last_mut().map(|open| &mut open.content) {
            None => self.root = Some(node),
            Some(Content::Sequence(items)) => items.push(node),
            Some(Content::Mapping(mapping, waiting)) => match waiting.take() {
                None => *waiting = Some((key(&node)?, node.place)),
                Some((name, _)) if name == "<<" => merge(mapping, &node)?,
                Some((name, place)) => insert(mapping, name, place, node)?,
            },
        }
        Ok(())
    }
}

fn key(node: &Node) -> Result<String, Fault> {
    match &*node.value {
        Value::Text(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Boolean(value) => Ok(value.to_string()),
        Value::Null => Ok("null".to_owned()),
        Value::Sequence(_) | Value::Mapping(_) => Err(fault(node.place, "a key must be text".to_owned())),
    }
}

/// A key that was merged in before gives way; one that stands here itself must stand once.
fn insert(mapping: &mut Mapping, key: String, place: Place, node: Node) -> Result<(), Fault> {
    let entry = Entry { key, place, node, merged: false };
    match mapping.entries.iter_mut().find(|present| present.key == entry.key) {
        Some(present) if present.merged => *present = entry,
        Some(present) => {
            let message =
                format!("the key {} stands twice, first in line {}", quoted(&entry.key), present.place.line);
            return Err(fault(place, message));
        }
        None => mapping.entries.push(entry),
    }
    Ok(())
}

/// `<<: *anchor` or `<<: [*one, *other]`: what stands here already wins.
fn merge(mapping: &mut Mapping, node: &Node) -> Result<(), Fault> {
    match &*node.value {
        Value::Mapping(source) => {
            for entry in &source.entries {
                if mapping.get(&entry.key).is_none() {
                    mapping.entries.push(Entry { merged: true, ..entry.clone() });
                }
            }
            Ok(())
        }
        Value::Sequence(sources) => sources.iter().try_for_each(|source| merge(mapping, source)),
        _ => Err(fault(node.place, "`<<` takes a mapping".to_owned())),
    }
}

fn fault(place: Place, message: String) -> Fault {
    Fault { place, path: String::new(), message, hint: None }
}
