//! For how long an organization's data is kept. What is promised to everybody is the most; shorter holds for what is written
//! from then on.

use super::of_sync::{act, records};
use crate::at::At;
use crate::body::{Sent, Told};
use crate::caller::Caller;
use crate::etag::{Tag, tagged};
use crate::fault::Fault;
use crate::house::House;
use crate::refusal::Refusal;
use axum::extract::State;
use axum::response::Response;
use control::{Act, Action, Event};
use http::{HeaderMap, StatusCode};
use records::Retention;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// For how long things are kept: an hour at least.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Retention)]
pub(crate) struct Times {
    /// Row errors with their rows; 45 days at most.
    #[schema(minimum = 3_600_000, maximum = 3_888_000_000_u64)]
    row_errors_ms: u64,
    /// Lines of connectors, ledgers, and the texts of reports; 45 days at most.
    #[schema(minimum = 3_600_000, maximum = 3_888_000_000_u64)]
    run_logs_ms: u64,
    /// Rows of previews; a day at most.
    #[schema(minimum = 3_600_000, maximum = 86_400_000)]
    previews_ms: u64,
    /// Messages of event endpoints; a day at most.
    #[schema(minimum = 3_600_000, maximum = 86_400_000)]
    events_ms: u64,
    /// Whether a run's log also says what each commit brought, and not only what went wrong.
    success_logs: bool,
}

impl From<Retention> for Times {
    fn from(retention: Retention) -> Self {
        let Retention { row_errors_ms, run_logs_ms, previews_ms, events_ms, success_logs } = retention;
        Self { row_errors_ms, run_logs_ms, previews_ms, events_ms, success_logs }
    }
}

impl From<&Times> for Retention {
    fn from(times: &Times) -> Self {
        let Times { row_errors_ms, run_logs_ms, previews_ms, events_ms, success_logs } = *times;
        Self { row_errors_ms, run_logs_ms, previews_ms, events_ms, success_logs }
    }
}

/// Shows for how long an organization's data is kept.
#[utoipa::path(get, path = "/v1/organizations/{organization}/retention", tag = "organizations",
    params(("organization" = String, Path, description = "The organization's id.")),
    responses((status = 200, body = Times, headers(("ETag" = String)))))]
pub(crate) async fn show(
    State(house): State<House>,
    caller: Caller,
    At(id): At<String>,
) -> Result<Response, Refusal> {
    caller.enter(&house, &id, Action::ReadConfigurations).await?;
    let times = Times::from(records(&house, &id).retention().await?);
    Ok(tagged(Tag::of(&times), Told(StatusCode::OK, times)))
}

/// Changes for how long an organization's data is kept, for what is written from now on.
#[utoipa::path(put, path = "/v1/organizations/{organization}/retention", tag = "organizations",
    params(("organization" = String, Path, description = "The organization's id.")), request_body = Times,
    responses((status = 200, body = Times, headers(("ETag" = String)))))]
pub(crate) async fn set(
    State(house): State<House>,
    caller: Caller,
    At(id): At<String>,
    headers: HeaderMap,
    Sent(sent): Sent<Times>,
) -> Result<Response, Refusal> {
    caller.enter(&house, &id, Action::ChangeRetention).await?;
    let wanted = Retention::from(&sent);
    wanted.check()?;
    let _alone = house.edit(&id).await;
    let records = records(&house, &id);
    Tag::of(&Times::from(records.retention().await?)).ok_or(Fault::Internal)?.expect(&headers)?;
    let mut event = Event::done(Act::RetentionChanged, caller.id(), &id);
    for (name, ms) in [
        ("row_errors_ms", wanted.row_errors_ms),
        ("run_logs_ms", wanted.run_logs_ms),
        ("previews_ms", wanted.previews_ms),
        ("events_ms", wanted.events_ms),
    ] {
        event = event.detail(name, ms.to_string());
    }
    act(&house, &id, event, records.set_retention(&wanted)).await?;
    Ok(tagged(Tag::of(&sent), Told(StatusCode::OK, sent)))
}
