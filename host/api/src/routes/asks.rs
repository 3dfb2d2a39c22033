//! What a connector asks for, and what an admin grants of it, as the API shows both.

use super::consent::DirectoryGrant;
use control::Consent;
use manifest::{Asks, CredentialAsk, HostAsk, HostPattern};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;

/// What a connector asks for. Asking gives no right.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Asks)]
pub(crate) struct ShownAsks {
    hosts: Vec<ShownHost>,
    directories: Vec<ShownDirectory>,
    credentials: Vec<ShownAsk>,
}

/// A rule over requests.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Host)]
pub(crate) struct ShownHost {
    url: String,
    /// Every method, where there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    methods: Option<Vec<String>>,
    /// Every path, where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    path_prefix: Option<String>,
    /// Why, in the words of whoever made the connector.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// A directory that a connector wants to see.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Directory)]
pub(crate) struct ShownDirectory {
    name: String,
    access: &'static str,
    optional: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// A credential that a connector asks for.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CredentialAsk)]
pub(crate) struct ShownAsk {
    name: String,
    kind: &'static str,
    /// To which requests it is added.
    audience: Vec<ShownHost>,
    optional: bool,
    /// Of those with the same word here exactly one is entered.
    #[serde(skip_serializing_if = "Option::is_none")]
    one_of: Option<String>,
    /// Whether the connector wants to hold it itself.
    reveal: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// What a person enters.
    fields: Vec<ShownField>,
}

/// A field that a person enters.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CredentialField)]
pub(crate) struct ShownField {
    name: &'static str,
    secret: bool,
    optional: bool,
}

/// What an admin granted.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = GrantedConsent)]
pub(crate) struct ShownConsent {
    hosts: Vec<ShownHost>,
    addresses: Vec<ShownAddress>,
    /// By the names under which the connector asks for one.
    directories: BTreeMap<String, DirectoryGrant>,
    /// Credentials that the connector may hold itself.
    reveal: BTreeSet<String>,
    /// Certificates of authorities that it trusts beside those that the server trusts, in PEM form.
    #[serde(skip_serializing_if = "Option::is_none")]
    authority: Option<String>,
}

/// An address that is refused unless it is granted.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Address)]
pub(crate) struct ShownAddress {
    network: String,
    port: u16,
}

impl ShownAsks {
    pub(crate) fn of(asks: Asks) -> Self {
        let Asks { hosts, directories, credentials } = asks;
        let directory = |ask: manifest::DirectoryAsk| ShownDirectory {
            name: ask.name,
            access: ask.access.as_str(),
            optional: ask.optional,
            reason: ask.reason,
        };
        Self {
            hosts: hosts.into_iter().map(ShownHost::of).collect(),
            directories: directories.into_iter().map(directory).collect(),
            credentials: credentials.into_iter().map(ShownAsk::of).collect(),
        }
    }
}

impl ShownHost {
    fn of(HostAsk { pattern, reason }: HostAsk) -> Self {
        Self { reason, ..Self::rule(&pattern) }
    }

    fn rule(pattern: &HostPattern) -> Self {
        Self {
            url: pattern.url(),
            methods: pattern.methods().map(<[String]>::to_vec),
            path_prefix: pattern.path_prefix().map(ToOwned::to_owned),
            reason: None,
        }
    }
}

impl ShownAsk {
    fn of(ask: CredentialAsk) -> Self {
        let field = |field: &manifest::credential::Field| ShownField {
            name: field.name,
            secret: field.secret,
            optional: field.optional,
        };
        Self {
            kind: ask.kind.as_str(),
            audience: ask.audience.iter().map(ShownHost::rule).collect(),
            fields: ask.entered_fields().iter().map(field).collect(),
            name: ask.name,
            optional: ask.optional,
            one_of: ask.one_of,
            reveal: ask.reveal,
            reason: ask.reason,
        }
    }
}

impl ShownConsent {
    pub(crate) fn of(consent: Consent) -> Self {
        let Consent { hosts, addresses, directories, reveal, authority } = consent;
        let address = |grant: manifest::AddressGrant| ShownAddress {
            network: grant.network.to_string(),
            port: grant.port,
        };
        Self {
            hosts: hosts.into_iter().map(ShownHost::of).collect(),
            addresses: addresses.into_iter().map(address).collect(),
            directories: directories.into_iter().map(|(ask, one)| (ask, DirectoryGrant::of(one))).collect(),
            reveal,
            authority,
        }
    }
}
