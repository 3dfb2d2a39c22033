//! All that is kept of a credential: what a person gives, and the tokens that consent brings.

use std::collections::BTreeMap;
use std::time::Duration;

use manifest::credential::OAuth2Grant;
use manifest::{CredentialAsk, CredentialKind};
use records::CredentialFields;
use vault::Plaintext;

use super::consent::{Tokens, consent};
use super::enter::{Entry, entered};
use super::settings::Settings;
use crate::arguments::{Consent, Given, Network};
use crate::output::Output;
use crate::problem::Problems;
use crate::units::now_ms;

/// Consent brings it, unless somebody has one already.
const REFRESH_TOKEN: &str = "refresh_token";
/// A token is renewed so long before it ends at the most.
const AHEAD_MAX: Duration = Duration::from_secs(60);

/// Where the fields come from.
#[derive(Clone, Copy)]
pub(crate) struct How<'a> {
    pub(crate) given: &'a Given,
    pub(crate) consent: &'a Consent,
    pub(crate) network: &'a Network,
    /// Public fields of the credential whose secrets are entered anew; they stay unless others are given.
    pub(crate) former: Option<&'a BTreeMap<String, String>>,
}

/// All fields, and when what is sent ends.
#[derive(Default)]
pub(crate) struct Obtained {
    pub(crate) fields: CredentialFields,
    pub(crate) expires_ms: Option<u64>,
}

/// Every field of the credential.
pub(crate) async fn obtained(
    settings: &Settings,
    title: &str,
    how: How<'_>,
    output: &Output,
) -> Result<Obtained, Problems> {
    let ask = &settings.ask;
    let mut fields = entered(title, &entries(ask, how), how.given, output)?;
    for (name, value) in how.former.into_iter().flatten().filter(|(name, _)| is_entered(ask, name)) {
        fields.public.entry(name.clone()).or_insert_with(|| value.clone());
    }
    let mut obtained = Obtained { fields, expires_ms: None };
    if let CredentialKind::OAuth2(oauth2) = &ask.kind
        && oauth2.grant == OAuth2Grant::AuthorizationCode
        && !obtained.fields.secret.contains_key(REFRESH_TOKEN)
    {
        let tokens = consent(oauth2, &obtained.fields, settings, how, output).await?;
        obtained.add(tokens);
    }
    Ok(obtained)
}

/// What is asked of the person.
fn entries(ask: &CredentialAsk, how: How<'_>) -> Vec<Entry<'static>> {
    let said = |name: &str| {
        how.given.secrets.iter().any(|secret| secret.name == name)
            || how.given.fields.iter().any(|field| field.name == name)
    };
    let stays = |name: &str| how.former.is_some_and(|former| former.contains_key(name));
    let by_consent = |name: &str| {
        let grant = if let CredentialKind::OAuth2(oauth2) = &ask.kind { Some(oauth2.grant) } else { None };
        name == REFRESH_TOKEN && grant == Some(OAuth2Grant::AuthorizationCode)
    };
    let fields = ask.entered_fields().iter();
    let wanted = fields.filter(|field| said(field.name) || !(stays(field.name) || by_consent(field.name)));
    wanted
        .map(|field| Entry { name: field.name, is_secret: field.secret, is_optional: field.optional })
        .collect()
}

fn is_entered(ask: &CredentialAsk, name: &str) -> bool {
    ask.entered_fields().iter().any(|field| field.name == name)
}

impl Obtained {
    pub(super) fn add(&mut self, tokens: Tokens) {
        let Tokens { access, refresh, life } = tokens;
        let fields = &mut self.fields;
        fields.secret.insert("access_token".to_owned(), access);
        let refresh: Option<Plaintext> = refresh;
        fields.secret.extend(refresh.map(|token| (REFRESH_TOKEN.to_owned(), token)));
        let Some(life) = life else { return };
        let now = Duration::from_millis(now_ms());
        let ends = now.saturating_add(life);
        self.expires_ms = u64::try_from(ends.as_millis()).ok();
        let renewed = ends.saturating_sub(AHEAD_MAX.min(life / 4));
        for (name, at) in [("expires_at", ends), ("refresh_at", renewed)] {
            fields.public.insert(name.to_owned(), at.as_secs().to_string());
        }
    }
}
