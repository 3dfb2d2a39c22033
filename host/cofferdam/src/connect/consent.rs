//! A user's consent by OAuth 2: in a browser of this machine (RFC 8252, with PKCE), or by a code on another device (RFC 8628).

use std::time::Duration;

use manifest::credential::{ClientAuthentication, OAuth2};
use oauth2::basic::{BasicClient, BasicTokenResponse, BasicTokenType};
use oauth2::{
    AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, DeviceAuthorizationUrl,
    PkceCodeChallenge, RedirectUrl, Scope, StandardDeviceAuthorizationResponse, TokenResponse, TokenUrl,
};
use records::CredentialFields;
use vault::Plaintext;

use super::Error;
use super::callback::{Answer, Callback, Expected};
use super::calls::Calls;
use super::obtained::How;
use super::refused::{by_provider, word};
use super::settings::Settings;
use crate::arguments::Consent;
use crate::output::Output;
use crate::problem::Problems;
use crate::text::plain_line;

/// A person may have to find a password first.
const CONSENT_MAX: Duration = Duration::from_secs(10 * 60);

/// What consent gives.
pub(super) struct Tokens {
    pub(super) access: Plaintext,
    pub(super) refresh: Option<Plaintext>,
    pub(super) life: Option<Duration>,
}

/// Asks the user, and comes back with tokens.
pub(super) async fn consent(
    oauth2: &OAuth2,
    fields: &CredentialFields,
    settings: &Settings,
    how: How<'_>,
    output: &Output,
) -> Result<Tokens, Problems> {
    let calls = Calls::new(settings, how.network)?;
    let flow = Flow { oauth2, fields, calls: &calls, output };
    let consented = async {
        match (&oauth2.authorize_url, &oauth2.device_url) {
            (Some(page), device) if device.is_none() || !how.consent.device => {
                flow.by_browser(&page.url(), how.consent).await
            }
            (_, Some(device)) => flow.by_device(&device.url()).await,
            _ => Err(Error::consent("the manifest names no page for it").into()),
        }
    };
    match tokio::time::timeout(CONSENT_MAX, consented).await {
        Ok(tokens) => read(&tokens?),
        Err(_) => Err(Error::consent("nobody consented within ten minutes").into()),
    }
}

struct Flow<'a> {
    oauth2: &'a OAuth2,
    fields: &'a CredentialFields,
    calls: &'a Calls,
    output: &'a Output,
}

/// A client that knows where tokens are given.
type Client = BasicClient<
    oauth2::EndpointNotSet,
    oauth2::EndpointNotSet,
    oauth2::EndpointNotSet,
    oauth2::EndpointNotSet,
    oauth2::EndpointSet,
>;

