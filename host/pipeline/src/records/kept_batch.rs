//! Source rows that are kept until it is known whether their destination keeps them.

use crate::model::{Batch, StreamSchema};
use std::sync::Arc;

/// Rows of a source batch of a commit that is not settled, which the destination may reject as late as at the commit.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptBatch {
    /// Counts the source batches of the commit, from 0: [`PreparedBatch::source`](super::PreparedBatch::source).
    pub number: u32,
    /// By which its rows are laid out; its name is the stream's.
    pub schema: Arc<StreamSchema>,
    /// Which rows of the source batch they are, in rising order; none: all of them. Rows that were rejected already are left
    /// out: of some of them nothing may be kept.
    pub rows: Option<Vec<u32>>,
    /// They.
    pub batch: Arc<Batch>,
}

impl KeptBatch {
    /// Where a row of the source batch is among them.
    pub fn place_of(&self, row: u32) -> Option<u32> {
        let place = match &self.rows {
            Some(rows) => u32::try_from(rows.binary_search(&row).ok()?).ok()?,
            None => row,
        };
        (place < self.batch.row_count()).then_some(place)
    }
}
