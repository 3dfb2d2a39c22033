//! Rows of JSON Lines, into columns where the stream has a fixed shape.

use std::fmt;

use cofferdam_sdk::Result;
use serde::de::{self, DeserializeSeed, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{
    cursor::Cursor,
    draft::{Draft, RowFault},
    guess::JsonGuess,
    json_file::JsonFile,
    json_lines::{LineTaker, fill_lines},
    open_json::LinesTaker,
    rows::{Context, Filled, Place, Targets},
    shape::StreamField,
};
use crate::columns::Table;

/// Wider streams than this are maps written as fields: each row would change the schema.
const FIELDS_MAX: usize = 2000;

pub(crate) struct JsonRows {
    file: JsonFile,
    cursor: Cursor,
    has_shape: bool,
}

impl JsonRows {
    pub(crate) fn new(file: JsonFile, has_shape: bool) -> Self {
        Self { file, cursor: Cursor::at_line(1), has_shape }
    }

    pub(crate) fn place(&self) -> Place {
        self.cursor.place(&self.file.window)
    }

    pub(crate) fn raw_offset(&self) -> u64 {
        self.file.window.stream().raw_offset()
    }

    pub(crate) fn go_to(&mut self, offset: u64, cursor: Cursor) -> Result<()> {
        self.cursor = cursor;
        self.file.window.skip_to(offset)
    }

    pub(crate) fn fill(&mut self, draft: &mut Draft, context: &Context<'_>) -> Result<Filled> {
        let (file, cursor) = (&mut self.file, &mut self.cursor);
        if self.has_shape {
            fill_lines(file, cursor, draft, context, &mut ColumnsTaker)
        } else {
            fill_lines(file, cursor, draft, context, &mut LinesTaker)
        }
    }
}

/// Puts the values of a line into columns.
struct ColumnsTaker;

impl LineTaker for ColumnsTaker {
    fn take(
        &mut self,
        line: &str,
        draft: &mut Draft,
        context: &Context<'_>,
    ) -> Result<Vec<StreamField>, RowFault> {
        let mut row = Row { table: &mut draft.table, targets: context.targets, fault: None, new: Vec::new() };
        let mut deserializer = serde_json::Deserializer::from_str(line);
        let parsed = RowSeed(&mut row).deserialize(&mut deserializer).and_then(|()| deserializer.end());
        let (fault, new) = (row.fault, row.new);
        parsed.map_err(|fault| syntax_fault(&fault))?;
        if let Some(fault) = fault {
            return Err(fault);
        }
        if context.targets.names.len() + new.len() > FIELDS_MAX {
            let message = format!("the row brings the stream to more than {FIELDS_MAX} fields");
            return Err(RowFault::new("too_many_fields", message));
        }
        if new.is_empty() {
            context.push_constants(draft)?;
            draft.table.end_row();
        } else {
            draft.table.abort_row();
        }
        Ok(new)
    }
}

/// A line that is no object.
pub(crate) fn syntax_fault(fault: &serde_json::Error) -> RowFault {
    let text = fault.to_string();
    let what = text.split(" at line ").next().unwrap_or_default();
    let message = format!("{what}, at byte {} of the line", fault.column());
    if fault.is_eof() {
        RowFault::new("json_cut", format!("the JSON is cut off: {message}"))
    } else if fault.is_data() {
        RowFault::new("not_an_object", message)
    } else {
        RowFault::new("not_json", message)
    }
}

/// The row that is being filled.
struct Row<'a> {
    table: &'a mut Table,
    targets: &'a Targets,
    fault: Option<RowFault>,
    new: Vec<StreamField>,
}

impl Row<'_> {
    fn push(&mut self, place: usize, token: &str) {
        if self.fault.is_some() {
            return;
        }
        if self.table.has_value(place) {
            let name = self.targets.names.get(place).map_or("?", String::as_str);
            self.fault = Some(RowFault::new("duplicate_field", format!("the key `{name}` stands twice")));
            return;
        }
        let Some(column) = self.table.column(place) else { return };
        if token == "null" {
            column.push_null();
        } else if !column.push_json(token) {
            self.fault = Some(self.targets.wrong_type(place, token));
        }
    }

    fn add(&mut self, name: String, token: &str) {
        if self.new.iter().any(|known| known.name == name) {
            let message = format!("the key `{name}` stands twice");
            self.fault.get_or_insert(RowFault::new("duplicate_field", message));
            return;
        }
        if name.is_empty() || name.len() > 256 || name.contains(char::is_control) {
            let message = format!("`{}` is no name of a field", name.escape_debug());
            self.fault.get_or_insert(RowFault::new("bad_field_name", message));
            return;
        }
        let mut guess = JsonGuess::default();
        guess.see(token);
        self.new.push(StreamField::new(name, guess.kind()));
    }
}

struct RowSeed<'r, 'a>(&'r mut Row<'a>);

impl<'de> DeserializeSeed<'de> for RowSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for RowSeed<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut expected = 0;
        while let Some(key) = map.next_key_seed(KeySeed { targets: self.0.targets, expected })? {
            let token = map.next_value::<&'de RawValue>()?.get();
            match key {
                Key::Known(place) => {
                    expected = place + 1;
                    self.0.push(place, token);
                }
                Key::New(name) => self.0.add(name, token),
                Key::Unwanted => {}
            }
        }
        Ok(())
    }
}

enum Key {
    Known(usize),
    New(String),
    Unwanted,
}

struct KeySeed<'a> {
    targets: &'a Targets,
    expected: usize,
}

impl<'de> DeserializeSeed<'de> for KeySeed<'_> {
    type Value = Key;

    fn deserialize<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<Key, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for KeySeed<'_> {
    type Value = Key;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Key, E> {
        Ok(match self.targets.place_near(name, self.expected) {
            Some(place) => Key::Known(place),
            None if self.targets.wants_new => Key::New(name.to_owned()),
            None => Key::Unwanted,
        })
    }
}
