//! The port to whatever takes connections.

use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// What is shown to whoever connects over TLS.
///
/// Called from the task of the renewal, a few times an order; may not block.
pub trait Shows: Send + Sync {
    /// From now on new connections get this certificate; those under way keep theirs.
    ///
    /// # Errors
    /// When the two are of no use together. What was shown before stays.
    fn show(&self, chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<(), NotShown>;

    /// Whoever comes for this name by `acme-tls/1`, and for nothing else, gets this certificate.
    ///
    /// # Errors
    /// When the key is of no use.
    fn prove(
        &self,
        name: &str,
        certificate: CertificateDer<'static>,
        key: PrivateKeyDer<'static>,
    ) -> Result<(), NotShown>;

    /// There is nothing to prove of this name any more.
    fn forget(&self, name: &str);
}

/// Why a certificate is not shown.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct NotShown(#[from] pub Box<dyn std::error::Error + Send + Sync>);
