//! One's own account.

use crate::body::{Sent, Told};
use crate::caller::{AsWhom, Caller, Person};
use crate::house::House;
use crate::refusal::Refusal;
use crate::secret::SecretText;
use axum::extract::State;
use control::Scope;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// Who asks.
#[derive(Serialize, ToSchema)]
pub(crate) struct Me {
    /// The person's id.
    user: String,
    email: String,
    is_operator: bool,
    has_second_factor: bool,
    created_ms: u64,
    /// Of the token, if a program asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<AsToken>,
}

/// As what a program asks.
#[derive(Serialize, ToSchema)]
pub(crate) struct AsToken {
    id: String,
    organization: String,
    #[schema(schema_with = super::words::scopes)]
    scopes: BTreeSet<Scope>,
}

/// A person's password, and what it is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Passwords {
    #[schema(value_type = String, format = Password, write_only)]
    old: SecretText,
    #[schema(value_type = String, format = Password, write_only, max_length = 1024)]
    new: SecretText,
}

/// Shows who asks.
#[utoipa::path(get, path = "/v1/me", tag = "people", responses((status = 200, body = Me)))]
pub(crate) async fn me(State(house): State<House>, caller: Caller) -> Result<Told<Me>, Refusal> {
    let user = house.parts.users.get(caller.user()).await?;
    let token = match caller.as_whom {
        AsWhom::Person(_) => None,
        AsWhom::Program { token, .. } => {
            Some(AsToken { id: token.id, organization: token.organization, scopes: token.scopes })
        }
    };
    let me = Me {
        email: user.email.as_str().to_owned(),
        user: user.id,
        is_operator: user.is_operator,
        has_second_factor: user.has_second_factor,
        created_ms: user.created_ms,
        token,
    };
    Ok(Told(StatusCode::OK, me))
}

/// Sets another password, and ends every other session.
#[utoipa::path(post, path = "/v1/password", tag = "people", request_body = Passwords,
    responses((status = 204)))]
pub(crate) async fn change_password(
    State(house): State<House>,
    person: Person,
    Sent(sent): Sent<Passwords>,
) -> Result<StatusCode, Refusal> {
    let Person { session, address, .. } = person;
    house.parts.sessions.change_password(&session, &sent.old.0, &sent.new.0, address).await?;
    Ok(StatusCode::NO_CONTENT)
}
