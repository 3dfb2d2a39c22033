//! A row error as it is kept, and the id by which it is named.

use crate::chunk::StoredError;
use crate::error::Error;
use crate::walk::Listed;
use pipeline::model::StreamSchema;
use pipeline::records::RowError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// Names a row error of a sync, as in `12-345`; for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ErrorId {
    /// The run that rejected the row first.
    pub run: u64,
    /// Counts the row errors of that run, from 1.
    pub number: u64,
}

impl fmt::Display for ErrorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.run, self.number)
    }
}

impl FromStr for ErrorId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let parts = text.split_once('-').and_then(|(run, number)| run.parse().ok().zip(number.parse().ok()));
        let (run, number) = parts.ok_or_else(|| Error::BadErrorId { text: text.into() })?;
        Ok(Self { run, number })
    }
}

/// Whether something is still to be done about a row error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorState {
    /// Its row never arrived.
    Open,
    /// A row of the same key was accepted since: its row is outdated.
    Superseded {
        /// By this run.
        by_run: u64,
    },
}

/// A row error as it is kept. Holds the row: only for who may see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeptError {
    /// Its name.
    pub id: ErrorId,
    /// The commit unit.
    pub unit: String,
    /// By which the row is laid out; its name is the stream's.
    pub schema: Arc<StreamSchema>,
    /// What the run said of the row; what the newest run said that tried it.
    pub error: RowError,
    /// Whether something is still to be done about it.
    pub state: ErrorState,
    /// How often the row was tried, from 1.
    pub tries: u32,
    /// The run that tried it last; none: the one that rejected it first.
    pub tried_by: Option<u64>,
    /// When it was kept, in milliseconds since 1970.
    pub created_ms: u64,
    /// When it goes, in milliseconds since 1970.
    pub expires_ms: Option<u64>,
}

impl KeptError {
    pub(crate) fn new(
        listed: &Listed,
        schema: Arc<StreamSchema>,
        error: StoredError,
        state: ErrorState,
    ) -> Self {
        Self {
            id: ErrorId { run: listed.at.run, number: listed.number(error.offset) },
            unit: listed.index.unit.clone(),
            schema,
            state,
            tries: error.tries,
            tried_by: error.tried_by,
            created_ms: listed.index.created_ms,
            expires_ms: listed.expires_ms,
            error: error.into_row_error(),
        }
    }
}

/// Some row errors.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ErrorPage {
    /// In the order of their ids.
    pub errors: Vec<KeptError>,
    /// There are more behind this one.
    pub next: Option<ErrorId>,
}

/// How many there are, by run, stream and code.
pub type ErrorCounts = BTreeMap<(u64, String, String), u64>;

#[cfg(test)]
mod tests {
    use super::ErrorId;

    #[test]
    fn an_id_is_a_run_and_a_number() {
        let id = ErrorId { run: 12, number: 345 };
        assert_eq!((id.to_string().as_str(), "12-345".parse::<ErrorId>().unwrap()), ("12-345", id));
        for text in ["", "12", "12-", "-3", "a-1", "1-2-3"] {
            assert_eq!(text.parse::<ErrorId>().unwrap_err().code(), "CD1058", "{text}");
        }
    }
}
