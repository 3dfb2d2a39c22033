//! One's own second factor.

use crate::body::{HoldsSecret, Sent, Told};
use crate::caller::Person;
use crate::house::House;
use crate::refusal::Refusal;
use crate::secret::SecretText;
use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What is entered into an authenticator. Shown once.
#[derive(Serialize, ToSchema)]
pub(crate) struct Setup {
    /// To be typed.
    #[schema(value_type = String)]
    secret: SecretText,
    /// The same as an address, to be shown as a picture.
    #[schema(value_type = String)]
    url: SecretText,
}

/// A code of an authenticator.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Code {
    #[schema(value_type = String, format = Password, write_only)]
    code: SecretText,
}

/// Each stands once for a code. Shown once.
#[derive(Serialize, ToSchema)]
pub(crate) struct RecoveryCodes {
    #[schema(value_type = Vec<String>)]
    recovery_codes: Vec<SecretText>,
}

/// A person's password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Password {
    #[schema(value_type = String, format = Password, write_only)]
    password: SecretText,
}

/// Draws the secret of a second factor. It is asked for from `enable` on.
#[utoipa::path(post, path = "/v1/second-factor", tag = "people", responses((status = 200, body = Setup)))]
pub(crate) async fn begin(State(house): State<House>, person: Person) -> Result<Response, Refusal> {
    let setup = house.parts.users.begin_second_factor(&person.session.user).await?;
    let setup = Setup { secret: SecretText(setup.secret), url: SecretText(setup.url) };
    Ok((Extension(HoldsSecret), Told(StatusCode::OK, setup)).into_response())
}

/// Asks for the second factor from now on.
#[utoipa::path(post, path = "/v1/second-factor/enable", tag = "people", request_body = Code,
    responses((status = 200, body = RecoveryCodes)))]
pub(crate) async fn enable(
    State(house): State<House>,
    person: Person,
    Sent(sent): Sent<Code>,
) -> Result<Response, Refusal> {
    let codes = house.parts.users.enable_second_factor(&person.session.user, &sent.code.0).await?;
    let codes = RecoveryCodes { recovery_codes: codes.into_iter().map(SecretText).collect() };
    Ok((Extension(HoldsSecret), Told(StatusCode::OK, codes)).into_response())
}

/// Asks for no second factor any more.
#[utoipa::path(post, path = "/v1/second-factor/disable", tag = "people", request_body = Password,
    responses((status = 204)))]
pub(crate) async fn disable(
    State(house): State<House>,
    person: Person,
    Sent(sent): Sent<Password>,
) -> Result<StatusCode, Refusal> {
    let (users, address) = (&house.parts.users, person.address);
    users.disable_second_factor(&person.session.user, &sent.password.0, address).await?;
    Ok(StatusCode::NO_CONTENT)
}
