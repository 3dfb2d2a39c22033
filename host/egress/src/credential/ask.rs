//! What is asked of a token endpoint: by a refresh token, by the client's own right, or by a signed token.

use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use form_urlencoded::Serializer;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::{Method, Request};
use manifest::CredentialKind;
use manifest::credential::{ClientAuthentication, EndpointUrl, JwtAlgorithm, JwtBearer, OAuth2, OAuth2Grant};
use ring::rand::{SecureRandom, SystemRandom};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::jwt;
use super::kept::hex;
use super::material::{Material, field};

/// A signed token begins so long before now: a provider whose clock is behind would call it one from the future.
const SKEW: Duration = Duration::from_secs(30);

/// A request for tokens.
pub(super) struct Asking {
    pub(super) endpoint: String,
    pub(super) request: Request<Bytes>,
    /// It spends the refresh token, where the provider gives a new one for each.
    pub(super) spends: bool,
}

/// The URL of the token endpoint, where the credential is one that is renewed.
pub(super) fn endpoint(kind: &CredentialKind) -> Option<&EndpointUrl> {
    match kind {
        CredentialKind::OAuth2(oauth2) => Some(&oauth2.token_url),
        CredentialKind::JwtBearer(jwt) => jwt.token_url.as_ref(),
        _ => None,
    }
}

/// What to send for new tokens; the error says what is wrong with the credential.
pub(super) fn asking(
    kind: &CredentialKind,
    material: &Material,
    now: SystemTime,
) -> Result<Asking, &'static str> {
    match kind {
        CredentialKind::OAuth2(oauth2) => by_oauth2(oauth2, material),
        CredentialKind::JwtBearer(jwt) => by_jwt(jwt, material, now),
        _ => Err("is of a kind that is never renewed"),
    }
}

fn by_oauth2(oauth2: &OAuth2, material: &Material) -> Result<Asking, &'static str> {
    let client_id = material.get("client_id").ok_or("has no client id")?;
    let client_secret = material.get("client_secret");
    let by_client = oauth2.grant == OAuth2Grant::ClientCredentials;
    let mut form = Serializer::new(String::new());
    if by_client {
        form.append_pair("grant_type", "client_credentials");
        if !oauth2.scopes.is_empty() {
            form.append_pair("scope", &oauth2.scopes.join(&oauth2.scope_separator));
        }
    } else {
        let token = material.get(field::REFRESH_TOKEN).ok_or("has no refresh token")?;
        form.append_pair("grant_type", "refresh_token").append_pair("refresh_token", token);
    }
    form.extend_pairs(&oauth2.token_parameters);
    let mut basic = None;
    match (oauth2.client_authentication, client_secret) {
        (ClientAuthentication::Basic, Some(secret)) => basic = Some(basic_of_client(client_id, secret)?),
        (_, secret) => {
            form.append_pair("client_id", client_id);
            if let Some(secret) = secret {
                form.append_pair("client_secret", secret);
            }
        }
    }
    asking_with(&oauth2.token_url, form.finish(), basic, !by_client)
}

fn by_jwt(jwt: &JwtBearer, material: &Material, now: SystemTime) -> Result<Asking, &'static str> {
    let url = jwt.token_url.as_ref().ok_or("is of a kind that is never renewed")?;
    let assertion = Zeroizing::new(signed_token(jwt, material, now)?);
    let mut form = Serializer::new(String::new());
    form.append_pair("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer");
    form.append_pair("assertion", &assertion);
    if !jwt.scopes.is_empty() {
        form.append_pair("scope", &jwt.scopes.join(" "));
    }
    asking_with(url, form.finish(), None, false)
}

/// A signed token that names the service account.
pub(super) fn signed_token(
    jwt: &JwtBearer,
    material: &Material,
    now: SystemTime,
) -> Result<String, &'static str> {
    let pem = material.get("private_key").ok_or("has no private key")?;
    let key = match jwt.algorithm {
        JwtAlgorithm::Rs256 => jwt::Key::rs256(pem)?,
        JwtAlgorithm::Es256 => jwt::Key::es256(pem)?,
    };
    jwt::signed(&key, material.get("key_id"), &claims(jwt, material, now)?)
}

fn claims(jwt: &JwtBearer, material: &Material, now: SystemTime) -> Result<Map<String, Value>, &'static str> {
    let begins = now.checked_sub(SKEW).unwrap_or(now);
    let begins_s = seconds(begins);
    let mut claims = Map::new();
    for (name, value) in &jwt.claims {
        claims.insert(name.clone(), value.as_str().into());
    }
    claims.insert("iss".to_owned(), material.get("issuer").ok_or("has no issuer")?.into());
    if let Some(subject) = material.get("subject") {
        claims.insert("sub".to_owned(), subject.into());
    }
    let audience = match (&jwt.token_audience, &jwt.token_url) {
        (Some(text), _) => text.fixed().map(ToOwned::to_owned),
        (None, Some(url)) => Some(url.url()),
        (None, None) => None,
    };
    if let Some(audience) = audience {
        claims.insert("aud".to_owned(), audience.into());
    }
    if !jwt.scopes.is_empty() {
        claims.insert("scope".to_owned(), jwt.scopes.join(" ").into());
    }
    claims.insert("iat".to_owned(), begins_s.into());
    claims.insert("exp".to_owned(), begins_s.saturating_add(jwt.lifetime_ms / 1000).into());
    claims.insert("jti".to_owned(), nonce()?.into());
    Ok(claims)
}

/// A number used once.
pub(super) fn nonce() -> Result<String, &'static str> {
    let mut bytes = [0; 16];
    SystemRandom::new().fill(&mut bytes).map_err(|_| "cannot be used: the system gives no randomness")?;
    Ok(hex(&bytes))
}

/// Seconds since 1970; a clock before that says 0.
pub(super) fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// RFC 6749 §2.3.1: both are encoded as in a form before they are joined.
fn basic_of_client(id: &str, secret: &str) -> Result<HeaderValue, &'static str> {
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = Zeroizing::new(format!("{}:{}", encoded(id), encoded(secret)));
    let text = Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())));
    let mut value = HeaderValue::from_str(&text).map_err(|_| "cannot stand in a header")?;
    value.set_sensitive(true);
    Ok(value)
}

fn asking_with(
    url: &EndpointUrl,
    form: String,
    basic: Option<HeaderValue>,
    spends: bool,
) -> Result<Asking, &'static str> {
    let mut request = Request::new(Bytes::from(form));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = url.url().parse().map_err(|_| "has a token URL that cannot be called")?;
    let headers = request.headers_mut();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    headers.extend(basic.map(|value| (AUTHORIZATION, value)));
    let endpoint = format!("{}{}", url.host_pattern().url(), url.path());
    Ok(Asking { endpoint, request, spends })
}
