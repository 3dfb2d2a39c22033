//! What storage notes of itself as a whole. Holds times and marks, and nothing of anyone.

use crate::engine::{Engine, Entry};
use crate::error::Error;
use crate::key::Space;
use crate::time::Mark;

/// The time that is believed.
pub(crate) const TIME: &str = "time";
/// There from the first to the last batch of a restore.
pub(crate) const RESTORING: &str = "restoring";

pub(crate) fn key(name: &str) -> Vec<u8> {
    [&[Space::Notes as u8], name.as_bytes()].concat()
}

pub(crate) async fn mark(engine: &dyn Engine) -> Result<Option<Mark>, Error> {
    let bytes = engine.get(&key(TIME)).await?;
    bytes.map(|bytes| Mark::decode(&bytes).ok_or(Error::Format { found: Space::Notes as u8 })).transpose()
}

pub(crate) fn mark_entry(mark: Mark) -> Entry {
    (key(TIME), mark.encode())
}
