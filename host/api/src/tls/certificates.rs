//! The certificates of a server as whoever sees to them reaches them while it runs.

use super::Shown;
use crate::error::Error;
use std::sync::Arc;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// What a server shows to who connects over TLS. Nothing at first: then nobody gets in. Cheap to clone; all clones are one.
#[derive(Debug, Clone, Default)]
pub struct Certificates(pub(crate) Arc<Shown>);

impl Certificates {
    /// From now on new connections are shown this one; those under way keep theirs.
    ///
    /// # Errors
    /// When the two are of no use together. What was shown before stays.
    pub fn show(
        &self,
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> Result<(), Error> {
        self.0.show(chain, key)
    }

    /// Who comes to see a proof for this name is shown this.
    ///
    /// # Errors
    /// When the key is of no use. Whether it is the certificate's is not looked at.
    pub fn prove(
        &self,
        name: &str,
        certificate: CertificateDer<'static>,
        key: PrivateKeyDer<'static>,
    ) -> Result<(), Error> {
        self.0.prove(name, certificate, key)
    }

    /// There is no proof for this name any more.
    pub fn forget(&self, name: &str) {
        self.0.forget(name);
    }
}
