//! What a server says about when to come back (RFC 9110 §10.2.3, RFC 6585 §4).

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use http::header::{DATE, HeaderMap, RETRY_AFTER};
use http::{HeaderName, StatusCode};
use serde::Serialize;
use tokio::time::Instant;

/// A wait longer than this is no wait but a refusal; it is told as this long.
const WAIT_MAX: Duration = Duration::from_secs(24 * 3600);

/// A server's wish to be asked less, put into the extensions of the response and into the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct SlowDown {
    /// The status that it answered with.
    pub status: u16,
    /// How long it wants to be left alone; none: it did not say.
    pub retry_after: Option<Duration>,
}

impl SlowDown {
    /// Reads 429, and 503 where it says when to come back.
    pub(crate) fn read(status: StatusCode, headers: &HeaderMap) -> Option<Self> {
        let is_meant = |retry_after: &Option<Duration>| match status {
            StatusCode::TOO_MANY_REQUESTS => true,
            StatusCode::SERVICE_UNAVAILABLE => retry_after.is_some(),
            _ => false,
        };
        let retry_after = wait(headers, RETRY_AFTER);
        is_meant(&retry_after).then(|| Self { status: status.as_u16(), retry_after })
    }
}

/// Until when the servers of one client want to be left alone.
#[derive(Default)]
pub(crate) struct SlowDowns(Mutex<Option<Instant>>);

impl SlowDowns {
    pub(crate) fn note(&self, slow_down: SlowDown) {
        let until = slow_down.retry_after.map(|wait| Instant::now() + wait);
        let mut latest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *latest = (*latest).max(until);
    }

    pub(crate) fn left(&self) -> Option<Duration> {
        let latest = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        latest.and_then(|until| until.checked_duration_since(Instant::now())).filter(|left| !left.is_zero())
    }
}

/// Seconds, or a date: then the server's own clock is subtracted, because the two need not agree with ours.
fn wait(headers: &HeaderMap, name: HeaderName) -> Option<Duration> {
    let text = headers.get(name)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let seconds = text.parse().map_or(WAIT_MAX, Duration::from_secs);
        return Some(seconds.min(WAIT_MAX));
    }
    let at = httpdate::parse_http_date(text).ok()?;
    let said = headers.get(DATE).and_then(|date| date.to_str().ok());
    let now = said.and_then(|date| httpdate::parse_http_date(date).ok()).unwrap_or_else(SystemTime::now);
    Some(at.duration_since(now).unwrap_or_default().min(WAIT_MAX))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::{HeaderMap, HeaderValue, StatusCode};

    use super::SlowDown;

    fn read(status: u16, fields: &[(&'static str, &'static str)]) -> Option<Option<Duration>> {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.insert(*name, HeaderValue::from_static(value));
        }
        SlowDown::read(StatusCode::from_u16(status).unwrap(), &headers).map(|hint| hint.retry_after)
    }

    #[test]
    fn seconds_dates_and_nonsense() {
        let seconds = |seconds| Some(Some(Duration::from_secs(seconds)));
        assert_eq!(read(429, &[]), Some(None));
        assert_eq!(read(429, &[("retry-after", "7")]), seconds(7));
        assert_eq!(read(429, &[("retry-after", " 0 ")]), seconds(0));
        assert_eq!(read(429, &[("retry-after", "99999999999999999999999999")]), seconds(24 * 3600));
        for nonsense in ["-1", "", "soon", "1.5", "7 s", "Sun, 99 Nov 1994 08:49:37 GMT"] {
            assert_eq!(read(429, &[("retry-after", nonsense)]), Some(None), "{nonsense}");
        }
        let (now, at) = ("Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:50:07 GMT");
        assert_eq!(read(429, &[("date", now), ("retry-after", at)]), seconds(30));
        assert_eq!(read(429, &[("date", at), ("retry-after", now)]), seconds(0));
        assert_eq!(read(429, &[("retry-after", now)]), seconds(0), "long past by our own clock");
    }

    #[test]
    fn only_answers_that_mean_it_are_hints() {
        assert_eq!(read(503, &[]), None);
        assert_eq!(read(503, &[("retry-after", "3")]), Some(Some(Duration::from_secs(3))));
        assert_eq!(read(301, &[("retry-after", "3")]), None);
        assert_eq!(read(200, &[("retry-after", "3")]), None);
    }
}
