//! Who runs the installation: an operator invites another one.

use super::invitations::Invited;
use crate::at::At;
use crate::body::{HoldsSecret, Sent, Told};
use crate::caller::Person;
use crate::house::House;
use crate::page::{Page, PageQuery, Queried};
use crate::refusal::Refusal;
use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use control::{OperatorInvitation, User};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Somebody who runs the installation.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownOperator {
    /// The person's id.
    user: String,
    email: String,
    /// Since when the person is known.
    created_ms: u64,
    has_second_factor: bool,
}

/// An invitation to run the installation that nobody has taken up yet.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownOperatorInvitation {
    id: String,
    email: String,
    until_ms: u64,
}

/// Whom to invite.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct InviteOperator {
    #[schema(max_length = 254)]
    email: String,
}

impl ShownOperator {
    fn of(user: User) -> Self {
        let User { id, email, created_ms, has_second_factor, .. } = user;
        Self { user: id, email: email.as_str().to_owned(), created_ms, has_second_factor }
    }
}

/// Lists who runs the installation.
#[utoipa::path(get, path = "/v1/operators", tag = "people", params(PageQuery),
    responses((status = 200, body = Page<ShownOperator>)))]
pub(crate) async fn list(
    State(house): State<House>,
    person: Person,
    Queried(query): Queried<PageQuery>,
) -> Result<Told<Page<ShownOperator>>, Refusal> {
    let all = house.parts.organizations.operators(&person.session.user).await?;
    let page = Page::of("operators", &query.cut("operators")?, all, |user| &user.id);
    Ok(Told(StatusCode::OK, page.map(ShownOperator::of)))
}

/// Takes the installation from an operator, who stays a person. The last one keeps it.
#[utoipa::path(delete, path = "/v1/operators/{user}", tag = "people",
    params(("user" = String, Path, description = "The person's id.")), responses((status = 204)))]
pub(crate) async fn dismiss(
    State(house): State<House>,
    person: Person,
    At(user): At<String>,
) -> Result<StatusCode, Refusal> {
    house.parts.organizations.dismiss_operator(&person.session.user, &user).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lists the invitations to run the installation that can still be taken up.
#[utoipa::path(get, path = "/v1/operators/invitations", tag = "people", params(PageQuery),
    responses((status = 200, body = Page<ShownOperatorInvitation>)))]
pub(crate) async fn invitations(
    State(house): State<House>,
    person: Person,
    Queried(query): Queried<PageQuery>,
) -> Result<Told<Page<ShownOperatorInvitation>>, Refusal> {
    let all = house.parts.organizations.operator_invitations(&person.session.user).await?;
    let cut = query.cut("operator invitations")?;
    let page = Page::of("operator invitations", &cut, all, |invitation| &invitation.id);
    let show = |OperatorInvitation { id, email, until_ms }: OperatorInvitation| {
        let email = email.as_str().to_owned();
        ShownOperatorInvitation { id, email, until_ms }
    };
    Ok(Told(StatusCode::OK, page.map(show)))
}

/// Invites somebody to run the installation. The invitation is taken up as every other one is.
#[utoipa::path(post, path = "/v1/operators/invitations", tag = "people", request_body = InviteOperator,
    responses((status = 201, body = Invited)))]
pub(crate) async fn invite(
    State(house): State<House>,
    person: Person,
    Sent(sent): Sent<InviteOperator>,
) -> Result<Response, Refusal> {
    let organizations = &house.parts.organizations;
    let invited = organizations.invite_operator(&person.session.user, &sent.email).await?;
    let told = Told(StatusCode::CREATED, Invited::of(invited));
    Ok((Extension(HoldsSecret), told).into_response())
}

/// Takes such an invitation back.
#[utoipa::path(delete, path = "/v1/operators/invitations/{invitation}", tag = "people",
    params(("invitation" = String, Path, description = "The invitation's id.")), responses((status = 204)))]
pub(crate) async fn revoke(
    State(house): State<House>,
    person: Person,
    At(invitation): At<String>,
) -> Result<StatusCode, Refusal> {
    house.parts.organizations.revoke_operator_invitation(&person.session.user, &invitation).await?;
    Ok(StatusCode::NO_CONTENT)
}
