//! Connections: a connector with a configuration, what an admin granted it, and its credentials.

use super::asks::{ShownAsks, ShownConsent};
use crate::at::At;
use crate::body::{Sent, Told};
use crate::caller::Caller;
use crate::etag::{Tag, tagged};
use crate::fault::Fault;
use crate::house::House;
use crate::page::{Page, PageQuery, Queried};
use crate::parts::Parts;
use crate::refusal::Refusal;
use crate::strict::Strict;
use axum::extract::State;
use axum::response::Response;
use control::{Action, Connection, ConnectionConfig, ConnectionSummary, CredentialState, Error, Left};
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// What a connection is to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConnectionWish {
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// The digest of its connector, which is installed.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    digest: String,
    /// The configuration, without secrets: those are credentials.
    #[serde(default = "empty")]
    #[schema(value_type = Object)]
    config: Strict,
}

/// A connection, as lists show it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Connection)]
pub(crate) struct ShownSummary {
    id: String,
    name: String,
    /// The digest of its connector.
    digest: String,
    /// The connector, as `publisher/name`.
    connector: String,
    version: String,
    /// Another one after each change.
    revision: u64,
}

/// A connection.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ConnectionDetails)]
pub(crate) struct ShownConnection {
    #[serde(flatten)]
    summary: ShownSummary,
    /// What the connector's schema takes, which need not be an object.
    #[schema(value_type = Value)]
    config: Value,
    created_ms: u64,
    changed_ms: u64,
    /// How many syncs use it.
    syncs: u32,
    /// What it asks for with this configuration.
    asks: ShownAsks,
    /// What an admin granted; none: nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    consent: Option<ShownConsent>,
    /// Whether it still asks for what the admin saw.
    consent_is_current: bool,
    credentials: Vec<ShownCredential>,
}

/// What may be known of a credential. Nobody is shown what it is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Credential)]
pub(crate) struct ShownCredential {
    /// The name under which the connector asks for it.
    ask: String,
    kind: String,
    optional: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    entered_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entered_ms: Option<u64>,
    /// Whether it was entered for what the connection asks now. One that was not is used for nothing.
    is_current: bool,
}

/// What is wrong with a configuration.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Judged {
    is_valid: bool,
    faults: Vec<ShownFault>,
}

/// One thing that is wrong with a configuration.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ConfigFault)]
pub(crate) struct ShownFault {
    /// A JSON Pointer into the configuration; empty: the whole of it.
    path: String,
    /// What is wrong, and what would be right.
    message: String,
}

fn empty() -> Strict {
    Strict(Value::Object(serde_json::Map::new()))
}

impl From<ConnectionWish> for ConnectionConfig {
    fn from(wish: ConnectionWish) -> Self {
        let ConnectionWish { name, digest, config: Strict(config) } = wish;
        Self { name, installation: digest, config }
    }
}

impl ShownSummary {
    fn of(summary: ConnectionSummary) -> Self {
        let ConnectionSummary { id, name, installation, connector, version, revision } = summary;
        Self { id, name, digest: installation, connector, version, revision }
    }
}

impl ShownConnection {
    fn of(connection: Connection) -> Self {
        let Connection { id, name, installation, connector, version, revision, .. } = connection;
        Self {
            summary: ShownSummary { id, name, digest: installation, connector, version, revision },
            config: connection.config,
            created_ms: connection.created_ms,
            changed_ms: connection.changed_ms,
            syncs: connection.syncs,
            asks: ShownAsks::of(connection.asks),
            consent: connection.consent.map(ShownConsent::of),
            consent_is_current: connection.consent_is_current,
            credentials: connection.credentials.into_iter().map(ShownCredential::of).collect(),
        }
    }
}

impl ShownCredential {
    fn of(state: CredentialState) -> Self {
        let CredentialState { ask, kind, optional, entered, is_current, .. } = state;
        let (entered_by, entered_ms) = entered.map(|entered| (entered.by, entered.at_ms)).unzip();
        Self { ask, kind, optional, entered_by, entered_ms, is_current }
    }
}

/// Of that of it which can be changed.
pub(super) fn tag(id: &str, revision: u64) -> Option<Tag> {
    Tag::of(&(id, revision))
}

/// An answer that shows a connection, with the name of what it shows.
pub(super) fn shown(status: StatusCode, connection: Connection) -> Response {
    let tag = tag(&connection.id, connection.revision);
    tagged(tag, Told(status, ShownConnection::of(connection)))
}

/// The revision that whoever sends these headers has read.
pub(super) async fn expected(
    house: &House,
    caller: &Caller,
    (organization, id): (&str, &str),
    headers: &HeaderMap,
) -> Result<u64, Refusal> {
    let connection = house.parts.connections.get(caller.user(), organization, id).await?;
    tag(id, connection.revision).ok_or(Fault::Internal)?.expect(headers)?;
    Ok(connection.revision)
}

/// Lists the connections of an organization, without what is in them.
#[utoipa::path(get, path = "/v1/organizations/{organization}/connections", tag = "connections",
    params(("organization" = String, Path, description = "The organization's id."), PageQuery),
    responses((status = 200, body = Page<ShownSummary>)))]
