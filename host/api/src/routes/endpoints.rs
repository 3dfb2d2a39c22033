//! The event endpoint of a sync: made, given other tokens and keys, looked at and turned off by its people.

use crate::at::At;
use crate::body::{HoldsSecret, Sent, Told};
use crate::caller::Caller;
use crate::house::House;
use crate::refusal::Refusal;
use crate::secret::SecretText;
use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use control::{Action, Endpoint, EndpointToken, EventQueue, Secret};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Time to tell the other system.
const OVERLAP_SECONDS: u64 = 24 * 60 * 60;

/// The event endpoint of a sync.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownEndpoint {
    /// Whether messages are accepted.
    is_on: bool,
    created_ms: u64,
    /// The tokens that are good now, the newest first. Without themselves.
    tokens: Vec<ShownEndpointToken>,
    /// How messages are signed, as the connector says.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "standard-webhooks")]
    signature: Option<&'static str>,
    /// Whether a key for that was entered. Without one, who has the token may leave messages.
    has_signing_secret: bool,
}

/// A token of an event endpoint, without itself.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownEndpointToken {
    made_ms: u64,
    /// Until when it is good beside a newer one.
    #[serde(skip_serializing_if = "Option::is_none")]
    until_ms: Option<u64>,
}

/// An event endpoint with a new token.
#[derive(Serialize, ToSchema)]
pub(crate) struct MadeEndpoint {
    /// Where other systems leave messages; the token is its last part. Shown once.
    #[schema(value_type = String)]
    url: SecretText,
    shown: ShownEndpoint,
}

/// A rotation.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rotation {
    /// For how long the token of before is good beside the new one.
    #[serde(default = "overlap")]
    #[schema(maximum = 604_800, default = 86_400)]
    overlap_seconds: u64,
}

/// A key by which messages are signed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SigningSecret {
    /// As the other system shows it. Nobody is ever shown it here.
    #[schema(value_type = String, min_length = 1, max_length = 1_024)]
    secret: SecretText,
    /// For how long the key of before is good beside it.
    #[serde(default = "overlap")]
    #[schema(maximum = 604_800, default = 86_400)]
    overlap_seconds: u64,
}

/// What waits at an event endpoint.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownEventQueue {
    /// Messages that no run has moved.
    waiting: u64,
    /// Their size.
    bytes: u64,
    /// Since when the first of them waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    oldest_ms: Option<u64>,
    /// The number that the next message gets.
    next_sequence: u64,
    /// How many runs, one after the other, have ended without success and have left messages here.
    left_by_runs: u32,
    /// When the next run comes for what waits. Missing: nothing waits, the sync has a run, or it is stopped or paused.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_run_ms: Option<u64>,
}

impl ShownEventQueue {
    fn of(queue: EventQueue) -> Self {
        let EventQueue { waiting, bytes, oldest_ms, next, left_by_runs, next_run_ms } = queue;
        Self { waiting, bytes, oldest_ms, next_sequence: next, left_by_runs, next_run_ms }
    }
}

/// What was dropped.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Dropped {
    /// So many messages.
    dropped: u64,
}

fn overlap() -> u64 {
    OVERLAP_SECONDS
}

impl ShownEndpoint {
    fn of(endpoint: Endpoint) -> Self {
        let Endpoint { created_ms, tokens, scheme, has_secret } = endpoint;
        let token = |EndpointToken { made_ms, until_ms }| ShownEndpointToken { made_ms, until_ms };
        Self {
            is_on: !tokens.is_empty(),
            created_ms,
            tokens: tokens.into_iter().map(token).collect(),
            signature: scheme,
            has_signing_secret: has_secret,
        }
    }
}

fn made(house: &House, status: StatusCode, (endpoint, token): (Endpoint, Secret)) -> Response {
    let origin = house.options.origin.as_deref().unwrap_or("").trim_end_matches('/');
    let url = SecretText(Secret::new(format!("{origin}/v1/events/{}", token.expose())));
    let made = MadeEndpoint { url, shown: ShownEndpoint::of(endpoint) };
    (Extension(HoldsSecret), Told(status, made)).into_response()
}

/// Shows the event endpoint of a sync.
#[utoipa::path(get, path = "/v1/organizations/{organization}/syncs/{sync}/endpoint", tag = "events",
    params(("organization" = String, Path, description = "The organization's id."),
        ("sync" = String, Path, description = "The sync's id.")),
    responses((status = 200, body = ShownEndpoint)))]
pub(crate) async fn show(
    State(house): State<House>,
    caller: Caller,
    At((id, sync)): At<(String, String)>,
) -> Result<Told<ShownEndpoint>, Refusal> {
    caller.enter(&house, &id, Action::ReadConfigurations).await?;
    let endpoint = house.parts.endpoints.show(caller.user(), &id, &sync).await?;
    Ok(Told(StatusCode::OK, ShownEndpoint::of(endpoint)))
}

/// Makes the event endpoint of a sync, or turns it on again with another token.
#[utoipa::path(post, path = "/v1/organizations/{organization}/syncs/{sync}/endpoint", tag = "events",
    params(("organization" = String, Path, description = "The organization's id."),
        ("sync" = String, Path, description = "The sync's id.")),
    responses((status = 201, body = MadeEndpoint)))]
