//! One JSON line taken apart into the texts of its values, without looking into them.

use super::{RowFault, codes};
use crate::model::{Field, JsonLines};
use serde::de::{DeserializeSeed, Error, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::collections::HashMap;
use std::fmt;

/// The lines of a batch, in order, without their line feeds.
pub(super) fn lines(lines: &JsonLines) -> impl Iterator<Item = &[u8]> {
    let mut start = 0;
    memchr::memchr_iter(b'\n', &lines.data).map(move |end| {
        let line = lines.data.get(start..end).unwrap_or_default();
        start = end + 1;
        line
    })
}

/// Finds the place of a declared field by its name.
#[derive(Debug)]
pub(super) struct FieldIndex<'s> {
    names: Vec<&'s str>,
    places: HashMap<&'s str, usize>,
}

impl<'s> FieldIndex<'s> {
    pub(super) fn new(fields: &'s [Field]) -> Self {
        let names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
        let places = names.iter().enumerate().map(|(place, name)| (*name, place)).collect();
        Self { names, places }
    }

    /// Most sources write the keys of each line in the same order: the expected place is tried first.
    fn place(&self, name: &str, expected: usize) -> Option<usize> {
        if self.names.get(expected).is_some_and(|expected_name| *expected_name == name) {
            return Some(expected);
        }
        self.places.get(name).copied()
    }
}

/// The texts of one line's values. Kept between lines, so that its lists are allocated once.
#[derive(Debug)]
pub(super) struct ParsedLine<'l> {
    /// By the place of the field; none: the key is missing.
    pub(super) declared: Vec<Option<&'l str>>,
    /// Keys that are not declared, in their order.
    pub(super) others: Vec<(String, &'l str)>,
}

impl<'l> ParsedLine<'l> {
    pub(super) fn new(index: &FieldIndex<'_>) -> Self {
        Self { declared: vec![None; index.names.len()], others: Vec::new() }
    }

    /// Takes the next line apart.
    pub(super) fn parse(&mut self, line: &'l [u8], index: &FieldIndex<'_>) -> Result<(), RowFault> {
        self.declared.fill(None);
        self.others.clear();
        let mut duplicate = None;
        let mut deserializer = serde_json::Deserializer::from_slice(line);
        let seed = LineSeed { line: self, index, duplicate: &mut duplicate };
        let parsed = seed.deserialize(&mut deserializer).and_then(|()| deserializer.end());
        if let Err(error) = parsed {
            let code = if error.is_data() { codes::NOT_AN_OBJECT } else { codes::NOT_JSON };
            return Err(RowFault::new(code, error.to_string()));
        }
        match duplicate {
            Some(name) => {
                Err(RowFault::new(codes::DUPLICATE_FIELD, format!("the key `{name}` stands twice")))
            }
            None => Ok(()),
        }
    }
}

struct LineSeed<'p, 'l, 's> {
    line: &'p mut ParsedLine<'l>,
    index: &'p FieldIndex<'s>,
    duplicate: &'p mut Option<String>,
}

impl<'l> DeserializeSeed<'l> for LineSeed<'_, 'l, '_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'l>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'l> Visitor<'l> for LineSeed<'_, 'l, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'l>>(self, mut map: A) -> Result<(), A::Error> {
        let mut expected = 0;
        while let Some(key) = map.next_key_seed(KeySeed { index: self.index, expected })? {
            let value = map.next_value::<&'l RawValue>()?.get();
            match key {
                Key::Declared(place) => {
                    expected = place + 1;
                    let slot = self.line.declared.get_mut(place);
                    if slot.is_some_and(|slot| slot.replace(value).is_some()) {
                        *self.duplicate = self.index.names.get(place).map(|name| (*name).to_owned());
                    }
                }
                Key::Other(name) => self.line.others.push((name, value)),
            }
        }
        Ok(())
    }
}

enum Key {
    Declared(usize),
    Other(String),
}

struct KeySeed<'p, 's> {
    index: &'p FieldIndex<'s>,
    expected: usize,
}

impl<'l> DeserializeSeed<'l> for KeySeed<'_, '_> {
    type Value = Key;

    fn deserialize<D: serde::Deserializer<'l>>(self, deserializer: D) -> Result<Key, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for KeySeed<'_, '_> {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Key, E> {
        Ok(self.index.place(name, self.expected).map_or_else(|| Key::Other(name.to_owned()), Key::Declared))
    }
}
