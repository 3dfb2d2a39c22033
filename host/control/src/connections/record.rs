//! A connection as it is stored, and as it is shown.

use super::{Connection, Consent, credentials, credentials::Entered};
use crate::error::Error;
use crate::filed::Head;
use crate::installations::Installation;
use manifest::{Asks, Manifest};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

/// What a head has beside the common parts.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Made {
    pub(crate) installation: String,
    pub(crate) connector: String,
    pub(crate) version: String,
}

/// What lies under the organization's key.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Body {
    pub(crate) config: Value,
    #[serde(default)]
    pub(crate) consent: Option<Consented>,
    /// By the name under which the connector asks for it.
    #[serde(default)]
    pub(crate) credentials: BTreeMap<String, Entered>,
}

/// What an admin consented to, and of what.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Consented {
    pub(crate) consent: Consent,
    /// The digest of the asks that the admin saw.
    pub(crate) asks: String,
}

impl Made {
    pub(crate) fn of(installation: &Installation) -> Self {
        let manifest = &installation.manifest;
        Self {
            installation: installation.digest.clone(),
            connector: format!("{}/{}", manifest.publisher, manifest.name),
            version: manifest.version.to_string(),
        }
    }
}

pub(crate) fn shown(
    id: &str,
    head: Head<Made>,
    body: Body,
    manifest: &Manifest,
) -> Result<Connection, Error> {
    let asks = resolved(manifest, &body.config)?;
    let credentials = credentials::states(id, &asks, &body.credentials);
    let digest = digest_of(&asks)?;
    let Head { name, revision, created_ms, changed_ms, uses, more, .. } = head;
    let Made { installation, connector, version } = more;
    Ok(Connection {
        id: id.to_owned(),
        name,
        installation,
        connector,
        version,
        config: body.config,
        revision,
        created_ms,
        changed_ms,
        syncs: uses,
        asks,
        consent_is_current: body.consent.as_ref().is_some_and(|consented| consented.asks == digest),
        consent: body.consent.map(|consented| consented.consent),
        credentials,
    })
}

/// A configuration that was taken by a version of us that knew less is told its faults.
pub(crate) fn resolved(manifest: &Manifest, config: &Value) -> Result<Asks, Error> {
    manifest.resolve_asks(config).map_err(|faults| Error::BadConfig { faults })
}

/// Of asks as an admin saw them. Structs keep the order of their fields, and maps are sorted.
pub(crate) fn digest_of(asks: &Asks) -> Result<String, Error> {
    let bytes = crate::keeper::encode(crate::tables::CONNECTION_BODIES, asks)?;
    Ok(Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect())
}
