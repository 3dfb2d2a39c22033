//! What is at the other end of a connection: whether it works, and what there is.

use crate::at::At;
use crate::body::Told;
use crate::caller::Caller;
use crate::house::House;
use crate::page::{Page, PageQuery, Queried};
use crate::refusal::Refusal;
use axum::extract::State;
use control::{Action, Catalog, CatalogStream, Error};
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

/// What was found at the other end of a connection: names and types.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Catalog)]
pub(crate) struct ShownCatalog {
    /// Of the connection when it was looked at; with a newer one it is to be looked again.
    revision: u64,
    discovered_ms: u64,
    streams: Page<ShownStream>,
}

/// A stream of a source.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Stream)]
pub(crate) struct ShownStream {
    name: String,
    /// With which others it is read.
    group: String,
    fields: Vec<ShownField>,
    /// The fields that tell its rows apart; empty: there are none.
    key: Vec<String>,
    /// Whether it can be read on from where a run ended.
    incremental: bool,
}

/// A field of a stream.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StreamField)]
pub(crate) struct ShownField {
    name: String,
    data_type: String,
    nullable: bool,
}

/// How much was found.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Discovered {
    revision: u64,
    discovered_ms: u64,
    /// How many streams there are.
    streams: usize,
}

impl ShownStream {
    fn of(stream: CatalogStream) -> Self {
        let CatalogStream { name, group, fields, key, incremental } = stream;
        let field = |field: control::CatalogField| ShownField {
            name: field.name,
            data_type: field.data_type,
            nullable: field.nullable,
        };
        Self { name, group, fields: fields.into_iter().map(field).collect(), key, incremental }
    }
}

/// Asks the system at the other end whether the connection works.
#[utoipa::path(post, path = "/v1/organizations/{organization}/connections/{connection}/check",
    tag = "connections", params(("organization" = String, Path, description = "The organization's id."),
        ("connection" = String, Path, description = "The connection's id.")), responses((status = 204)))]
pub(crate) async fn check(
    State(house): State<House>,
    caller: Caller,
    At((id, connection)): At<(String, String)>,
) -> Result<StatusCode, Refusal> {
    caller.enter(&house, &id, Action::ChangeSyncs).await?;
    house.parts.connections.get(caller.user(), &id, &connection).await?;
    house.parts.connectors.check(&id, &connection).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Looks what there is at the other end, and keeps it.
#[utoipa::path(post, path = "/v1/organizations/{organization}/connections/{connection}/discover",
    tag = "connections", params(("organization" = String, Path, description = "The organization's id."),
        ("connection" = String, Path, description = "The connection's id.")),
    responses((status = 200, body = Discovered)))]
pub(crate) async fn discover(
    State(house): State<House>,
    caller: Caller,
    At((id, connection)): At<(String, String)>,
) -> Result<Told<Discovered>, Refusal> {
    caller.enter(&house, &id, Action::ChangeSyncs).await?;
    let of = &house.parts.connections;
    let revision = of.get(caller.user(), &id, &connection).await?.revision;
    let streams = house.parts.connectors.discover(&id, &connection).await?;
    let kept = of.keep_catalog(&id, (&connection, revision), streams).await?;
    let Catalog { revision, discovered_ms, streams } = kept;
    Ok(Told(StatusCode::OK, Discovered { revision, discovered_ms, streams: streams.len() }))
}

/// Shows what was found at the other end of a connection, a page of streams at a time.
#[utoipa::path(get, path = "/v1/organizations/{organization}/connections/{connection}/catalog",
    tag = "connections", params(("organization" = String, Path, description = "The organization's id."),
        ("connection" = String, Path, description = "The connection's id."), PageQuery),
    responses((status = 200, body = ShownCatalog)))]
pub(crate) async fn show(
    State(house): State<House>,
    caller: Caller,
    At((id, connection)): At<(String, String)>,
    Queried(query): Queried<PageQuery>,
) -> Result<Told<ShownCatalog>, Refusal> {
    caller.enter(&house, &id, Action::ReadCatalog).await?;
    let cut = query.cut("catalog")?;
    let found = house.parts.connections.catalog(caller.user(), &id, &connection).await?;
    let found = found.ok_or(Error::UnknownObject { what: "catalog of the connection", id: connection })?;
    let Catalog { revision, discovered_ms, streams } = found;
    // By their places: a name may be longer than a cursor.
    let placed = (0_usize..).zip(streams).map(|(at, stream)| (format!("{at:08}"), stream)).collect();
    let streams = Page::of("catalog", &cut, placed, |(at, _): &(String, CatalogStream)| at);
    let streams = streams.map(|(_, stream)| ShownStream::of(stream));
    Ok(Told(StatusCode::OK, ShownCatalog { revision, discovered_ms, streams }))
}
