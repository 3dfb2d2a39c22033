//! The first operator, made by whoever has the token that the server printed.

use crate::body::{Sent, Told};
use crate::house::House;
use crate::refusal::Refusal;
use crate::secret::SecretText;
use axum::extract::State;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Who is to be the first operator.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FirstOperator {
    /// The token that the server printed when it started.
    #[schema(value_type = String, format = Password, write_only)]
    token: SecretText,
    #[schema(max_length = 254)]
    email: String,
    #[schema(value_type = String, format = Password, write_only, max_length = 1024)]
    password: SecretText,
}

/// A person.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Made {
    /// The person's id.
    pub(crate) user: String,
}

/// Makes the first operator, once.
#[utoipa::path(post, path = "/v1/setup", tag = "people", request_body = FirstOperator,
    responses((status = 201, body = Made)))]
pub(crate) async fn create_first_operator(
    State(house): State<House>,
    Sent(sent): Sent<FirstOperator>,
) -> Result<Told<Made>, Refusal> {
    let users = &house.parts.users;
    let user = users.create_first_operator(&sent.token.0, &sent.email, &sent.password.0).await?;
    Ok(Told(StatusCode::CREATED, Made { user }))
}
