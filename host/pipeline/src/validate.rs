//! Whether what a connector returned keeps the contract: counts, offsets, bitmaps, UTF-8, names, sizes.
//!
//! Pure and usable without a run. Costs one look at each byte of text and at each offset; JSON inside rows is not parsed
//! here: a row that is not JSON is a row error of the one who needs to read it, not a broken contract.

mod batch;
mod bytes;
mod page;
mod reading;
mod reports;
mod schema;
mod transformed;
mod writing;

pub use batch::batch;
pub use page::{PageContext, checkpoint, page};
pub use reading::Reading;
pub use reports::{capabilities, commit_report, last_commit, verdicts, write_report};
pub use schema::{catalog, schema_changed, stream_schema};
pub use transformed::{transform_plan, transformed};
pub use writing::Writing;

use crate::failure::Cause;
use std::fmt;

/// What a connector did against the contract, for the people who write it, or against a limit, which a user may raise.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Violation {
    message: String,
    limit: Option<Exceeded>,
}

/// A limit that an answer was over.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Exceeded {
    name: &'static str,
    allowed: String,
}

impl Violation {
    fn new(what: impl Into<String>) -> Self {
        Self { message: what.into(), limit: None }
    }

    /// Over the limit of this name, of which so much is allowed.
    fn over(name: &'static str, allowed: impl Into<String>, what: impl Into<String>) -> Self {
        Self { message: what.into(), limit: Some(Exceeded { name, allowed: allowed.into() }) }
    }

    /// The same, with the place in front of it.
    fn at(self, place: impl fmt::Display) -> Self {
        Self { message: format!("{place}: {}", self.message), limit: self.limit }
    }

    /// As the cause of a failure: a limit by its name, anything else a broken contract.
    pub fn into_cause(self) -> Cause {
        match self.limit {
            Some(Exceeded { name, allowed }) => {
                Cause::Limit { name: name.to_owned(), allowed, message: self.message }
            }
            None => Cause::Contract(self.message),
        }
    }
}

/// Sizes above which an answer is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Rows of a page: the limit `page_rows`. What was asked for may be less, and to bring more than that breaks the contract.
    pub page_rows_max: u64,
    /// Bytes of a page, and of a batch of more than one row (contract: 8 MiB): the limit `page_bytes`.
    pub batch_bytes_max: usize,
    /// Bytes of one row, whether alone in its batch or as a JSON line (contract: 16 MiB).
    pub row_bytes_max: usize,
    /// Bytes of a checkpoint (contract: at most 4 MiB): the limit `checkpoint_bytes`.
    pub checkpoint_bytes_max: usize,
    /// Bytes of the name of a stream, a group or a field: the longest identifier of any system we know is 255 bytes.
    pub name_bytes_max: usize,
    /// Fields of one stream: wider tables than any database allows (4,096 in MySQL) are an attack, not data.
    pub fields_max: usize,
    /// Streams of one catalog, and output streams of one transform.
    pub streams_max: usize,
    /// Batches of one page and of one transform's answer.
    pub batches_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            page_rows_max: 10_000,
            batch_bytes_max: 8 << 20,
            row_bytes_max: 16 << 20,
            checkpoint_bytes_max: 1 << 20,
            name_bytes_max: 256,
            fields_max: 4_096,
            streams_max: 10_000,
            batches_max: 1_024,
        }
    }
}

/// A name that a connector gave, cut and escaped so that it can stand in a message.
fn quoted(name: &str) -> String {
    const SHOWN_CHARS_MAX: usize = 64;
    let mut shown: String = name.chars().take(SHOWN_CHARS_MAX).flat_map(char::escape_debug).collect();
    if name.chars().nth(SHOWN_CHARS_MAX).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}

fn name(kind: &str, name: &str, limits: &Limits) -> Result<(), Violation> {
    if name.is_empty() {
        return Err(Violation::new(format!("the name of a {kind} is empty")));
    }
    if name.len() > limits.name_bytes_max {
        let (length, allowed) = (name.len(), limits.name_bytes_max);
        return Err(Violation::new(format!(
            "the name of the {kind} {} has {length} bytes, allowed are {allowed}",
            quoted(name)
        )));
    }
    if name.chars().any(|character| character.is_control() || turns_around(character)) {
        return Err(Violation::new(format!(
            "the name of the {kind} {} holds a control character",
            quoted(name)
        )));
    }
    Ok(())
}

/// Turns the direction of writing, by which a name shows as another.
fn turns_around(character: char) -> bool {
    matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The code of a reject: `[a-z0-9_.-]{1,64}`, because machines group by it and files are named by it.
fn code(code: &str) -> Result<(), Violation> {
    let legal =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'.' | b'-');
    if code.is_empty() || code.len() > 64 || !code.bytes().all(legal) {
        return Err(Violation::new(format!("the reject code {} is not `[a-z0-9_.-]{{1,64}}`", quoted(code))));
    }
    Ok(())
}

/// Rejects of one batch: codes, indexes in range, each row at most once.
fn rejects<'a>(
    rejects: impl ExactSizeIterator<Item = (u32, &'a str)>,
    row_count: u32,
) -> Result<(), Violation> {
    if rejects.len() > row_count as usize {
        let count = rejects.len();
        return Err(Violation::new(format!("{count} rejects for {row_count} rows")));
    }
    let mut seen = std::collections::HashSet::with_capacity(rejects.len());
    for (row, reject_code) in rejects {
        code(reject_code)?;
        if row >= row_count {
            return Err(Violation::new(format!("row {row} is rejected, but the batch has {row_count} rows")));
        }
        if !seen.insert(row) {
            return Err(Violation::new(format!("row {row} is rejected twice")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