pub(crate) async fn list(
    State(house): State<House>,
    caller: Caller,
    At(id): At<String>,
    Queried(query): Queried<PageQuery>,
) -> Result<Told<Page<ShownSummary>>, Refusal> {
    caller.enter(&house, &id, Action::ReadCatalog).await?;
    let cut = query.cut("connections")?;
    let found = house.parts.connections.list(caller.user(), &id, cut.after.as_deref(), cut.limit).await?;
    Ok(Told(StatusCode::OK, Page::kept("connections", found).map(ShownSummary::of)))
}

/// Makes a connection, without rights and credentials.
#[utoipa::path(post, path = "/v1/organizations/{organization}/connections", tag = "connections",
    params(("organization" = String, Path, description = "The organization's id.")),
    request_body = ConnectionWish,
    responses((status = 201, body = ShownConnection, headers(("ETag" = String)))))]
pub(crate) async fn create(
    State(house): State<House>,
    caller: Caller,
    At(id): At<String>,
    Sent(sent): Sent<ConnectionWish>,
) -> Result<Response, Refusal> {
    caller.enter(&house, &id, Action::ChangeSyncs).await?;
    let made = house.parts.connections.create(caller.user(), &id, sent.into()).await?;
    Ok(shown(StatusCode::CREATED, made))
}

/// Tells every fault that a configuration would have. Nothing is kept.
#[utoipa::path(post, path = "/v1/organizations/{organization}/connections/validate", tag = "connections",
    params(("organization" = String, Path, description = "The organization's id.")),
    request_body = ConnectionWish, responses((status = 200, body = Judged)))]
pub(crate) async fn validate(
    State(house): State<House>,
    caller: Caller,
    At(id): At<String>,
    Sent(sent): Sent<ConnectionWish>,
) -> Result<Told<Judged>, Refusal> {
    caller.enter(&house, &id, Action::ChangeSyncs).await?;
    let faults = match house.parts.connections.validate(caller.user(), &id, &sent.into()).await {
        Err(Error::BadConfig { faults }) => faults,
        judged => judged.map(|()| Vec::new())?,
    };
    let is_valid = faults.is_empty();
    let told = faults.into_iter().map(|fault| ShownFault { path: fault.path, message: fault.message });
    Ok(Told(StatusCode::OK, Judged { is_valid, faults: told.collect() }))
}

/// Shows a connection.
#[utoipa::path(get, path = "/v1/organizations/{organization}/connections/{connection}", tag = "connections",
    params(("organization" = String, Path, description = "The organization's id."),
        ("connection" = String, Path, description = "The connection's id.")),
    responses((status = 200, body = ShownConnection, headers(("ETag" = String)))))]
pub(crate) async fn show(
    State(house): State<House>,
    caller: Caller,
    At((id, connection)): At<(String, String)>,
) -> Result<Response, Refusal> {
    caller.enter(&house, &id, Action::ReadConfigurations).await?;
    let found = house.parts.connections.get(caller.user(), &id, &connection).await?;
    Ok(shown(StatusCode::OK, found))
}

/// Gives a connection another name, configuration or version of its connector. What it asks for by that and did not before is
/// not granted, and credentials are entered for what they were.
#[utoipa::path(put, path = "/v1/organizations/{organization}/connections/{connection}", tag = "connections",
    params(("organization" = String, Path, description = "The organization's id."),
        ("connection" = String, Path, description = "The connection's id.")),
    request_body = ConnectionWish,
    responses((status = 200, body = ShownConnection, headers(("ETag" = String)))))]
pub(crate) async fn change(
    State(house): State<House>,
    caller: Caller,
    At((id, connection)): At<(String, String)>,
    headers: HeaderMap,
    Sent(sent): Sent<ConnectionWish>,
) -> Result<Response, Refusal> {
    caller.enter(&house, &id, Action::ChangeSyncs).await?;
    let revision = expected(&house, &caller, (&id, &connection), &headers).await?;
    let of = &house.parts.connections;
    let changed = of.update(caller.user(), &id, (&connection, revision), sent.into()).await?;
    house.parts.syncs.rights_changed();
    Ok(shown(StatusCode::OK, changed))
}

/// Deletes a connection that no sync uses, with its credentials. Whoever gave a token is told that it is not to be taken any
/// more, where there is a way for that.
#[utoipa::path(delete, path = "/v1/organizations/{organization}/connections/{connection}", tag = "connections",
    params(("organization" = String, Path, description = "The organization's id."),
        ("connection" = String, Path, description = "The connection's id.")), responses((status = 204)))]
pub(crate) async fn remove(
    State(house): State<House>,
    caller: Caller,
    At((id, connection)): At<(String, String)>,
) -> Result<StatusCode, Refusal> {
    caller.enter(&house, &id, Action::ChangeSyncs).await?;
    let of = &house.parts.connections;
    let found = of.get(caller.user(), &id, &connection).await?;
    if found.syncs > 0 {
        return Err(Error::InUse { what: "connection", id: connection, uses: found.syncs }.into());
    }
    super::credentials::revoke_all(&house, &id, &connection).await?;
    of.delete(caller.user(), &id, (&connection, found.revision)).await?;
    // Somebody may have entered one while it went.
    let Parts { organizations, records, .. } = &house.parts;
    crate::left::forget::<Refusal>(organizations, records, (&id, &Left::Connection(connection))).await?;
    Ok(StatusCode::NO_CONTENT)
}
