//! What new connections over TLS are shown. It is changed while the server runs, by whoever sees to certificates.
//! Who comes to see a proof that a name is ours (`acme-tls/1`, RFC 8737) is shown that, and hears nothing else.

mod certificates;
mod files;
mod shown;

pub use certificates::Certificates;
pub(crate) use files::Files;
#[cfg(test)]
pub(crate) use files::Look;
pub use files::certificate_ends;
pub(crate) use shown::Shown;

use crate::error::Error;
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;

/// How HTTP/2 is named in a handshake.
pub(crate) const HTTP_2: &[u8] = b"h2";
/// How the proof of a name is asked for.
pub(crate) const PROOF: &[u8] = b"acme-tls/1";

/// What lets somebody in over TLS.
pub(crate) fn acceptor(shown: Arc<Shown>, proves: bool) -> Result<TlsAcceptor, Error> {
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()));
    let config = config.with_safe_default_protocol_versions().map_err(Error::Tls)?;
    let mut config = config.with_no_client_auth().with_cert_resolver(shown);
    config.alpn_protocols = vec![HTTP_2.to_vec(), b"http/1.1".to_vec()];
    if proves {
        config.alpn_protocols.push(PROOF.to_vec());
    }
    Ok(TlsAcceptor::from(Arc::new(config)))
}
