//! Judges answers: is this a page of records, and if not, whose turn is it?

use std::time::Duration;

use cofferdam_sdk::{Error, Result, RetryHint};
use http_manifest_dialect::{
    Action, Backoff, ErrorHandler, FailureType, ResponseFilter,
    template::{Scope, Template},
    time,
};
use serde_json::Value;

use crate::{failure, http::Answer, links};

/// How much of an unwanted answer a message quotes.
const QUOTE_CHARS_MAX: usize = 200;

/// What an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// A page.
    Page,
    /// Nothing, and nothing follows.
    Ignored,
}

/// Judges an answer to the request of this label at this time (microseconds since 1970).
pub(crate) fn judge(
    handler: &ErrorHandler,
    label: &str,
    answer: &Answer,
    scope: &Scope,
    now: i64,
) -> Result<Verdict> {
    let scope = scope_of(handler, answer, scope);
    let mut message = format!("{label} answered {}{}", answer.status, quoted(answer));
    let mut failure = None;
    let mut action = by_status(answer.status);
    for filter in &handler.filters {
        if matches(filter, answer, &scope)? {
            action = filter.action.unwrap_or(action);
            failure = filter.failure;
            if let Some(said) = said(filter.message.as_ref(), &scope)? {
                message = format!("{label} answered {}: {said}", answer.status);
            }
            break;
        }
    }
    let hint = |message| -> Result<RetryHint> {
        let wait = wait(handler, answer, &scope, now)?;
        Ok(RetryHint {
            message,
            retry_after_ms: wait.map(|wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)),
        })
    };
    match action {
        Action::Success => Ok(Verdict::Page),
        Action::Ignore => Ok(Verdict::Ignored),
        Action::RateLimited => Err(Error::RateLimited(hint(message)?)),
        Action::Retry => Err(Error::Transient(hint(message)?)),
        Action::Fail => Err(match failure {
            Some(FailureType::Config) => Error::config("", message),
            Some(FailureType::Transient) => Error::Transient(hint(message)?),
            Some(FailureType::System) | None if matches!(answer.status, 401 | 403) => {
                Error::unauthorized(message)
            }
            Some(FailureType::System) | None => Error::data(message),
        }),
    }
}

fn by_status(status: u16) -> Action {
    match status {
        200..=299 => Action::Success,
        429 => Action::RateLimited,
        408 | 500..=599 => Action::Retry,
        _ => Action::Fail,
    }
}

/// What predicates and messages see; the body is read only where one of them looks at it.
fn scope_of(handler: &ErrorHandler, answer: &Answer, scope: &Scope) -> Scope {
    let templates =
        || handler.filters.iter().flat_map(|filter| filter.predicate.iter().chain(&filter.message));
    let mut scope = scope.clone();
    if templates().any(|template| template.uses("headers")) {
        scope = scope.with_headers(&answer.headers, &links::of(answer));
    }
    if templates().any(|template| template.uses("response")) {
        let body =
            serde_json::from_slice(&answer.body).unwrap_or_else(|_| Value::Object(serde_json::Map::new()));
        scope = scope.with("response", &body);
    }
    scope
}

fn matches(filter: &ResponseFilter, answer: &Answer, scope: &Scope) -> Result<bool> {
    if filter.statuses.contains(&answer.status) {
        return Ok(true);
    }
    if let Some(predicate) = &filter.predicate
        && predicate.holds(scope).map_err(failure::template)?
    {
        return Ok(true);
    }
    let body = || String::from_utf8_lossy(&answer.body);
    Ok(filter.message_part.as_ref().is_some_and(|part| body().contains(part.as_str())))
}

fn said(message: Option<&Template>, scope: &Scope) -> Result<Option<String>> {
    match message {
        Some(template) => template.text(scope).map_err(failure::template),
        None => Ok(None),
    }
}

/// How long the API wants to be left alone.
fn wait(handler: &ErrorHandler, answer: &Answer, scope: &Scope, now: i64) -> Result<Option<Duration>> {
    for backoff in &handler.backoffs {
        let (Backoff::Seconds(template) | Backoff::HeaderSeconds(template) | Backoff::HeaderTime(template)) =
            backoff;
        let Some(text) = template.text(scope).map_err(failure::template)? else { continue };
        let said = match backoff {
            Backoff::Seconds(_) => seconds(&text),
            Backoff::HeaderSeconds(_) => answer.header(&text).and_then(seconds),
            Backoff::HeaderTime(_) => answer.header(&text).and_then(|time| until(time, "%s", now)),
        };
        if said.is_some() {
            return Ok(said);
        }
    }
    let standard = answer.header("retry-after");
    let said =
        standard.and_then(|value| seconds(value).or_else(|| until(value, "%a, %d %b %Y %H:%M:%S GMT", now)));
    Ok(said)
}

fn seconds(text: &str) -> Option<Duration> {
    text.trim().parse().ok().and_then(|seconds: f64| Duration::try_from_secs_f64(seconds).ok())
}

fn until(text: &str, format: &str, now: i64) -> Option<Duration> {
    let micros = time::parse(text.trim(), format).ok()?.saturating_sub(now).max(0);
    u64::try_from(micros).ok().map(Duration::from_micros)
}

/// The beginning of a body for a message, on one line; empty for an empty one.
pub(crate) fn quoted(answer: &Answer) -> String {
    let start = answer.body.get(..answer.body.len().min(4 * QUOTE_CHARS_MAX)).unwrap_or_default();
    let text = String::from_utf8_lossy(start);
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.is_empty() {
        return String::new();
    }
    let cut = line.chars().count() > QUOTE_CHARS_MAX;
    let shown: String =
        line.chars().filter(|character| !character.is_control()).take(QUOTE_CHARS_MAX).collect();
    format!(": {shown}{}", if cut { "…" } else { "" })
}
