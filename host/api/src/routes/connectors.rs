//! Connectors that an organization uses.

use super::asks::ShownAsks;
use crate::at::At;
use crate::body::Told;
use crate::caller::Caller;
use crate::house::House;
use crate::page::{Page, PageQuery, Queried};
use crate::refusal::Refusal;
use crate::upload;
use axum::body::Body;
use axum::extract::State;
use bytes::Bytes;
use control::{Action, Installation, LOSSES_MAX, Loss};
use http::{HeaderMap, StatusCode};
use manifest::Role;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// A connector, as lists show it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Connector)]
pub(crate) struct ShownConnector {
    /// SHA-256 of the component: by it the connector is named.
    digest: String,
    publisher: String,
    name: String,
    version: String,
    title: String,
    #[schema(schema_with = super::words::connector_roles)]
    roles: Vec<Role>,
    installed_ms: u64,
    /// How many connections use it.
    connections: u32,
    /// Since when it gets no worker, because it took too many with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    quarantined_ms: Option<u64>,
}

/// A worker that was lost while a connector was being called in it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WorkerLoss)]
pub(crate) struct ShownLoss {
    at_ms: u64,
    /// How it ended.
    how: String,
}

/// All that a connector says of itself.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ConnectorDetails)]
pub(crate) struct ConnectorDetails {
    #[serde(flatten)]
    shown: ShownConnector,
    /// Of the contract that it was built for.
    contract: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    license: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    homepage: Option<String>,
    asks: ShownAsks,
    /// Workers that it took with it within a day, or before it was quarantined.
    losses: Vec<ShownLoss>,
    /// The JSON Schema of its configuration; none: it takes no configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    config_schema: Option<Value>,
}

impl ShownConnector {
    fn of(installation: &Installation) -> Self {
        let Installation { digest, manifest, installed_ms, connections, losses } = installation;
        Self {
            digest: digest.clone(),
            publisher: manifest.publisher.clone(),
            name: manifest.name.clone(),
            version: manifest.version.to_string(),
            title: manifest.title.clone(),
            roles: manifest.roles.clone(),
            installed_ms: *installed_ms,
            connections: *connections,
            quarantined_ms: losses.get(LOSSES_MAX - 1).map(|last| last.at_ms),
        }
    }
}

impl ConnectorDetails {
    fn of(installation: Installation) -> Self {
        let shown = ShownConnector::of(&installation);
        let Installation { manifest, losses, .. } = installation;
        let loss = |Loss { at_ms, how }| ShownLoss { at_ms, how };
        Self {
            shown,
            contract: manifest.contract.to_string(),
            description: manifest.description,
            license: manifest.license,
            homepage: manifest.homepage,
            asks: ShownAsks::of(manifest.asks),
            losses: losses.into_iter().map(loss).collect(),
            config_schema: manifest.config_schema,
        }
    }
}

/// Lists the connectors that an organization uses.
#[utoipa::path(get, path = "/v1/organizations/{organization}/connectors", tag = "connectors",
    params(("organization" = String, Path, description = "The organization's id."), PageQuery),
    responses((status = 200, body = Page<ShownConnector>)))]
pub(crate) async fn list(
    State(house): State<House>,
    caller: Caller,
    At(id): At<String>,
    Queried(query): Queried<PageQuery>,
) -> Result<Told<Page<ShownConnector>>, Refusal> {
    caller.enter(&house, &id, Action::ReadCatalog).await?;
    let cut = query.cut("connectors")?;
    let of = &house.parts.installations;
    let found = of.list(caller.user(), &id, cut.after.as_deref(), cut.limit).await?;
    let page =
        Page::kept("connectors", found).map(|installation: Installation| ShownConnector::of(&installation));
    Ok(Told(StatusCode::OK, page))
}

/// Installs a connector: its component is the body. It is judged and compiled, and nothing of it is run. Installed again it stays as it is.
#[utoipa::path(post, path = "/v1/organizations/{organization}/connectors", tag = "connectors",
    params(("organization" = String, Path, description = "The organization's id.")),
    request_body(content = String, content_type = "application/wasm", description = "The component."),
    responses((status = 201, body = ConnectorDetails)))]
pub(crate) async fn install(
    State(house): State<House>,
    caller: Caller,
    At(id): At<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Told<ConnectorDetails>, Refusal> {
    // Before the body is read: it is large.
    caller.enter(&house, &id, Action::GrantRights).await?;
    let component = upload::component(&headers, body, &house).await?;
    let inspected = house.parts.connectors.inspect(&id, Bytes::clone(&component)).await?;
    let (parts, digest) = (&house.parts, inspected.digest.as_str());
    parts.components.put(digest, &component).await?;
    let installed = parts.installations.install(caller.user(), &id, digest, &inspected.manifest).await;
    if installed.is_err() {
        parts.components.remove_unused(digest).await?;
    }
    let installation = installed?;
    // Whoever took the last installation of the same component out meanwhile has taken the component along.
    parts.components.put(digest, &component).await?;
    Ok(Told(StatusCode::CREATED, ConnectorDetails::of(installation)))
}

/// Shows what a connector is, asks for and can be configured with.
#[utoipa::path(get, path = "/v1/organizations/{organization}/connectors/{digest}", tag = "connectors",
    params(("organization" = String, Path, description = "The organization's id."),
        ("digest" = String, Path, description = "The digest of the component.")),
    responses((status = 200, body = ConnectorDetails)))]
pub(crate) async fn show(
    State(house): State<House>,
    caller: Caller,
    At((id, digest)): At<(String, String)>,
) -> Result<Told<ConnectorDetails>, Refusal> {
    caller.enter(&house, &id, Action::ReadCatalog).await?;
    let found = house.parts.installations.get(caller.user(), &id, &digest).await?;
    Ok(Told(StatusCode::OK, ConnectorDetails::of(found)))
}

/// Takes a connector out that no connection uses.
#[utoipa::path(delete, path = "/v1/organizations/{organization}/connectors/{digest}", tag = "connectors",
    params(("organization" = String, Path, description = "The organization's id."),
        ("digest" = String, Path, description = "The digest of the component.")), responses((status = 204)))]
pub(crate) async fn remove(
    State(house): State<House>,
    caller: Caller,
    At((id, digest)): At<(String, String)>,
) -> Result<StatusCode, Refusal> {
    caller.enter(&house, &id, Action::GrantRights).await?;
    house.parts.installations.remove(caller.user(), &id, &digest).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lets a connector have workers again that took too many with it, and forgets those.
#[utoipa::path(delete, path = "/v1/organizations/{organization}/connectors/{digest}/quarantine", tag = "connectors",
    params(("organization" = String, Path, description = "The organization's id."),
        ("digest" = String, Path, description = "The digest of the component.")), responses((status = 204)))]
pub(crate) async fn release(
    State(house): State<House>,
    caller: Caller,
    At((id, digest)): At<(String, String)>,
) -> Result<StatusCode, Refusal> {
    caller.enter(&house, &id, Action::GrantRights).await?;
    house.parts.installations.release(caller.user(), &id, &digest).await?;
    Ok(StatusCode::NO_CONTENT)
}
