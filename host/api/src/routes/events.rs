//! What other systems call: they leave messages at event endpoints. Whatever is wrong with a token is answered the same.

use crate::at::At;
use crate::body::{self, Told};
use crate::fault::Fault;
use crate::house::House;
use crate::peer::Peer;
use crate::refusal::Refusal;
use axum::extract::{Request, State};
use control::{Arrived, Error, OpenEndpoint, Secret};
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use std::net::IpAddr;
use utoipa::ToSchema;

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
    responses((status = 202, body = Received)))]
pub(crate) async fn leave(
    State(house): State<House>,
    At(token): At<String>,
    request: Request,
) -> Result<Told<Received>, Refusal> {
    let address = address_of(&request, &house)?;
    let open = open(&house, &Secret::new(token), address).await?;
    let (parts, body) = request.into_parts();
    // Only now: who has no token sends nothing.
    let body = body::read(&parts.headers, body, &house).await?;
    let arrived = Arrived { headers: texts(&parts.headers), body: body.into() };
    let accepted = house.parts.endpoints.accept(&open, arrived).await?;
    let received = Received { sequence: accepted.sequence, duplicate: accepted.is_known };
    Ok(Told(StatusCode::ACCEPTED, received))
}

fn address_of(request: &Request, house: &House) -> Result<IpAddr, Fault> {
    let peer = request.extensions().get::<Peer>().ok_or(Fault::Internal)?;
    Ok(peer.client(request.headers(), &house.options.proxies))
}

/// Who guesses tokens does not do so for long; who has one leaves as much as the endpoint holds.
async fn open(house: &House, token: &Secret, address: IpAddr) -> Result<OpenEndpoint, Refusal> {
    match house.parts.endpoints.open(token, address).await {
        Err(Error::BadEventToken) => {
            house.limiter.stranger(address)?;
            Err(Error::BadEventToken.into())
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
