//! A request that names itself by `Idempotency-Key` is done once, however often it comes: whoever did not get the answer
//! sends it again.

use crate::around::RequestId;
use crate::body::{self, HoldsSecret};
use crate::caller::Caller;
use crate::fault::Fault;
use crate::house::House;
use crate::refusal::Refusal;
use crate::upload::is_component;
use axum::Extension;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use control::{Answer, Asked, Begun};
use futures::FutureExt;
use http::header::{CONTENT_TYPE, ETAG, LOCATION};
use http::{HeaderMap, Method, StatusCode};
use http_body_util::{BodyExt, Limited};
use sha2::{Digest, Sha256};
use std::panic::AssertUnwindSafe;

const KEY: &str = "idempotency-key";
const KEY_BYTES_MAX: usize = 200;
/// Answers to what makes something are small.
const ANSWER_BYTES_MAX: usize = 256 << 10;

pub(crate) async fn once(
    State(house): State<House>,
    Extension(RequestId(id)): Extension<RequestId>,
    caller: Caller,
    request: Request,
    next: Next,
) -> Result<Response, Refusal> {
    // A component names itself by its digest, and is installed once by that.
    let is_named = is_component(request.headers());
    if request.method() != Method::POST || is_named || !request.headers().contains_key(KEY) {
        return Ok(next.run(request).await);
    }
    let key = key_of(request.headers())?.to_owned();
    let (parts, sent) = request.into_parts();
    let sent = body::read(&parts.headers, sent, &house).await?;
    let mut digest = Sha256::new();
    for part in [parts.uri.to_string().as_bytes(), &sent] {
        digest.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        digest.update(part);
    }
    let asked = Asked { caller: caller.id(), key: &key, digest: digest.finalize().into() };
    match house.parts.answers.begin(asked).await? {
        Begun::New => {}
        Begun::Again(answer) => return again(answer),
        Begun::Other => return Err(Fault::KeyOfAnother.into()),
        Begun::UnderWay => return Err(Fault::UnderWay.into()),
        Begun::Unknown => return Err(Fault::OutcomeUnknown.into()),
    }
    let answering = AssertUnwindSafe(next.run(Request::from_parts(parts, Body::from(sent)))).catch_unwind();
    match answering.await {
        Ok(response) => keep(&house, asked, &id, response).await,
        Err(_) => {
            // Whoever sends it again is told that nobody knows what came of it.
            let refusal = Refusal::from(Fault::OutcomeUnknown);
            let body = String::from_utf8(refusal.body(&id)).ok();
            let answer = Answer { status: refusal.status.as_u16(), headers: vec![json()], body };
            house.parts.answers.finish(asked, answer).await?;
            Err(Fault::Internal.into())
        }
    }
}

fn key_of(headers: &HeaderMap) -> Result<&str, Fault> {
    let mut given = headers.get_all(KEY).iter();
    let key = given.next().and_then(|key| key.to_str().ok()).filter(|_| given.next().is_none());
    let is_key = |key: &&str| {
        (1..=KEY_BYTES_MAX).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
    };
    key.filter(is_key).ok_or(Fault::BadKey)
}

/// Keeps an answer, or forgets that the request was begun where nothing was done for it.
async fn keep(house: &House, asked: Asked<'_>, id: &str, response: Response) -> Result<Response, Refusal> {
    let answers = &house.parts.answers;
    let status = response.status();
    // Nothing was done, and asking again may go otherwise. What failed within is not among them: it may have been done.
    let is_to_come_again = matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
    if is_to_come_again {
        answers.give_up(asked).await?;
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let read = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
    let bytes = read.map_err(|_| Fault::Internal)?.to_bytes();
    let is_secret = parts.extensions.get::<HoldsSecret>().is_some();
    // The body of a refusal is made later; by the id of the first request it is found in the log.
    let kept = match parts.extensions.get::<Refusal>() {
        Some(refusal) => refusal.body(id),
        None => bytes.to_vec(),
    };
    let kept = String::from_utf8(kept).ok();
    let headers = [LOCATION, ETAG, CONTENT_TYPE].into_iter().filter_map(|name| {
        let value = parts.headers.get(&name)?.to_str().ok()?;
        Some((name.as_str().to_owned(), value.to_owned()))
    });
    let mut headers: Vec<_> = headers.collect();
    if parts.extensions.get::<Refusal>().is_some() {
        headers.push(json());
    }
    let body = kept.filter(|_| !is_secret);
    let answer = Answer { status: status.as_u16(), headers, body };
    answers.finish(asked, answer).await?;
    Ok(Response::from_parts(parts, Body::from(bytes)))
}

fn json() -> (String, String) {
    (CONTENT_TYPE.as_str().to_owned(), "application/json".to_owned())
}

/// The answer of then.
fn again(answer: Answer) -> Result<Response, Refusal> {
    let body = answer.body.ok_or(Fault::AnswerNotKept)?;
    let mut response = Response::builder().status(answer.status).header("idempotent-replay", "true");
    for (name, value) in &answer.headers {
        response = response.header(name, value);
    }
    response.body(Body::from(body)).map_err(|_| Fault::Internal.into())
}
