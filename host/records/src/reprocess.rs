//! Sends stored row errors of a run through the sync once more.
//!
//! [`Reprocess`] chooses them; its source gives their rows, and the run's [`Session`](crate::Session) is told of it. What
//! became of each row is then true in the very commit that dealt with it: the row error is deleted, or says what the new
//! run said.

mod choice;
mod merge;
mod plan;
mod reader;
mod request;
mod source;

pub use choice::{Choice, Reprocess};
pub(crate) use plan::{OfCommit, Plan};
pub use request::ReprocessRequest;
