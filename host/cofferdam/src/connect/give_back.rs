//! Tells a provider that a token is not to be taken any more (RFC 7009).

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use egress::Ledger;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{Method, Request};
use manifest::CredentialKind;
use manifest::credential::{ClientAuthentication, OAuth2};
use records::OpenedCredential;

use super::Error;
use super::calls::Calls;
use super::refused::not_sent;
use super::settings::Settings;
use crate::arguments::Network;
use crate::problem::{Problem, Problems};

/// True when its provider has agreed, false when it has no way for that.
pub(super) async fn given_back(
    opened: &OpenedCredential,
    over: (&Network, Arc<dyn Ledger>),
) -> Result<bool, Problems> {
    let Ok(settings) = Settings::of(&opened.kept) else { return Ok(false) };
    let CredentialKind::OAuth2(oauth2) = &settings.ask.kind else { return Ok(false) };
    let Some(url) = &oauth2.revoke_url else { return Ok(false) };
    attempt(oauth2, &url.url(), opened, &settings, over).await.map(|()| true)
}

async fn attempt(
    oauth2: &OAuth2,
    url: &str,
    opened: &OpenedCredential,
    settings: &Settings,
    (network, told): (&Network, Arc<dyn Ledger>),
) -> Result<(), Problems> {
    // With the refresh token the provider ends what came of it, too.
    let names = ["refresh_token", "access_token"];
    let token = names.iter().find_map(|name| Some((*name, text(opened, name)?)));
    let Some((hint, token)) = token else { return Ok(()) };
    let refused = |reason: String| Problem::from(Error::consent(reason));
    let request =
        asking(oauth2, url, opened, (hint, token)).ok_or_else(|| refused("its address is none".into()))?;
    let answer = Calls::new(settings, network, told)?.send(request).await.map_err(not_sent)?;
    match answer.status() {
        status if status.is_success() => Ok(()),
        status => Err(refused(format!("it answers {} when the token is given back", status.as_u16())).into()),
    }
}

fn asking(
    oauth2: &OAuth2,
    url: &str,
    opened: &OpenedCredential,
    (hint, token): (&str, &str),
) -> Option<Request<Vec<u8>>> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("token", token).append_pair("token_type_hint", hint);
    let client = opened.kept.public.get("client_id").map_or("", String::as_str);
    let mut request = Request::builder().method(Method::POST).uri(url);
    match (text(opened, "client_secret"), oauth2.client_authentication) {
        (Some(secret), ClientAuthentication::Basic) => {
            let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
            let joined = format!("{}:{}", encoded(client), encoded(secret));
            request = request.header(AUTHORIZATION, format!("Basic {}", STANDARD.encode(joined)));
        }
        (secret, _) => {
            form.append_pair("client_id", client);
            if let Some(secret) = secret {
                form.append_pair("client_secret", secret);
            }
        }
    }
    let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    request.header(ACCEPT, "application/json").body(form.finish().into_bytes()).ok()
}

fn text<'o>(opened: &'o OpenedCredential, name: &str) -> Option<&'o str> {
    std::str::from_utf8(opened.secret.get(name)?.expose()).ok()
}
