//! Credentials of a connection: entered and revoked, and shown to nobody.

use super::connections::expected;
use super::fields::{SentFields, needs_consent};
use super::of_sync::records;
use crate::at::At;
use crate::body::{Sent, Told};
use crate::caller::Caller;
use crate::house::House;
use crate::ports::Way;
use crate::refusal::Refusal;
use axum::extract::State;
use control::{Action, CredentialToEnter};
use http::{HeaderMap, StatusCode};
use records::{CredentialBinding, CredentialFields, EnteredCredential, SealedRecords};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The fields of a credential, by the names that the connector's ask lists.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewCredential {
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    fields: SentFields,
}

/// A credential that was entered.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EnteredAnswer {
    /// Whether it is of use by now; if not, a user must consent at the provider first.
    is_ready: bool,
}

/// What came of a revocation.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RevokedAnswer {
    /// Whether whoever gave it knows that it is not to be taken any more.
    provider_told: bool,
    /// Why they could not be told, where there is a reason: revoke it there too.
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<String>,
}

/// For what a credential is entered now.
pub(super) fn binding(wanted: &CredentialToEnter) -> CredentialBinding {
    let ask = &wanted.ask;
    CredentialBinding {
        connector: wanted.connector.clone(),
        ask: ask.name.clone(),
        kind: ask.kind.as_str().to_owned(),
        audience: ask.audience.iter().map(ToString::to_string).collect(),
        digest: ask.binding().to_string(),
    }
}

/// What is kept of a credential that somebody enters now.
pub(super) fn entered(
    house: &House,
    by: &str,
    (wanted, way): (&CredentialToEnter, &Way),
    (fields, expires_ms): (CredentialFields, Option<u64>),
) -> EnteredCredential {
    let ask = &wanted.ask;
    EnteredCredential {
        name: wanted.stored.clone(),
        binding: binding(wanted),
        settings: house.parts.providers.settings(ask, way),
        fields,
        expires_ms,
        by: by.to_owned(),
    }
}

/// How a connection goes out, as an admin granted it: so is its provider called.
pub(super) async fn way(
    house: &House,
    by: &str,
    (organization, connection): (&str, &str),
) -> Result<Way, Refusal> {
    let found = house.parts.connections.get(by, organization, connection).await?;
    let consent = found.consent.unwrap_or_default();
    Ok(Way { addresses: consent.addresses, authority: consent.authority })
}

/// Enters a credential, for what the connection asks now. No answer ever holds one.
#[utoipa::path(put, path = "/v1/organizations/{organization}/connections/{connection}/credentials/{ask}",
    tag = "connections", params(("organization" = String, Path, description = "The organization's id."),
        ("connection" = String, Path, description = "The connection's id."),
        ("ask" = String, Path, description = "The name under which the connector asks for it.")),
    request_body = NewCredential, responses((status = 200, body = EnteredAnswer)))]
pub(crate) async fn enter(
    State(house): State<House>,
    caller: Caller,
    At((id, connection, ask)): At<(String, String, String)>,
    headers: HeaderMap,
    Sent(sent): Sent<NewCredential>,
) -> Result<Told<EnteredAnswer>, Refusal> {
    caller.enter(&house, &id, Action::EnterCredentials).await?;
    let (of, by) = (&house.parts.connections, caller.user());
    let wanted = of.credential_to_enter(by, &id, &connection, &ask).await?;
    // Who enters a credential has read where it will be sent.
    expected(&house, &caller, (&id, &connection), &headers).await?;
    let fields = sent.fields.of(&wanted.ask)?;
    let is_ready = !needs_consent(&wanted.ask, &fields);
    let way = way(&house, by, (&id, &connection)).await?;
    let entered = entered(&house, by, (&wanted, &way), (fields, None));
    records(&house, &id).enter_credential(entered).await?;
    let at = (connection.as_str(), wanted.revision);
    if is_ready {
        of.note_entered(by, &id, at, &ask).await?;
    } else if of
        .get(by, &id, &connection)
        .await?
        .credentials
        .iter()
        .any(|one| one.ask == ask && one.entered.is_some())
    {
        // The tokens of the last consent are gone with it.
        of.note_revoked(by, &id, &connection, &ask).await?;
    }
    Ok(Told(StatusCode::OK, EnteredAnswer { is_ready }))
}

/// Revokes a credential. Whoever gave it is told, where there is a way for that; here it is gone in any case.
#[utoipa::path(delete, path = "/v1/organizations/{organization}/connections/{connection}/credentials/{ask}",
    tag = "connections", params(("organization" = String, Path, description = "The organization's id."),
        ("connection" = String, Path, description = "The connection's id."),
        ("ask" = String, Path, description = "The name under which the connector asks for it.")),
    responses((status = 200, body = RevokedAnswer)))]
pub(crate) async fn revoke(
    State(house): State<House>,
    caller: Caller,
    At((id, connection, ask)): At<(String, String, String)>,
) -> Result<Told<RevokedAnswer>, Refusal> {
    caller.enter(&house, &id, Action::EnterCredentials).await?;
    let (of, by) = (&house.parts.connections, caller.user());
    let wanted = of.credential_to_enter(by, &id, &connection, &ask).await?;
    let answer = revoke_stored(&house, &records(&house, &id), &wanted.stored).await?;
    match of.note_revoked(by, &id, &connection, &ask).await {
        // Its consent never came, so it was never noted that it was there.
        Err(control::Error::UnknownObject { .. }) => {}
        noted => noted.map(|_| ())?,
    }
    house.parts.syncs.rights_changed();
    Ok(Told(StatusCode::OK, answer))
}

/// Every credential of a connection that is to be deleted, also of asks that it has no more.
pub(super) async fn revoke_all(house: &House, organization: &str, connection: &str) -> Result<(), Refusal> {
    let records = records(house, organization);
    let prefix = control::stored_prefix(connection);
    for kept in records.credentials().await? {
        if kept.name.starts_with(&prefix) {
            revoke_stored(house, &records, &kept.name).await?;
        }
    }
    Ok(())
}

async fn revoke_stored(
    house: &House,
    records: &SealedRecords,
    stored: &str,
) -> Result<RevokedAnswer, Refusal> {
    let opened = records.open_credential(stored).await?;
    // Before it is gone here: afterwards nobody could tell its provider any more. What the provider answers stops nothing.
    let told = house.parts.providers.give_back(&opened).await;
    drop(opened);
    records.revoke_credential(stored).await?;
    Ok(match told {
        Ok(provider_told) => RevokedAnswer { provider_told, warning: None },
        Err(fault) => RevokedAnswer { provider_told: false, warning: Some(Refusal::from(fault).told()) },
    })
}
