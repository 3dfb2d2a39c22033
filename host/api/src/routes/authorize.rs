//! Credentials that a user consents to at a provider: the browser is sent there, comes back here with a code, and the host
//! turns the code into tokens. Nobody is shown these.

use super::credentials::{binding, entered, way};
use super::fields::{is_by_consent, of_person};
use super::of_sync::records;
use crate::at::At;
use crate::authenticate::bearer;
use crate::body::{HoldsSecret, Told};
use crate::caller::{AsWhom, Caller, Person};
use crate::consents::{self, digest};
use crate::cookie;
use crate::fault::Fault;
use crate::house::House;
use crate::page::Queried;
use crate::ports::{ConsentAnswer, Consenting};
use crate::refusal::Refusal;
use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use control::{Action, Error, Secret};
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, REFERRER_POLICY, SET_COOKIE};
use http::{HeaderMap, StatusCode, Uri};
use records::CredentialFields;
use serde::Serialize;
use std::collections::HashMap;
use std::time::Instant;
use utoipa::ToSchema;

const CALLBACK: &str = "/v1/oauth/callback";
/// Longer ones are no words of the protocol.
const WORD_BYTES_MAX: usize = 40;
const DONE: &str = "<!doctype html><meta charset=\"utf-8\"><title>cofferdam</title><p>Done: this window can be closed.</p>\n";

/// Where a user is to be sent.
#[derive(Serialize, ToSchema)]
pub(crate) struct ConsentPage {
    /// The provider's page. The answer to it is taken for ten minutes, once, and from this session alone.
    url: String,
}

/// Begins a user's consent: answers the page of the provider to which the browser is to be sent. What is entered beside it, such
/// as `client_id`, is to be entered before.
#[utoipa::path(post,
    path = "/v1/organizations/{organization}/connections/{connection}/credentials/{ask}/authorize",
    tag = "connections", params(("organization" = String, Path, description = "The organization's id."),
        ("connection" = String, Path, description = "The connection's id."),
        ("ask" = String, Path, description = "The name under which the connector asks for it.")),
    responses((status = 200, body = ConsentPage)))]
pub(crate) async fn begin(
    State(house): State<House>,
    person: Person,
    At((id, connection, ask)): At<(String, String, String)>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let redirect = format!("{}{CALLBACK}", origin(&house, &uri, &headers)?);
    let caller = Caller::from(person);
    caller.enter(&house, &id, Action::EnterCredentials).await?;
    let (consenting, bound) = consenting(&house, &caller, (&id, &connection, &ask), redirect.clone()).await?;
    let asked = house.parts.providers.ask_consent(&consenting)?;
    let drawn: [u8; 32] = vault::random_bytes().map_err(|_| Fault::Internal)?;
    let kept = URL_SAFE_NO_PAD.encode(drawn);
    let sent = consents::Sent {
        user: caller.user().to_owned(),
        shown: caller.shown,
        organization: id,
        connection,
        ask,
        binding: bound,
        redirect,
        verifier: Secret::new(asked.verifier),
        issuer: asked.issuer,
        cookie: digest(&kept),
    };
    house.consents.begin(&asked.state, sent, Instant::now());
    let cookie = cookie::keep_consent(&kept).ok_or(Fault::Internal)?;
    let told = Told(StatusCode::OK, ConsentPage { url: asked.url });
    Ok((Extension(HoldsSecret), [(SET_COOKIE, cookie)], told).into_response())
}

/// Where a provider sends the browser back to. The answer is taken from the browser that began it, or from whoever shows the
/// session that did.
#[utoipa::path(get, path = "/v1/oauth/callback", tag = "connections",
    params(("state" = Option<String>, Query, description = "By which the answer is known."),
        ("code" = Option<String>, Query, description = "What the provider gives."),
        ("error" = Option<String>, Query, description = "Why it gives nothing."),
        ("iss" = Option<String>, Query, description = "Who answers.")),
    responses((status = 200, content_type = "text/html", body = String)))]
pub(crate) async fn end(
    State(house): State<House>,
    Extension(crate::authenticate::Stranger(address)): Extension<crate::authenticate::Stranger>,
    headers: HeaderMap,
    Queried(pairs): Queried<Vec<(String, String)>>,
) -> Result<Response, Refusal> {
    let mut said = once(pairs)?;
    let (cookie, session) = (cookie::read_consent(&headers), bearer(&headers)?);
    if cookie.is_none() && session.is_none() {
        // A browser that a command has sent. Who began it shows its session and brings the answer, so it is not spent here.
        return Err(Fault::NoSuchConsent.into());
    }
    let sent = said
        .remove("state")
        .and_then(|state| house.consents.end(&state, Instant::now()))
        .ok_or(Fault::NoSuchConsent)?;
    let is_ours =
        |shown: Option<&str>, expected: [u8; 32]| shown.is_some_and(|shown| digest(shown) == expected);
    if !is_ours(cookie, sent.cookie) && !is_ours(session, digest(sent.shown.expose())) {
        return Err(Fault::NoSuchConsent.into());
    }
    // Whoever has gone meanwhile, or was sent away, enters nothing any more.
    let session = house.parts.sessions.authenticate(&sent.shown).await.map_err(|_| Fault::NotSignedIn)?;
    let caller = Caller { address, as_whom: AsWhom::Person(session), shown: sent.shown.clone() };
    caller.enter(&house, &sent.organization, Action::EnterCredentials).await?;
    let code = judge(&sent, said)?;
    keep(&house, &caller, sent, code).await?;
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8".to_owned()),
        (CONTENT_SECURITY_POLICY, "default-src 'none'".to_owned()),
        // The address of the page has the code in it.
        (REFERRER_POLICY, "no-referrer".to_owned()),
    ];
    let forget = cookie::forget_consent().ok_or(Fault::Internal)?;
    Ok((headers, [(SET_COOKIE, forget)], DONE).into_response())
}

