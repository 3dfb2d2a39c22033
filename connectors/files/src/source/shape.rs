//! The shape of a stream: its fields, from the first rows of its first files and from the configuration.

use std::collections::HashMap;

use cofferdam_sdk::{Error, Field, Layout, Pushdown, Result, Schema, StreamInfo, StreamSchema};

use super::{
    columnar::{ParquetFile, RootField},
    csv_file::{CsvFile, Next},
    guess::{JsonGuess, TextGuess},
    json_file::{JsonFile, NextLine},
    partitions,
    streams::{StreamFiles, is_gzip},
};
use crate::{
    config::{Format, SourceConfig},
    kind::Kind,
};

/// Files that are looked at.
const FILES_MAX: usize = 8;
/// Bytes of a file that are looked at.
const SAMPLE_BYTES_MAX: u64 = 8 << 20;

/// One field of a stream.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StreamField {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) logical_type: Option<&'static str>,
}

impl StreamField {
    pub(crate) fn new(name: impl Into<String>, kind: Kind) -> Self {
        Self { name: name.into(), kind, logical_type: None }
    }

    pub(crate) fn of(field: &RootField) -> Self {
        Self { name: field.name.clone(), kind: field.kind, logical_type: field.logical_type }
    }
}

/// The fields of a stream.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Shape {
    pub(crate) fields: Vec<StreamField>,
    /// Records have no fixed shape: they travel as JSON lines.
    pub(crate) is_open: bool,
}

impl Shape {
    pub(crate) fn of(config: &SourceConfig, stream: &StreamFiles) -> Result<Self> {
        if stream.format == Format::JsonLines && config.infer_rows == 0 {
            if config.partitions {
                let message =
                    "has no place in records without a fixed shape: let `infer_rows` be more than 0";
                return Err(Error::config("/partitions", message));
            }
            return Ok(Self { fields: Vec::new(), is_open: true });
        }
        let mut fields = Fields::default();
        for file in stream.files.iter().take(FILES_MAX) {
            sample(config, stream, &file.name, &mut fields)?;
        }
        let mut shape = Self { fields: fields.kinds(config), is_open: false };
        shape.add_declared(config, stream);
        shape.add_partitions(config, stream)?;
        Ok(shape)
    }

    fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|field| field.name == name)
    }

    /// Records may have fields that no sample showed; CSV files cannot.
    fn add_declared(&mut self, config: &SourceConfig, stream: &StreamFiles) {
        if stream.format == Format::JsonLines {
            for (name, kind) in &config.columns {
                if !self.has(name) {
                    self.fields.push(StreamField::new(name, *kind));
                }
            }
        }
    }

    fn add_partitions(&mut self, config: &SourceConfig, stream: &StreamFiles) -> Result<()> {
        if !config.partitions {
            return Ok(());
        }
        let mut found = Fields::default();
        for file in &stream.files {
            for (name, value) in partitions::values(&file.name)? {
                found.text(&name, value.as_deref().map(str::as_bytes));
            }
        }
        for field in found.kinds(config) {
            let name = &field.name;
            if self.has(name) {
                let message = format!(
                    "stream `{}`: `{name}` is a column of the files and a part of their paths",
                    stream.name
                );
                return Err(Error::data(message));
            }
            self.fields.push(field);
        }
        Ok(())
    }

    pub(crate) fn layout(&self) -> Layout {
        if self.is_open { Layout::JsonLines } else { Layout::Columns }
    }

    /// As the contract says it.
    pub(crate) fn schema(&self, stream: &str, version: u32) -> StreamSchema {
        let field = |field: &StreamField| Field {
            logical_type: field.logical_type.map(str::to_owned),
            ..Field::new(&field.name, field.kind.data_type()).nullable()
        };
        let schema = if self.is_open { Schema::open() } else { Schema::new(self.fields.iter().map(field)) };
        StreamSchema { version, ..StreamSchema::new(stream, schema, self.layout()) }
    }

    pub(crate) fn info(&self, stream: &str) -> StreamInfo {
        let fields = if self.is_open { Pushdown::empty() } else { Pushdown::FIELDS };
        let info = StreamInfo::new(self.schema(stream, 1)).incremental(Vec::<String>::new());
        info.pushdown(fields | Pushdown::LIMIT)
    }
}

/// Fields in the order in which they were seen, with what their values could be.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    fields: Vec<(String, Seen)>,
    places: HashMap<String, usize>,
}

