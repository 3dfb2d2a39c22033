//! What a credential is bound to: the ask of a connector, as it is once the configuration's values are in it.

use manifest::{CredentialAsk, Manifest};
use records::CredentialBinding;

/// Of a resolved ask.
pub(crate) fn binding(manifest: &Manifest, ask: &CredentialAsk) -> CredentialBinding {
    CredentialBinding {
        connector: format!("{}/{}", manifest.publisher, manifest.name),
        ask: ask.name.clone(),
        kind: ask.kind.as_str().to_owned(),
        audience: ask.audience.iter().map(ToString::to_string).collect(),
        digest: ask.binding().to_string(),
    }
}
