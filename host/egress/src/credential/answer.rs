//! What a token endpoint answers (RFC 6749 §5), read without trust: nothing of its texts goes on but tokens.

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::Value;
use zeroize::Zeroizing;

use super::material::Secret;

/// Words by which a provider says that it will give nothing more for what it was shown.
const SPENT: [&str; 8] = [
    "invalid_grant",
    "access_denied",
    "bad_refresh_token",
    "consent_required",
    "expired_token",
    "interaction_required",
    "login_required",
    "invalid_refresh_token",
];
/// Words by which a provider says that the client or the manifest is wrong.
const WRONG: [&str; 6] = [
    "invalid_client",
    "invalid_request",
    "invalid_scope",
    "unauthorized_client",
    "unsupported_grant_type",
    "incorrect_client_credentials",
];
/// Words by which a provider says that it is a matter of time.
const LATER: [&str; 4] = ["temporarily_unavailable", "server_error", "slow_down", "rate_limit_exceeded"];
/// Longer lives than ten years are a mistake, and would overflow somebody's clock.
const LIFE_S_MAX: u64 = 10 * 366 * 24 * 3600;

/// Tokens that a provider gave.
pub(super) struct Tokens {
    pub(super) access: Secret,
    pub(super) refresh: Option<Secret>,
    pub(super) expires_in_s: Option<u64>,
}

