//! The life of a run: pages, checkpoints, row errors, retry and cancel.
//!
//! Knows no engine, no storage and no API: connectors, run records and time come through ports.

pub mod clock;
pub mod connector;
mod error;
pub mod failure;
#[cfg(test)]
mod fixtures;
pub mod model;
pub mod records;
pub mod report;
pub mod rows;
pub mod run;
pub mod secrets;
pub mod validate;

pub use error::Error;
