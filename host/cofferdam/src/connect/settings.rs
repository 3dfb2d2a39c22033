//! How a credential is used, as it is kept beside it: to rotate and revoke it needs neither its document nor its component.

use manifest::{AddressGrant, CredentialAsk};
use records::KeptCredential;
use serde::{Deserialize, Serialize};

use super::Error;

/// The ask, resolved, and how its provider is reached.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Settings {
    pub(crate) ask: CredentialAsk,
    /// Addresses at which it may be called although egress would refuse them.
    #[serde(default)]
    pub(crate) addresses: Vec<AddressGrant>,
    /// The certificate of an authority of the connection's own, in PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) authority: Option<String>,
}

impl Settings {
    pub(crate) fn of(kept: &KeptCredential) -> Result<Self, Error> {
        serde_json::from_value(kept.settings.clone())
            .map_err(|_| Error::OtherVersion { name: kept.name.clone() })
    }

    pub(crate) fn to_value(&self) -> serde_json::Value {
        // Both are read from text, so they can be written as it.
        serde_json::to_value(self).unwrap_or_default()
    }
}

/// Who enters it: the user as whom this process runs.
pub(crate) fn by() -> String {
    format!("user {}", rustix::process::getuid().as_raw())
}