/// The tokens that the code is worth are kept, and it is noted that they are there.
async fn keep(house: &House, caller: &Caller, sent: consents::Sent, code: String) -> Result<(), Refusal> {
    let at = (sent.organization.as_str(), sent.connection.as_str(), sent.ask.as_str());
    let (consenting, bound) = consenting(house, caller, at, sent.redirect).await?;
    if bound != sent.binding {
        return Err(Fault::Stale.into());
    }
    let by = caller.user();
    let wanted = house.parts.connections.credential_to_enter(by, at.0, at.1, at.2).await?;
    let way = consenting.way.clone();
    let answer = ConsentAnswer { code, verifier: sent.verifier.expose().to_owned() };
    let tokens = house.parts.providers.redeem(consenting, answer).await?;
    let entered = entered(house, by, (&wanted, &way), (tokens.fields, tokens.expires_ms));
    records(house, at.0).enter_credential(entered).await?;
    house.parts.connections.note_entered(by, at.0, (at.1, wanted.revision), at.2).await?;
    Ok(())
}

/// What a provider is asked for, with what a person has entered for it, and to what that is bound.
async fn consenting(
    house: &House,
    caller: &Caller,
    (organization, connection, ask): (&str, &str, &str),
    redirect: String,
) -> Result<(Consenting, manifest::credential::Binding), Refusal> {
    let by = caller.user();
    let wanted = house.parts.connections.credential_to_enter(by, organization, connection, ask).await?;
    if !is_by_consent(&wanted.ask) {
        let what = "credential that a user consents to";
        return Err(Error::UnknownObject { what, id: ask.to_owned() }.into());
    }
    let records = records(house, organization);
    let fields = match records.usable_credential(&wanted.stored, &binding(&wanted)).await {
        Ok(_) => of_person(&wanted.ask, records.open_credential(&wanted.stored).await?),
        Err(records::Error::UnknownCredential { .. }) => CredentialFields::default(),
        Err(error) => return Err(error.into()),
    };
    super::fields::complete(&wanted.ask, &fields)?;
    let way = way(house, by, (organization, connection)).await?;
    let bound = wanted.ask.binding();
    Ok((Consenting { ask: wanted.ask, way, fields, redirect }, bound))
}

/// What was said, each once: said twice it could be read in two ways.
fn once(pairs: Vec<(String, String)>) -> Result<HashMap<String, String>, Fault> {
    let count = pairs.len();
    let said: HashMap<String, String> = pairs.into_iter().collect();
    if said.len() == count { Ok(said) } else { Err(Fault::NoSuchConsent) }
}

/// The code, unless somebody else answered, or nobody consented.
fn judge(sent: &consents::Sent, mut said: HashMap<String, String>) -> Result<String, Fault> {
    if let (Some(issuer), Some(answered)) = (&sent.issuer, said.get("iss"))
        && issuer.trim_end_matches('/') != answered.trim_end_matches('/')
    {
        return Err(Fault::NoConsent { reason: "another provider has answered".to_owned() });
    }
    match (said.remove("code"), said.remove("error")) {
        (Some(code), None) if !code.is_empty() => Ok(code),
        (None, Some(error)) => Err(Fault::NoConsent { reason: word(&error) }),
        _ => Err(Fault::NoSuchConsent),
    }
}

/// An error of the protocol is a word; anything else is not shown.
fn word(error: &str) -> String {
    let is_word = (1..=WORD_BYTES_MAX).contains(&error.len())
        && error.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if is_word { format!("it answers `{error}`") } else { "it answers with an error of its own".to_owned() }
}

/// What browsers call this server.
fn origin(house: &House, uri: &Uri, headers: &HeaderMap) -> Result<String, Fault> {
    if let Some(origin) = &house.options.origin {
        return Ok(origin.trim_end_matches('/').to_owned());
    }
    let named = uri.authority().cloned();
    let of_header = || headers.get(HOST).and_then(|host| host.to_str().ok()?.parse().ok());
    let host: http::uri::Authority = named.or_else(of_header).ok_or(Fault::Ambiguous)?;
    let scheme = if house.is_encrypted() { "https" } else { "http" };
    Ok(format!("{scheme}://{host}"))
}
