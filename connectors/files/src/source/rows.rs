//! What the readers of all formats share: where rows go, where a reader stands, how a call ends.

use std::collections::HashMap;

use cofferdam_sdk::{Error, Result};
use serde::{Deserialize, Serialize};

use super::{
    columnar::ParquetRows, csv::CsvRows, cursor::Cursor, draft::Draft, draft::RowFault, json::JsonRows,
    shape::StreamField,
};
use crate::kind::Kind;

/// The columns of the pages.
#[derive(Debug)]
pub(crate) struct Targets {
    pub(crate) names: Vec<String>,
    pub(crate) kinds: Vec<Kind>,
    places: HashMap<String, usize>,
    /// Whether fields that nobody knows yet are wanted.
    pub(crate) wants_new: bool,
}

impl Targets {
    pub(crate) fn new<'f>(fields: impl IntoIterator<Item = &'f StreamField>, wants_new: bool) -> Self {
        let (names, kinds): (Vec<String>, Vec<Kind>) =
            fields.into_iter().map(|field| (field.name.clone(), field.kind)).unzip();
        let places = names.iter().enumerate().map(|(place, name)| (name.clone(), place)).collect();
        Self { names, kinds, places, wants_new }
    }

    pub(crate) fn place(&self, name: &str) -> Option<usize> {
        self.places.get(name).copied()
    }

    /// Rows mostly name their fields in the same order: the expected place is tried first.
    pub(crate) fn place_near(&self, name: &str, expected: usize) -> Option<usize> {
        if self.names.get(expected).is_some_and(|found| found == name) {
            return Some(expected);
        }
        self.place(name)
    }

    /// What is wrong with a value in a column.
    pub(crate) fn wrong_type(&self, place: usize, value: &str) -> RowFault {
        const SHOWN_CHARS: usize = 100;
        let name = self.names.get(place).map_or("?", String::as_str);
        let kind = self.kinds.get(place).map(ToString::to_string).unwrap_or_default();
        let mut shown: String = value.chars().take(SHOWN_CHARS).collect();
        if shown.len() < value.len() {
            shown.push('…');
        }
        RowFault::new("wrong_type", format!("column `{name}`: `{shown}` is no {kind}"))
    }
}

/// Values that are the same in all rows of a file: columns that it does not have, parts of its path.
pub(crate) type Constants = Vec<(usize, Option<String>)>;

/// What a call needs beside the reader.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) stream: &'a str,
    pub(crate) targets: &'a Targets,
    pub(crate) constants: &'a Constants,
    /// Whether a last line without its end may still grow.
    pub(crate) growing: bool,
}

impl Context<'_> {
    /// Give the row that is being filled its constant values.
    pub(crate) fn push_constants(&self, draft: &mut Draft) -> Result<(), RowFault> {
        for (place, value) in self.constants {
            let Some(column) = draft.table.column(*place) else { continue };
            match value {
                None => column.push_null(),
                Some(text) if column.push_text(text.as_bytes()) => {}
                Some(text) => return Err(self.targets.wrong_type(*place, text)),
            }
        }
        Ok(())
    }
}

/// How a call ended.
#[derive(Debug)]
pub(crate) enum Filled {
    /// The page holds no more.
    Full,
    /// The file has no more.
    End,
    /// The next row has fields that are not in the schema. It was not consumed.
    NewFields(Vec<StreamField>),
}

/// Where the next row begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Place {
    /// In the unpacked bytes of a text file.
    Bytes {
        offset: u64,
        /// The number of the line, from 1.
        line: u64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        open_row: Option<OpenRow>,
    },
    /// In a Parquet file.
    Rows { group: usize, row: u64 },
}

/// The row before, if the file ended without the end of its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OpenRow {
    /// Where it began.
    pub(crate) offset: u64,
    pub(crate) line: u64,
    /// Whether it was a row already, and no reject.
    pub(crate) taken: bool,
}

impl Place {
    pub(crate) fn line_start(offset: u64, line: u64) -> Self {
        Self::Bytes { offset, line, open_row: None }
    }
}

/// A file being read.
pub(crate) enum Rows {
    Csv(Box<CsvRows>),
    Json(Box<JsonRows>),
    Parquet(Box<ParquetRows>),
}

impl Rows {
    pub(crate) fn fill(&mut self, draft: &mut Draft, context: &Context<'_>) -> Result<Filled> {
        match self {
            Self::Csv(rows) => rows.fill(draft, context),
            Self::Json(rows) => rows.fill(draft, context),
            Self::Parquet(rows) => rows.fill(draft, context),
        }
    }

    pub(crate) fn place(&self) -> Place {
        match self {
            Self::Csv(rows) => rows.place(),
            Self::Json(rows) => rows.place(),
            Self::Parquet(rows) => rows.place(),
        }
    }

    /// So many bytes at the beginning of the file were read, or more.
    pub(crate) fn raw_offset(&self) -> u64 {
        match self {
            Self::Csv(rows) => rows.raw_offset(),
            Self::Json(rows) => rows.raw_offset(),
            Self::Parquet(rows) => rows.raw_offset(),
        }
    }

    pub(crate) fn go_to(&mut self, place: Place) -> Result<()> {
        match (self, place) {
            (Self::Csv(rows), Place::Bytes { offset, line, open_row }) => {
                rows.go_to(offset, Cursor { line, open_row })
            }
            (Self::Json(rows), Place::Bytes { offset, line, open_row }) => {
                rows.go_to(offset, Cursor { line, open_row })
            }
            (Self::Parquet(rows), Place::Rows { group, row }) => {
                rows.go_to(group, row);
                Ok(())
            }
            _ => Err(Error::data("the checkpoint is one of a file in another format")),
        }
    }
}
