//! Organizations: whose data it is.

use crate::at::At;
use crate::body::{HoldsSecret, Sent, Told};
use crate::caller::{AsWhom, Caller, Person};
use crate::etag::{Tag, tagged};
use crate::fault::Fault;
use crate::house::House;
use crate::page::{Page, PageQuery, Queried};
use crate::refusal::Refusal;
use crate::routes::invitations::Invited;
use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use control::{Action, Error, Organization};
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An organization.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownOrganization {
    id: String,
    name: String,
    /// Where it is at home, for ever.
    region: String,
    created_ms: u64,
    /// How many members it has.
    members: u32,
}

/// What an organization is to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewOrganization {
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// Who is invited to rule over it.
    #[schema(max_length = 254)]
    admin_email: String,
}

/// An organization that was made, and the invitation of its first admin.
#[derive(Serialize, ToSchema)]
pub(crate) struct MadeOrganization {
    organization: ShownOrganization,
    invitation: Invited,
}

/// What an organization is to be called.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rename {
    #[schema(min_length = 1, max_length = 100)]
    name: String,
}

impl ShownOrganization {
    fn of(organization: Organization) -> Self {
        let Organization { id, name, region, created_ms, members } = organization;
        Self { id, name, region: region.to_string(), created_ms, members }
    }

    /// Of that of it which can be changed.
    fn tag(&self) -> Option<Tag> {
        Tag::of(&self.name)
    }
}

/// Lists the organizations that one may see: an operator all, everybody else their own, in the region of this server.
#[utoipa::path(get, path = "/v1/organizations", tag = "organizations", params(PageQuery),
    responses((status = 200, body = Page<ShownOrganization>)))]
pub(crate) async fn list(
    State(house): State<House>,
    caller: Caller,
    Queried(query): Queried<PageQuery>,
) -> Result<Told<Page<ShownOrganization>>, Refusal> {
    let cut = query.cut("organizations")?;
    let page = Page::of("organizations", &cut, of(&house, &caller).await?, |organization| &organization.id);
    Ok(Told(StatusCode::OK, page.map(ShownOrganization::of)))
}

async fn of(house: &House, caller: &Caller) -> Result<Vec<Organization>, Refusal> {
    let organizations = &house.parts.organizations;
    let ids = match &caller.as_whom {
        AsWhom::Program { token, .. } => vec![token.organization.clone()],
        AsWhom::Person(session) if house.parts.users.get(&session.user).await?.is_operator => {
            return Ok(organizations.all().await?);
        }
        AsWhom::Person(session) => organizations.of_user(&session.user).await?,
    };
    let mut all = Vec::with_capacity(ids.len());
    for id in ids {
        match organizations.get(&id).await {
            Ok(organization) => all.push(organization),
            // At home elsewhere, or gone meanwhile.
            Err(Error::OtherRegion { .. } | Error::UnknownOrganization { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(all)
}

/// Makes an organization, and invites its first admin.
#[utoipa::path(post, path = "/v1/organizations", tag = "organizations", request_body = NewOrganization,
    responses((status = 201, body = MadeOrganization)))]
pub(crate) async fn create(
    State(house): State<House>,
    person: Person,
    Sent(sent): Sent<NewOrganization>,
) -> Result<Response, Refusal> {
    let organizations = &house.parts.organizations;
    let (organization, invited) =
        organizations.create(&person.session.user, &sent.name, &sent.admin_email).await?;
    let organization = ShownOrganization::of(organization);
    let made = MadeOrganization { organization, invitation: Invited::of(invited) };
    Ok((Extension(HoldsSecret), Told(StatusCode::CREATED, made)).into_response())
}

/// Shows an organization.
#[utoipa::path(get, path = "/v1/organizations/{organization}", tag = "organizations",
    params(("organization" = String, Path, description = "The organization's id.")),
    responses((status = 200, body = ShownOrganization, headers(("ETag" = String)))))]
pub(crate) async fn show(
    State(house): State<House>,
    caller: Caller,
    At(id): At<String>,
) -> Result<Response, Refusal> {
    caller.enter(&house, &id, Action::ReadOrganization).await?;
    let shown = ShownOrganization::of(house.parts.organizations.get(&id).await?);
    Ok(tagged(shown.tag(), Told(StatusCode::OK, shown)))
}

/// Gives an organization another name.
#[utoipa::path(patch, path = "/v1/organizations/{organization}", tag = "organizations",
    params(("organization" = String, Path, description = "The organization's id.")), request_body = Rename,
    responses((status = 200, body = ShownOrganization, headers(("ETag" = String)))))]
pub(crate) async fn rename(
    State(house): State<House>,
    caller: Caller,
    At(id): At<String>,
    headers: HeaderMap,
    Sent(sent): Sent<Rename>,
) -> Result<Response, Refusal> {
    caller.enter(&house, &id, Action::RenameOrganization).await?;
    let organizations = &house.parts.organizations;
    let _alone = house.edit(&id).await;
    let now = ShownOrganization::of(organizations.get(&id).await?);
    now.tag().ok_or(Fault::Internal)?.expect(&headers)?;
    organizations.rename(caller.user(), &id, &sent.name).await?;
    let shown = ShownOrganization::of(organizations.get(&id).await?);
    Ok(tagged(shown.tag(), Told(StatusCode::OK, shown)))
}
