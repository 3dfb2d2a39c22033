//! A manifest's tree with its references followed, and the faults that were found in it.
//!
//! A reference is a text that begins with `#/`, or the key `$ref` of a mapping, whose other keys then win over those of
//! what is referred to. Nothing is copied: a mapping is seen as layers, the first of which wins.

use std::cell::RefCell;

use crate::{
    Fault, Faults, Place,
    words::quoted,
    yaml::{self, Entry, Mapping, Node, Value},
};

/// References within references; more are of no use.
const NESTED_REFERENCES_MAX: usize = 32;

/// More faults than anybody reads.
const FAULTS_MAX: usize = 200;

pub(crate) struct Document {
    root: Node,
    faults: RefCell<Vec<Fault>>,
    notes: RefCell<Vec<Fault>>,
}

/// A value with its references followed.
#[derive(Clone)]
pub(crate) enum Resolved<'d> {
    /// The fault is reported already.
    Broken,
    Scalar(&'d Value),
    Sequence(&'d [Node]),
    Mapping(Layers<'d>),
}

/// Mappings seen as one.
#[derive(Clone, Default)]
pub(crate) struct Layers<'d>(Vec<&'d Mapping>);

impl<'d> Layers<'d> {
    pub(crate) fn get(&self, key: &str) -> Option<&'d Entry> {
        self.0.iter().find_map(|mapping| mapping.get(key))
    }

    /// Each entry that is seen: those of later layers only where no earlier one has the key.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &'d Entry> + '_ {
        self.0.iter().enumerate().flat_map(|(depth, mapping)| {
            let above = self.0.get(..depth).unwrap_or_default();
            let seen = move |entry: &&Entry| {
                entry.key != "$ref" && above.iter().all(|mapping| mapping.get(&entry.key).is_none())
            };
            mapping.entries.iter().filter(seen)
        })
    }
}

impl Document {
    pub(crate) fn parse(text: &str) -> Result<Self, Faults> {
        let root = yaml::parse(text)?;
        Ok(Self { root, faults: RefCell::default(), notes: RefCell::default() })
    }

    pub(crate) fn root(&self) -> &Node {
        &self.root
    }

    /// Report a fault. A definition that several components share is reported once.
    pub(crate) fn fault(&self, fault: Fault) {
        let mut faults = self.faults.borrow_mut();
        let known = |other: &Fault| other.place == fault.place && other.message == fault.message;
        if faults.len() < FAULTS_MAX && !faults.iter().any(known) {
            faults.push(fault);
        }
    }

    /// Remark on something that is no fault.
    pub(crate) fn note(&self, note: Fault) {
        let mut notes = self.notes.borrow_mut();
        let known = |other: &Fault| other.place == note.place && other.message == note.message;
        if notes.len() < FAULTS_MAX && !notes.iter().any(known) {
            notes.push(note);
        }
    }

    /// The remarks, if there are no faults.
    pub(crate) fn finish(self) -> Result<Vec<Fault>, Faults> {
        let mut faults = self.faults.into_inner();
        if faults.is_empty() {
            return Ok(self.notes.into_inner());
        }
        faults.sort_by_key(|fault| fault.place);
        Err(Faults(faults))
    }

    pub(crate) fn resolve<'d>(&'d self, node: &'d Node, path: &str) -> Resolved<'d> {
        let fault = |place, message| Fault { place, path: path.to_owned(), message, hint: None };
        match self.follow(node, &mut Vec::new()) {
            Ok(resolved) => resolved,
            Err((place, message)) => {
                self.fault(fault(place, message));
                Resolved::Broken
            }
        }
    }

    fn follow<'d>(
        &'d self,
        node: &'d Node,
        followed: &mut Vec<&'d str>,
    ) -> Result<Resolved<'d>, (Place, String)> {
        match &*node.value {
            Value::Text(text) if text.starts_with("#/") => self.follow_reference(text, node.place, followed),
            Value::Mapping(mapping) => self.follow_mapping(mapping, followed),
            Value::Sequence(items) => Ok(Resolved::Sequence(items)),
            scalar => Ok(Resolved::Scalar(scalar)),
        }
    }

    fn follow_mapping<'d>(
        &'d self,
        mapping: &'d Mapping,
        followed: &mut Vec<&'d str>,
    ) -> Result<Resolved<'d>, (Place, String)> {
        let Some(entry) = mapping.get("$ref") else { return Ok(Resolved::Mapping(Layers(vec![mapping]))) };
        let Value::Text(reference) = &*entry.node.value else {
            return Err((entry.node.place, "`$ref` takes a text such as `#/definitions/name`".to_owned()));
        };
        if !reference.starts_with("#/") {
            let message = format!("{} is not a reference such as `#/definitions/name`", quoted(reference));
            return Err((entry.node.place, message));
        }
        match self.follow_reference(reference, entry.node.place, followed)? {
            Resolved::Mapping(Layers(mut below)) => {
                below.insert(0, mapping);
                Ok(Resolved::Mapping(Layers(below)))
            }
            other => Ok(other),
        }
    }

    fn follow_reference<'d>(
        &'d self,
        reference: &'d str,
        place: Place,
        followed: &mut Vec<&'d str>,
    ) -> Result<Resolved<'d>, (Place, String)> {
        if followed.contains(&reference) {
            return Err((place, format!("the reference {} leads back to itself", quoted(reference))));
        }
        if followed.len() == NESTED_REFERENCES_MAX {
            let message = format!("more than {NESTED_REFERENCES_MAX} references lead into each other");
            return Err((place, message));
        }
        followed.push(reference);
        let found = self.find(reference, followed)?;
        let missing = || (place, format!("there is nothing at {}", quoted(reference)));
        let resolved = self.follow(found.ok_or_else(missing)?, followed);
        followed.pop();
        resolved
    }

    /// The node that a reference names. A key may hold slashes itself, as paths of an API do.
    fn find<'d>(
        &'d self,
        reference: &'d str,
        followed: &mut Vec<&'d str>,
    ) -> Result<Option<&'d Node>, (Place, String)> {
        let mut node = &self.root;
        let mut key = String::new();
        for part in reference.trim_start_matches("#/").split('/') {
            key.push_str(part);
            let next = match self.follow(node, followed)? {
                Resolved::Mapping(layers) => layers.get(&key).map(|entry| &entry.node),
                Resolved::Sequence(items) => key.parse().ok().and_then(|index: usize| items.get(index)),
                Resolved::Scalar(_) | Resolved::Broken => None,
            };
            match next {
                Some(next) => {
                    node = next;
                    key.clear();
                }
                None => key.push('/'),
            }
        }
        Ok(key.is_empty().then_some(node))
    }
}
