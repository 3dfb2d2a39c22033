//! Runs that wait or are under way.

use crate::at::At;
use crate::body::Told;
use crate::caller::Caller;
use crate::house::House;
use crate::page::{Page, PageQuery, Queried};
use crate::refusal::Refusal;
use axum::extract::State;
use control::{Action, ActiveRun, ActiveState, Cause, Wish};
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

/// A run that waits or is under way.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ActiveRun)]
pub(crate) struct ShownRun {
    run: String,
    sync: String,
    cause: Why,
    /// Who asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    /// When the sync was due.
    #[serde(skip_serializing_if = "Option::is_none")]
    due_ms: Option<u64>,
    queued_ms: u64,
    /// How often it was begun by now.
    attempts: u32,
    state: Stage,
    /// While it waits: from when on it may begin.
    #[serde(skip_serializing_if = "Option::is_none")]
    ready_ms: Option<u64>,
    /// While it is under way: since when.
    #[serde(skip_serializing_if = "Option::is_none")]
    since_ms: Option<u64>,
    /// What whoever executes it is to do with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    wish: Option<Wished>,
}

/// Why there is a run.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RunCause)]
enum Why {
    Manual,
    Schedule,
    Event,
    /// Row errors are sent through again.
    Reprocess,
}

/// How far a run is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ActiveRunState)]
enum Stage {
    Waiting,
    Running,
}

/// To end it at the next commit, or at once.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RunWish)]
enum Wished {
    Pause,
    Cancel,
}

impl ShownRun {
    fn of(run: ActiveRun) -> Self {
        let ActiveRun { run, sync, cause, queued_ms, attempts, state, wish } = run;
        let (cause, by, due_ms) = match cause {
            Cause::Manual { by } => (Why::Manual, Some(by), None),
            Cause::Schedule { due_ms } => (Why::Schedule, None, Some(due_ms)),
            Cause::Event => (Why::Event, None, None),
            Cause::Reprocess { by, .. } => (Why::Reprocess, Some(by), None),
        };
        let (state, ready_ms, since_ms) = match state {
            ActiveState::Waiting { ready_ms } => (Stage::Waiting, Some(ready_ms), None),
            ActiveState::Running { since_ms } => (Stage::Running, None, Some(since_ms)),
        };
        let wish = wish.map(|wish| match wish {
            Wish::Pause => Wished::Pause,
            Wish::Cancel => Wished::Cancel,
        });
        Self { run, sync, cause, by, due_ms, queued_ms, attempts, state, ready_ms, since_ms, wish }
    }
}

/// Lists the runs of an organization that wait or are under way.
#[utoipa::path(get, path = "/v1/organizations/{organization}/queue", tag = "runs",
    params(("organization" = String, Path, description = "The organization's id."), PageQuery),
    responses((status = 200, body = Page<ShownRun>)))]
pub(crate) async fn list(
    State(house): State<House>,
    caller: Caller,
    At(id): At<String>,
    Queried(query): Queried<PageQuery>,
) -> Result<Told<Page<ShownRun>>, Refusal> {
    caller.enter(&house, &id, Action::ReadRuns).await?;
    let cut = query.cut("queue")?;
    let all = house.parts.queue.list(caller.user(), &id).await?;
    Ok(Told(StatusCode::OK, Page::of("queue", &cut, all, |run| &run.run).map(ShownRun::of)))
}

/// Ends a run. One that waits is gone; one that is under way ends as soon as whoever executes it has learned of it.
#[utoipa::path(post, path = "/v1/organizations/{organization}/runs/{run}/cancel", tag = "runs",
    params(("organization" = String, Path, description = "The organization's id."),
        ("run" = String, Path, description = "The run's id.")), responses((status = 202)))]
pub(crate) async fn cancel(
    State(house): State<House>,
    caller: Caller,
    At((id, run)): At<(String, String)>,
) -> Result<StatusCode, Refusal> {
    caller.enter(&house, &id, Action::StartRuns).await?;
    house.parts.queue.cancel(caller.user(), &id, &run).await?;
    Ok(StatusCode::ACCEPTED)
}
