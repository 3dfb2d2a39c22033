//! Around every request: it gets an id, a time, and an end, also where a part of the server fails; and what refuses it
//! becomes a body. One line of the log tells of it, without whatever was asked for.

use crate::fault::Fault;
use crate::house::House;
use crate::refusal::Refusal;
use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use http::header::{
    CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, RETRY_AFTER, STRICT_TRANSPORT_SECURITY,
    WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderName, HeaderValue, Method, StatusCode, Version};
use std::panic::AssertUnwindSafe;
use std::time::Instant;
use tracing::{Instrument, Span, field};

/// What is asked for where nothing is.
const NO_ROUTE: &str = "none";
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// By which a request is found in the log.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(pub(crate) String);

pub(crate) async fn around(State(house): State<House>, mut request: Request, next: Next) -> Response {
    let (began, id) = (Instant::now(), request_id());
    request.extensions_mut().insert(RequestId(id.clone()));
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let span = span(&id, &method, route.as_ref());
    let mut response = match refuse_ambiguous(&request) {
        Err(fault) => fault.into_response(),
        Ok(()) => match tokio::time::timeout(
            house.options.limits.answer,
            answer(next, request).instrument(span.clone()),
        )
        .await
        {
            Ok(response) => response,
            Err(_) => Fault::AnswerTooLate.into_response(),
        },
    };
    let refusal = response.extensions_mut().remove::<Refusal>();
    let cause = refusal.as_ref().and_then(|refusal| refusal.cause.clone());
    let code = refusal.as_ref().map(|refusal| refusal.code.to_string());
    if let Some(refusal) = refusal {
        tell(&mut response, &refusal, &id);
    }
    decorate(&mut response, &house, &id);
    span.record("status", i64::from(response.status().as_u16()));
    let _entered = span.enter();
    let route = route.as_ref().map_or(NO_ROUTE, MatchedPath::as_str);
    let (status, took) = (response.status().as_u16(), began.elapsed());
    let counted = &house.parts.measures;
    counted.request(route, measures::Method::of(method.as_str()), status, took);
    if let Some(code) = &code {
        counted.refusal(code);
    }
    let took_ms = took.as_millis();
    match cause {
        Some(cause) => {
            tracing::error!(id, %method, route, status, took_ms, code, cause, "a request failed within");
        }
        None => tracing::debug!(id, %method, route, status, took_ms, code, "a request was answered"),
    }
    response
}

/// For traces, and for lines of the log that are written meanwhile. Of what was asked for it has the template of the route.
fn span(id: &str, method: &Method, route: Option<&MatchedPath>) -> Span {
    let route = route.map_or(NO_ROUTE, MatchedPath::as_str);
    let method = measures::Method::of(method.as_str()).word();
    tracing::error_span!(
        target: "cofferdam::spans",
        "request",
        id,
        method,
        route,
        status = field::Empty,
        otel.kind = "server"
    )
}

/// What only reads ends when nobody waits for it any more. What changes something goes on to its end: whoever hangs up in the
/// middle must not leave a half of it.
async fn answer(next: Next, request: Request) -> Response {
    let is_read = request.method().is_safe();
    let answering = AssertUnwindSafe(next.run(request)).catch_unwind();
    let answered = if is_read {
        answering.await.ok()
    } else {
        tokio::spawn(answering.in_current_span()).await.ok().and_then(Result::ok)
    };
    answered.unwrap_or_else(|| Fault::Internal.into_response())
}

/// What two servers read in two ways is how one request is smuggled past the other. Of a body with two lengths hyper
/// takes what the standard says and then hangs up (RFC 9112, section 6.1); hosts it leaves to us.
fn refuse_ambiguous(request: &Request) -> Result<(), Fault> {
    let hosts = request.headers().get_all(HOST).iter().count();
    let is_named = match request.version() {
        Version::HTTP_11 => hosts == 1,
        _ => hosts <= 1,
    };
    if is_named { Ok(()) } else { Err(Fault::Ambiguous) }
}

fn tell(response: &mut Response, refusal: &Refusal, id: &str) {
    *response.body_mut() = Body::from(refusal.body(id));
    let headers = response.headers_mut();
    headers.remove(CONTENT_LENGTH);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(retry_after_ms) = refusal.retry_after_ms {
        headers.insert(RETRY_AFTER, HeaderValue::from(retry_after_ms.div_ceil(1_000)));
    }
    if refusal.status == StatusCode::UNAUTHORIZED {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    // Nobody knows where the next request on this connection would begin.
    if refusal.code == Fault::Ambiguous.code() {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
}

fn decorate(response: &mut Response, house: &House, id: &str) {
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, id);
    }
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if house.is_encrypted() {
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
}

/// Known to whoever asked and to the log. No secret, so nobody need be unable to guess it.
fn request_id() -> String {
    format!("req_{:032x}", fastrand::u128(..))
}
