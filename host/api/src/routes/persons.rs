//! People go, and what tells who they are goes with them.

use crate::at::At;
use crate::body::Sent;
use crate::caller::Person;
use crate::house::House;
use crate::refusal::Refusal;
use crate::secret::SecretText;
use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

/// The password of whoever asks: what cannot be taken back needs more than a session that somebody left open.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ShownPassword {
    #[schema(value_type = String, format = Password, write_only)]
    password: SecretText,
}

/// Deletes one's own account, and whatever tells who one is. Entries of audit logs stay, without that.
#[utoipa::path(delete, path = "/v1/me", tag = "people", request_body = ShownPassword,
    responses((status = 204)))]
pub(crate) async fn remove_me(
    State(house): State<House>,
    person: Person,
    Sent(sent): Sent<ShownPassword>,
) -> Result<StatusCode, Refusal> {
    let user = person.session.user.clone();
    remove(&house, person, &user, &sent).await
}

/// Deletes the account of somebody else, as an operator may.
#[utoipa::path(delete, path = "/v1/people/{user}", tag = "people", request_body = ShownPassword,
    params(("user" = String, Path, description = "The person's id.")), responses((status = 204)))]
pub(crate) async fn remove_other(
    State(house): State<House>,
    person: Person,
    At(user): At<String>,
    Sent(sent): Sent<ShownPassword>,
) -> Result<StatusCode, Refusal> {
    house
        .parts
        .organizations
        .authorize_installation(&person.session.user, control::Action::RunInstallation)
        .await?;
    remove(&house, person, &user, &sent).await
}

async fn remove(
    house: &House,
    person: Person,
    user: &str,
    sent: &ShownPassword,
) -> Result<StatusCode, Refusal> {
    let Person { session, address, .. } = person;
    let parts = &house.parts;
    parts.users.confirm(&session.user, &sent.password.0, address).await?;
    parts.organizations.delete_person(&session.user, user, &parts.sessions).await?;
    Ok(StatusCode::NO_CONTENT)
}
