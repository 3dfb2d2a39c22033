//! Write Cofferdam connectors in Rust.
//!
//! A connector is a WASI component that implements one or more of [`Source`], [`Destination`], [`Transform`] and
//! [`Webhook`]. Implement the trait, say [`export!`], build for `wasm32-wasip2`: that is all. The README beside this
//! crate leads through it; each trait carries an example that runs.
//!
//! - Rows travel in batches: as columns ([`ColumnsBuilder`], typed with [`row!`]) or as JSON lines
//!   ([`JsonLinesBuilder`]). What comes in is read in place through [`ColumnsView`].
//! - Errors say what the host may do about them ([`Error`]); a connector never retries by itself.
//! - HTTP goes through [`http::Client`]; what the connector may reach is granted to it, credentials are placed by the
//!   host.
//! - Logs go through the `log` façade, or through `tracing` with its feature `log`.
//!
//! Nothing here needs unsafe code, and nothing needs a component to be tested: on other targets everything but the
//! host itself works.

mod batch;
#[doc(hidden)]
pub mod bindings;
mod columns;
mod config;
mod contract;
mod destination;
mod error;
mod export;
#[doc(hidden)]
pub mod exported;
pub mod http;
mod json_lines;
mod logging;
mod page;
mod row;
pub mod run;
mod schema;
mod source;
mod transform;
mod values;
mod webhook;

pub use batch::{Incoming, Objects};
pub use columns::{
    Booleans, Cell, ColumnBuilder, ColumnView, ColumnsBuilder, ColumnsView, Decimals, RowView, Values,
    VarValues,
};
pub use config::{Checkpoint, parse_config};
pub use contract::{
    Batch, Capabilities, Catalog, Challenge, ChallengeAnswer, Column, ColumnData, Columns, CommitReport,
    Comparison, Condition, DataType, DecimalType, Field, FieldFate, FieldFault, FieldVerdict, JsonLines,
    LastCommit, LateReject, Layout, Layouts, Message, Mode, Modes, Operation, Operations, Output, Page,
    Pushdown, ReadGroup, Reject, RejectedRow, RetryHint, RowOperations, Rows, Schema, Selection,
    SourceReject, Step, StreamInfo, StreamPlan, StreamSchema, StreamVerdict, TransformPlan, Transformed,
    VarData, WriteReport, Zone,
};
pub use destination::{Destination, OpenWrite, Writer};
pub use error::{Error, Result};
pub use json_lines::JsonLinesBuilder;
pub use page::{Budget, PageBuilder};
pub use row::Row;
pub use source::{OpenRead, Reader, Source};
pub use transform::{Transform, Transformer};
pub use values::{Date, Decimal, LocalTime, LocalTimestamp, Patch, Time, Timestamp, Value};
pub use webhook::Webhook;

/// The version of the contract that a connector built with this crate speaks.
pub const CONTRACT_VERSION: &str = "0.1.0";

/// The guide's examples, so that they stay true.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Guide;

#[cfg(test)]
mod tests {
    /// The one piece of code in the guide that is no program of its own.
    #[test]
    fn the_guide_quotes_the_template() {
        let lines = |text: &'static str| text.lines().map(str::trim).collect::<Vec<_>>();
        let (guide, template) = (include_str!("../README.md"), lines(include_str!("../template/src/lib.rs")));
        let quote = guide.split("```text\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
        let quote = lines(quote);
        assert!(quote.len() > 10 && template.windows(quote.len()).any(|window| window == quote), "{quote:?}");
    }
}