/// Why there are none.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// What was shown is good for nothing any more.
    Spent(&'static str),
    /// The provider understood, and refuses for another reason.
    Wrong(&'static str),
    /// A later attempt could succeed.
    Later(String),
    /// This is no answer of a token endpoint.
    Broken(String),
}

#[derive(Deserialize)]
struct Said {
    #[serde(default)]
    access_token: Option<Zeroizing<String>>,
    #[serde(default)]
    refresh_token: Option<Zeroizing<String>>,
    #[serde(default)]
    token_type: Option<String>,
    #[serde(default)]
    expires_in: Option<Value>,
    #[serde(default)]
    error: Option<Value>,
}

/// Tokens, or why there are none; and a refresh token that came beside an answer that is of no other use: the one before
/// it may be spent.
pub(super) fn read(
    status: StatusCode,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<Tokens, (Fault, Option<Secret>)> {
    // A list would be read as the members in their order.
    let is_object = body.trim_ascii_start().starts_with(b"{");
    let Some(said) = serde_json::from_slice::<Said>(body).ok().filter(|_| is_object) else {
        return Err((without_json(status, headers), None));
    };
    let refresh = said.refresh_token.filter(|token| !token.is_empty()).map(secret);
    if let Some(error) = &said.error {
        return Err((named(error.as_str().unwrap_or_default(), status), refresh));
    }
    if !status.is_success() {
        return Err((without_json(status, headers), refresh));
    }
    let broken = |problem: &str| Fault::Broken(problem.to_owned());
    if let Some(kind) = &said.token_type
        && !kind.eq_ignore_ascii_case("bearer")
    {
        return Err((broken("gives a token of another type than `bearer`"), refresh));
    }
    let Some(access) = said.access_token.filter(|token| !token.is_empty()) else {
        return Err((broken("gives no `access_token`"), refresh));
    };
    if !access.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        return Err((broken("gives an `access_token` that cannot stand in a header"), refresh));
    }
    let expires_in_s = said.expires_in.as_ref().and_then(seconds);
    Ok(Tokens { access: secret(access), refresh, expires_in_s })
}

fn secret(mut text: Zeroizing<String>) -> Secret {
    Secret::new(std::mem::take(&mut *text))
}

/// Some providers write the number as a text. Zero and less say nothing: such a token would be renewed for each request.
fn seconds(value: &Value) -> Option<u64> {
    let number = value.as_f64().or_else(|| value.as_str().and_then(|text| text.trim().parse().ok()))?;
    let whole = std::time::Duration::try_from_secs_f64(number).ok()?.as_secs();
    Some(whole.min(LIFE_S_MAX)).filter(|seconds| *seconds > 0)
}

fn named(word: &str, status: StatusCode) -> Fault {
    let known = |words: &[&'static str]| words.iter().find(|known| **known == word).copied();
    if let Some(word) = known(&SPENT) {
        return Fault::Spent(word);
    }
    if let Some(word) = known(&LATER) {
        return Fault::Later(format!("it answers `{word}`"));
    }
    match known(&WRONG) {
        Some(word) => Fault::Wrong(word),
        None if is_temporary(status) => Fault::Later(format!("it answers {}", status.as_u16())),
        None => Fault::Wrong("an error of its own"),
    }
}

fn without_json(status: StatusCode, headers: &HeaderMap) -> Fault {
    if is_temporary(status) {
        return Fault::Later(format!("it answers {}", status.as_u16()));
    }
    if status.is_redirection() {
        return Fault::Broken("redirects, which no token endpoint may".to_owned());
    }
    if !status.is_success() {
        return Fault::Broken(format!("answers {} without saying why in JSON", status.as_u16()));
    }
    let kind =
        headers.get(http::header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    Fault::Broken(match kind.split(';').next().unwrap_or_default().trim() {
        "text/html" => "answers a page of HTML instead of JSON".to_owned(),
        _ => "answers what is not JSON".to_owned(),
    })
}

fn is_temporary(status: StatusCode) -> bool {
    status.is_server_error() || matches!(status.as_u16(), 408 | 425 | 429)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, StatusCode};

    use super::{Fault, read};

    fn check(status: u16, body: &str) -> Result<(String, Option<String>, Option<u64>), Fault> {
        let body = Bytes::from(body.to_owned());
        match read(StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), &body) {
            Ok(tokens) => Ok((
                tokens.access.expose().to_owned(),
                tokens.refresh.map(|secret| secret.expose().to_owned()),
                tokens.expires_in_s,
            )),
            Err((fault, _)) => Err(fault),
        }
    }

    #[test]
    fn tokens_are_read_as_providers_write_them() {
        let some = |expires| Ok(("t".to_owned(), None, expires));
        for (body, expires) in [
            (r#"{"access_token":"t","token_type":"Bearer","expires_in":3600}"#, Some(3600)),
            (r#"{"access_token":"t","token_type":"bearer","expires_in":"3600"}"#, Some(3600)),
            (r#"{"access_token":"t","token_type":"BEARER","expires_in":3599.9}"#, Some(3599)),
            (r#"{"access_token":"t"}"#, None),
            (r#"{"access_token":"t","expires_in":0}"#, None),
            (r#"{"access_token":"t","expires_in":-5}"#, None),
            (r#"{"access_token":"t","expires_in":null,"refresh_token":""}"#, None),
            (r#"{"access_token":"t","expires_in":1e300}"#, None),
            (r#"{"access_token":"t","expires_in":99999999999}"#, Some(super::LIFE_S_MAX)),
            (r#"{"access_token":"t","expires_in":"soon"}"#, None),
        ] {
            assert_eq!(check(200, body), some(expires), "{body}");
        }
    }

    #[test]
    fn what_is_no_answer_is_told_from_what_may_pass() {
        let broken = |problem: &str| Err(Fault::Broken(problem.to_owned()));
        let later = |problem: &str| Err(Fault::Later(problem.to_owned()));
        for (status, body, expected) in [
            (200, "<html>", broken("answers what is not JSON")),
            (200, "", broken("answers what is not JSON")),
            (200, r#"["t"]"#, broken("answers what is not JSON")),
            (200, "{}", broken("gives no `access_token`")),
            (200, r#"{"access_token":""}"#, broken("gives no `access_token`")),
            (
                200,
                r#"{"access_token":"a\nb"}"#,
                broken("gives an `access_token` that cannot stand in a header"),
            ),
            (
                200,
                r#"{"access_token":"t","token_type":"DPoP"}"#,
                broken("gives a token of another type than `bearer`"),
            ),
            (302, "", broken("redirects, which no token endpoint may")),
            (404, "<html>", broken("answers 404 without saying why in JSON")),
            (500, "<html>", later("it answers 500")),
            (503, r#"{"error":"secret-value"}"#, later("it answers 503")),
            (429, "slow", later("it answers 429")),
            (400, r#"{"error":"temporarily_unavailable"}"#, later("it answers `temporarily_unavailable`")),
            (400, r#"{"error":"invalid_grant"}"#, Err(Fault::Spent("invalid_grant"))),
            (200, r#"{"error":"bad_refresh_token"}"#, Err(Fault::Spent("bad_refresh_token"))),
            (401, r#"{"error":"invalid_client"}"#, Err(Fault::Wrong("invalid_client"))),
            (400, r#"{"error":"secret-value"}"#, Err(Fault::Wrong("an error of its own"))),
            (400, r#"{"error":{"message":"secret-value"}}"#, Err(Fault::Wrong("an error of its own"))),
        ] {
            assert_eq!(check(status, body), expected, "{status} {body}");
        }
    }

    #[test]
    fn a_refresh_token_beside_a_useless_answer_is_not_lost() {
        for body in [
            r#"{"access_token":"t","token_type":"DPoP","refresh_token":"next"}"#,
            r#"{"refresh_token":"next"}"#,
        ] {
            let answer = read(StatusCode::OK, &HeaderMap::new(), &Bytes::from(body));
            let kept = answer.err().and_then(|(_, kept)| kept);
            assert_eq!(kept.map(|secret| secret.expose().to_owned()).as_deref(), Some("next"), "{body}");
        }
    }
}
