//! `cofferdam doctor`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use http::Uri;

use super::Cache;
use super::network::name_server;
use crate::serve;

#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// The data directory to look at [default: `.cofferdam`, here]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// The file of settings of a server, whose directories are looked at; also by COFFERDAM_CONFIG
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) cache: Cache,
    /// An address that a server is to listen on, such as `0.0.0.0:443`; may stand several times
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) listen: Vec<SocketAddr>,
    /// A certificate that a server is to show, as PEM
    #[arg(long, value_name = "FILE")]
    pub(crate) tls_certificate: Option<PathBuf>,
    /// The directory of an ACME server from which certificates are to come
    #[arg(long, value_name = "URL", value_parser = directory)]
    pub(crate) acme_directory: Option<Uri>,
    /// Certificates of authorities that vouch for it beside those of this machine, as PEM
    #[arg(long, value_name = "FILE", requires = "acme_directory")]
    pub(crate) acme_authorities: Option<PathBuf>,
    /// A collector to which traces are to go, such as `http://127.0.0.1:4318`
    #[arg(long, value_name = "URL", value_parser = collector)]
    pub(crate) otlp: Option<Uri>,
    /// A name server in the place of the machine's; may stand several times
    #[arg(long = "name-server", value_name = "ADDRESS", value_parser = name_server)]
    pub(crate) name_servers: Vec<SocketAddr>,
}

fn directory(text: &str) -> Result<Uri, String> {
    acme::directory(text).ok_or_else(|| "expected a URL of `https`".to_owned())
}

fn collector(text: &str) -> Result<Uri, String> {
    serve::collector(text).ok_or_else(|| "expected `http://`, a host and a port".to_owned())
}
