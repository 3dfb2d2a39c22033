//! Requests of ACME, through egress. What the directory names is called over `https` alone, and on another machine than
//! the directory's only where it is public: whoever answers for a directory gets to see nothing of our network.

use crate::error::Error;
use crate::problem::wrong;
use bytes::Bytes;
use egress::{Authorities, Decision, Egress, Entry, Gate, Ledger, OwnCalls, RequestLine};
use grants::{Basis, Document, Rights};
use http::header::{DATE, RETRY_AFTER};
use http::{HeaderMap, Request, Response, Uri};
use http_body_util::{BodyExt, Full};
use instant_acme::{BodyWrapper, BytesResponse, HttpClient};
use manifest::{Asks, Grants, Role};
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// By which name requests are told of.
const NAME: &str = "acme";
const HTTPS_PORT: u16 = 443;
/// The longest window of limits that we know is a week. A longer wait is a mistake of somebody's.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// A machine whose clock is wrong by more orders again and again, or never: certificates are dated back by an hour.
const APART_MAX: Duration = Duration::from_secs(60 * 60);

/// A way to a directory and to what it names. Cheap to clone; all clones are one.
#[derive(Clone)]
pub(crate) struct Wire(Arc<Inner>);

struct Inner {
    directory: Uri,
    /// To the machine that an operator has named.
    named: OwnCalls,
    /// To all others.
    others: OwnCalls,
    last: Mutex<Last>,
}

/// Of the last answer: the library keeps nothing of it once it is an error.
#[derive(Debug, Clone, Copy, Default)]
struct Last {
    status: Option<u16>,
    retry_after: Option<Duration>,
    apart: Option<Duration>,
}

/// A URL that is not called.
#[derive(Debug, thiserror::Error)]
#[error("it names a URL that is not `https`")]
pub(crate) struct Elsewhere;

/// Whether the directory is reached and is one: for who wants to know before a server is started.
///
/// # Errors
/// When it is not.
pub async fn reach(directory: &Uri, egress: &Egress, authorities: Authorities) -> Result<(), Error> {
    let doing = "read the directory";
    let wire = Wire::new(directory, egress, authorities);
    let request = Request::get(directory).body(BodyWrapper::default());
    let answer = match request {
        Ok(request) => wire.request(request).await,
        Err(error) => Err(error.into()),
    };
    let mut answer = answer.map_err(|error| wrong(doing, error, &wire))?;
    let body = answer.body.into_bytes().await;
    let body = body.map_err(|error| wrong(doing, instant_acme::Error::Other(error), &wire))?;
    let names = ["newNonce", "newAccount", "newOrder"];
    let is_directory = serde_json::from_slice::<serde_json::Value>(&body)
        .is_ok_and(|found| names.iter().all(|name| found.get(name).is_some_and(|url| url.is_string())));
    if !is_directory {
        let reason = format!("status {}, and no directory", answer.parts.status.as_u16());
        return Err(Error::NotAcme { doing, reason });
    }
    wire.clocks()
}

impl Wire {
    pub(crate) fn new(directory: &Uri, egress: &Egress, authorities: Authorities) -> Self {
        // No right at all: what is public may be reached, and nothing else.
        let rights = Rights::new(&Basis {
            document: Document::Sync,
            role: Role::Source,
            name: NAME,
            connector: "",
            asks: &Asks::default(),
            grants: &Grants::default(),
            organization: None,
            host: None,
        });
        Self(Arc::new(Inner {
            directory: directory.clone(),
            named: egress.own_calls(Arc::new(Named), Arc::new(Untold), authorities.clone()),
            others: egress.own_calls(Arc::new(rights), Arc::new(Untold), authorities),
            last: Mutex::default(),
        }))
    }

    /// The status of the last answer.
    pub(crate) fn status(&self) -> Option<u16> {
        self.last().status
    }

