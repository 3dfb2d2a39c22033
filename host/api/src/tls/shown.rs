//! The certificate that new connections are shown. Connections under way keep what they were shown.
//! Beside it, for each name that is being proved, what is shown to who comes for that alone.

use super::PROOF;
use crate::error::Error;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;

/// A server that nobody gets into says so this often at most.
const TELL_EVERY: Duration = Duration::from_secs(60);

/// The certificate that new connections are shown.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    current: RwLock<Option<Current>>,
    /// By name, in small letters.
    proofs: RwLock<HashMap<String, Arc<CertifiedKey>>>,
    /// When it was told last that there is no certificate.
    told: Mutex<Option<Instant>>,
}

#[derive(Debug)]
struct Current {
    key: Arc<CertifiedKey>,
    /// In seconds since the epoch.
    ends: Option<u64>,
}

impl Shown {
    /// From now on connections are shown this one, if it is good for anything; else what they were shown before.
    pub(crate) fn show(
        &self,
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> Result<(), Error> {
        let ends = chain.first().and_then(ends);
        let key = CertifiedKey::from_der(chain, key, &default_provider()).map_err(Error::Tls)?;
        let current = Current { key: Arc::new(key), ends };
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(current);
        Ok(())
    }

    /// Who comes to see a proof for this name is shown this.
    pub(crate) fn prove(
        &self,
        name: &str,
        certificate: CertificateDer<'static>,
        key: PrivateKeyDer<'static>,
    ) -> Result<(), Error> {
        // Not compared with the key: what the proof stands in is an extension that is critical and that rustls does not know.
        let key = default_provider().key_provider.load_private_key(key).map_err(Error::Tls)?;
        let key = CertifiedKey::new(vec![certificate], key);
        let mut proofs = self.proofs.write().unwrap_or_else(PoisonError::into_inner);
        proofs.insert(name.to_ascii_lowercase(), Arc::new(key));
        Ok(())
    }

    /// There is no proof for this name any more.
    pub(crate) fn forget(&self, name: &str) {
        let mut proofs = self.proofs.write().unwrap_or_else(PoisonError::into_inner);
        proofs.remove(&name.to_ascii_lowercase());
    }

    /// Whether there is a certificate.
    pub(crate) fn is_there(&self) -> bool {
        self.current.read().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    fn proof(&self, name: Option<&str>) -> Option<Arc<CertifiedKey>> {
        let proofs = self.proofs.read().unwrap_or_else(PoisonError::into_inner);
        proofs.get(&name?.to_ascii_lowercase()).cloned()
    }

    fn tell_that_there_is_none(&self) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.is_none_or(|told| told.elapsed() >= TELL_EVERY) {
            *told = Some(Instant::now());
            tracing::warn!("connections are refused: there is no certificate yet");
        }
    }

    /// When it ends, in seconds since the epoch.
    pub(crate) fn ends(&self) -> Option<u64> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).as_ref()?.ends
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        // Who comes to see a proof offers nothing else (RFC 8737 §3). Anybody else gets the certificate.
        if hello.alpn().is_some_and(|mut offered| offered.next() == Some(PROOF) && offered.next().is_none()) {
            return self.proof(hello.server_name());
        }
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        let key = current.as_ref().map(|current| Arc::clone(&current.key));
        if key.is_none() {
            self.tell_that_there_is_none();
        }
        key
    }
}

/// None: it is no certificate that we can read, which rustls judges for itself.
pub(super) fn ends(certificate: &CertificateDer<'_>) -> Option<u64> {
    let (_, read) = x509_parser::parse_x509_certificate(certificate).ok()?;
    u64::try_from(read.validity().not_after.timestamp()).ok()
}
