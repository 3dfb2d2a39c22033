//! The audit log of the installation, for its operators.

use super::audit::shown::{Compared, Kept, ShownCheckpoint, ShownEntry};
use super::audit::told;
use crate::body::{Sent, Told};
use crate::caller::Person;
use crate::house::House;
use crate::page::{Page, PageQuery, Queried};
use crate::refusal::Refusal;
use axum::extract::State;
use axum::response::Response;
use control::{Action, Log};

async fn enter(house: &House, person: &Person) -> Result<Log, Refusal> {
    let (organizations, user) = (&house.parts.organizations, &person.session.user);
    organizations.authorize_installation(user, Action::ReadInstallationAudit).await?;
    Ok(Log::installation())
}

/// Lists entries, the oldest first.
#[utoipa::path(get, path = "/v1/audit", tag = "audit", params(PageQuery),
    responses((status = 200, body = Page<ShownEntry>)))]
pub(crate) async fn list(
    State(house): State<House>,
    person: Person,
    Queried(query): Queried<PageQuery>,
) -> Result<Told<Page<ShownEntry>>, Refusal> {
    let log = enter(&house, &person).await?;
    told::list(&house, &log, &query).await
}

/// Writes the whole log as a file that `cofferdam audit verify` verifies anywhere.
#[utoipa::path(get, path = "/v1/audit/export", tag = "audit",
    responses((status = 200, content_type = "application/jsonl", body = String)))]
pub(crate) async fn export(State(house): State<House>, person: Person) -> Result<Response, Refusal> {
    let log = enter(&house, &person).await?;
    told::export(&house, &log, &person.session.user).await
}

/// Signs how far the log has come.
#[utoipa::path(get, path = "/v1/audit/checkpoint", tag = "audit",
    responses((status = 200, body = ShownCheckpoint)))]
pub(crate) async fn checkpoint(
    State(house): State<House>,
    person: Person,
) -> Result<Told<ShownCheckpoint>, Refusal> {
    let log = enter(&house, &person).await?;
    told::checkpoint(&house, &log).await
}

/// Holds the log against a checkpoint that was kept elsewhere.
#[utoipa::path(post, path = "/v1/audit/compare", tag = "audit", request_body = Kept,
    responses((status = 200, body = Compared)))]
pub(crate) async fn compare(
    State(house): State<House>,
    person: Person,
    Sent(sent): Sent<Kept>,
) -> Result<Told<Compared>, Refusal> {
    let log = enter(&house, &person).await?;
    told::compare(&house, &log, &sent).await
}
