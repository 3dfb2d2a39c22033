//! From where an organization is reached.

use crate::at::At;
use crate::body::{Sent, Told};
use crate::caller::Caller;
use crate::etag::{Tag, tagged};
use crate::fault::Fault;
use crate::house::House;
use crate::refusal::Refusal;
use axum::extract::State;
use axum::response::Response;
use control::{Action, Zones};
use http::{HeaderMap, StatusCode};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// From where an organization is reached. Without ranges: from everywhere.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ranges {
    /// For this API, as in `192.0.2.0/24`.
    #[schema(value_type = Vec<String>, max_items = 200)]
    api: Vec<IpNet>,
    /// For event endpoints.
    #[schema(value_type = Vec<String>, max_items = 200)]
    events: Vec<IpNet>,
}

impl Ranges {
    fn tag(&self) -> Option<Tag> {
        Tag::of(self)
    }
}

async fn now(house: &House, organization: &str) -> Result<Ranges, Refusal> {
    let Zones { api, events } = house.parts.organizations.zones(organization).await?;
    Ok(Ranges { api, events })
}

/// Shows from where an organization is reached.
#[utoipa::path(get, path = "/v1/organizations/{organization}/zones", tag = "organizations",
    params(("organization" = String, Path, description = "The organization's id.")),
    responses((status = 200, body = Ranges, headers(("ETag" = String)))))]
pub(crate) async fn show(
    State(house): State<House>,
    caller: Caller,
    At(id): At<String>,
) -> Result<Response, Refusal> {
    caller.enter(&house, &id, Action::ChangeZones).await?;
    let ranges = now(&house, &id).await?;
    Ok(tagged(ranges.tag(), Told(StatusCode::OK, ranges)))
}

/// Changes from where an organization is reached.
#[utoipa::path(put, path = "/v1/organizations/{organization}/zones", tag = "organizations",
    params(("organization" = String, Path, description = "The organization's id.")), request_body = Ranges,
    responses((status = 200, body = Ranges, headers(("ETag" = String)))))]
pub(crate) async fn set(
    State(house): State<House>,
    caller: Caller,
    At(id): At<String>,
    headers: HeaderMap,
    Sent(sent): Sent<Ranges>,
) -> Result<Response, Refusal> {
    caller.enter(&house, &id, Action::ChangeZones).await?;
    let _alone = house.edit(&id).await;
    now(&house, &id).await?.tag().ok_or(Fault::Internal)?.expect(&headers)?;
    let zones = Zones { api: sent.api.clone(), events: sent.events.clone() };
    house.parts.organizations.set_zones(caller.user(), &id, &zones, caller.address).await?;
    Ok(tagged(sent.tag(), Told(StatusCode::OK, sent)))
}
