//! A token endpoint that speaks RFC 6749 to the letter: it checks the client, spends refresh tokens as it is told to, and
//! counts what it gave.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::Request;
use serde_json::json;

use super::served::{Answer, Served, only_header, reply};

/// What the endpoint knows.
#[derive(Default)]
pub(crate) struct Known {
    /// Access tokens that hold.
    pub(crate) access: Mutex<HashSet<String>>,
    refresh: Mutex<HashSet<String>>,
    /// Forms that came, as they were understood.
    forms: Mutex<Vec<BTreeMap<String, String>>>,
    /// Seconds for which tokens hold; none: it does not say.
    expires_in: Mutex<Option<u64>>,
    /// Each use of a refresh token gives another one.
    rotates: Mutex<bool>,
    is_down: Mutex<bool>,
}

/// The endpoint. It ends with the test.
pub(crate) struct Tokens {
    pub(crate) served: Served,
    pub(crate) known: Arc<Known>,
}

pub(crate) const CLIENT: (&str, &str) = ("client:1", "secret of the client/1");

impl Tokens {
    /// One that rotates, with this refresh token.
    pub(crate) async fn start(refresh: &str) -> Self {
        let known = Arc::new(Known::default());
        known.refresh.lock().unwrap().insert(refresh.to_owned());
        *known.rotates.lock().unwrap() = true;
        let answering = Arc::clone(&known);
        let served = Served::plain(move |request| answering.answer(&request)).await;
        Self { served, known }
    }

    pub(crate) fn url(&self) -> String {
        self.served.url("/token")
    }

    /// The manifest's settings of a credential that is renewed here by its refresh token.
    pub(crate) fn settings(&self) -> String {
        format!("kind = \"oauth2\"\ngrant = \"refresh-token\"\ntoken_url = \"{}\"", self.url())
    }

    pub(crate) fn expire_in(&self, seconds: u64) {
        *self.known.expires_in.lock().unwrap() = Some(seconds);
    }

    /// From now on it has a fault of its own.
    pub(crate) fn break_down(&self) {
        *self.known.is_down.lock().unwrap() = true;
    }

    /// Refresh tokens are good for more than one use.
    pub(crate) fn keep_refresh_tokens(&self) {
        *self.known.rotates.lock().unwrap() = false;
    }

    /// Requests for tokens so far.
    pub(crate) fn redemptions(&self) -> usize {
        self.known.forms.lock().unwrap().len()
    }

    pub(crate) fn last_form(&self) -> BTreeMap<String, String> {
        self.known.forms.lock().unwrap().last().unwrap().clone()
    }
}

impl Known {
    pub(crate) fn holds(&self, token: &str) -> bool {
        self.access.lock().unwrap().contains(token)
    }

    /// The tokens given so far no longer hold.
    pub(crate) fn revoke_access(&self) {
        self.access.lock().unwrap().clear();
    }

    fn answer(&self, request: &Request<Bytes>) -> Answer {
        let form: BTreeMap<String, String> = form_urlencoded::parse(request.body()).into_owned().collect();
        let number = {
            let mut forms = self.forms.lock().unwrap();
            forms.push(form.clone());
            forms.len()
        };
        if *self.is_down.lock().unwrap() {
            return reply(503, "");
        }
        if request.method() != "POST"
            || only_header(request, "content-type").as_deref() != Some("application/x-www-form-urlencoded")
        {
            return error(400, "invalid_request");
        }
        let expected = format!("Basic {}", STANDARD.encode("client%3A1:secret+of+the+client%2F1"));
        let is_jwt = form.get("grant_type").is_some_and(|grant| grant.ends_with(":jwt-bearer"));
        if !is_jwt && only_header(request, "authorization") != Some(expected) {
            return error(401, "invalid_client");
        }
        let mut rotated = None;
        match form.get("grant_type").map(String::as_str) {
            Some("refresh_token") => {
                let mut refresh = self.refresh.lock().unwrap();
                if !refresh.contains(&form["refresh_token"]) {
                    return error(400, "invalid_grant");
                }
                if *self.rotates.lock().unwrap() {
                    refresh.remove(&form["refresh_token"]);
                    let next = format!("refresh-token-number-{number}");
                    refresh.insert(next.clone());
                    rotated = Some(next);
                }
            }
            Some("client_credentials") => {}
            Some(_) if is_jwt => {}
            _ => return error(400, "unsupported_grant_type"),
        }
        let access = format!("access-token-number-{number}");
        self.access.lock().unwrap().insert(access.clone());
        let mut answer = json!({ "access_token": access, "token_type": "Bearer" });
        if let Some(seconds) = *self.expires_in.lock().unwrap() {
            answer["expires_in"] = seconds.into();
        }
        if let Some(next) = rotated {
            answer["refresh_token"] = next.into();
        }
        reply(200, answer.to_string())
    }
}

fn error(status: u16, word: &str) -> Answer {
    reply(status, json!({ "error": word, "error_description": "words of the provider" }).to_string())
}

/// An API that takes the tokens that hold, and answers the request's body.
pub(crate) async fn api(known: &Arc<Known>) -> Served {
    let known = Arc::clone(known);
    Served::plain(move |request| {
        let token = only_header(&request, "authorization");
        let token = token.as_deref().and_then(|value| value.strip_prefix("Bearer "));
        match token.filter(|token| known.holds(token)) {
            Some(_) => reply(200, request.into_body()),
            None => reply(401, "who are you?"),
        }
    })
    .await
}
