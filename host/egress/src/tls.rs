//! Whom TLS trusts, and the TLS settings of one client. TLS 1.2 and 1.3 only.

use std::io;
use std::sync::Arc;

use tokio::sync::OnceCell;
use tokio_rustls::rustls::client::Resumption;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, TrustAnchor};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::{Error, Result};

/// Sessions that one client may resume.
const SESSIONS_MAX: usize = 32;

/// Authorities of one connection's own, for servers that nobody else vouches for.
#[derive(Clone, Debug, Default)]
pub struct Authorities(Vec<TrustAnchor<'static>>);

impl Authorities {
    /// The certificates in this text.
    ///
    /// # Errors
    /// [`Error::Authority`] when there is none, or one that cannot be used.
    pub fn from_pem(pem: &[u8]) -> Result<Self> {
        let mut roots = RootCertStore::empty();
        add_pem(&mut roots, pem).map_err(|problem| Error::Authority { problem })?;
        Ok(Self(roots.roots))
    }
}

/// The authorities that the process trusts.
pub(crate) struct Trust {
    system_roots: bool,
    extra: RootCertStore,
    roots: OnceCell<Arc<RootCertStore>>,
}

impl Trust {
    pub(crate) fn new(system_roots: bool, extra_roots_pem: &[Vec<u8>]) -> Result<Self> {
        let mut extra = RootCertStore::empty();
        for (index, pem) in extra_roots_pem.iter().enumerate() {
            add_pem(&mut extra, pem)
                .map_err(|problem| Error::RootCertificate { number: index + 1, problem })?;
        }
        Ok(Self { system_roots, extra, roots: OnceCell::new() })
    }

    /// The settings of one client: the trust is shared, the session tickets are not, because a ticket would link the
    /// connections of two organizations.
    pub(crate) async fn client_config(&self, own: &Authorities) -> io::Result<Arc<ClientConfig>> {
        let mut roots = Arc::clone(self.roots.get_or_try_init(|| self.read()).await?);
        if !own.0.is_empty() {
            Arc::make_mut(&mut roots).roots.extend(own.0.iter().cloned());
        }
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        config.resumption = Resumption::in_memory_sessions(SESSIONS_MAX);
        Ok(Arc::new(config))
    }

    async fn read(&self) -> io::Result<Arc<RootCertStore>> {
        let mut roots = self.extra.clone();
        if self.system_roots {
            let found = tokio::task::spawn_blocking(rustls_native_certs::load_native_certs).await?;
            for error in &found.errors {
                tracing::warn!(%error, "failed to read a root certificate of the system");
            }
            let (_, unusable) = roots.add_parsable_certificates(found.certs);
            if unusable > 0 {
                tracing::debug!(unusable, "skipped root certificates of the system");
            }
        }
        Ok(Arc::new(roots))
    }
}

fn add_pem(roots: &mut RootCertStore, pem: &[u8]) -> Result<(), String> {
    let before = roots.len();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| error.to_string())?;
        roots.add(certificate).map_err(|error| error.to_string())?;
    }
    if roots.len() == before { Err("no certificate in PEM form is in it".to_owned()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use crate::{Authorities, Class, Egress, Error, Settings};

    #[test]
    fn a_root_certificate_that_cannot_be_read_is_named_by_its_place() {
        for text in ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            let settings =
                Settings { extra_roots_pem: vec![text.as_bytes().to_vec()], ..Settings::default() };
            let error = Egress::new(settings).err().unwrap();
            assert!(matches!(error, Error::RootCertificate { number: 1, .. }), "{text:?}: {error}");
            assert_eq!((error.code(), error.class()), ("CD0312", Class::Host));
            let error = Authorities::from_pem(text.as_bytes()).unwrap_err();
            assert_eq!((error.code(), error.class()), ("CD0314", Class::Host), "{text:?}: {error}");
        }
    }
}
