//! Syncs are started, paused and stopped, and run now.

use super::shown::ShownSync;
use super::told;
use crate::at::At;
use crate::body::Told;
use crate::caller::Caller;
use crate::house::House;
use crate::refusal::Refusal;
use axum::extract::State;
use axum::response::Response;
use control::Action;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

/// A run that waits now.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Ordered {
    run: String,
}

/// Lets a sync run when it is due. One that was paused makes up for what was due.
#[utoipa::path(post, path = "/v1/organizations/{organization}/syncs/{sync}/start", tag = "syncs",
    params(("organization" = String, Path, description = "The organization's id."),
        ("sync" = String, Path, description = "The sync's id.")),
    responses((status = 200, body = ShownSync, headers(("ETag" = String)))))]
pub(crate) async fn start(
    State(house): State<House>,
    caller: Caller,
    At((id, sync)): At<(String, String)>,
) -> Result<Response, Refusal> {
    caller.enter(&house, &id, Action::StartRuns).await?;
    Ok(told(StatusCode::OK, house.parts.syncs.start(caller.user(), &id, &sync).await?))
}

/// Pauses a sync: its run ends at the next commit, and what is due meanwhile is made up for.
#[utoipa::path(post, path = "/v1/organizations/{organization}/syncs/{sync}/pause", tag = "syncs",
    params(("organization" = String, Path, description = "The organization's id."),
        ("sync" = String, Path, description = "The sync's id.")),
    responses((status = 200, body = ShownSync, headers(("ETag" = String)))))]
pub(crate) async fn pause(
    State(house): State<House>,
    caller: Caller,
    At((id, sync)): At<(String, String)>,
) -> Result<Response, Refusal> {
    caller.enter(&house, &id, Action::StartRuns).await?;
    Ok(told(StatusCode::OK, house.parts.syncs.pause(caller.user(), &id, &sync).await?))
}

/// Stops a sync: its run is ended at once, and what is due meanwhile is not made up for.
#[utoipa::path(post, path = "/v1/organizations/{organization}/syncs/{sync}/stop", tag = "syncs",
    params(("organization" = String, Path, description = "The organization's id."),
        ("sync" = String, Path, description = "The sync's id.")),
    responses((status = 200, body = ShownSync, headers(("ETag" = String)))))]
pub(crate) async fn stop(
    State(house): State<House>,
    caller: Caller,
    At((id, sync)): At<(String, String)>,
) -> Result<Response, Refusal> {
    caller.enter(&house, &id, Action::StartRuns).await?;
    Ok(told(StatusCode::OK, house.parts.syncs.stop(caller.user(), &id, &sync).await?))
}

/// Lets a sync run now, whether it is stopped, paused or runs when it is due.
#[utoipa::path(post, path = "/v1/organizations/{organization}/syncs/{sync}/runs", tag = "runs",
    params(("organization" = String, Path, description = "The organization's id."),
        ("sync" = String, Path, description = "The sync's id.")), responses((status = 202, body = Ordered)))]
pub(crate) async fn run_now(
    State(house): State<House>,
    caller: Caller,
    At((id, sync)): At<(String, String)>,
) -> Result<Told<Ordered>, Refusal> {
    caller.enter(&house, &id, Action::StartRuns).await?;
    let order = house.parts.queue.run_now(caller.user(), &id, &sync).await?;
    Ok(Told(StatusCode::ACCEPTED, Ordered { run: order.run }))
}
