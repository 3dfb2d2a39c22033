//! What other systems call: they leave messages at event endpoints. Whatever is wrong with a token is answered the same.

use crate::at::At;
use crate::body::{self, Told};
use crate::fault::Fault;
use crate::house::House;
use crate::peer::Peer;
use crate::ports::{Challenge, ChallengeAnswer};
use crate::refusal::Refusal;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use control::{Arrived, Error, EventError, OpenEndpoint, Secret};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use std::net::IpAddr;
use utoipa::ToSchema;

/// What is asked back is a word.
const ANSWER_BYTES_MAX: usize = 64 << 10;

/// A message that was accepted.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Received {
    /// Its number: rises by one with each message of the endpoint.
    sequence: u64,
    /// It had come before, by its id, and was not queued again.
    duplicate: bool,
}

/// Leaves a message at an event endpoint. It is answered when the message is durable.
#[utoipa::path(post, path = "/v1/events/{token}", tag = "events",
    params(("token" = String, Path, description = "The token of the endpoint.")),
    request_body(content = Vec<u8>, content_type = "application/octet-stream",
        description = "The message, of whatever type: the connector of the sync reads it."),
    responses((status = 202, body = Received),
        (status = 200, body = String, content_type = "text/plain",
            description = "The word that is wanted back by a message that only asks whether the endpoint is ours.")))]
pub(crate) async fn leave(
    State(house): State<House>,
    At(token): At<String>,
    request: Request,
) -> Result<Response, Refusal> {
    let measures = &house.parts.measures;
    let left = taken(&house, &Secret::new(token), request).await.inspect_err(|_| measures.event_refused())?;
    Ok(match left {
        Left::Asked(word) => {
            (StatusCode::OK, [(CONTENT_TYPE, "text/plain; charset=utf-8")], word).into_response()
        }
        Left::Message(received) => {
            if !received.duplicate {
                measures.event_accepted();
            }
            Told(StatusCode::ACCEPTED, received).into_response()
        }
    })
}

/// What somebody has left.
enum Left {
    Message(Received),
    /// Only a question: whether the endpoint is ours.
    Asked(String),
}

async fn taken(house: &House, token: &Secret, request: Request) -> Result<Left, Refusal> {
    let address = address_of(&request, house)?;
    let open = open(house, token, address).await?;
    let (parts, body) = request.into_parts();
    // Only now: who has no token sends nothing.
    let body = body::read(&parts.headers, body, house).await?;
    let arrived = Arrived { headers: texts(&parts.headers), body: body.into() };
    if let Some(word) = house.parts.endpoints.answer(&open, &arrived).await? {
        return Ok(Left::Asked(word));
    }
    let accepted = house.parts.endpoints.accept(&open, arrived).await?;
    Ok(Left::Message(Received { sequence: accepted.sequence, duplicate: accepted.is_known }))
}

/// Answers a request by which the other system asks whether the endpoint is ours.
#[utoipa::path(get, path = "/v1/events/{token}", tag = "events",
    params(("token" = String, Path, description = "The token of the endpoint.")),
    responses((status = 200, description = "What the connector answers.", body = String, content_type = "text/plain")))]
pub(crate) async fn challenge(
    State(house): State<House>,
    At(token): At<String>,
    request: Request,
) -> Result<Response, Refusal> {
    let address = address_of(&request, &house)?;
    // Each costs an instance of a connector, and no system asks often.
    house.limiter.stranger(address)?;
    let open = open(&house, &Secret::new(token), address).await?;
    let path = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    let headers = open.seen(texts(request.headers()));
    let challenge = Challenge { method: request.method().to_string(), path, headers };
    let answered = house.parts.connectors.answer_challenge(&open.organization, &open.sync, challenge).await?;
    Ok(answer(answered))
}

/// A connector writes no cookies and no pages into this origin: of what it answers a browser shows text at most.
fn answer(answered: ChallengeAnswer) -> Response {
    let ChallengeAnswer { status, headers, mut body } = answered;
    let is_answer = |status: &StatusCode| status.is_success() || status.is_client_error();
    let status = StatusCode::from_u16(status).ok().filter(is_answer).unwrap_or(StatusCode::BAD_GATEWAY);
    let is_json = headers.iter().any(|(name, value)| {
        name.eq_ignore_ascii_case("content-type") && value.trim().eq_ignore_ascii_case("application/json")
    });
    let kind = if is_json { "application/json" } else { "text/plain; charset=utf-8" };
    body.truncate(ANSWER_BYTES_MAX);
    (status, [(CONTENT_TYPE, kind)], body).into_response()
}

fn address_of(request: &Request, house: &House) -> Result<IpAddr, Fault> {
    let peer = request.extensions().get::<Peer>().ok_or(Fault::Internal)?;
    Ok(peer.client(request.headers(), &house.options.proxies))
}

/// Who guesses tokens does not do so for long; who has one leaves as much as the endpoint holds.
async fn open(house: &House, token: &Secret, address: IpAddr) -> Result<OpenEndpoint, Refusal> {
    match house.parts.endpoints.open(token, address).await {
        Err(error @ Error::Event(EventError::BadToken)) => {
            house.limiter.stranger(address)?;
            Err(error.into())
        }
        opened => Ok(opened?),
    }
}

/// What is no text is no header that anybody asked for.
fn texts(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    };
    headers.iter().filter_map(text).collect()
}