pub(crate) async fn create(
    State(house): State<House>,
    caller: Caller,
    At((id, sync)): At<(String, String)>,
) -> Result<Response, Refusal> {
    caller.enter(&house, &id, Action::ChangeSyncs).await?;
    let created = house.parts.endpoints.create(caller.user(), &id, &sync).await?;
    Ok(made(&house, StatusCode::CREATED, created))
}

/// Turns the event endpoint of a sync off. What waits is moved still.
#[utoipa::path(delete, path = "/v1/organizations/{organization}/syncs/{sync}/endpoint", tag = "events",
    params(("organization" = String, Path, description = "The organization's id."),
        ("sync" = String, Path, description = "The sync's id.")),
    responses((status = 204)))]
pub(crate) async fn turn_off(
    State(house): State<House>,
    caller: Caller,
    At((id, sync)): At<(String, String)>,
) -> Result<StatusCode, Refusal> {
    caller.enter(&house, &id, Action::ChangeSyncs).await?;
    house.parts.endpoints.turn_off(caller.user(), &id, &sync).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives an event endpoint another token. The one of before is good for a while beside it.
#[utoipa::path(post, path = "/v1/organizations/{organization}/syncs/{sync}/endpoint/rotate", tag = "events",
    params(("organization" = String, Path, description = "The organization's id."),
        ("sync" = String, Path, description = "The sync's id.")), request_body = Rotation,
    responses((status = 200, body = MadeEndpoint)))]
pub(crate) async fn rotate(
    State(house): State<House>,
    caller: Caller,
    At((id, sync)): At<(String, String)>,
    Sent(sent): Sent<Rotation>,
) -> Result<Response, Refusal> {
    caller.enter(&house, &id, Action::ChangeSyncs).await?;
    let overlap_ms = sent.overlap_seconds.saturating_mul(1_000);
    let rotated = house.parts.endpoints.rotate(caller.user(), &id, &sync, overlap_ms).await?;
    Ok(made(&house, StatusCode::OK, rotated))
}

/// Enters the key by which messages are signed: from then on a message that is not is refused.
#[utoipa::path(post, path = "/v1/organizations/{organization}/syncs/{sync}/endpoint/signing-secret", tag = "events",
    params(("organization" = String, Path, description = "The organization's id."),
        ("sync" = String, Path, description = "The sync's id.")), request_body = SigningSecret,
    responses((status = 204)))]
pub(crate) async fn enter_secret(
    State(house): State<House>,
    caller: Caller,
    At((id, sync)): At<(String, String)>,
    Sent(sent): Sent<SigningSecret>,
) -> Result<StatusCode, Refusal> {
    caller.enter(&house, &id, Action::EnterCredentials).await?;
    let secret = (&sent.secret.0, sent.overlap_seconds.saturating_mul(1_000));
    house.parts.endpoints.set_secret(caller.user(), &id, &sync, secret).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Removes the keys by which messages are signed: from then on who has the token may leave messages.
#[utoipa::path(delete, path = "/v1/organizations/{organization}/syncs/{sync}/endpoint/signing-secret", tag = "events",
    params(("organization" = String, Path, description = "The organization's id."),
        ("sync" = String, Path, description = "The sync's id.")),
    responses((status = 204)))]
pub(crate) async fn remove_secret(
    State(house): State<House>,
    caller: Caller,
    At((id, sync)): At<(String, String)>,
) -> Result<StatusCode, Refusal> {
    caller.enter(&house, &id, Action::EnterCredentials).await?;
    house.parts.endpoints.remove_secret(caller.user(), &id, &sync).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Shows how much waits at an event endpoint. Nothing of what is in it.
#[utoipa::path(get, path = "/v1/organizations/{organization}/syncs/{sync}/endpoint/queue", tag = "events",
    params(("organization" = String, Path, description = "The organization's id."),
        ("sync" = String, Path, description = "The sync's id.")),
    responses((status = 200, body = ShownEventQueue)))]
pub(crate) async fn queue(
    State(house): State<House>,
    caller: Caller,
    At((id, sync)): At<(String, String)>,
) -> Result<Told<ShownEventQueue>, Refusal> {
    caller.enter(&house, &id, Action::ReadRuns).await?;
    let queue = house.parts.endpoints.waiting(caller.user(), &id, &sync).await?;
    Ok(Told(StatusCode::OK, ShownEventQueue::of(queue)))
}

/// Drops every message that waits at an event endpoint.
#[utoipa::path(delete, path = "/v1/organizations/{organization}/syncs/{sync}/endpoint/queue", tag = "events",
    params(("organization" = String, Path, description = "The organization's id."),
        ("sync" = String, Path, description = "The sync's id.")),
    responses((status = 200, body = Dropped)))]
pub(crate) async fn clear(
    State(house): State<House>,
    caller: Caller,
    At((id, sync)): At<(String, String)>,
) -> Result<Told<Dropped>, Refusal> {
    caller.enter(&house, &id, Action::EditPositions).await?;
    let dropped = house.parts.endpoints.clear(caller.user(), &id, &sync).await?;
    Ok(Told(StatusCode::OK, Dropped { dropped }))
}