impl Flow<'_> {
    fn client(&self) -> Result<Client, Problems> {
        let id = self.fields.public.get("client_id").cloned().unwrap_or_default();
        let url = TokenUrl::new(self.oauth2.token_url.url()).map_err(|_| wrong_url("token_url"))?;
        let mut client = BasicClient::new(ClientId::new(id)).set_token_uri(url);
        client = client.set_auth_type(match self.oauth2.client_authentication {
            ClientAuthentication::Basic => AuthType::BasicAuth,
            ClientAuthentication::Body => AuthType::RequestBody,
        });
        let secret = self.fields.secret.get("client_secret");
        Ok(match secret.and_then(|secret| std::str::from_utf8(secret.expose()).ok()) {
            Some(secret) => client.set_client_secret(ClientSecret::new(secret.to_owned())),
            None => client,
        })
    }

    fn scope(&self) -> Option<Scope> {
        let scopes = &self.oauth2.scopes;
        (!scopes.is_empty()).then(|| Scope::new(scopes.join(&self.oauth2.scope_separator)))
    }

    async fn by_browser(&self, page: &str, how: &Consent) -> Result<BasicTokenResponse, Problems> {
        let listened = Callback::listen(how.callback_port).await;
        let callback =
            listened.map_err(|error| Error::consent(format!("nobody can return here: {error}")))?;
        let redirect = RedirectUrl::new(callback.url()).map_err(|_| wrong_url("callback"))?;
        let page = AuthUrl::new(page.to_owned()).map_err(|_| wrong_url("authorize_url"))?;
        let client = self.client()?.set_auth_uri(page).set_redirect_uri(redirect);
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let mut asking = client.authorize_url(CsrfToken::new_random).set_pkce_challenge(challenge);
        for (name, value) in &self.oauth2.authorize_parameters {
            asking = asking.add_extra_param(name, value);
        }
        let (url, state) = asking.add_scopes(self.scope()).url();
        self.shown(url.as_str(), how);
        let issuer = self.oauth2.issuer.as_ref().map(|issuer| issuer.url());
        let answered = callback.answer(Expected { state: state.into_secret(), issuer }).await;
        let code = match answered.map_err(|error| Error::consent(error.to_string()))? {
            Answer::Code(code) => code,
            Answer::Refused(error) => {
                return Err(Error::consent(format!("it answers {}", word(&error))).into());
            }
            Answer::WrongIssuer(issuer) => {
                let issuer = plain_line(&issuer);
                return Err(Error::consent(format!("`{issuer}` answered, which is another provider")).into());
            }
        };
        let mut exchange = client.exchange_code(AuthorizationCode::new(code)).set_pkce_verifier(verifier);
        for (name, value) in &self.oauth2.token_parameters {
            exchange = exchange.add_extra_param(name, value);
        }
        exchange.request_async(&|request| self.calls.send(request)).await.map_err(by_provider)
    }

    /// The address to open; where a person sits before it, the browser opens it too.
    fn shown(&self, url: &str, how: &Consent) {
        self.output.aside(&format!("consent at\n    {url}\n"));
        if !how.no_browser && opener::open_browser(url).is_err() {
            self.output.aside("no browser could be opened here: open the address yourself\n");
        }
    }

    async fn by_device(&self, url: &str) -> Result<BasicTokenResponse, Problems> {
        let url = DeviceAuthorizationUrl::new(url.to_owned()).map_err(|_| wrong_url("device_url"))?;
        let client = self.client()?.set_device_authorization_url(url);
        let asking = client.exchange_device_code().add_scopes(self.scope());
        let sent = asking.request_async(&|request| self.calls.send(request)).await;
        let details: StandardDeviceAuthorizationResponse = sent.map_err(by_provider)?;
        let (address, code) = (details.verification_uri().as_str(), details.user_code().secret());
        let (address, code) = (plain_line(address), plain_line(code));
        self.output.aside(&format!("open {address} on any device, and type the code {code} there\n"));
        let mut waiting = client.exchange_device_access_token(&details);
        for (name, value) in &self.oauth2.token_parameters {
            waiting = waiting.add_extra_param(name, value);
        }
        let call = |request| self.calls.send(request);
        waiting.request_async(&call, tokio::time::sleep, Some(CONSENT_MAX)).await.map_err(by_provider)
    }
}

fn wrong_url(what: &str) -> Error {
    Error::consent(format!("`{what}` is no address that can be called"))
}

fn read(answer: &BasicTokenResponse) -> Result<Tokens, Problems> {
    if *answer.token_type() != BasicTokenType::Bearer {
        return Err(Error::consent("it gives a token of another type than `bearer`").into());
    }
    let text = |text: &str| Plaintext::new(text.as_bytes().to_vec());
    let access = answer.access_token().secret();
    if access.is_empty() || access.contains(|character: char| !character.is_ascii_graphic()) {
        return Err(Error::consent("it gives a token that cannot stand in a header").into());
    }
    Ok(Tokens {
        access: text(access),
        refresh: answer.refresh_token().map(|token| text(token.secret())),
        life: answer.expires_in(),
    })
}
