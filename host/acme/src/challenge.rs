//! The proof that a name is ours: a certificate of our own for it, which holds what only the account's owner can say, is shown
//! to who comes by `acme-tls/1` (RFC 8737 §3).

use crate::error::Error;
use crate::shows::Shows;
use instant_acme::KeyAuthorization;
use rcgen::{CertificateParams, CustomExtension, DistinguishedName, KeyPair, PKCS_ECDSA_P256_SHA256};
use std::sync::Arc;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// What is being proved. Whatever comes of it, nothing of it is shown once this is dropped.
pub(crate) struct Proofs {
    shows: Arc<dyn Shows>,
    names: Vec<String>,
}

impl Proofs {
    pub(crate) fn new(shows: Arc<dyn Shows>) -> Self {
        Self { shows, names: Vec::new() }
    }

    /// From here on this proof is shown to who asks for it.
    pub(crate) fn show(&mut self, name: &str, proof: &KeyAuthorization) -> Result<(), Error> {
        let fault = |error: &dyn std::error::Error| Error::Key { reason: error.to_string() };
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(|error| fault(&error))?;
        let mut params = CertificateParams::new(vec![name.to_owned()]).map_err(|error| fault(&error))?;
        params.distinguished_name = DistinguishedName::new();
        params.custom_extensions = vec![CustomExtension::new_acme_identifier(proof.digest().as_ref())];
        let certificate = params.self_signed(&key).map_err(|error| fault(&error))?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let shown = self.shows.prove(name, certificate.der().clone(), key);
        shown.map_err(|error| fault(&error))?;
        self.names.push(name.to_owned());
        Ok(())
    }
}

impl Drop for Proofs {
    fn drop(&mut self) {
        for name in &self.names {
            self.shows.forget(name);
        }
    }
}
