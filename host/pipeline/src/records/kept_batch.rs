//! Source rows that are kept until it is known whether their destination keeps them.

use crate::model::{Batch, StreamSchema};
use std::sync::Arc;

/// A source batch of a commit that is not settled, of which the destination may reject rows as late as at the commit.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptBatch {
    /// Counts the source batches of the commit, from 0: [`PreparedBatch::source`](super::PreparedBatch::source).
    pub number: u32,
    /// By which its rows are laid out; its name is the stream's.
    pub schema: Arc<StreamSchema>,
    /// The rows.
    pub batch: Arc<Batch>,
}
