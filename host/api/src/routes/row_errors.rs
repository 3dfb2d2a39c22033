//! Row errors of a sync: listed, counted, shown with their rows, exported, deleted.

use super::of_sync::{OfSync, or_nothing};
use crate::at::At;
use crate::body::Told;
use crate::caller::Caller;
use crate::fault::Fault;
use crate::house::House;
use crate::page::{Page, Queried, write_cursor};
use crate::refusal::Refusal;
use axum::extract::State;
use axum::response::Response;
use control::{Act, Action, Event};
use filter::{Deleting, Finding, Listing};
use http::StatusCode;
use records::ErrorId;
use shown::{Deleted, ShownCount, ShownCounts, ShownRowError, WholeRowError};

mod export;
pub(crate) mod filter;
pub(crate) mod shown;

/// Lists row errors of a sync in the order of their ids, without their rows.
#[utoipa::path(get, path = "/v1/organizations/{organization}/syncs/{sync}/errors", tag = "row errors",
    params(("organization" = String, Path, description = "The organization's id."),
        ("sync" = String, Path, description = "The sync's id."), Listing),
    responses((status = 200, body = Page<ShownRowError>)))]
pub(crate) async fn list(
    State(house): State<House>,
    caller: Caller,
    At(at): At<(String, String)>,
    Queried(query): Queried<Listing>,
) -> Result<Told<Page<ShownRowError>>, Refusal> {
    let of = OfSync::enter(&house, &caller, at, &[Action::ReadRows]).await?;
    let (name, (page, finding)) = (of.list("errors"), query.parts());
    let cut = page.cut(&name)?;
    let after = match &cut.after {
        Some(after) => Some(after.parse::<ErrorId>().map_err(|_| Fault::BadCursor)?),
        None => None,
    };
    let filter = finding.filter()?;
    let found = or_nothing(of.records.errors(&of.sync, &filter, after, cut.limit).await)?;
    let next = found.next.map(|next| write_cursor(&name, &next.to_string()));
    let items = found.errors.iter().map(|error| ShownRowError::of(&of.sync, error)).collect();
    Ok(Told(StatusCode::OK, Page { items, next }))
}

/// Counts row errors by run, stream and code.
#[utoipa::path(get, path = "/v1/organizations/{organization}/syncs/{sync}/errors/counts", tag = "row errors",
    params(("organization" = String, Path, description = "The organization's id."),
        ("sync" = String, Path, description = "The sync's id."), Finding),
    responses((status = 200, body = ShownCounts)))]
pub(crate) async fn counts(
    State(house): State<House>,
    caller: Caller,
    At(at): At<(String, String)>,
    Queried(finding): Queried<Finding>,
) -> Result<Told<ShownCounts>, Refusal> {
    let of = OfSync::enter(&house, &caller, at, &[Action::ReadRows]).await?;
    let counts = or_nothing(of.records.count_errors(&of.sync, &finding.filter()?).await)?;
    let total = counts.values().sum();
    let shown = counts.into_iter().map(|((run, stream, code), rows)| ShownCount { run, stream, code, rows });
    Ok(Told(StatusCode::OK, ShownCounts { total, counts: shown.collect() }))
}

/// Shows a row error with its row.
#[utoipa::path(get, path = "/v1/organizations/{organization}/syncs/{sync}/errors/{error}", tag = "row errors",
    params(("organization" = String, Path, description = "The organization's id."),
        ("sync" = String, Path, description = "The sync's id."),
        ("error" = String, Path, description = "The row error's id, as in `12-345`.")),
    responses((status = 200, body = WholeRowError)))]
pub(crate) async fn show(
    State(house): State<House>,
    caller: Caller,
    At((organization, sync, id)): At<(String, String, String)>,
) -> Result<Told<WholeRowError>, Refusal> {
    let of = OfSync::enter(&house, &caller, (organization, sync), &[Action::ReadRows]).await?;
    let unknown = || control::Error::UnknownObject { what: "row error", id: id.clone() };
    let wanted = id.parse::<ErrorId>().map_err(|_| unknown())?;
    let found = or_nothing(of.records.error(&of.sync, wanted).await)?.ok_or_else(unknown)?;
    Ok(Told(StatusCode::OK, WholeRowError::of(&of.sync, &found)))
}

/// Writes row errors with their rows as lines of JSON.
#[utoipa::path(get, path = "/v1/organizations/{organization}/syncs/{sync}/errors/export", tag = "row errors",
    params(("organization" = String, Path, description = "The organization's id."),
        ("sync" = String, Path, description = "The sync's id."), Finding),
    responses((status = 200, content_type = "application/jsonl", body = String)))]
pub(crate) async fn export(
    State(house): State<House>,
    caller: Caller,
    At(at): At<(String, String)>,
    Queried(finding): Queried<Finding>,
) -> Result<Response, Refusal> {
    let of = OfSync::enter(&house, &caller, at, &[Action::ReadRows]).await?;
    let filter = finding.filter()?;
    let event = Event::done(Act::RowErrorsExported, caller.id(), &of.sync);
    of.act(&house, event, async { Ok::<_, Refusal>(()) }).await?;
    Ok(export::lines(of, filter))
}

/// Deletes row errors. When it answers, they are erased: nobody reads them any more, also not from a copy of the disk.
#[utoipa::path(delete, path = "/v1/organizations/{organization}/syncs/{sync}/errors", tag = "row errors",
    params(("organization" = String, Path, description = "The organization's id."),
        ("sync" = String, Path, description = "The sync's id."), Deleting),
    responses((status = 200, body = Deleted)))]
pub(crate) async fn delete(
    State(house): State<House>,
    caller: Caller,
    At(at): At<(String, String)>,
    Queried(query): Queried<Deleting>,
) -> Result<Told<Deleted>, Refusal> {
    let of = OfSync::enter(&house, &caller, at, &[Action::DeleteRows]).await?;
    let filter = query.filter()?;
    let found: u64 = or_nothing(of.records.count_errors(&of.sync, &filter).await)?.values().sum();
    if found == 0 {
        return Ok(Told(StatusCode::OK, Deleted { deleted: 0 }));
    }
    let event = Event::done(Act::RowErrorsDeleted, caller.id(), &of.sync);
    let deed = async {
        let deleted = of.records.delete_errors(&of.sync, &filter).await?;
        of.records.erase_now().await?;
        Ok::<_, records::Error>(deleted)
    };
    let deleted = of.act(&house, event.detail("rows", found.to_string()), deed).await?;
    Ok(Told(StatusCode::OK, Deleted { deleted }))
}
