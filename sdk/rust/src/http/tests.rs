use std::{io::Cursor, time::Duration};

use super::{Client, Response, url::Url};
use crate::{Error, RetryHint};

#[test]
fn urls_are_taken_apart() {
    let url = Url::parse("HTTPS://api.test:8443/v1/movies?sort=year#top").unwrap();
    assert_eq!(url, Url { secure: true, authority: "api.test:8443", path: "/v1/movies", query: "sort=year" });
    assert_eq!(url.target("page=2"), "/v1/movies?sort=year&page=2");
    assert_eq!(Url::parse("http://[::1]:80").unwrap().target(""), "/");
    assert_eq!(Url::parse("http://a.test?x=1").unwrap().target(""), "/?x=1");
}

#[test]
fn what_is_no_url_of_http_is_refused() {
    for url in [
        "/movies",
        "ftp://a.test/",
        "http://",
        "http://user:secret@a.test/",
        "http://a.test/a b",
        "http:///x",
    ] {
        assert!(matches!(Url::parse(url), Err(Error::Config(_))), "`{url}` was accepted");
    }
}

#[test]
fn query_and_headers_are_encoded_and_replaced() {
    let client = Client::new().header("accept", "text/csv");
    let request = client.get("http://a.test/x").query("q", "a b&c").query("page", 2).header("Accept", "a/b");
    assert_eq!(request.query, "q=a+b%26c&page=2");
    let accept: Vec<_> =
        request.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("accept")).collect();
    assert_eq!(accept, [&("Accept".to_owned(), b"a/b".to_vec())]);
    assert_eq!(request.label(), "GET http://a.test/x");
}

#[test]
fn a_json_body_says_its_type_and_length() {
    let request = Client::new().post("http://a.test/").json(&[1, 2]);
    let header = |name: &str| request.headers.iter().find(|(present, _)| present == name).unwrap().1.clone();
    assert_eq!(header("content-type"), b"application/json");
    assert_eq!(header("content-length"), b"5");
}

#[test]
fn faults_are_said_when_the_request_is_sent() {
    let error = Client::new().get("movies").send().unwrap_err();
    assert_eq!(error, Error::config("", "`movies` is not an absolute URL of http or https"));
    let unspeakable = std::collections::BTreeMap::from([((1, 2), 3)]);
    let error = Client::new().post("http://a.test/").json(&unspeakable).send().unwrap_err();
    assert!(matches!(error, Error::Bug(_)), "{error}");
    // Outside of a component there is no host.
    let error = Client::new().get("http://a.test/").send().unwrap_err();
    assert_eq!(error, Error::transient("GET http://a.test/: there is no host to send it"));
}

fn answer(status: u16, headers: &[(&str, &str)], body: &'static str) -> Response {
    let headers =
        headers.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect();
    Response::new(status, headers, Cursor::new(body))
}

#[test]
fn an_unwanted_status_quotes_the_answer_and_keeps_the_wait() {
    let error = answer(429, &[("Retry-After", "7")], "slow\n  down").json::<u8>().unwrap_err();
    let message = "request answered 429: slow down".to_owned();
    assert_eq!(error, Error::RateLimited(RetryHint { message, retry_after_ms: Some(7000) }));
    assert_eq!(answer(404, &[], "").success().unwrap_err(), Error::data("request answered 404"));
}

#[test]
fn a_good_answer_is_read() {
    assert_eq!(answer(200, &[], "[1]").json::<Vec<u8>>().unwrap(), [1]);
    let fault = answer(200, &[], "<html>").json::<Vec<u8>>().unwrap_err();
    assert!(matches!(&fault, Error::Data(message) if message.starts_with("request: JSON: ")), "{fault}");
    assert_eq!(answer(200, &[("X-Next", "2")], "").header("x-next"), Some("2"));
    assert_eq!(answer(503, &[("retry-after", "soon")], "").retry_after(), None);
}

#[test]
fn many_requests_answer_with_their_places() {
    let client = Client::new().timeout(Duration::from_secs(1));
    let requests = ["bad", "http://a.test/"].map(|url| client.get(url));
    let answers: Vec<_> =
        client.send_all(requests, 4).map(|(index, answer)| (index, answer.is_err())).collect();
    assert_eq!(answers, [(0, true), (1, true)]);
}
