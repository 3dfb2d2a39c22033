//! The life of a run: pages, checkpoints, row errors, retry and cancel.
//!
//! Knows no engine, no storage and no API: connectors, run records and time come through ports.

pub mod connector;
pub mod failure;
#[cfg(test)]
mod fixtures;
pub mod model;
pub mod rows;
pub mod validate;
