//! TLS from files: a chain of certificates and its key, as PEM. Whoever renews them writes them anew, so they are looked at
//! now and then: by what is in them, because a link may come to lead elsewhere, and a time of change may be any.

use super::Shown;
use super::shown::ends;
use crate::error::Error;
use sha2::{Digest, Sha256};
use std::convert::Infallible;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio_rustls::rustls::pki_types::pem::{Error as PemError, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use zeroize::Zeroizing;

/// A chain is some kilobytes; whoever names a log by mistake is told so before it is in memory.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// The files, and what was in them when they were looked at last.
pub(crate) struct Files {
    certificate: PathBuf,
    key: PathBuf,
    seen: Option<[u8; 32]>,
    shown: Arc<Shown>,
}

/// What looking at the files found.
#[derive(Debug)]
pub(crate) enum Look {
    /// They are as they were.
    Same,
    /// New connections are shown what is in them now.
    Changed,
}

impl Files {
    /// Not looked at yet.
    pub(crate) fn new(certificate: PathBuf, key: PathBuf, shown: Arc<Shown>) -> Self {
        Self { certificate, key, seen: None, shown }
    }

    /// Looks at them. What is wrong with them is told once: as long as they stay so, they are the same.
    pub(crate) fn look(&mut self) -> Result<Look, Error> {
        let (certificate, key) = (read(&self.certificate), read(&self.key));
        let seen = digest(certificate.as_ref().ok(), key.as_ref().ok());
        if self.seen.replace(seen) == Some(seen) {
            return Ok(Look::Same);
        }
        let fault = |what, path: &PathBuf| {
            let path = path.clone();
            move |source| Error::TlsFile { what, path, source }
        };
        let certificate =
            certificate.map_err(PemError::Io).map_err(fault("a certificate", &self.certificate))?;
        let key = key.map_err(PemError::Io).map_err(fault("a private key", &self.key))?;
        let chain: Result<Vec<_>, PemError> = CertificateDer::pem_slice_iter(&certificate).collect();
        let chain =
            chain.and_then(|chain| if chain.is_empty() { Err(PemError::NoItemsFound) } else { Ok(chain) });
        let chain = chain.map_err(fault("a certificate", &self.certificate))?;
        let key = PrivateKeyDer::from_pem_slice(&key).map_err(fault("a private key", &self.key))?;
        self.shown.show(chain, key)?;
        Ok(Look::Changed)
    }

    /// Looks at them for ever.
    pub(crate) async fn watch(mut self, every: Duration) -> Infallible {
        loop {
            tokio::time::sleep(every).await;
            let looked = tokio::task::spawn_blocking(move || {
                let found = self.look();
                (self, found)
            });
            let Ok((files, found)) = looked.await else { return std::future::pending().await };
            self = files;
            match found {
                Ok(Look::Same) => {}
                Ok(Look::Changed) => {
                    tracing::info!("the certificate has changed: new connections are shown it")
                }
                Err(error) => {
                    let cause = std::error::Error::source(&error).map(ToString::to_string);
                    tracing::warn!(code = error.code(), cause, "{error}; the certificate from before stays");
                }
            }
        }
    }
}

/// When the certificate of this file ends, in seconds since the epoch; none: nobody can tell.
///
/// # Errors
/// When there is no certificate in it.
pub fn certificate_ends(path: &Path) -> Result<Option<u64>, Error> {
    let fault = |source| Error::TlsFile { what: "a certificate", path: path.to_owned(), source };
    let bytes = read(path).map_err(|error| fault(PemError::Io(error)))?;
    CertificateDer::from_pem_slice(&bytes).map(|first| ends(&first)).map_err(fault)
}

fn read(path: &Path) -> std::io::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::new());
    std::fs::File::open(path)?.take(FILE_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn digest(certificate: Option<&Zeroizing<Vec<u8>>>, key: Option<&Zeroizing<Vec<u8>>>) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for bytes in [certificate, key] {
        // The length keeps the two apart; what is not there differs from what is empty.
        let length = bytes.map_or(u64::MAX, |bytes| bytes.len() as u64);
        hasher.update(length.to_be_bytes());
        hasher.update(bytes.map_or(&[][..], |bytes| bytes.as_slice()));
    }
    hasher.finalize().into()
}
