//! The audit log of an organization: what is in it, and what shows that it is what it was.

use crate::at::At;
use crate::body::{Sent, Told};
use crate::caller::Caller;
use crate::house::House;
use crate::page::{Page, PageQuery, Queried};
use crate::refusal::Refusal;
use axum::extract::State;
use axum::response::Response;
use control::{Action, Log};
use http::StatusCode;
use serde::Deserialize;
use shown::{Compared, Kept, ShownCheckpoint, ShownEntry, ShownProof};
use utoipa::IntoParams;

pub(crate) mod shown;
pub(crate) mod told;

/// Which entry, in which tree.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Inclusion {
    /// The entry's number, from 0.
    number: u64,
    /// How many entries the tree has.
    size: u64,
}

/// Which two trees.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Consistency {
    /// How many entries the earlier tree had.
    earlier: u64,
    /// How many entries the later tree has.
    size: u64,
}

async fn enter(house: &House, caller: &Caller, organization: &str) -> Result<Log, Refusal> {
    caller.enter(house, organization, Action::ReadAudit).await?;
    Ok(house.parts.organizations.log(organization))
}

/// Lists entries, the oldest first.
#[utoipa::path(get, path = "/v1/organizations/{organization}/audit", tag = "audit",
    params(("organization" = String, Path, description = "The organization's id."), PageQuery),
    responses((status = 200, body = Page<ShownEntry>)))]
pub(crate) async fn list(
    State(house): State<House>,
    caller: Caller,
    At(id): At<String>,
    Queried(query): Queried<PageQuery>,
) -> Result<Told<Page<ShownEntry>>, Refusal> {
    let log = enter(&house, &caller, &id).await?;
    told::list(&house, &log, &query).await
}

/// Writes the whole log as a file that `cofferdam audit verify` verifies anywhere.
#[utoipa::path(get, path = "/v1/organizations/{organization}/audit/export", tag = "audit",
    params(("organization" = String, Path, description = "The organization's id.")),
    responses((status = 200, content_type = "application/jsonl", body = String)))]
pub(crate) async fn export(
    State(house): State<House>,
    caller: Caller,
    At(id): At<String>,
) -> Result<Response, Refusal> {
    let log = enter(&house, &caller, &id).await?;
    told::export(&house, &log, caller.id()).await
}

/// Signs how far the log has come.
#[utoipa::path(get, path = "/v1/organizations/{organization}/audit/checkpoint", tag = "audit",
    params(("organization" = String, Path, description = "The organization's id.")),
    responses((status = 200, body = ShownCheckpoint)))]
pub(crate) async fn checkpoint(
    State(house): State<House>,
    caller: Caller,
    At(id): At<String>,
) -> Result<Told<ShownCheckpoint>, Refusal> {
    let log = enter(&house, &caller, &id).await?;
    told::checkpoint(&house, &log).await
}

/// Proves that an entry is in the tree (RFC 6962, section 2.1.1).
#[utoipa::path(get, path = "/v1/organizations/{organization}/audit/inclusion", tag = "audit",
    params(("organization" = String, Path, description = "The organization's id."), Inclusion),
    responses((status = 200, body = ShownProof)))]
pub(crate) async fn inclusion(
    State(house): State<House>,
    caller: Caller,
    At(id): At<String>,
    Queried(query): Queried<Inclusion>,
) -> Result<Told<ShownProof>, Refusal> {
    let log = enter(&house, &caller, &id).await?;
    let proof = house.parts.audit.prove_inclusion(&log, query.number, query.size).await?;
    Ok(Told(StatusCode::OK, ShownProof::of(&proof)))
}

/// Proves that a tree begins with an earlier one (RFC 6962, section 2.1.2).
#[utoipa::path(get, path = "/v1/organizations/{organization}/audit/consistency", tag = "audit",
    params(("organization" = String, Path, description = "The organization's id."), Consistency),
    responses((status = 200, body = ShownProof)))]
pub(crate) async fn consistency(
    State(house): State<House>,
    caller: Caller,
    At(id): At<String>,
    Queried(query): Queried<Consistency>,
) -> Result<Told<ShownProof>, Refusal> {
    let log = enter(&house, &caller, &id).await?;
    let proof = house.parts.audit.prove_consistency(&log, query.earlier, query.size).await?;
    Ok(Told(StatusCode::OK, ShownProof::of(&proof)))
}

/// Holds the log against a checkpoint that was kept elsewhere.
#[utoipa::path(post, path = "/v1/organizations/{organization}/audit/compare", tag = "audit",
    params(("organization" = String, Path, description = "The organization's id.")), request_body = Kept,
    responses((status = 200, body = Compared)))]
pub(crate) async fn compare(
    State(house): State<House>,
    caller: Caller,
    At(id): At<String>,
    Sent(sent): Sent<Kept>,
) -> Result<Told<Compared>, Refusal> {
    let log = enter(&house, &caller, &id).await?;
    told::compare(&house, &log, &sent).await
}
