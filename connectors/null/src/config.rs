//! How the destination is configured.

use cofferdam_sdk::{Error, FieldFault, Layout, Result};
use serde::Deserialize;

/// The configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Whether each value is read, as a destination that writes it would; else only rows and bytes are counted.
    #[serde(default = "yes")]
    pub touch: bool,
    /// In which layout batches are wanted; without it as the source has them.
    pub layout: Option<RowLayout>,
    /// Whether it says that one commit makes all streams visible together.
    #[serde(default = "yes")]
    pub transactions: bool,
    /// Each row whose number (over all streams of this writer, from 1) is a multiple of it is rejected when written.
    pub reject_every: Option<u64>,
    /// Of the rows that were taken, each whose number is a multiple of it is rejected at the commit.
    pub late_reject_every: Option<u64>,
    /// The write of this number, from 1, fails.
    pub fail_at_write: Option<u64>,
    /// The commit of this number, from 1, fails.
    pub fail_at_commit: Option<u64>,
}

fn yes() -> bool {
    true
}

/// How rows are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RowLayout {
    /// As columns.
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

impl Default for Config {
    fn default() -> Self {
        Self {
            touch: true,
            layout: None,
            transactions: true,
            reject_every: None,
            late_reject_every: None,
            fail_at_write: None,
            fail_at_commit: None,
        }
    }
}

impl Config {
    /// All that the types alone do not say.
    pub(crate) fn validate(&self) -> Result<()> {
        let counts = [
            ("/reject_every", self.reject_every),
            ("/late_reject_every", self.late_reject_every),
            ("/fail_at_write", self.fail_at_write),
            ("/fail_at_commit", self.fail_at_commit),
        ];
        let zeros = counts.into_iter().filter(|(_, count)| *count == Some(0));
        let faults: Vec<_> = zeros
            .map(|(path, _)| FieldFault { path: path.to_owned(), message: "must be at least 1".to_owned() })
            .collect();
        if faults.is_empty() { Ok(()) } else { Err(Error::Config(faults)) }
    }
}
