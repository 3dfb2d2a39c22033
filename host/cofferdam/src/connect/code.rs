//! The grant of the authorization code with PKCE: where a user is to be sent, and what the code that comes back is worth. Who
//! sends the user there, and where they come back to, is no matter of it.

use std::sync::Arc;

use manifest::credential::{ClientAuthentication, OAuth2};
use oauth2::basic::{BasicClient, BasicTokenResponse};
use oauth2::{
    AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, PkceCodeChallenge,
    PkceCodeVerifier, RedirectUrl, Scope, TokenUrl,
};
use records::CredentialFields;

use super::Error;
use super::calls::Calls;
use super::refused::by_provider;
use crate::problem::Problems;

/// A client that knows where tokens are given.
pub(super) type Client = BasicClient<
    oauth2::EndpointNotSet,
    oauth2::EndpointNotSet,
    oauth2::EndpointNotSet,
    oauth2::EndpointNotSet,
    oauth2::EndpointSet,
>;

/// A user who is to be sent to a page, and by what the answer is known.
pub(super) struct Begun {
    pub(super) url: String,
    pub(super) state: String,
    pub(super) verifier: String,
}

/// What came back.
pub(super) struct Code {
    pub(super) code: String,
    pub(super) verifier: String,
    pub(super) redirect: String,
}

pub(super) fn client(oauth2: &OAuth2, fields: &CredentialFields) -> Result<Client, Problems> {
    let id = fields.public.get("client_id").cloned().unwrap_or_default();
    let url = TokenUrl::new(oauth2.token_url.url()).map_err(|_| wrong_url("token_url"))?;
    let mut client = BasicClient::new(ClientId::new(id)).set_token_uri(url);
    client = client.set_auth_type(match oauth2.client_authentication {
        ClientAuthentication::Basic => AuthType::BasicAuth,
        ClientAuthentication::Body => AuthType::RequestBody,
    });
    let secret = fields.secret.get("client_secret");
    Ok(match secret.and_then(|secret| std::str::from_utf8(secret.expose()).ok()) {
        Some(secret) => client.set_client_secret(ClientSecret::new(secret.to_owned())),
        None => client,
    })
}

pub(super) fn scope(oauth2: &OAuth2) -> Option<Scope> {
    let scopes = &oauth2.scopes;
    (!scopes.is_empty()).then(|| Scope::new(scopes.join(&oauth2.scope_separator)))
}

/// `page`: where the user consents; `redirect`: where they are sent back to.
pub(super) fn begin(
    oauth2: &OAuth2,
    fields: &CredentialFields,
    page: &str,
    redirect: &str,
) -> Result<Begun, Problems> {
    let redirect = RedirectUrl::new(redirect.to_owned()).map_err(|_| wrong_url("callback"))?;
    let page = AuthUrl::new(page.to_owned()).map_err(|_| wrong_url("authorize_url"))?;
    let client = client(oauth2, fields)?.set_auth_uri(page).set_redirect_uri(redirect);
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let mut asking = client.authorize_url(CsrfToken::new_random).set_pkce_challenge(challenge);
    for (name, value) in &oauth2.authorize_parameters {
        asking = asking.add_extra_param(name, value);
    }
    let (url, state) = asking.add_scopes(scope(oauth2)).url();
    Ok(Begun { url: url.into(), state: state.into_secret(), verifier: verifier.into_secret() })
}

pub(super) async fn redeem(
    oauth2: &OAuth2,
    fields: &CredentialFields,
    came: Code,
    calls: Arc<Calls>,
) -> Result<BasicTokenResponse, Problems> {
    let redirect = RedirectUrl::new(came.redirect).map_err(|_| wrong_url("callback"))?;
    let client = client(oauth2, fields)?.set_redirect_uri(redirect);
    let verifier = PkceCodeVerifier::new(came.verifier);
    let mut exchange = client.exchange_code(AuthorizationCode::new(came.code)).set_pkce_verifier(verifier);
    for (name, value) in &oauth2.token_parameters {
        exchange = exchange.add_extra_param(name, value);
    }
    // Each call owns what it needs: a server moves this between its threads.
    let call = move |request| {
        let calls = Arc::clone(&calls);
        async move { calls.send(request).await }
    };
    exchange.request_async(&call).await.map_err(by_provider)
}

pub(super) fn wrong_url(what: &str) -> Error {
    Error::consent(format!("`{what}` is no address that can be called"))
}
