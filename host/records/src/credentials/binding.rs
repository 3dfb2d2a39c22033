//! What a credential was entered for. It is used for nothing else.

use crate::error::Error;
use serde::{Deserialize, Serialize};

/// For which ask of which connector a credential was entered, as the ask was when a person read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialBinding {
    /// The connector, as `publisher/name`. A newer version of it may use the credential while its ask stays the same.
    pub connector: String,
    /// The ask's name in the manifest.
    pub ask: String,
    /// The kind's name.
    pub kind: String,
    /// Where it may be sent, in words for people.
    pub audience: Vec<String>,
    /// Of all that decides where and how it is sent: kind, settings, audience. Computed by the caller.
    pub digest: String,
}

impl CredentialBinding {
    /// Whether both are about the same ask, be it the same as before or changed.
    #[must_use]
    pub fn is_same_ask(&self, other: &Self) -> bool {
        (&self.connector, &self.ask) == (&other.connector, &other.ask)
    }

    /// That what is kept under `name` for this may be used for `wanted`.
    ///
    /// # Errors
    /// [`Error::CredentialOfAnother`] or [`Error::CredentialBinding`].
    pub fn serves(&self, name: &str, wanted: &Self) -> Result<(), Error> {
        if !self.is_same_ask(wanted) {
            return Err(Error::CredentialOfAnother {
                name: name.to_owned(),
                kept: format!("{} of {}", self.ask, self.connector),
                wanted: format!("{} of {}", wanted.ask, wanted.connector),
            });
        }
        if self.digest != wanted.digest {
            return Err(Error::CredentialBinding {
                name: name.to_owned(),
                entered: self.words(),
                now: wanted.words(),
            });
        }
        Ok(())
    }

    /// `bearer for https://api.example.com/v1`.
    fn words(&self) -> String {
        format!("{} for {}", self.kind, self.audience.join(", "))
    }
}
