//! Secrets that a connector carried into what it gives: the host's second wall around credentials.
//!
//! A connector never holds a secret, but the system that it talks to may send one back. A row that holds one is rejected and
//! not kept, as its copy would keep the secret too; a checkpoint and a schema fail what they came with, as they cannot be
//! changed without meaning something else.

use crate::error::Error;
use crate::model::{Batch, ColumnData, Columns, JsonLines, Reject, Rows, VarData};
use scrub::{Hit, Place, Watch};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The code of a row that holds a secret.
pub const ROW_CODE: &str = "secret_in_row";

/// What the connectors of a run were entrusted with: by default nothing. Each watch is the one that the way out of the same
/// connector fills.
#[derive(Clone, Default)]
pub struct Secrets {
    /// The source's.
    pub source: Watch,
    /// The transforms', in their order; one that is missing has none.
    pub transforms: Vec<Watch>,
    /// The destination's.
    pub destination: Watch,
}

/// How often a secret was found in one of a connector's ways out of its sandbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretFound {
    /// `source`, `transform 0`, …, `destination`.
    pub connector: String,
    /// The credential, as the connector's manifest names it.
    pub credential: String,
    /// Where: a response, a log line, a row.
    pub place: String,
    /// How it was spelled.
    pub encoding: String,
    /// How often.
    pub count: u64,
}

impl Secrets {
    /// What was found so far.
    pub(crate) fn found(&self) -> Vec<SecretFound> {
        let transforms =
            self.transforms.iter().enumerate().map(|(at, watch)| (format!("transform {at}"), watch));
        let all = [("source".to_owned(), &self.source)].into_iter().chain(transforms);
        let all = all.chain([("destination".to_owned(), &self.destination)]);
        all.flat_map(|(connector, watch)| found(&connector, watch)).collect()
    }
}

fn found(connector: &str, watch: &Watch) -> Vec<SecretFound> {
    let told = |count: scrub::Count| SecretFound {
        connector: connector.to_owned(),
        credential: count.credential.to_string(),
        place: count.place.to_string(),
        encoding: count.encoding.to_string(),
        count: count.count,
    };
    watch.hits().into_iter().map(told).collect()
}

/// The rejects of the rows that hold a secret, by their rows.
pub(crate) fn rejects(watch: &Watch, batch: &Batch) -> Vec<Reject> {
    if watch.current().is_empty() {
        return Vec::new();
    }
    let mut rows = BTreeMap::new();
    match &batch.rows {
        Rows::Columns(columns) => in_columns(watch, columns, &mut rows),
        Rows::JsonLines(lines) => in_lines(watch, lines, &mut rows),
    }
    rows.into_iter().map(|(row, hit)| reject(row, &hit)).collect()
}

fn reject(row: u32, hit: &Hit) -> Reject {
    let message =
        format!("the row holds the secret of the credential `{}` ({})", hit.credential, hit.encoding);
    Reject { row, code: ROW_CODE.into(), message, retryable: false }
}

/// Values of a fixed length are numbers; a secret in them would be spelled in a way that nobody else reads.
fn in_columns(watch: &Watch, columns: &Columns, rows: &mut BTreeMap<u32, Hit>) {
    for column in &columns.columns {
        if let ColumnData::Text(var) | ColumnData::Bytes(var) | ColumnData::Json(var) = &column.data {
            for hit in watch.find(Place::Record, &var.data) {
                note(rows, row_of(var, hit.range.start), row_of(var, hit.range.end.saturating_sub(1)), &hit);
            }
        }
    }
}

fn in_lines(watch: &Watch, lines: &JsonLines, rows: &mut BTreeMap<u32, Hit>) {
    let ends = |from: usize, to: usize| {
        memchr::memchr_iter(b'\n', lines.data.get(from..to).unwrap_or_default()).count()
    };
    // Hits come by their places, so each line is counted once, however many hold one.
    let (mut counted_to, mut row) = (0, 0);
    for hit in watch.find(Place::Record, &lines.data) {
        row += ends(counted_to, hit.range.start);
        counted_to = hit.range.start;
        note(rows, row, row + ends(hit.range.start, hit.range.end), &hit);
    }
}

/// A secret whose parts stand in two rows, one right behind the other, is in both.
fn note(rows: &mut BTreeMap<u32, Hit>, first: usize, last: usize, hit: &Hit) {
    for row in (first..=last).filter_map(|row| u32::try_from(row).ok()) {
        rows.entry(row).or_insert_with(|| hit.clone());
    }
}

/// The row whose value has the byte at this place.
fn row_of(var: &VarData, at: usize) -> usize {
    let begun =
        var.offsets.partition_point(|offset| usize::try_from(*offset).is_ok_and(|offset| offset <= at));
    begun.saturating_sub(1)
}

/// Fails at a secret in what can be neither changed nor rejected alone.
pub(crate) fn refuse(
    watch: &Watch,
    place: Place,
    connector: &str,
    what: &str,
    bytes: &[u8],
) -> Result<(), Error> {
    match watch.find(place, bytes).first() {
        None => Ok(()),
        Some(hit) => Err(Error::SecretGiven {
            connector: connector.to_owned(),
            credential: hit.credential.to_string(),
            what: what.to_owned(),
        }),
    }
}

/// Fails at a secret in names and other texts of schemas.
///
/// # Errors
/// [`Error::SecretGiven`].
pub fn refuse_in_schemas(
    watch: &Watch,
    connector: &str,
    schemas: &(impl Serialize + ?Sized),
) -> Result<(), Error> {
    if watch.current().is_empty() {
        return Ok(());
    }
    let bytes = serde_json::to_vec(schemas).map_err(|error| Error::internal(error.to_string()))?;
    refuse(watch, Place::Message, connector, "a schema", &bytes)
}

#[cfg(test)]
mod tests;
