//! Coming in, and going.

use crate::authenticate::Stranger;
use crate::body::{HoldsSecret, Sent, Told};
use crate::caller::Person;
use crate::cookie;
use crate::fault::Fault;
use crate::house::House;
use crate::refusal::Refusal;
use crate::routes::sessions::ShownSession;
use crate::secret::SecretText;
use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use control::{Login, Secret};
use http::header::SET_COOKIE;
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What somebody shows to come in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Shown {
    #[schema(max_length = 254)]
    email: String,
    #[schema(value_type = String, format = Password, write_only)]
    password: SecretText,
    /// A code of the second factor, or a recovery code.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Password, write_only)]
    code: Option<SecretText>,
    /// Where the session is kept.
    #[serde(default)]
    keep: Keep,
}

/// Where a session is kept.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Keep {
    /// In a cookie that no script reads: for browsers.
    #[default]
    Cookie,
    /// By whoever asks, who is told the token.
    Token,
}

/// Somebody has come in.
#[derive(Serialize, ToSchema)]
pub(crate) struct CameIn {
    user: String,
    session: ShownSession,
    /// To be sent as `Authorization: Bearer`; only where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    token: Option<SecretText>,
}

/// Comes in: begins a session, and ends the one that the cookie names.
#[utoipa::path(post, path = "/v1/login", tag = "people", request_body = Shown,
    responses((status = 200, body = CameIn)))]
pub(crate) async fn log_in(
    State(house): State<House>,
    Extension(Stranger(address)): Extension<Stranger>,
    headers: HeaderMap,
    Sent(sent): Sent<Shown>,
) -> Result<Response, Refusal> {
    let before = cookie::read(&headers).map(|token| Secret::new(token.to_owned()));
    let second = sent.code.as_ref().map(|code| &code.0);
    let login = Login { email: &sent.email, password: &sent.password.0, second, address };
    let (session, token) = house.parts.sessions.log_in(login, before.as_ref()).await?;
    let user = session.user.clone();
    let session = ShownSession::of(session, true);
    let kept = cookie::keep(token.expose()).ok_or(Fault::Internal)?;
    Ok(match sent.keep {
        Keep::Cookie => {
            let told = Told(StatusCode::OK, CameIn { user, session, token: None });
            ([(SET_COOKIE, kept)], told).into_response()
        }
        Keep::Token => {
            let told = Told(StatusCode::OK, CameIn { user, session, token: Some(SecretText(token)) });
            (Extension(HoldsSecret), told).into_response()
        }
    })
}

/// Goes: ends this session.
#[utoipa::path(post, path = "/v1/logout", tag = "people", responses((status = 204)))]
pub(crate) async fn log_out(State(house): State<House>, person: Person) -> Result<Response, Refusal> {
    house.parts.sessions.log_out(&person.shown).await?;
    let forget = cookie::forget().ok_or(Fault::Internal)?;
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, forget)]).into_response())
}
