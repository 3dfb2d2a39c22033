//! Break-glass: an operator looks into an organization, because an admin of it lets them.

use crate::at::At;
use crate::body::{Sent, Told};
use crate::caller::{Caller, Person};
use crate::house::House;
use crate::page::{Page, PageQuery, Queried};
use crate::refusal::Refusal;
use axum::extract::State;
use control::{Action, Glass, GlassState};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::ToSchema;

const MINUTE_MS: u64 = 60 * 1_000;

/// A wish to look into an organization, and what became of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownGlass {
    id: String,
    /// Who asked.
    operator: String,
    reason: String,
    requested_ms: u64,
    /// What became of it.
    state: Stage,
    /// Who allowed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    admin: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until_ms: Option<u64>,
    /// What may be looked at beside metadata.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = super::words::selectable)]
    selected: Option<BTreeSet<Action>>,
}

/// What became of a wish.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = GlassState)]
pub(crate) enum Stage {
    Requested,
    Approved,
    Ended,
}

/// Why somebody wants to look. It is in the clear in the audit log: it must tell nothing of anyone.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wish {
    #[schema(min_length = 1, max_length = 200)]
    reason: String,
}

/// For how long, and at what beside metadata.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Approval {
    #[schema(minimum = 1, maximum = 480)]
    minutes: u32,
    #[schema(schema_with = super::words::selectable)]
    selected: BTreeSet<Action>,
}

/// A wish that was uttered.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Wished {
    id: String,
}

impl ShownGlass {
    fn of((id, glass): (String, Glass)) -> Self {
        let Glass { operator, reason, requested_ms, state } = glass;
        let (state, admin, until_ms, selected) = match state {
            GlassState::Requested => (Stage::Requested, None, None, None),
            GlassState::Approved { admin, until_ms, selected } => {
                (Stage::Approved, Some(admin), Some(until_ms), Some(selected))
            }
            GlassState::Ended => (Stage::Ended, None, None, None),
        };
        Self { id, operator, reason, requested_ms, state, admin, until_ms, selected }
    }
}

/// As whoever may know that the organization is there.
async fn enter(house: &House, person: Person, organization: &str) -> Result<String, Refusal> {
    let caller = Caller::from(person);
    caller.enter(house, organization, Action::ReadOrganization).await?;
    Ok(caller.user().to_owned())
}

/// Lists the wishes that one may see: an admin all, an operator their own.
#[utoipa::path(get, path = "/v1/organizations/{organization}/break-glass", tag = "organizations",
    params(("organization" = String, Path, description = "The organization's id."), PageQuery),
    responses((status = 200, body = Page<ShownGlass>)))]
pub(crate) async fn list(
    State(house): State<House>,
    person: Person,
    At(id): At<String>,
    Queried(query): Queried<PageQuery>,
) -> Result<Told<Page<ShownGlass>>, Refusal> {
    let by = enter(&house, person, &id).await?;
    let cut = query.cut("break-glass")?;
    let all = house.parts.organizations.glasses(&by, &id).await?;
    Ok(Told(StatusCode::OK, Page::of("break-glass", &cut, all, |(id, _)| id).map(ShownGlass::of)))
}

/// Asks to look into an organization.
#[utoipa::path(post, path = "/v1/organizations/{organization}/break-glass", tag = "organizations",
    params(("organization" = String, Path, description = "The organization's id.")), request_body = Wish,
    responses((status = 201, body = Wished)))]
pub(crate) async fn request(
    State(house): State<House>,
    person: Person,
    At(id): At<String>,
    Sent(sent): Sent<Wish>,
) -> Result<Told<Wished>, Refusal> {
    let by = enter(&house, person, &id).await?;
    let id = house.parts.organizations.request_glass(&by, &id, &sent.reason).await?;
    Ok(Told(StatusCode::CREATED, Wished { id }))
}

/// Shows a wish to look.
#[utoipa::path(get, path = "/v1/organizations/{organization}/break-glass/{glass}", tag = "organizations",
    params(("organization" = String, Path, description = "The organization's id."),
        ("glass" = String, Path, description = "The id of the wish.")),
    responses((status = 200, body = ShownGlass)))]
pub(crate) async fn show(
    State(house): State<House>,
    person: Person,
    At((id, glass)): At<(String, String)>,
) -> Result<Told<ShownGlass>, Refusal> {
    let by = enter(&house, person, &id).await?;
    let found = house.parts.organizations.read_glass(&by, &id, &glass).await?;
    Ok(Told(StatusCode::OK, ShownGlass::of((glass, found))))
}

/// Lets an operator look.
#[utoipa::path(post, path = "/v1/organizations/{organization}/break-glass/{glass}/approve",
    tag = "organizations", params(("organization" = String, Path, description = "The organization's id."),
        ("glass" = String, Path, description = "The id of the wish.")), request_body = Approval,
    responses((status = 204)))]
pub(crate) async fn approve(
    State(house): State<House>,
    person: Person,
    At((id, glass)): At<(String, String)>,
    Sent(sent): Sent<Approval>,
) -> Result<StatusCode, Refusal> {
    let by = enter(&house, person, &id).await?;
    let look_ms = u64::from(sent.minutes) * MINUTE_MS;
    house.parts.organizations.approve_glass(&by, &id, &glass, look_ms, sent.selected).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Refuses a wish, or ends a look before its time.
#[utoipa::path(delete, path = "/v1/organizations/{organization}/break-glass/{glass}", tag = "organizations",
    params(("organization" = String, Path, description = "The organization's id."),
        ("glass" = String, Path, description = "The id of the wish.")), responses((status = 204)))]
pub(crate) async fn end(
    State(house): State<House>,
    person: Person,
    At((id, glass)): At<(String, String)>,
) -> Result<StatusCode, Refusal> {
    let by = enter(&house, person, &id).await?;
    house.parts.organizations.end_glass(&by, &id, &glass).await?;
    Ok(StatusCode::NO_CONTENT)
}
