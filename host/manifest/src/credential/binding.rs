//! To what a value was entered: a credential that was entered for one API is not sent to another because a manifest or
//! a base URL changed.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::CredentialAsk;

/// Changes when the bytes below do: values that were entered before then are to be entered again.
const DOMAIN: &str = "cofferdam credential binding 1\n";

/// A digest over kind, settings and audience of a resolved ask, in hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Binding(String);

impl Binding {
    /// The digest's hexadecimal digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Binding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl CredentialAsk {
    /// To what a value of this credential is bound. Two resolved asks have the same binding when they send the same kind
    /// of credential, by the same settings, to the same audience, in whatever order the manifest lists it.
    #[must_use]
    pub fn binding(&self) -> Binding {
        let mut audience: Vec<String> = self.audience.iter().map(ToString::to_string).collect();
        audience.sort_unstable();
        audience.dedup();
        // Structs keep the order of their fields and maps are sorted: the text is the same on every machine. Nothing
        // here can fail to serialize; if it could, the empty settings would bind to nothing that exists.
        let kind = serde_json::to_string(&self.kind).unwrap_or_default();
        let mut digest = Sha256::new();
        for part in [DOMAIN, &kind].into_iter().chain(audience.iter().map(String::as_str)) {
            digest.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            digest.update(part.as_bytes());
        }
        Binding(digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    }
}
