//! TLS from files: a chain of certificates and its key, as PEM.

use crate::error::Error;
use std::path::Path;
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::{Error as PemError, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// What lets somebody in over TLS.
pub(crate) fn acceptor(certificate: &Path, key: &Path) -> Result<TlsAcceptor, Error> {
    let fault = |what, path: &Path| {
        let path = path.to_owned();
        move |source| Error::TlsFile { what, path, source }
    };
    let chain: Result<Vec<_>, PemError> =
        CertificateDer::pem_file_iter(certificate).and_then(Iterator::collect);
    let chain = chain.map_err(fault("a certificate", certificate))?;
    let secret = PrivateKeyDer::from_pem_file(key).map_err(fault("a private key", key))?;
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()));
    let config = config.with_safe_default_protocol_versions().map_err(Error::Tls)?;
    let config = config.with_no_client_auth().with_single_cert(chain, secret);
    let mut config = config.map_err(Error::Tls)?;
    config.alpn_protocols = vec![HTTP_2.to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// How HTTP/2 is named in a handshake.
pub(crate) const HTTP_2: &[u8] = b"h2";
