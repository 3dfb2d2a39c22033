//! A user's consent by OAuth 2: in a browser of this machine (RFC 8252, with PKCE), or by a code on another device (RFC 8628).

use std::sync::Arc;
use std::time::Duration;

use manifest::credential::OAuth2;
use oauth2::basic::{BasicTokenResponse, BasicTokenType};
use oauth2::{DeviceAuthorizationUrl, StandardDeviceAuthorizationResponse, TokenResponse};
use records::CredentialFields;
use vault::Plaintext;

use super::Error;
use super::callback::{Answer, Callback, Expected};
use super::calls::{Calls, Untold};
use super::code::{self, Begun, Code, wrong_url};
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
    let calls = Arc::new(Calls::new(settings, how.network, Arc::new(Untold))?);
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
    calls: &'a Arc<Calls>,
    output: &'a Output,
}

impl Flow<'_> {
    async fn by_browser(&self, page: &str, how: &Consent) -> Result<BasicTokenResponse, Problems> {
        let listened = Callback::listen(how.callback_port).await;
        let callback =
            listened.map_err(|error| Error::consent(format!("nobody can return here: {error}")))?;
        let redirect = callback.url();
        let Begun { url, state, verifier } = code::begin(self.oauth2, self.fields, page, &redirect)?;
        self.shown(&url, how);
        let issuer = self.oauth2.issuer.as_ref().map(|issuer| issuer.url());
        let answered = callback.answer(Expected { state, issuer }).await;
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
        let came = Code { code, verifier, redirect };
        code::redeem(self.oauth2, self.fields, came, Arc::clone(self.calls)).await
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
        let client = code::client(self.oauth2, self.fields)?.set_device_authorization_url(url);
        let asking = client.exchange_device_code().add_scopes(code::scope(self.oauth2));
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

pub(super) fn read(answer: &BasicTokenResponse) -> Result<Tokens, Problems> {
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
