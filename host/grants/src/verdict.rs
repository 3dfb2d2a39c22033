//! The answer to one question: allowed by which rule, or denied for which reason and by what it would be allowed.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The reasons of denials, each with a page under `host/docs/errors/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Code {
    /// The connector's manifest does not ask for it.
    #[serde(rename = "CD0201")]
    HostNotAsked,
    /// The connector asks for it, and nobody granted it.
    #[serde(rename = "CD0202")]
    HostNotGranted,
    /// The organization's policy is narrower than the grant.
    #[serde(rename = "CD0203")]
    OrganizationPolicy,
    /// This host's policy is narrower than the grant.
    #[serde(rename = "CD0204")]
    HostPolicy,
    /// The host is not one name or address in its usual spelling.
    #[serde(rename = "CD0205")]
    WrongHost,
    /// The name means this machine or its metadata service.
    #[serde(rename = "CD0206")]
    LocalName,
    /// The address is not a public one, and was not granted.
    #[serde(rename = "CD0207")]
    Address,
    /// Another scheme than `http` and `https`.
    #[serde(rename = "CD0208")]
    Scheme,
    /// Port 0.
    #[serde(rename = "CD0209")]
    Port,
    /// A method that no connector may use.
    #[serde(rename = "CD0210")]
    Method,
    /// A path that no request may have.
    #[serde(rename = "CD0211")]
    Path,
    /// A directory that the connector asks for, and that nobody granted.
    #[serde(rename = "CD0212")]
    DirectoryNotGranted,
    /// A grant for which the connector does not ask: it gives nothing.
    #[serde(rename = "CD0213")]
    GrantNotAsked,
    /// A credential that the connector asks for, and that nobody granted.
    #[serde(rename = "CD0214")]
    CredentialNotGranted,
    /// Two credentials of which only one may be granted.
    #[serde(rename = "CD0215")]
    CredentialAlternatives,
    /// The connector wants to hold a credential's value, and nobody granted that.
    #[serde(rename = "CD0216")]
    RevealNotGranted,
}

impl Code {
    /// Every code.
    pub const ALL: [Self; 16] = [
        Self::HostNotAsked,
        Self::HostNotGranted,
        Self::OrganizationPolicy,
        Self::HostPolicy,
        Self::WrongHost,
        Self::LocalName,
        Self::Address,
        Self::Scheme,
        Self::Port,
        Self::Method,
        Self::Path,
        Self::DirectoryNotGranted,
        Self::GrantNotAsked,
        Self::CredentialNotGranted,
        Self::CredentialAlternatives,
        Self::RevealNotGranted,
    ];

    /// The stable code, as `cofferdam explain` takes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::HostNotAsked => "CD0201",
            Self::HostNotGranted => "CD0202",
            Self::OrganizationPolicy => "CD0203",
            Self::HostPolicy => "CD0204",
            Self::WrongHost => "CD0205",
            Self::LocalName => "CD0206",
            Self::Address => "CD0207",
            Self::Scheme => "CD0208",
            Self::Port => "CD0209",
            Self::Method => "CD0210",
            Self::Path => "CD0211",
            Self::DirectoryNotGranted => "CD0212",
            Self::GrantNotAsked => "CD0213",
            Self::CredentialNotGranted => "CD0214",
            Self::CredentialAlternatives => "CD0215",
            Self::RevealNotGranted => "CD0216",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The answer to one question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Allowed.
    Allowed {
        /// The rule that allows it, for the ledger.
        rule: String,
    },
    /// Denied.
    Denied {
        /// The stable code.
        code: Code,
        /// Why, for people.
        reason: String,
        /// The TOML to paste, under a comment that names the document; none where no line of a document would help.
        line_to_add: Option<String>,
    },
}

impl Verdict {
    /// Whether it is allowed.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        matches!(self, Self::Allowed { .. })
    }

    /// The code of a denial.
    #[must_use]
    pub fn code(&self) -> Option<Code> {
        match self {
            Self::Allowed { .. } => None,
            Self::Denied { code, .. } => Some(*code),
        }
    }

    pub(crate) fn denied(code: Code, reason: impl Into<String>) -> Self {
        Self::Denied { code, reason: reason.into(), line_to_add: None }
    }
}
