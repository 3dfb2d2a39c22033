//! Tokens, with which programs act for people.

use crate::at::At;
use crate::body::{HoldsSecret, Sent, Told};
use crate::caller::Caller;
use crate::house::House;
use crate::page::{Page, PageQuery, Queried};
use crate::refusal::Refusal;
use crate::secret::SecretText;
use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use control::{Action, NewToken, Scope, Token};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::ToSchema;

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// A token, without itself.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownToken {
    id: String,
    /// For whom it acts.
    user: String,
    name: String,
    #[schema(schema_with = super::words::scopes)]
    scopes: BTreeSet<Scope>,
    created_ms: u64,
    until_ms: u64,
    /// When it was used last, to the hour.
    #[serde(skip_serializing_if = "Option::is_none")]
    used_ms: Option<u64>,
}

/// What a token is to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenWish {
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    #[schema(schema_with = super::words::scopes)]
    scopes: BTreeSet<Scope>,
    /// For how many days it is good.
    #[schema(minimum = 1, maximum = 366)]
    days: u32,
}

/// A token that was made.
#[derive(Serialize, ToSchema)]
pub(crate) struct MadeToken {
    /// To be sent as `Authorization: Bearer`. Shown once.
    #[schema(value_type = String)]
    token: SecretText,
    shown: ShownToken,
}

impl ShownToken {
    fn of(token: Token) -> Self {
        let Token { id, user, name, scopes, created_ms, until_ms, used_ms, .. } = token;
        Self { id, user, name, scopes, created_ms, until_ms, used_ms }
    }
}

/// Lists the tokens of an organization: an admin sees all, others their own.
#[utoipa::path(get, path = "/v1/organizations/{organization}/tokens", tag = "organizations",
    params(("organization" = String, Path, description = "The organization's id."), PageQuery),
    responses((status = 200, body = Page<ShownToken>)))]
pub(crate) async fn list(
    State(house): State<House>,
    caller: Caller,
    At(id): At<String>,
    Queried(query): Queried<PageQuery>,
) -> Result<Told<Page<ShownToken>>, Refusal> {
    caller.enter(&house, &id, Action::CreateTokens).await?;
    let cut = query.cut("tokens")?;
    let all = house.parts.tokens.list(caller.user(), &id).await?;
    let page = Page::of("tokens", &cut, all, |token| &token.id);
    Ok(Told(StatusCode::OK, page.map(ShownToken::of)))
}

/// Makes a token of one's own.
#[utoipa::path(post, path = "/v1/organizations/{organization}/tokens", tag = "organizations",
    params(("organization" = String, Path, description = "The organization's id.")), request_body = TokenWish,
    responses((status = 201, body = MadeToken)))]
pub(crate) async fn create(
    State(house): State<House>,
    caller: Caller,
    At(id): At<String>,
    Sent(sent): Sent<TokenWish>,
) -> Result<Response, Refusal> {
    caller.enter(&house, &id, Action::CreateTokens).await?;
    let TokenWish { name, scopes, days } = sent;
    let new = NewToken { name, scopes, life_ms: u64::from(days) * DAY_MS };
    let (token, secret) = house.parts.tokens.create(caller.user(), &id, new).await?;
    let made = MadeToken { token: SecretText(secret), shown: ShownToken::of(token) };
    Ok((Extension(HoldsSecret), Told(StatusCode::CREATED, made)).into_response())
}

/// Revokes a token: one's own, or as an admin anybody's.
#[utoipa::path(delete, path = "/v1/organizations/{organization}/tokens/{token}", tag = "organizations",
    params(("organization" = String, Path, description = "The organization's id."),
        ("token" = String, Path, description = "The token's id.")), responses((status = 204)))]
pub(crate) async fn revoke(
    State(house): State<House>,
    caller: Caller,
    At((id, token)): At<(String, String)>,
) -> Result<StatusCode, Refusal> {
    caller.enter(&house, &id, Action::CreateTokens).await?;
    house.parts.tokens.revoke(caller.user(), &id, &token).await?;
    Ok(StatusCode::NO_CONTENT)
}
