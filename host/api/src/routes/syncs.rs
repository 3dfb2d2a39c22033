//! Syncs: from which connection to which, what of it, and when.
//!
//! An `ETag` names what a sync *does*. That it is started, or has run, changes no `ETag`: whoever edits it is not disturbed by
//! its runs.

mod moved;
mod shown;
mod validated;
mod written;

pub(crate) use moved::*;
pub(crate) use shown::{Outcome, SyncWord};
pub(crate) use validated::*;

use crate::at::At;
use crate::body::{Sent, Told};
use crate::caller::Caller;
use crate::etag::{Tag, tagged};
use crate::fault::Fault;
use crate::house::House;
use crate::page::{Page, PageQuery, Queried};
use crate::parts::Parts;
use crate::refusal::Refusal;
use axum::extract::State;
use axum::response::Response;
use control::{Action, Left, StoredSync, SyncSpec};
use http::{HeaderMap, StatusCode};
use shown::{ListedSync, ShownSync};
use written::WrittenSync;

fn tag(sync: &StoredSync) -> Option<Tag> {
    Tag::of(&(&sync.id, sync.revision))
}

fn told(status: StatusCode, sync: StoredSync) -> Response {
    tagged(tag(&sync), Told(status, ShownSync::of(sync)))
}

/// As somebody who may make and change syncs, and when they run.
async fn enter(house: &House, caller: &Caller, organization: &str, spec: &SyncSpec) -> Result<(), Refusal> {
    caller.enter(house, organization, Action::ChangeSyncs).await?;
    if spec.schedule.is_some() {
        caller.enter(house, organization, Action::ChangeSchedules).await?;
    }
    Ok(())
}

/// Lists the syncs of an organization, without what they do.
#[utoipa::path(get, path = "/v1/organizations/{organization}/syncs", tag = "syncs",
    params(("organization" = String, Path, description = "The organization's id."), PageQuery),
    responses((status = 200, body = Page<ListedSync>)))]
pub(crate) async fn list(
    State(house): State<House>,
    caller: Caller,
    At(id): At<String>,
    Queried(query): Queried<PageQuery>,
) -> Result<Told<Page<ListedSync>>, Refusal> {
    caller.enter(&house, &id, Action::ReadRuns).await?;
    let cut = query.cut("syncs")?;
    let page = house.parts.syncs.list(caller.user(), &id, cut.after.as_deref(), cut.limit).await?;
    Ok(Told(StatusCode::OK, Page::kept("syncs", page).map(ListedSync::of)))
}

/// Makes a sync, stopped.
#[utoipa::path(post, path = "/v1/organizations/{organization}/syncs", tag = "syncs",
    params(("organization" = String, Path, description = "The organization's id.")), request_body = WrittenSync,
    responses((status = 201, body = ShownSync, headers(("ETag" = String)))))]
pub(crate) async fn create(
    State(house): State<House>,
    caller: Caller,
    At(id): At<String>,
    Sent(sent): Sent<WrittenSync>,
) -> Result<Response, Refusal> {
    let spec = SyncSpec::from(sent);
    enter(&house, &caller, &id, &spec).await?;
    let sync = house.parts.syncs.create(caller.user(), &id, spec).await?;
    Ok(told(StatusCode::CREATED, sync))
}

/// Shows a sync.
#[utoipa::path(get, path = "/v1/organizations/{organization}/syncs/{sync}", tag = "syncs",
    params(("organization" = String, Path, description = "The organization's id."),
        ("sync" = String, Path, description = "The sync's id.")),
    responses((status = 200, body = ShownSync, headers(("ETag" = String)))))]
pub(crate) async fn show(
    State(house): State<House>,
    caller: Caller,
    At((id, sync)): At<(String, String)>,
) -> Result<Response, Refusal> {
    caller.enter(&house, &id, Action::ReadConfigurations).await?;
    let sync = house.parts.syncs.get(caller.user(), &id, &sync).await?;
    Ok(told(StatusCode::OK, sync))
}

/// Changes what a sync does. A run that is under way goes on as it began.
#[utoipa::path(put, path = "/v1/organizations/{organization}/syncs/{sync}", tag = "syncs",
    params(("organization" = String, Path, description = "The organization's id."),
        ("sync" = String, Path, description = "The sync's id.")), request_body = WrittenSync,
    responses((status = 200, body = ShownSync, headers(("ETag" = String)))))]
pub(crate) async fn change(
    State(house): State<House>,
    caller: Caller,
    At((id, sync)): At<(String, String)>,
    headers: HeaderMap,
    Sent(sent): Sent<WrittenSync>,
) -> Result<Response, Refusal> {
    let spec = SyncSpec::from(sent);
    enter(&house, &caller, &id, &spec).await?;
    let syncs = &house.parts.syncs;
    let now = syncs.get(caller.user(), &id, &sync).await?;
    tag(&now).ok_or(Fault::Internal)?.expect(&headers)?;
    let sync = syncs.update(caller.user(), &id, (&sync, now.revision), spec).await?;
    Ok(told(StatusCode::OK, sync))
}

/// Deletes a sync that has no run, and all that its runs have left behind.
#[utoipa::path(delete, path = "/v1/organizations/{organization}/syncs/{sync}", tag = "syncs",
    params(("organization" = String, Path, description = "The organization's id."),
        ("sync" = String, Path, description = "The sync's id.")), responses((status = 204)))]
pub(crate) async fn remove(
    State(house): State<House>,
    caller: Caller,
    At((id, sync)): At<(String, String)>,
) -> Result<StatusCode, Refusal> {
    caller.enter(&house, &id, Action::ChangeSyncs).await?;
    let syncs = &house.parts.syncs;
    let now = syncs.get(caller.user(), &id, &sync).await?;
    syncs.delete(caller.user(), &id, (&sync, now.revision)).await?;
    let Parts { organizations, records, .. } = &house.parts;
    crate::left::forget::<Refusal>(organizations, records, (&id, &Left::Sync(sync))).await?;
    Ok(StatusCode::NO_CONTENT)
}