#[derive(Debug)]
enum Seen {
    Text(TextGuess),
    Json(JsonGuess),
    Known(Kind, Option<&'static str>),
}

impl Fields {
    fn entry(&mut self, name: &str, new: fn() -> Seen) -> Option<&mut Seen> {
        let place = match self.places.get(name) {
            Some(place) => *place,
            None => {
                self.fields.push((name.to_owned(), new()));
                self.places.insert(name.to_owned(), self.fields.len() - 1);
                self.fields.len() - 1
            }
        };
        self.fields.get_mut(place).map(|(_, seen)| seen)
    }

    fn text(&mut self, name: &str, value: Option<&[u8]>) {
        if let (Some(Seen::Text(guess)), Some(value)) =
            (self.entry(name, || Seen::Text(TextGuess::default())), value)
        {
            guess.see(value);
        }
    }

    fn json(&mut self, name: &str, token: &str) {
        if let Some(Seen::Json(guess)) = self.entry(name, || Seen::Json(JsonGuess::default())) {
            guess.see(token);
        }
    }

    /// The files before win; that this one agrees with them is checked when it is opened.
    fn known(&mut self, field: &RootField) {
        if !self.places.contains_key(&field.name) {
            self.places.insert(field.name.clone(), self.fields.len());
            self.fields.push((field.name.clone(), Seen::Known(field.kind, field.logical_type)));
        }
    }

    /// The types that were found, or said in the configuration.
    pub(crate) fn kinds(self, config: &SourceConfig) -> Vec<StreamField> {
        let field = |(name, seen): (String, Seen)| {
            let (found, logical_type) = match seen {
                Seen::Text(guess) => (guess.kind(), None),
                Seen::Json(guess) => (guess.kind(), None),
                Seen::Known(kind, logical_type) => (kind, logical_type),
            };
            let kind = config.columns.get(&name).copied().unwrap_or(found);
            StreamField { name, kind, logical_type }
        };
        self.fields.into_iter().map(field).collect()
    }
}

/// See the first rows of a file.
pub(crate) fn sample(
    config: &SourceConfig,
    stream: &StreamFiles,
    file: &str,
    fields: &mut Fields,
) -> Result<()> {
    let (path, gzip) = (stream.path(file), is_gzip(config, file));
    match stream.format {
        Format::Csv => {
            sample_csv(CsvFile::open(&path, gzip, config.dialect(file)?)?, config.infer_rows, fields)
        }
        Format::JsonLines => sample_json(JsonFile::open(&path, gzip)?, config.infer_rows, fields),
        Format::Parquet => {
            ParquetFile::open(config, &path)?.fields.iter().for_each(|field| fields.known(field))
        }
    }
    Ok(())
}

/// Rows that cannot be read say nothing here, nor does a file that breaks off: the reader tells it, in its time.
fn sample_csv(mut file: CsvFile, rows: usize, fields: &mut Fields) {
    let names = file.names.clone();
    names.iter().for_each(|name| fields.text(name, None));
    for _ in 0..rows {
        let Ok(Next::Row(span)) = file.next_row() else { break };
        if file.window.offset() > SAMPLE_BYTES_MAX {
            break;
        }
        let sound = file.window.check_text(span.end).is_ok() && !span.unclosed;
        let row = file.window.bytes().get(span.start..).unwrap_or_default();
        if sound && file.splitter.field_count() == names.len() {
            for (name, field) in names.iter().zip(file.splitter.fields(row)) {
                let field = if file.dialect.trim { field.trim_ascii() } else { field };
                if !file.dialect.is_null(field) {
                    fields.text(name, Some(field));
                }
            }
        }
        file.window.consume(span.end);
    }
}

fn sample_json(mut file: JsonFile, rows: usize, fields: &mut Fields) {
    for _ in 0..rows {
        let Ok(NextLine::Line { length, .. }) = file.next_line() else { break };
        if file.window.offset() > SAMPLE_BYTES_MAX {
            break;
        }
        let line = file.window.bytes().get(..length).unwrap_or_default();
        if let Ok(object) = serde_json::from_slice::<Object<'_>>(line) {
            for (name, token) in object.0 {
                fields.json(&name, token.get());
            }
        }
        file.window.consume(length);
    }
}

/// The members of an object in their order, as tokens.
struct Object<'a>(Vec<(String, &'a serde_json::value::RawValue)>);

impl<'de: 'a, 'a> serde::Deserialize<'de> for Object<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> serde::de::Visitor<'de> for Members {
            type Value = Object<'de>;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Object(members))
            }
        }

        deserializer.deserialize_map(Members)
    }
}

/// A column whose type the configuration says and that no stream has.
pub(crate) fn unknown_columns<'a>(
    config: &'a SourceConfig,
    shapes: impl Iterator<Item = &'a Shape> + Clone,
) -> Option<&'a String> {
    config.columns.keys().find(|name| !shapes.clone().any(|shape| shape.is_open || shape.has(name)))
}
