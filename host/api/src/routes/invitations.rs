//! Invitations: nobody gets into an organization without one.

use crate::at::At;
use crate::body::{HoldsSecret, Sent, Told};
use crate::caller::{Caller, Person};
use crate::house::House;
use crate::page::{Page, PageQuery, Queried};
use crate::refusal::Refusal;
use crate::secret::SecretText;
use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use control::{Action, Invitation, MemberRole};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An invitation that nobody has taken up yet.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownInvitation {
    id: String,
    email: String,
    #[schema(schema_with = super::words::role)]
    role: MemberRole,
    until_ms: u64,
}

/// Whom to invite, as what.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Invite {
    #[schema(max_length = 254)]
    email: String,
    #[schema(schema_with = super::words::role)]
    role: MemberRole,
}

/// An invitation that was made.
#[derive(Serialize, ToSchema)]
pub(crate) struct Invited {
    id: String,
    /// For the invited person alone. Shown once.
    #[schema(value_type = String)]
    token: SecretText,
    until_ms: u64,
}

/// What somebody shows who was invited and whom nobody knows yet.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Join {
    #[schema(value_type = String, format = Password, write_only)]
    token: SecretText,
    #[schema(value_type = String, format = Password, write_only, max_length = 1024)]
    password: SecretText,
}

/// What somebody shows who was invited, and has come in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Accept {
    #[schema(value_type = String, format = Password, write_only)]
    token: SecretText,
}

/// Somebody has joined an organization, or runs the installation now.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Joined {
    user: String,
    /// None: the invitation was to run the installation.
    #[serde(skip_serializing_if = "Option::is_none")]
    organization: Option<String>,
}

impl Invited {
    pub(crate) fn of(invited: control::Invited) -> Self {
        let control::Invited { id, token, until_ms } = invited;
        Self { id, token: SecretText(token), until_ms }
    }
}

/// Takes an invitation up, and becomes known by that.
#[utoipa::path(post, path = "/v1/join", tag = "people", request_body = Join,
    responses((status = 201, body = Joined)))]
pub(crate) async fn join(
    State(house): State<House>,
    Sent(sent): Sent<Join>,
) -> Result<Told<Joined>, Refusal> {
    let (organizations, Join { token, password }) = (&house.parts.organizations, sent);
    let joined = if organizations.invites_operator(&token.0) {
        let user = organizations.accept_operator_as_new(&token.0, &password.0).await?;
        Joined { user, organization: None }
    } else {
        let (user, organization) = organizations.accept_as_new(&token.0, &password.0).await?;
        Joined { user, organization: Some(organization) }
    };
    Ok(Told(StatusCode::CREATED, joined))
}

/// Takes an invitation up.
#[utoipa::path(post, path = "/v1/invitations/accept", tag = "people", request_body = Accept,
    responses((status = 200, body = Joined)))]
pub(crate) async fn accept(
    State(house): State<House>,
    person: Person,
    Sent(sent): Sent<Accept>,
) -> Result<Told<Joined>, Refusal> {
    let (organizations, user) = (&house.parts.organizations, person.session.user);
    let organization = if organizations.invites_operator(&sent.token.0) {
        organizations.accept_operator(&sent.token.0, &user).await?;
        None
    } else {
        Some(organizations.accept(&sent.token.0, &user).await?)
    };
    Ok(Told(StatusCode::OK, Joined { user, organization }))
}

/// Lists the invitations that can still be taken up.
#[utoipa::path(get, path = "/v1/organizations/{organization}/invitations", tag = "organizations",
    params(("organization" = String, Path, description = "The organization's id."), PageQuery),
    responses((status = 200, body = Page<ShownInvitation>)))]
pub(crate) async fn list(
    State(house): State<House>,
    caller: Caller,
    At(id): At<String>,
    Queried(query): Queried<PageQuery>,
) -> Result<Told<Page<ShownInvitation>>, Refusal> {
    caller.enter(&house, &id, Action::InviteMembers).await?;
    let cut = query.cut("invitations")?;
    let all = house.parts.organizations.invitations(caller.user(), &id).await?;
    let page = Page::of("invitations", &cut, all, |invitation| &invitation.id);
    let show = |Invitation { id, email, role, until_ms }| ShownInvitation {
        id,
        email: control::Email::as_str(&email).to_owned(),
        role,
        until_ms,
    };
    Ok(Told(StatusCode::OK, page.map(show)))
}

/// Invites somebody.
#[utoipa::path(post, path = "/v1/organizations/{organization}/invitations", tag = "organizations",
    params(("organization" = String, Path, description = "The organization's id.")), request_body = Invite,
    responses((status = 201, body = Invited)))]
pub(crate) async fn invite(
    State(house): State<House>,
    caller: Caller,
    At(id): At<String>,
    Sent(sent): Sent<Invite>,
) -> Result<Response, Refusal> {
    caller.enter(&house, &id, Action::InviteMembers).await?;
    let organizations = &house.parts.organizations;
    let invited = organizations.invite(caller.user(), &id, &sent.email, sent.role).await?;
    Ok((Extension(HoldsSecret), Told(StatusCode::CREATED, Invited::of(invited))).into_response())
}

/// Takes an invitation back.
#[utoipa::path(delete, path = "/v1/organizations/{organization}/invitations/{invitation}",
    tag = "organizations", params(("organization" = String, Path, description = "The organization's id."),
        ("invitation" = String, Path, description = "The invitation's id.")), responses((status = 204)))]
pub(crate) async fn revoke(
    State(house): State<House>,
    caller: Caller,
    At((id, invitation)): At<(String, String)>,
) -> Result<StatusCode, Refusal> {
    caller.enter(&house, &id, Action::InviteMembers).await?;
    house.parts.organizations.revoke_invitation(caller.user(), &id, &invitation).await?;
    Ok(StatusCode::NO_CONTENT)
}
