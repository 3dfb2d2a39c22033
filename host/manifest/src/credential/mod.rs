//! Credentials as data: what a connector says of a credential that the host uses for it. Its kind, the requests that
//! carry it (the audience), and where in them it is put. Never a value: those are entered by an admin and kept sealed.

mod audience;
mod binding;
mod collisions;
mod config_text;
mod connected;
mod endpoint;
mod fields;
mod header_name;
mod kind;
mod place;
mod read;
mod settings;
mod sources;
mod template;

pub use binding::Binding;
pub use config_text::ConfigText;
pub use connected::Connected;
pub use endpoint::EndpointUrl;
pub use fields::{Field, Kept};
pub use header_name::{HeaderNameError, header_name};
pub use kind::{
    AwsSigv4, ClientAuthentication, CredentialKind, Digest, Encoding, Header, Hmac, JwtAlgorithm, JwtBearer,
    KeyEncoding, OAuth2, OAuth2Grant, Query, TimestampForm,
};
pub use place::Place;
pub use template::{SignTemplate, SignedPart};

pub(crate) use audience::check_audiences;
pub(crate) use collisions::check_collisions;
pub(crate) use connected::told;
pub(crate) use fields::{BASIC_OF_SECRETS, USERNAME};
pub(crate) use header_name::is_header_name;
pub(crate) use read::read_credentials;
pub(crate) use sources::{HOST_MEMBER, check_secrets};

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::asks::HostAsk;
use crate::host::{Error, HostPattern};

/// A credential that a connector asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialAsk {
    /// The name by which grants and the connector's configuration call it.
    pub name: String,
    /// What it is, with the settings of its kind.
    pub kind: CredentialKind,
    /// The requests that carry it; every rule lies within a host that the connector asks for.
    pub audience: Vec<HostPattern>,
    /// The group of which exactly one credential is entered.
    pub one_of: Option<String>,
    /// Whether the connector can do without.
    pub optional: bool,
    /// Whether the connector wants to hold the value itself. The host then places nothing.
    pub reveal: bool,
    /// Why, in words for the admin.
    pub reason: Option<String>,
    /// Which property of the configuration is which field: the field's name to the JSON Pointer of the property, which
    /// never enters the configuration that the connector gets.
    pub fields: BTreeMap<String, String>,
}

impl CredentialAsk {
    /// The ask with the configuration's values in its audience and its settings.
    ///
    /// # Errors
    /// A value that is missing, or that is more than what stands in its place.
    pub fn resolve(&self, config: &Value) -> Result<Self, Error> {
        let audience = self.audience.iter().map(|pattern| {
            let pattern = pattern.resolve(config)?;
            // A certificate is shown before there is a path: it belongs to the origin.
            Ok(if matches!(self.kind, CredentialKind::Mtls) { pattern.whole_origin() } else { pattern })
        });
        let audience = audience.collect::<Result<Vec<HostPattern>, Error>>()?;
        Ok(Self { kind: self.kind.resolve(config)?, audience, ..self.clone() })
    }

    /// Whether no substitution is open.
    #[must_use]
    pub fn is_resolved(&self) -> bool {
        self.audience.iter().all(HostPattern::is_resolved) && self.kind.pointers().is_empty()
    }

    /// JSON Pointers of the configuration values that the ask needs.
    #[must_use]
    pub fn pointers(&self) -> Vec<String> {
        let audience = self.audience.iter().flat_map(HostPattern::pointers);
        audience.chain(self.kind.pointers()).collect()
    }

    /// Whether a request carries this credential.
    #[must_use]
    pub fn is_for(
        &self,
        scheme: crate::Scheme,
        host: &crate::Host,
        port: u16,
        method: &str,
        path: &str,
    ) -> bool {
        self.audience.iter().any(|pattern| {
            pattern.matches_origin(scheme, host, port)
                && pattern.matches_method(method)
                && pattern.matches_path(path)
        })
    }

    /// What an admin enters. A user's name that the configuration marks as secret is one: some services take a key there.
    #[must_use]
    pub fn entered_fields(&self) -> &'static [Field] {
        match &self.kind {
            CredentialKind::Basic if self.fields.contains_key(USERNAME) => &BASIC_OF_SECRETS,
            kind => kind.fields(),
        }
    }
}

/// What is wrong with resolved asks together, and could not be seen before the configuration's values were in them.
pub(crate) fn resolved_faults(asks: &[CredentialAsk], hosts: &[HostAsk]) -> Vec<String> {
    let wider = audience::resolved_faults(asks, hosts);
    wider.into_iter().chain(collisions::resolved_faults(asks)).collect()
}

#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod tests;
