//! Row errors are sent through their sync again, by a run of the queue.

use super::of_sync::OfSync;
use super::row_errors::filter::read_ids;
use crate::at::At;
use crate::body::{Sent, Told};
use crate::caller::Caller;
use crate::fault::Fault;
use crate::house::House;
use crate::refusal::Refusal;
use axum::extract::State;
use control::Action;
use http::StatusCode;
use pipeline::model::{Comparison, Condition};
use records::{ErrorFilter, StateFilter};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

const CODES_MAX: usize = 100;
const CONDITIONS_MAX: usize = 32;

/// Which row errors are to be sent through again: those for which all of it holds.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReprocessWish {
    /// Of this run. None: of the newest that has some of them.
    #[serde(default)]
    run: Option<u64>,
    /// Of this source stream.
    #[serde(default)]
    stream: Option<String>,
    /// With one of these codes; empty: any.
    #[serde(default)]
    #[schema(max_items = 100)]
    codes: Vec<String>,
    /// Whose row meets all of these.
    #[serde(default, rename = "where")]
    #[schema(max_items = 32)]
    conditions: Vec<RowCondition>,
    /// With one of these ids; empty: any.
    #[serde(default)]
    #[schema(max_items = 1000)]
    ids: Vec<String>,
    /// Also those that are superseded: they may overwrite newer rows.
    #[serde(default)]
    force: bool,
}

/// A condition on a row.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RowCondition {
    field: String,
    #[schema(schema_with = comparison)]
    comparison: Comparison,
    /// Left out for `is-null` and `is-not-null`.
    #[serde(default)]
    #[schema(value_type = Value)]
    value: Value,
}

/// A reprocess that waits to be done.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownReprocess {
    /// The run of the queue that does it.
    run: String,
    /// The run whose row errors are sent.
    of_run: u64,
    /// How many are sent.
    rows: u64,
    /// How many are left because a row of the same key was accepted since.
    superseded: u64,
    /// How many are left because nothing is kept of their row.
    kept_without_row: u64,
}

fn comparison() -> utoipa::openapi::schema::Object {
    use Comparison::{Equal, Greater, GreaterOrEqual, IsNotNull, IsNull, Less, LessOrEqual, NotEqual};
    super::words::one_of(&[Equal, NotEqual, Less, LessOrEqual, Greater, GreaterOrEqual, IsNull, IsNotNull])
}

impl ReprocessWish {
    fn filter(self) -> Result<ErrorFilter, Fault> {
        let at_most = |place: &str, count: usize, limit: usize| {
            if count <= limit { Ok(()) } else { Err(bad(place, format!("expected at most {limit} of them"))) }
        };
        at_most("codes", self.codes.len(), CODES_MAX)?;
        at_most("where", self.conditions.len(), CONDITIONS_MAX)?;
        let ids = read_ids(self.ids.iter().map(String::as_str)).map_err(|message| bad("ids", message))?;
        let condition = |RowCondition { field, comparison, value }| {
            let value = value.to_string();
            Condition { field, comparison, value }
        };
        let conditions = self.conditions.into_iter().map(condition).collect();
        let Self { run, stream, codes, .. } = self;
        Ok(ErrorFilter { run, stream, codes, state: StateFilter::Any, ids, conditions })
    }
}

fn bad(place: &str, message: String) -> Fault {
    Fault::BadBody { place: format!("`{place}`"), message }
}

/// Lets row errors be sent through their sync again, as it is now. What is found is told at once; it is done by a run of the
/// queue. Which ones they are also says something of their rows, so that who asks must be one who may see them.
#[utoipa::path(post, path = "/v1/organizations/{organization}/syncs/{sync}/reprocess", tag = "row errors",
    params(("organization" = String, Path, description = "The organization's id."),
        ("sync" = String, Path, description = "The sync's id.")), request_body = ReprocessWish,
    responses((status = 202, body = ShownReprocess)))]
pub(crate) async fn request(
    State(house): State<House>,
    caller: Caller,
    At(at): At<(String, String)>,
    Sent(sent): Sent<ReprocessWish>,
) -> Result<Told<ShownReprocess>, Refusal> {
    let of = OfSync::enter(&house, &caller, at, &[Action::StartRuns, Action::ReadRows]).await?;
    let (run, force) = (sent.run, sent.force);
    let filter = sent.filter()?;
    let kept = of.records.keep_reprocess_request(&of.sync, run, filter, force).await;
    let (id, request, choice) = kept.map_err(|error| refused(error, &of.sync))?;
    match house.parts.queue.reprocess(caller.user(), &of.organization, &of.sync, &id).await {
        Ok(order) => {
            let records::Choice { rows, superseded, kept_without_row } = choice;
            let (run, of_run) = (order.run, request.run);
            Ok(Told(StatusCode::ACCEPTED, ShownReprocess { run, of_run, rows, superseded, kept_without_row }))
        }
        Err(error) => {
            of.records.forget_reprocess_request(&id).await?;
            Err(error.into())
        }
    }
}

/// What is wrong with a condition would quote its value, which may be that of a row.
fn refused(error: records::Error, sync: &str) -> Refusal {
    match error {
        records::Error::BadCondition { .. } => {
            let message = "expected fields that a stream has, and values of their types".to_owned();
            bad("where", message).into()
        }
        records::Error::UnknownSync { .. } => {
            let (run, kept_without_row, superseded) = (0, 0, 0);
            let sync = sync.to_owned();
            records::Error::NothingToReprocess { sync, run, kept_without_row, superseded }.into()
        }
        error => error.into(),
    }
}
