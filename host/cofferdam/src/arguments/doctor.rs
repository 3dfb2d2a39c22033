//! `cofferdam doctor`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

use super::Cache;
use super::network::name_server;

#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// The data directory to look at [default: `.cofferdam`, here]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) cache: Cache,
    /// An address that a server is to listen on, such as `0.0.0.0:443`; may stand several times
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) listen: Vec<SocketAddr>,
    /// A name server in the place of the machine's; may stand several times
    #[arg(long = "name-server", value_name = "ADDRESS", value_parser = name_server)]
    pub(crate) name_servers: Vec<SocketAddr>,
}
