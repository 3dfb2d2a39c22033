//! The address on this machine to which the provider sends the browser back (RFC 8252, section 7.3). Answers to nobody but a
//! browser that was sent to it by this very flow.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HOST, REFERRER_POLICY};
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

const PATH: &str = "/callback";
/// A browser opens a few.
const CONNECTIONS_MAX: usize = 16;

/// What the provider said through the browser.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Code(String),
    /// The user or the provider refused, with this word.
    Refused(String),
    /// Another provider answered.
    WrongIssuer(String),
}

/// What an answer must have to be one to this flow.
pub(super) struct Expected {
    pub(super) state: String,
    /// Who must have answered, where the answer says it (RFC 9207).
    pub(super) issuer: Option<String>,
}

/// Waits for the browser.
pub(super) struct Callback {
    listener: TcpListener,
    address: SocketAddr,
}

impl Callback {
    pub(super) async fn listen(port: u16) -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}{PATH}", self.address)
    }

    /// The first answer to this flow. Whatever else comes is refused, and waited on.
    pub(super) async fn answer(self, expected: Expected) -> std::io::Result<Answer> {
        let (tell, mut told) = mpsc::channel(1);
        let asked = Arc::new((expected, self.address.to_string()));
        let mut connections = JoinSet::new();
        let answer = loop {
            tokio::select! {
                accepted = self.listener.accept(), if connections.len() < CONNECTIONS_MAX => {
                    let (stream, _) = accepted?;
                    let (asked, tell) = (Arc::clone(&asked), tell.clone());
                    let service = service_fn(move |request| {
                        let (asked, tell) = (Arc::clone(&asked), tell.clone());
                        async move { Ok::<_, Infallible>(answered(&request, &asked.0, &asked.1, &tell)) }
                    });
                    let serving = http1::Builder::new().keep_alive(false).serve_connection(TokioIo::new(stream), service);
                    connections.spawn(serving);
                }
                Some(answer) = told.recv() => break answer,
                Some(_) = connections.join_next() => {}
            }
        };
        // The browser gets its page before this ends; one that does not read is left.
        let _ = tokio::time::timeout(std::time::Duration::from_secs(1), connections.join_next()).await;
        Ok(answer)
    }
}

fn answered(
    request: &Request<Incoming>,
    expected: &Expected,
    host: &str,
    tell: &mpsc::Sender<Answer>,
) -> Response<Full<Bytes>> {
    let is_ours = request.headers().get(HOST).is_some_and(|named| named == host);
    let query = request.uri().query().unwrap_or_default();
    if !is_ours || request.method() != Method::GET || request.uri().path() != PATH {
        return page(StatusCode::NOT_FOUND, "There is nothing here.");
    }
    let Some(answer) = read(query, expected) else {
        return page(StatusCode::BAD_REQUEST, "This is no answer to what cofferdam asked for.");
    };
    let page = match &answer {
        Answer::Code(_) => page(StatusCode::OK, "Done: this window can be closed. The terminal says more."),
        _ => page(StatusCode::OK, "It was not allowed. The terminal says more."),
    };
    // A second answer to the same flow is as good as none.
    let _ = tell.try_send(answer);
    page
}

/// None for what does not belong to this flow.
fn read(query: &str, expected: &Expected) -> Option<Answer> {
    let mut parameters = HashMap::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()).into_owned() {
        // Said twice it could be read in two ways.
        if parameters.insert(name, value).is_some() {
            return None;
        }
    }
    if parameters.get("state") != Some(&expected.state) {
        return None;
    }
    let (issuer, answered) = (expected.issuer.as_deref(), parameters.get("iss"));
    if let (Some(issuer), Some(answered)) = (issuer, answered)
        && issuer.trim_end_matches('/') != answered.trim_end_matches('/')
    {
        return Some(Answer::WrongIssuer(answered.clone()));
    }
    match (parameters.remove("code"), parameters.remove("error")) {
        (Some(code), None) if !code.is_empty() => Some(Answer::Code(code)),
        (None, Some(error)) => Some(Answer::Refused(error)),
        _ => None,
    }
}

fn page(status: StatusCode, words: &str) -> Response<Full<Bytes>> {
    let html = format!("<!doctype html><meta charset=\"utf-8\"><title>cofferdam</title><p>{words}</p>\n");
    let mut response = Response::new(Full::new(Bytes::from(html)));
    *response.status_mut() = status;
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        // The address of the page has the code in it.
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "no-store"),
    ];
    for (name, value) in headers {
        response.headers_mut().insert(name, http::HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::{Answer, Expected, read};

    #[test]
    fn only_an_answer_to_this_flow_is_one() {
        let expected =
            |issuer: Option<&str>| Expected { state: "s 1".into(), issuer: issuer.map(Into::into) };
        let code = Some(Answer::Code("c".into()));
        for (query, issuer, answer) in [
            ("code=c&state=s+1", None, &code),
            ("state=s%201&code=c&iss=https://id.test", Some("https://id.test/"), &code),
            ("state=s+1&code=c&iss=https://other.test", None, &code),
            ("state=s+1&code=c", Some("https://id.test"), &code),
            ("code=c&state=s", None, &None),
            ("code=c", None, &None),
            ("state=s+1", None, &None),
            ("state=s+1&code=", None, &None),
            ("state=s+1&code=c&code=d", None, &None),
            ("state=s&state=s+1&code=c", None, &None),
            ("state=s+1&code=c&error=access_denied", None, &None),
            ("", None, &None),
            ("state=s+1&error=access_denied", None, &Some(Answer::Refused("access_denied".into()))),
            (
                "state=s+1&code=c&iss=https://evil.test",
                Some("https://id.test"),
                &Some(Answer::WrongIssuer("https://evil.test".into())),
            ),
        ] {
            assert_eq!(&read(query, &expected(issuer)), answer, "{query}");
        }
    }
}
