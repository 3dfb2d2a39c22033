//! A client certificate. Connections that show one carry requests of this credential only, so it is a part of what tells
//! connections apart.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::SignatureScheme;
use tokio_rustls::rustls::client::{ResolvesClientCert, Resumption};
use tokio_rustls::rustls::crypto::ring::sign::any_supported_type;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::sign::CertifiedKey;

use super::error::Error;
use super::material::{Generation, Material};
use super::settings::Placed;

/// Whom a connection shows itself as.
#[derive(Clone)]
pub(crate) struct Identity {
    credential: Arc<str>,
    stored: Arc<str>,
    generation: Generation,
    key: Arc<CertifiedKey>,
}

impl Identity {
    /// The error says what is wrong with the credential.
    pub(super) fn new(placed: &Placed, material: &Material) -> Result<Self, &'static str> {
        let certificate = material.get("certificate").ok_or("has no certificate")?;
        let private_key = material.get("private_key").ok_or("has no private key")?;
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(certificate.as_bytes())
            .collect::<Result<_, _>>()
            .map_err(|_| "has a certificate that is not in PEM form")?;
        if chain.is_empty() {
            return Err("has a certificate that is not in PEM form");
        }
        let private_key = PrivateKeyDer::from_pem_slice(private_key.as_bytes())
            .map_err(|_| "has a private key that is not in PEM form")?;
        let private_key = any_supported_type(&private_key)
            .map_err(|_| "has a private key of a kind that TLS does not know")?;
        let key = CertifiedKey::new(chain, private_key);
        key.keys_match().map_err(|_| "has a private key that is not the certificate's")?;
        Ok(Self {
            credential: placed.ask.name.as_str().into(),
            stored: placed.stored.as_str().into(),
            generation: material.generation(),
            key: Arc::new(key),
        })
    }

    pub(super) fn is_of(&self, stored: &str) -> bool {
        *self.stored == *stored
    }

    pub(super) fn is(&self, stored: &str, generation: Generation) -> bool {
        *self.stored == *stored && self.generation == generation
    }

    /// A server that did not ask has not seen who it talks to: what it is sent then was meant for another.
    pub(crate) fn check(&self, shown: &Shown) -> crate::Result<()> {
        if shown.asked.load(Ordering::Acquire) {
            return Ok(());
        }
        let problem = "is a client certificate, for which the server does not ask";
        Err(Error::Place { credential: self.credential.as_ref().to_owned(), problem }.into())
    }

    /// The settings of one connection, and whether the server wanted to see the certificate. Sessions are not resumed:
    /// whoever resumes one shows nothing.
    pub(crate) fn present(&self, base: &ClientConfig) -> (Arc<ClientConfig>, Arc<Shown>) {
        let shown = Arc::new(Shown { key: Arc::clone(&self.key), asked: AtomicBool::new(false) });
        let mut config = base.clone();
        config.client_auth_cert_resolver = Arc::clone(&shown) as Arc<dyn ResolvesClientCert>;
        config.resumption = Resumption::disabled();
        (Arc::new(config), shown)
    }
}

impl PartialEq for Identity {
    fn eq(&self, other: &Self) -> bool {
        self.is(&other.stored, other.generation)
    }
}

impl Eq for Identity {}

impl fmt::Debug for Identity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Identity").field("stored", &self.stored).finish_non_exhaustive()
    }
}

/// Shows the certificate, and remembers that it was asked for.
pub(crate) struct Shown {
    key: Arc<CertifiedKey>,
    asked: AtomicBool,
}

impl ResolvesClientCert for Shown {
    fn resolve(&self, _: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.key.key.choose_scheme(schemes)?;
        self.asked.store(true, Ordering::Release);
        Some(Arc::clone(&self.key))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Shown").finish_non_exhaustive()
    }
}
