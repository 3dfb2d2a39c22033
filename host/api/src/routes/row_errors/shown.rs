//! Row errors as they are shown: in lists without their rows and without texts that may quote them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pipeline::model::Operation;
use pipeline::records::{RejectedBy, RowCopy};
use pipeline::rows;
use records::{ErrorState, KeptError};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// A row error, without its row.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownRowError {
    /// Of the run that rejected the row first, and a number.
    id: String,
    run: u64,
    stream: String,
    /// The read group.
    group: String,
    /// The row's place among the rows of its stream in the run, from 0.
    index: u64,
    /// None: it never became a row.
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<&'static str>,
    code: String,
    /// Whether trying again could help.
    retryable: bool,
    /// Who rejected it: `source`, `host`, `transform 0`, `destination`.
    by: String,
    #[schema(schema_with = state)]
    state: &'static str,
    /// The run that accepted a row of the same key since.
    #[serde(skip_serializing_if = "Option::is_none")]
    superseded_by: Option<u64>,
    /// How often the row was tried.
    tries: u32,
    /// The run that tried it last, where it is not the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    tried_by: Option<u64>,
    created_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_ms: Option<u64>,
}

/// A row error with its row.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WholeRowError {
    #[serde(flatten)]
    known: ShownRowError,
    /// What was said of it.
    message: String,
    /// Names of fields that are at fault, or that a row had of which nothing is kept.
    fields: Vec<String>,
    /// Its values.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    row: Option<Value>,
    /// Bytes that never became a row, in base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    raw: Option<String>,
    /// Why there are neither.
    #[serde(skip_serializing_if = "Option::is_none")]
    without_row: Option<String>,
}

/// How many row errors there are.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownCounts {
    pub(super) total: u64,
    pub(super) counts: Vec<ShownCount>,
}

/// How many there are of one run, stream and code.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownCount {
    pub(super) run: u64,
    pub(super) stream: String,
    pub(super) code: String,
    pub(super) rows: u64,
}

/// What was deleted.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Deleted {
    /// How many.
    pub(super) deleted: u64,
}

fn state() -> utoipa::openapi::schema::Object {
    super::super::words::one_of(&["open", "superseded"])
}

impl ShownRowError {
    pub(super) fn of(sync: &str, kept: &KeptError) -> Self {
        let (state, superseded_by) = match kept.state {
            ErrorState::Open => ("open", None),
            ErrorState::Superseded { by_run } => ("superseded", Some(by_run)),
        };
        let by = match kept.error.by {
            RejectedBy::Source => "source".to_owned(),
            RejectedBy::Host => "host".to_owned(),
            RejectedBy::Transform(place) => format!("transform {place}"),
            RejectedBy::Destination => "destination".to_owned(),
        };
        Self {
            id: kept.id.to_string(),
            run: kept.id.run,
            stream: kept.schema.stream.clone(),
            group: super::super::of_sync::group(sync, &kept.unit).to_owned(),
            index: kept.error.index,
            operation: kept.error.operation.map(Operation::name),
            code: kept.error.code.clone(),
            retryable: kept.error.retryable,
            by,
            state,
            superseded_by,
            tries: kept.tries,
            tried_by: kept.tried_by,
            created_ms: kept.created_ms,
            expires_ms: kept.expires_ms,
        }
    }
}

impl WholeRowError {
    pub(super) fn of(sync: &str, kept: &KeptError) -> Self {
        let (mut row, mut raw, mut without_row) = (None, None, None);
        match &kept.error.row {
            RowCopy::Row(copy) => match values(copy, kept) {
                Some(values) => row = Some(values),
                None => without_row = Some("its values cannot be shown as JSON".to_owned()),
            },
            RowCopy::Raw(bytes) => raw = Some(STANDARD.encode(bytes)),
            RowCopy::TooLarge { bytes } => {
                without_row = Some(format!("it is larger than what is kept of one: it has {bytes} bytes"));
            }
            RowCopy::Withheld => {
                without_row =
                    Some("the sync says that no row data is kept, or there is a secret in it".into());
            }
            RowCopy::GivenUp => without_row = Some("it was given up for memory".to_owned()),
        }
        Self {
            known: ShownRowError::of(sync, kept),
            message: kept.error.message.clone(),
            fields: kept.error.fields.clone(),
            row,
            raw,
            without_row,
        }
    }
}

fn values(row: &pipeline::records::KeptRow, kept: &KeptError) -> Option<Value> {
    let json = rows::row_json(&row.to_batch(), &kept.schema, 0)?;
    serde_json::from_str(&json).ok()
}
