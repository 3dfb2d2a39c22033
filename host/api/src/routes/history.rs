//! The history of a sync's runs: when they were, how they ended, and what they moved. What may quote rows is told to who may
//! read logs.

use super::of_sync::{OfSync, or_nothing};
use crate::at::At;
use crate::body::Told;
use crate::caller::Caller;
use crate::fault::Fault;
use crate::house::House;
use crate::page::{Page, PageQuery, Queried, write_cursor};
use crate::refusal::Refusal;
use axum::extract::State;
use control::Action;
use http::StatusCode;
use records::LogPlace;
use shown::{ShownLog, ShownReport, ShownRun, ShownRunLine};

pub(crate) mod shown;

/// Lists the runs of a sync, the newest first.
#[utoipa::path(get, path = "/v1/organizations/{organization}/syncs/{sync}/runs", tag = "runs",
    params(("organization" = String, Path, description = "The organization's id."),
        ("sync" = String, Path, description = "The sync's id."), PageQuery),
    responses((status = 200, body = Page<ShownRunLine>)))]
pub(crate) async fn list(
    State(house): State<House>,
    caller: Caller,
    At(at): At<(String, String)>,
    Queried(query): Queried<PageQuery>,
) -> Result<Told<Page<ShownRunLine>>, Refusal> {
    let of = OfSync::enter(&house, &caller, at, &[Action::ReadRuns]).await?;
    let name = of.list("runs");
    let cut = query.cut(&name)?;
    let before = match cut.after.map(|after| after.parse::<u64>()) {
        None => None,
        Some(Ok(before)) => Some(before),
        Some(Err(_)) => return Err(Fault::BadCursor.into()),
    };
    let runs = or_nothing(of.records.runs(&of.sync, before, cut.limit).await)?;
    // Runs count from 1 without a gap.
    let last = runs.last().map(|last| last.run).filter(|last| *last > 1);
    let next = last.map(|last| write_cursor(&name, &last.to_string()));
    Ok(Told(StatusCode::OK, Page { items: runs.iter().map(ShownRunLine::of).collect(), next }))
}

/// Shows a run in codes and counts, with what each connector used of its limits and what was taken back from it.
#[utoipa::path(get, path = "/v1/organizations/{organization}/syncs/{sync}/runs/{number}", tag = "runs",
    params(("organization" = String, Path, description = "The organization's id."),
        ("sync" = String, Path, description = "The sync's id."),
        ("number" = u64, Path, description = "The run's number.")),
    responses((status = 200, body = ShownRun)))]
pub(crate) async fn show(
    State(house): State<House>,
    caller: Caller,
    At((organization, sync, run)): At<(String, String, u64)>,
) -> Result<Told<ShownRun>, Refusal> {
    let of = OfSync::enter(&house, &caller, (organization, sync), &[Action::ReadRuns]).await?;
    let entry = of.run(run).await?;
    Ok(Told(StatusCode::OK, ShownRun::of(entry)))
}

/// Shows the report of a run with the texts of its errors, and its ledger: what went out, and what was denied. Kept as long as
/// its log.
#[utoipa::path(get, path = "/v1/organizations/{organization}/syncs/{sync}/runs/{number}/report", tag = "runs",
    params(("organization" = String, Path, description = "The organization's id."),
        ("sync" = String, Path, description = "The sync's id."),
        ("number" = u64, Path, description = "The run's number.")),
    responses((status = 200, body = ShownReport)))]
pub(crate) async fn report(
    State(house): State<House>,
    caller: Caller,
    At((organization, sync, run)): At<(String, String, u64)>,
) -> Result<Told<ShownReport>, Refusal> {
    let of = OfSync::enter(&house, &caller, (organization, sync), &[Action::ReadRunLogs]).await?;
    of.run(run).await?;
    let report = of.records.whole_report(&of.sync, run).await?;
    let ledger = of.records.ledger(&of.sync, run).await?;
    Ok(Told(StatusCode::OK, ShownReport::of(report, ledger)))
}

/// Lists what the connectors of a run said.
#[utoipa::path(get, path = "/v1/organizations/{organization}/syncs/{sync}/runs/{number}/log", tag = "runs",
    params(("organization" = String, Path, description = "The organization's id."),
        ("sync" = String, Path, description = "The sync's id."),
        ("number" = u64, Path, description = "The run's number."), PageQuery),
    responses((status = 200, body = ShownLog)))]
pub(crate) async fn log(
    State(house): State<House>,
    caller: Caller,
    At((organization, sync, run)): At<(String, String, u64)>,
    Queried(query): Queried<PageQuery>,
) -> Result<Told<ShownLog>, Refusal> {
    let of = OfSync::enter(&house, &caller, (organization, sync), &[Action::ReadRunLogs]).await?;
    let name = of.list(&format!("log {run}"));
    let cut = query.cut(&name)?;
    let after = match &cut.after {
        Some(after) => Some(place(after).ok_or(Fault::BadCursor)?),
        None => None,
    };
    of.run(run).await?;
    let page = of.records.log_page(&of.sync, run, after, cut.limit).await?;
    let next = page.next.map(|next| write_cursor(&name, &format!("{} {}", next.chunk, next.line)));
    Ok(Told(StatusCode::OK, ShownLog::of(page, next)))
}

fn place(after: &str) -> Option<LogPlace> {
    let (chunk, line) = after.split_once(' ')?;
    Some(LogPlace { chunk: chunk.parse().ok()?, line: line.parse().ok()? })
}
