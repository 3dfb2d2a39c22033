//! The words of the contract as owned, serializable data: what crosses the ports of this crate.
//!
//! It mirrors `wit/0.1.0` type by type, without any engine in it, so that a connector may one day run in another process.

mod batch;
mod plan;
mod read;
mod schema;
mod wire;

pub(crate) use batch::bit;
pub use batch::{
    Batch, Column, ColumnData, Columns, JsonLines, Operation, Reject, RowOperations, Rows, VarData,
};
pub use plan::{
    Capabilities, CommitReport, FieldFate, FieldVerdict, LastCommit, LateReject, Mode, Modes, Output,
    StreamPlan, StreamVerdict, TransformPlan, Transformed, WriteReport,
};
pub use read::{
    Catalog, Comparison, Condition, OpenRead, Page, PageBudget, Pushdown, ReadGroup, RejectedRow, Selection,
    SourceReject, Step, StreamInfo,
};
pub use schema::{DataType, Field, Layout, Layouts, Operations, Schema, StreamSchema, Zone};
pub(crate) use wire::bytes as wire_bytes;
pub(crate) use wire::optional_bytes as wire_optional_bytes;
