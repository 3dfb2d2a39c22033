//! The dialects of CSV.

use cofferdam_sdk::{Error, Result};
use serde::Deserialize;

/// The dialect as it is configured; what is not said depends on the file's name.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CsvConfig {
    delimiter: Option<String>,
    quote: Option<String>,
    escape: Option<String>,
    header: Option<bool>,
    comment: Option<String>,
    nulls: Option<Vec<String>>,
    #[serde(default)]
    trim: bool,
    encoding: Option<String>,
}

/// How a CSV file is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dialect {
    pub(crate) delimiter: u8,
    /// None: quotes mean nothing.
    pub(crate) quote: Option<u8>,
    /// None: a quote within quotes stands twice.
    pub(crate) escape: Option<u8>,
    pub(crate) header: bool,
    pub(crate) comment: Option<u8>,
    pub(crate) nulls: Vec<String>,
    pub(crate) trim: bool,
}

impl Dialect {
    /// Whether a field means null.
    #[inline]
    pub(crate) fn is_null(&self, field: &[u8]) -> bool {
        self.nulls.iter().any(|null| null.as_bytes() == field)
    }
}

impl CsvConfig {
    pub(super) fn dialect(&self, path: &str) -> Result<Dialect> {
        let plain = path.strip_suffix(".gz").unwrap_or(path);
        let delimiter = match &self.delimiter {
            Some(text) => one_byte("/csv/delimiter", text)?,
            None if plain.ends_with(".tsv") || plain.ends_with(".tab") => b'\t',
            None => b',',
        };
        let quote = match self.quote.as_deref() {
            Some("") => None,
            Some(text) => Some(one_byte("/csv/quote", text)?),
            None => Some(b'"'),
        };
        let optional =
            |path, text: &Option<String>| text.as_deref().map(|text| one_byte(path, text)).transpose();
        let escape = optional("/csv/escape", &self.escape)?;
        let comment = optional("/csv/comment", &self.comment)?;
        if quote == Some(delimiter) {
            return Err(Error::config("/csv/quote", "is the delimiter too"));
        }
        if comment == Some(delimiter) || (comment.is_some() && comment == quote) {
            return Err(Error::config("/csv/comment", "is the delimiter or the quote too"));
        }
        if let Some(encoding) = self.encoding.as_deref().filter(|encoding| *encoding != "utf-8") {
            let message = format!("`{encoding}` is not known: convert the files to `utf-8` first");
            return Err(Error::config("/csv/encoding", message));
        }
        Ok(Dialect {
            delimiter,
            quote,
            escape: escape.filter(|escape| Some(*escape) != quote),
            header: self.header.unwrap_or(true),
            comment,
            nulls: self.nulls.clone().unwrap_or_else(|| vec![String::new()]),
            trim: self.trim,
        })
    }
}

fn one_byte(path: &str, text: &str) -> Result<u8> {
    match *text.as_bytes() {
        [byte] if byte.is_ascii() && !matches!(byte, b'\n' | b'\r') => Ok(byte),
        _ => Err(Error::config(path, "must be one ASCII character")),
    }
}
