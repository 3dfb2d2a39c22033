//! What can go wrong with a credential. No error holds a value, nor a text that a provider wrote: both could end in a log.

use super::port::StoreError;
use crate::Limit;

/// Why a request could not carry its credential. Such a request is not sent.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is nothing to place.
    #[error("credential `{credential}` (kept as `{stored}`) cannot be used: {source}")]
    Unavailable {
        /// The name in the manifest.
        credential: String,
        /// The name under which it is kept.
        stored: String,
        /// Why.
        source: StoreError,
    },
    /// What is kept does not fit where it goes.
    #[error("credential `{credential}` cannot be placed on the request: it {problem}")]
    Place {
        /// The name in the manifest.
        credential: String,
        /// What is wrong.
        problem: &'static str,
    },
    /// The request was refused for its token, and its body is no longer there to be sent with a new one.
    #[error(
        "request was refused for its credential `{credential}`, which is renewed now; \
         its body does not fit into the limit `{limit}` of {allowed} and cannot be sent again"
    )]
    BodyNotKept {
        /// The name in the manifest.
        credential: String,
        /// Which limit its body is too large for.
        limit: Limit,
        /// The limit's value.
        allowed: u64,
    },
    /// The token endpoint cannot be reached, or has a fault of its own.
    #[error("failed to renew credential `{credential}` at `{endpoint}`: {problem}")]
    Endpoint {
        /// The name in the manifest.
        credential: String,
        /// The URL without its query.
        endpoint: String,
        /// What happened.
        problem: String,
    },
    /// The token endpoint answered what is no answer of one.
    #[error("token endpoint `{endpoint}` of credential `{credential}` breaks the protocol: it {problem}")]
    Answer {
        /// The name in the manifest.
        credential: String,
        /// The URL without its query.
        endpoint: String,
        /// What it did.
        problem: String,
    },
    /// The provider will give no more tokens for what is kept.
    #[error(
        "credential `{credential}` must be connected again: `{endpoint}` answers `{answer}`{}",
        skew(*clock_differs_s)
    )]
    Refused {
        /// The name in the manifest.
        credential: String,
        /// The URL without its query.
        endpoint: String,
        /// The provider's word, one of those that standards know.
        answer: &'static str,
        /// By how many seconds the provider's clock is ahead of this machine's, where that is too much.
        clock_differs_s: Option<i64>,
    },
    /// An exchange of the refresh token had no end that is known, and the provider no longer takes the token.
    #[error(
        "credential `{credential}` must be connected again: an exchange of its refresh token was cut off before its \
         result was kept, and `{endpoint}` no longer takes the old one"
    )]
    Lost {
        /// The name in the manifest.
        credential: String,
        /// The URL without its query.
        endpoint: String,
    },
}

fn skew(clock_differs_s: Option<i64>) -> String {
    clock_differs_s.map_or_else(String::new, |seconds| {
        format!(", and its clock differs from this machine's by {seconds} s")
    })
}

impl Error {
    /// The stable code; `cofferdam explain` shows its page.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unavailable { .. } => "CD0320",
            Self::Place { .. } => "CD0321",
            Self::BodyNotKept { .. } => "CD0322",
            Self::Endpoint { .. } => "CD0323",
            Self::Answer { .. } => "CD0324",
            Self::Refused { .. } => "CD0325",
            Self::Lost { .. } => "CD0326",
        }
    }

    /// The name in the manifest.
    #[must_use]
    pub fn credential(&self) -> &str {
        match self {
            Self::Unavailable { credential, .. }
            | Self::Place { credential, .. }
            | Self::BodyNotKept { credential, .. }
            | Self::Endpoint { credential, .. }
            | Self::Answer { credential, .. }
            | Self::Refused { credential, .. }
            | Self::Lost { credential, .. } => credential,
        }
    }

    /// Must an administrator enter or connect the credential again?
    #[must_use]
    pub fn needs_connecting(&self) -> bool {
        match self {
            Self::Refused { .. } | Self::Lost { .. } | Self::Place { .. } => true,
            Self::Unavailable { source, .. } => {
                matches!(source, StoreError::Missing | StoreError::Rebound { .. })
            }
            Self::BodyNotKept { .. } | Self::Endpoint { .. } | Self::Answer { .. } => false,
        }
    }

    /// What to do about it, in words for the administrator.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Unavailable { source: StoreError::Storage { .. } | StoreError::Superseded, .. } => {
                "look at the host's log: its storage failed"
            }
            _ => hint_of(self.code()).unwrap_or("enter it again with `cofferdam connect`"),
        }
    }
}

/// What to do about a failure that nobody denied, where its code and its words alone are left: in a ledger.
#[must_use]
pub fn hint_of(code: &str) -> Option<&'static str> {
    match code {
        "CD0322" => Some("run again: the next requests carry the renewed credential"),
        "CD0323" => Some(
            "where the provider is at fault, run again later; an address or a certificate that the message refuses is \
             granted as for every other host: `cofferdam explain CD0323`",
        ),
        "CD0324" => Some("check the `token_url` in the connector's manifest with its publisher"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    #[test]
    fn every_code_has_a_page_that_begins_with_it() {
        let errors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/errors");
        let source = include_str!("error.rs");
        let codes: BTreeSet<&str> = source
            .match_indices("CD03")
            .filter_map(|(at, _)| source.get(at..at + 6))
            .filter(|code| code.ends_with(|last: char| last.is_ascii_digit()))
            .collect();
        assert_eq!(codes.len(), 7);
        for code in codes {
            let page = std::fs::read_to_string(errors.join(format!("{code}.md"))).unwrap();
            assert!(page.starts_with(&format!("# {code}: ")), "{code}");
        }
    }
}
