//! The certificate that new connections are shown. Connections under way keep what they were shown.

use crate::error::Error;
use std::sync::{Arc, PoisonError, RwLock};
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;

/// The certificate that new connections are shown.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    current: RwLock<Option<Current>>,
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

    /// When it ends, in seconds since the epoch.
    pub(crate) fn ends(&self) -> Option<u64> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).as_ref()?.ends
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        current.as_ref().map(|current| Arc::clone(&current.key))
    }
}

/// None: it is no certificate that we can read, which rustls judges for itself.
pub(super) fn ends(certificate: &CertificateDer<'_>) -> Option<u64> {
    let (_, read) = x509_parser::parse_x509_certificate(certificate).ok()?;
    u64::try_from(read.validity().not_after.timestamp()).ok()
}
