//! How the source is configured.

use std::collections::HashSet;

use cofferdam_sdk::{Error, FieldFault, Layout, Result};
use serde::Deserialize;

/// Rows of one stream, at most: their times must stay within the years that people write.
const ROWS_MAX: u64 = 10_000_000_000;

/// The configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Another seed makes other rows.
    #[serde(default)]
    pub seed: u64,
    /// The streams that there are.
    pub streams: Vec<Stream>,
    /// How rows are laid out.
    #[serde(default)]
    pub layout: RowLayout,
    /// What each row asks the destination to do.
    #[serde(default)]
    pub operation: Operation,
    /// How many values of a hundred are null, divided by a hundred; never those of the key.
    #[serde(default)]
    pub null_rate: f64,
    /// Rows of one page, at most, also where the host would take more.
    pub page_rows: Option<u64>,
    /// Rows between two checkpoints, at least; without it each page has one.
    pub checkpoint_every: Option<u64>,
    /// Each row whose number is a multiple of it is rejected.
    pub reject_every: Option<u64>,
    /// What is said of a rejected row.
    #[serde(default)]
    pub reject_as: RejectAs,
    /// Before each page whose number is a multiple of it the reader asks the host to wait.
    pub wait_every: Option<u64>,
    /// For how long.
    #[serde(default)]
    pub wait_ms: u32,
    /// One read group for all streams; without it each has its own.
    pub group: Option<Group>,
}

/// One stream.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stream {
    /// Its name.
    pub name: String,
    /// How many rows it has. More of them in a later run are new rows.
    pub rows: u64,
    /// What its fields are.
    #[serde(default)]
    pub columns: Preset,
}

/// A set of fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// Names, places, texts that need escapes.
    #[default]
    People,
    /// A field of every type of the contract.
    Orders,
    /// Ten fields, about 250 bytes as JSON: the shape of the benchmarks.
    Bench10,
}

/// How rows are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RowLayout {
    /// As columns.
    #[default]
    Columns,
    /// As JSON lines.
    JsonLines,
}

impl From<RowLayout> for Layout {
    fn from(layout: RowLayout) -> Self {
        match layout {
            RowLayout::Columns => Self::Columns,
            RowLayout::JsonLines => Self::JsonLines,
        }
    }
}

/// What each row asks the destination to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// It is new.
    #[default]
    Insert,
    /// It is new or changed.
    Upsert,
}

/// What is said of a rejected row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RejectAs {
    /// It stands in a batch, and the host takes it out.
    #[default]
    Row,
    /// It never became a row: its bytes are half of it.
    Raw,
}

/// One read group for all streams.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// So many rows of each stream are one transaction, whose end is marked; without it nothing is marked and the
    /// streams follow one another.
    pub transaction_rows: Option<u64>,
}

impl Config {
    /// All that the types alone do not say.
    pub(crate) fn validate(&self) -> Result<()> {
        let mut faults = Faults::default();
        faults.unless((0.0..=1.0).contains(&self.null_rate), "/null_rate", "must lie between 0 and 1");
        let transaction_rows = self.group.as_ref().and_then(|group| group.transaction_rows);
        let counts = [
            ("/page_rows", self.page_rows),
            ("/checkpoint_every", self.checkpoint_every),
            ("/reject_every", self.reject_every),
            ("/wait_every", self.wait_every),
            ("/group/transaction_rows", transaction_rows),
        ];
        for (path, count) in counts {
            faults.unless(count != Some(0), path, "must be at least 1");
        }
        let named = self.group.as_ref().is_none_or(|group| !group.name.is_empty());
        faults.unless(named, "/group/name", "must not be empty");
        let mut names = HashSet::new();
        for (index, stream) in self.streams.iter().enumerate() {
            let name = format!("/streams/{index}/name");
            faults.unless(!stream.name.is_empty(), &name, "must not be empty");
            faults.unless(names.insert(&stream.name), &name, "another stream has this name");
            let rows = format!("/streams/{index}/rows");
            faults.unless(stream.rows <= ROWS_MAX, &rows, "must be at most 10,000,000,000");
        }
        if faults.0.is_empty() { Ok(()) } else { Err(Error::Config(faults.0)) }
    }
}

#[derive(Default)]
struct Faults(Vec<FieldFault>);

impl Faults {
    fn unless(&mut self, holds: bool, path: &str, message: &str) {
        if !holds {
            self.0.push(FieldFault { path: path.to_owned(), message: message.to_owned() });
        }
    }
}
