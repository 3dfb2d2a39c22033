//! Why the server does not start.

use std::net::SocketAddr;
use std::path::PathBuf;

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Without TLS everybody on the way reads passwords.
    #[error("`{address}` is reached from other machines, and no certificate for TLS is given")]
    PlainNotLoopback {
        /// Where it was to listen.
        address: SocketAddr,
    },
    /// Whoever reaches it would read what the server counts.
    #[error("`{address}` is reached from other machines, and no token for operations is given")]
    OperationsOpen {
        /// Where operations were to listen.
        address: SocketAddr,
    },
    /// The address is taken, or is none of this machine.
    #[error("failed to listen on `{address}`")]
    Listen {
        /// Where it was to listen.
        address: SocketAddr,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// A file of TLS cannot be read, or holds not what it is to hold.
    #[error("failed to read {what} from `{}`", path.display())]
    TlsFile {
        /// What it is to hold.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: tokio_rustls::rustls::pki_types::pem::Error,
    },
    /// Certificate and key do not belong together, or are of no use.
    #[error("the certificate and the key for TLS are not taken")]
    Tls(#[source] tokio_rustls::rustls::Error),
}

impl Error {
    /// The stable code, explained by a page of its own.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::PlainNotLoopback { .. } => "CD1301",
            Self::Listen { .. } => "CD1302",
            Self::TlsFile { .. } => "CD1303",
            Self::Tls(_) => "CD1304",
            Self::OperationsOpen { .. } => "CD1305",
        }
    }
}
