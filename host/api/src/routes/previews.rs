//! Rows as they would be moved, shown before anything is. Who makes a preview is told how many rows there are; the rows are
//! read apart, so that an answer that is given again after a loss holds none.

use super::of_sync::OfSync;
use crate::at::At;
use crate::body::{Sent, Told};
use crate::caller::Caller;
use crate::fault::Fault;
use crate::house::House;
use crate::page::{Page, PageQuery, Queried};
use crate::refusal::Refusal;
use axum::extract::State;
use control::{Act, Action, Event};
use http::StatusCode;
use manifest::RowData;
use pipeline::model::{Field, Operation};
use pipeline::rows;
use records::Preview;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

const ROWS_MAX: usize = 100;

/// How much is to be shown.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PreviewWish {
    /// Rows of each stream.
    #[serde(default = "some_rows")]
    #[schema(minimum = 1, maximum = 100, default = 10)]
    rows: usize,
}

fn some_rows() -> usize {
    10
}

/// A preview that was made.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MadePreview {
    streams: Vec<PreviewedStream>,
}

/// A stream of which there are rows now.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PreviewedStream {
    stream: String,
    rows: usize,
}

/// Rows of one stream.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownPreview {
    stream: String,
    /// When they were read.
    at_ms: u64,
    fields: Vec<ShownField>,
    rows: Vec<PreviewedRow>,
}

/// A field of them.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownField {
    name: String,
    #[serde(rename = "type")]
    data_type: String,
}

/// A row.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PreviewedRow {
    /// What is asked of the destination.
    operation: &'static str,
    #[schema(value_type = Object)]
    row: Value,
}

/// Reads the first rows of each stream of a sync through its transforms, moves nothing, and keeps them for a day, or as long
/// as the organization says.
#[utoipa::path(post, path = "/v1/organizations/{organization}/syncs/{sync}/preview", tag = "previews",
    params(("organization" = String, Path, description = "The organization's id."),
        ("sync" = String, Path, description = "The sync's id.")), request_body = PreviewWish,
    responses((status = 201, body = MadePreview)))]
pub(crate) async fn make(
    State(house): State<House>,
    caller: Caller,
    At(at): At<(String, String)>,
    Sent(sent): Sent<PreviewWish>,
) -> Result<Told<MadePreview>, Refusal> {
    let of = OfSync::enter(&house, &caller, at, &[Action::StartRuns, Action::ReadRows]).await?;
    if !(1..=ROWS_MAX).contains(&sent.rows) {
        let message = format!("expected 1 to {ROWS_MAX}");
        return Err(Fault::BadBody { place: "`rows`".to_owned(), message }.into());
    }
    let spec = house.parts.syncs.get(caller.user(), &of.organization, &of.sync).await?.spec;
    if spec.rejects.row_data == RowData::Off {
        return Err(Fault::KeepsNoRows.into());
    }
    // Also because credentials are used for it.
    let event = Event::done(Act::PreviewMade, caller.id(), &of.sync);
    let deed = house.parts.connectors.preview(&of.organization, &of.sync, sent.rows);
    let previews = of.act(&house, event, deed).await?;
    let mut streams = Vec::with_capacity(previews.len());
    for preview in previews {
        of.records.keep_preview(&of.sync, &preview).await?;
        let rows = preview.batches.iter().map(|batch| usize::try_from(batch.row_count()).unwrap_or(0)).sum();
        streams.push(PreviewedStream { stream: preview.schema.stream, rows });
    }
    Ok(Told(StatusCode::CREATED, MadePreview { streams }))
}

/// Lists the rows that were read last for a preview, by stream.
#[utoipa::path(get, path = "/v1/organizations/{organization}/syncs/{sync}/previews", tag = "previews",
    params(("organization" = String, Path, description = "The organization's id."),
        ("sync" = String, Path, description = "The sync's id."), PageQuery),
    responses((status = 200, body = Page<ShownPreview>)))]
pub(crate) async fn list(
    State(house): State<House>,
    caller: Caller,
    At(at): At<(String, String)>,
    Queried(query): Queried<PageQuery>,
) -> Result<Told<Page<ShownPreview>>, Refusal> {
    let of = OfSync::enter(&house, &caller, at, &[Action::ReadRows]).await?;
    let name = of.list("previews");
    let cut = query.cut(&name)?;
    let all = of.records.previews(&of.sync).await?;
    let page = Page::of(&name, &cut, all, |preview| &preview.schema.stream);
    Ok(Told(StatusCode::OK, page.map(|preview| ShownPreview::of(&preview))))
}

impl ShownPreview {
    fn of(preview: &Preview) -> Self {
        let schema = &preview.schema;
        let shown_field =
            |field: &Field| ShownField { name: field.name.clone(), data_type: field.data_type.to_string() };
        let fields = schema.schema.fields.iter().map(shown_field);
        let mut shown = Vec::new();
        for batch in &preview.batches {
            for row in 0..batch.row_count() {
                let values = rows::row_json(batch, schema, row);
                let values = values.and_then(|json| serde_json::from_str(&json).ok());
                let place = usize::try_from(row).unwrap_or(usize::MAX);
                let operation = batch.operations.get(place).map_or("insert", Operation::name);
                shown.push(PreviewedRow { operation, row: values.unwrap_or_default() });
            }
        }
        let (stream, at_ms) = (schema.stream.clone(), preview.at_ms);
        Self { stream, at_ms, fields: fields.collect(), rows: shown }
    }
}