    /// How long the other side wanted to be left alone when it answered last.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        self.last().retry_after
    }

    /// Whether the two clocks go together.
    pub(crate) fn clocks(&self) -> Result<(), Error> {
        match self.last().apart {
            Some(apart) if apart > APART_MAX => Err(Error::Clock { apart }),
            _ => Ok(()),
        }
    }

    fn last(&self) -> Last {
        *self.0.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    async fn send(&self, request: Request<BodyWrapper<Bytes>>) -> Result<BytesResponse, instant_acme::Error> {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Last::default();
        let (head, body) = request.into_parts();
        if head.uri.scheme_str() != Some("https") {
            return Err(instant_acme::Error::Other(Box::new(Elsewhere)));
        }
        let is_named = place(&head.uri) == place(&self.directory);
        let calls = if is_named { &self.named } else { &self.others };
        let body = match body.collect().await {
            Ok(body) => body.to_bytes(),
            Err(never) => match never {},
        };
        let sent = calls.send(NAME, Request::from_parts(head, body)).await;
        let answer = sent.map_err(|error| instant_acme::Error::Other(Box::new(error)))?;
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Last::of(&answer);
        Ok(BytesResponse::from(answer.map(Full::new)))
    }
}

impl HttpClient for Wire {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, instant_acme::Error>> + Send>> {
        let inner = Arc::clone(&self.0);
        Box::pin(async move { inner.send(request).await })
    }
}

impl Last {
    fn of(answer: &Response<Bytes>) -> Self {
        let date = date(answer.headers(), DATE);
        let now = SystemTime::now();
        let apart = date.map(|date| now.duration_since(date).unwrap_or_else(|behind| behind.duration()));
        let retry_after = retry_after(answer.headers(), date.unwrap_or(now));
        Self { status: Some(answer.status().as_u16()), retry_after, apart }
    }
}

/// Seconds, or a date, which is one by the other side's clock (RFC 9110 §10.2.3).
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match text.parse().map(Duration::from_secs) {
        Ok(seconds) => seconds,
        Err(_) => httpdate::parse_http_date(text).ok()?.duration_since(now).unwrap_or_default(),
    };
    Some(wait.min(RETRY_AFTER_MAX))
}

fn date(headers: &HeaderMap, name: http::HeaderName) -> Option<SystemTime> {
    httpdate::parse_http_date(headers.get(name)?.to_str().ok()?).ok()
}

fn place(uri: &Uri) -> (Option<String>, u16) {
    (uri.host().map(str::to_ascii_lowercase), uri.port_u16().unwrap_or(HTTPS_PORT))
}

/// The operator has named this machine, which may be any: a directory of one's own is mostly on a network of one's own.
struct Named;

impl Gate for Named {
    fn request(&self, _: &RequestLine<'_>) -> Decision {
        allowed()
    }

    fn address(&self, _: IpAddr, _: u16) -> Decision {
        allowed()
    }

    fn own_address(&self, _: IpAddr, _: u16) -> Decision {
        allowed()
    }
}

fn allowed() -> Decision {
    Decision::Allow { rule: "the directory that the operator named".to_owned() }
}

/// What comes of it is told in the log, and in figures.
struct Untold;

impl Ledger for Untold {
    fn record(&self, _: Entry) {}
}

#[cfg(test)]
mod tests {
    use super::{RETRY_AFTER_MAX, place, retry_after};
    use http::{HeaderMap, HeaderValue, Uri};
    use std::time::{Duration, SystemTime};

    #[test]
    fn the_other_side_says_for_how_long_it_is_left_alone_and_for_a_week_at_most() {
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        for (text, expected) in [
            ("7", Some(7)),
            (" 0 ", Some(0)),
            ("99999999999", Some(RETRY_AFTER_MAX.as_secs())),
            ("Sun, 06 Nov 1994 08:50:07 GMT", Some(30)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("retry-after", HeaderValue::from_static(text));
            assert_eq!(retry_after(&headers, now), expected.map(Duration::from_secs), "{text}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), SystemTime::now()), None);
    }

    #[test]
    fn a_port_that_is_not_written_is_one() {
        let of = |text: &'static str| place(&Uri::from_static(text));
        assert_eq!(of("https://Ca.example/dir"), of("https://ca.example:443/order"));
        assert_ne!(of("https://ca.example/dir"), of("https://ca.example:8443/dir"));
        assert_ne!(of("https://ca.example/dir"), of("https://ca.example.org/dir"));
    }
}
