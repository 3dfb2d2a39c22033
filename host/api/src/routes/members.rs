//! Members of an organization, and what they may do.

use crate::at::At;
use crate::body::{Sent, Told};
use crate::caller::Caller;
use crate::etag::{Tag, tagged};
use crate::fault::Fault;
use crate::house::House;
use crate::page::{Page, PageQuery, Queried};
use crate::refusal::Refusal;
use axum::extract::State;
use axum::response::Response;
use control::{Action, Error, Member, MemberRole};
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A member.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownMember {
    /// The person's id.
    user: String,
    email: String,
    #[schema(schema_with = super::words::role)]
    role: MemberRole,
    since_ms: u64,
}

/// What a member is to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangeMember {
    #[schema(schema_with = super::words::role)]
    role: MemberRole,
}

async fn shown(house: &House, member: Member) -> Result<ShownMember, Refusal> {
    let Member { user, role, since_ms } = member;
    let email = house.parts.users.get(&user).await?.email.as_str().to_owned();
    Ok(ShownMember { user, email, role, since_ms })
}

/// A member, as another one sees it.
async fn find(house: &House, by: &str, organization: &str, user: &str) -> Result<Member, Refusal> {
    let members = house.parts.organizations.members(by, organization).await?;
    let found = members.into_iter().find(|member| member.user == user);
    found.ok_or_else(|| Error::UnknownUser { user: user.to_owned() }.into())
}

fn tag(member: &Member) -> Option<Tag> {
    Tag::of(&member.role)
}

/// Lists the members of an organization.
#[utoipa::path(get, path = "/v1/organizations/{organization}/members", tag = "organizations",
    params(("organization" = String, Path, description = "The organization's id."), PageQuery),
    responses((status = 200, body = Page<ShownMember>)))]
pub(crate) async fn list(
    State(house): State<House>,
    caller: Caller,
    At(id): At<String>,
    Queried(query): Queried<PageQuery>,
) -> Result<Told<Page<ShownMember>>, Refusal> {
    caller.enter(&house, &id, Action::ListMembers).await?;
    let cut = query.cut("members")?;
    let all = house.parts.organizations.members(caller.user(), &id).await?;
    let Page { items, next } = Page::of("members", &cut, all, |member| &member.user);
    let mut page = Page { items: Vec::with_capacity(items.len()), next };
    for member in items {
        page.items.push(shown(&house, member).await?);
    }
    Ok(Told(StatusCode::OK, page))
}

/// Shows a member.
#[utoipa::path(get, path = "/v1/organizations/{organization}/members/{user}", tag = "organizations",
    params(("organization" = String, Path, description = "The organization's id."),
        ("user" = String, Path, description = "The person's id.")),
    responses((status = 200, body = ShownMember, headers(("ETag" = String)))))]
pub(crate) async fn show(
    State(house): State<House>,
    caller: Caller,
    At((id, user)): At<(String, String)>,
) -> Result<Response, Refusal> {
    caller.enter(&house, &id, Action::ListMembers).await?;
    let member = find(&house, caller.user(), &id, &user).await?;
    Ok(tagged(tag(&member), Told(StatusCode::OK, shown(&house, member).await?)))
}

/// Gives a member another role.
#[utoipa::path(patch, path = "/v1/organizations/{organization}/members/{user}", tag = "organizations",
    params(("organization" = String, Path, description = "The organization's id."),
        ("user" = String, Path, description = "The person's id.")), request_body = ChangeMember,
    responses((status = 200, body = ShownMember, headers(("ETag" = String)))))]
pub(crate) async fn change(
    State(house): State<House>,
    caller: Caller,
    At((id, user)): At<(String, String)>,
    headers: HeaderMap,
    Sent(sent): Sent<ChangeMember>,
) -> Result<Response, Refusal> {
    caller.enter(&house, &id, Action::ChangeMembers).await?;
    let _alone = house.edit(&id).await;
    let member = find(&house, caller.user(), &id, &user).await?;
    tag(&member).ok_or(Fault::Internal)?.expect(&headers)?;
    house.parts.organizations.change_role(caller.user(), &id, &user, sent.role).await?;
    let member = Member { role: sent.role, ..member };
    Ok(tagged(tag(&member), Told(StatusCode::OK, shown(&house, member).await?)))
}

/// Removes a member. Everybody may remove themselves.
#[utoipa::path(delete, path = "/v1/organizations/{organization}/members/{user}", tag = "organizations",
    params(("organization" = String, Path, description = "The organization's id."),
        ("user" = String, Path, description = "The person's id.")), responses((status = 204)))]
pub(crate) async fn remove(
    State(house): State<House>,
    caller: Caller,
    At((id, user)): At<(String, String)>,
) -> Result<StatusCode, Refusal> {
    let action = if user == caller.user() { Action::Leave } else { Action::ChangeMembers };
    caller.enter(&house, &id, action).await?;
    let _alone = house.edit(&id).await;
    house.parts.organizations.remove_member(caller.user(), &id, &user).await?;
    Ok(StatusCode::NO_CONTENT)
}
