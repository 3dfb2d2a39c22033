//! Sends stored row errors of a run through the sync once more.

mod plan;

pub(crate) use plan::Plan;
