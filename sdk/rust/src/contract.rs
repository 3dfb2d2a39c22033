//! The contract's own words, once for all roles. See `wit/0.1.0` for the law they come from.

pub use crate::bindings::{
    destination::exports::cofferdam::connector::destination::{
        Capabilities, CommitReport, FieldFate, FieldVerdict, LastCommit, LateReject, Mode, Modes, StreamPlan,
        StreamVerdict, WriteReport,
    },
    shared::cofferdam::connector::{
        streams::{Catalog, Page, Pushdown, ReadGroup, RejectedRow, SourceReject, StreamInfo},
        types::{
            Batch, Column, ColumnData, Columns, DataType, DecimalType, Field, FieldFault, JsonLines, Layout,
            Layouts, Operation, Operations, Reject, RetryHint, RowOperations, Rows, Schema, StreamSchema,
            VarData, Zone,
        },
    },
    source::exports::cofferdam::connector::source::{Comparison, Condition, Selection, Step},
    transform::exports::cofferdam::connector::transform::{Output, TransformPlan, Transformed},
    webhook::exports::cofferdam::connector::webhook::{Challenge, ChallengeAnswer, Message},
};
