//! An organization is deleted, in two steps: an admin asks for it, and another one agrees, or the time has passed.

use crate::at::At;
use crate::body::{Sent, Told};
use crate::caller::{Caller, Person};
use crate::house::House;
use crate::refusal::Refusal;
use axum::extract::State;
use control::{Action, Connections, Deletion, DeletionCertificate, Error};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The name of the organization, typed once more.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TypedName {
    #[schema(max_length = 100)]
    name: String,
}

/// Whether an organization is to be deleted.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownDeletion {
    is_requested: bool,
    /// Who asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    requested_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    requested_ms: Option<u64>,
    /// From when on whoever asked for it may also be the one who agrees.
    #[serde(skip_serializing_if = "Option::is_none")]
    due_ms: Option<u64>,
}

/// That an organization was deleted. The same stands in the log of the installation.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Certificate {
    organization: String,
    region: String,
    requested_by: String,
    confirmed_by: String,
    /// When nothing of it could be read any more.
    deleted_ms: u64,
    /// How many entries its log had at its end.
    log_entries: u64,
    /// The root of its log's tree then, in hexadecimal digits.
    log_root: String,
    /// Directories of the server's machine in which files of it may still lie, in folders that are called by its id unless the
    /// directory is shared. They are the operator's, who deletes them.
    directories: Vec<String>,
}

impl ShownDeletion {
    fn of(deletion: Option<Deletion>) -> Self {
        match deletion {
            Some(Deletion { requested_by, requested_ms, due_ms, .. }) => Self {
                is_requested: true,
                requested_by: Some(requested_by),
                requested_ms: Some(requested_ms),
                due_ms: Some(due_ms),
            },
            None => Self { is_requested: false, requested_by: None, requested_ms: None, due_ms: None },
        }
    }
}

impl Certificate {
    fn of(certificate: DeletionCertificate, connections: &Connections) -> Self {
        let directories = connections.directories_of(&certificate.organization);
        let DeletionCertificate { organization, region, requested_by, confirmed_by, .. } = certificate;
        let DeletionCertificate { deleted_ms, log_entries, log_root, .. } = certificate;
        let region = region.to_string();
        Self {
            organization,
            region,
            requested_by,
            confirmed_by,
            deleted_ms,
            log_entries,
            log_root,
            directories,
        }
    }
}

/// As a person who rules over the organization.
async fn enter(house: &House, person: Person, organization: &str) -> Result<String, Refusal> {
    let caller = Caller::from(person);
    caller.enter(house, organization, Action::DeleteOrganization).await?;
    Ok(caller.user().to_owned())
}

/// Asks for an organization to be deleted. Asked for again, it stays what it was.
#[utoipa::path(post, path = "/v1/organizations/{organization}/deletion", tag = "organizations",
    params(("organization" = String, Path, description = "The organization's id.")), request_body = TypedName,
    responses((status = 202, body = ShownDeletion)))]
pub(crate) async fn request(
    State(house): State<House>,
    person: Person,
    At(id): At<String>,
    Sent(sent): Sent<TypedName>,
) -> Result<Told<ShownDeletion>, Refusal> {
    let by = enter(&house, person, &id).await?;
    let deletion = house.parts.organizations.request_deletion(&by, &id, &sent.name).await?;
    Ok(Told(StatusCode::ACCEPTED, ShownDeletion::of(Some(deletion))))
}

/// Shows whether an organization is to be deleted.
#[utoipa::path(get, path = "/v1/organizations/{organization}/deletion", tag = "organizations",
    params(("organization" = String, Path, description = "The organization's id.")),
    responses((status = 200, body = ShownDeletion)))]
pub(crate) async fn show(
    State(house): State<House>,
    caller: Caller,
    At(id): At<String>,
) -> Result<Told<ShownDeletion>, Refusal> {
    caller.enter(&house, &id, Action::ListMembers).await?;
    let deletion = house.parts.organizations.deletion(caller.user(), &id).await?;
    Ok(Told(StatusCode::OK, ShownDeletion::of(deletion)))
}

/// Takes the wish back, as any admin may.
#[utoipa::path(delete, path = "/v1/organizations/{organization}/deletion", tag = "organizations",
    params(("organization" = String, Path, description = "The organization's id.")), responses((status = 204)))]
pub(crate) async fn withdraw(
    State(house): State<House>,
    person: Person,
    At(id): At<String>,
) -> Result<StatusCode, Refusal> {
    let by = enter(&house, person, &id).await?;
    house.parts.organizations.withdraw_deletion(&by, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Has an organization deleted, for ever: by another admin than the one who asked for it, or by any of them after the time.
#[utoipa::path(post, path = "/v1/organizations/{organization}/deletion/confirm", tag = "organizations",
    params(("organization" = String, Path, description = "The organization's id.")), request_body = TypedName,
    responses((status = 200, body = Certificate)))]
pub(crate) async fn confirm(
    State(house): State<House>,
    person: Person,
    At(id): At<String>,
    Sent(sent): Sent<TypedName>,
) -> Result<Told<Certificate>, Refusal> {
    let by = enter(&house, person, &id).await?;
    let parts = &house.parts;
    let certificate = parts.organizations.confirm_deletion(&by, &id, &sent.name).await;
    // Also where it failed on its way: from the moment at which it was agreed on there is no such organization any more.
    if matches!(parts.organizations.get(&id).await, Err(Error::UnknownOrganization { .. })) {
        parts.syncs.organization_ended(&id);
        parts.records.forget(&parts.organizations.owner(&id));
    }
    Ok(Told(StatusCode::OK, Certificate::of(certificate?, &parts.connections)))
}

/// Shows the certificate of an organization that was deleted.
#[utoipa::path(get, path = "/v1/deletions/{organization}", tag = "installation",
    params(("organization" = String, Path, description = "The organization's id.")),
    responses((status = 200, body = Certificate)))]
pub(crate) async fn certificate(
    State(house): State<House>,
    person: Person,
    At(id): At<String>,
) -> Result<Told<Certificate>, Refusal> {
    let found = house.parts.organizations.deletion_certificate(&person.session.user, &id).await?;
    let certificate = found.ok_or(Error::UnknownOrganization { organization: id })?;
    Ok(Told(StatusCode::OK, Certificate::of(certificate, &house.parts.connections)))
}
