//! The port through which names become addresses.
//!
//! It judges nothing: every address of the answer goes through the gate, and only judged addresses are dialed.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;

/// The most addresses an answer may hold. Real names have a handful; a thousand are an attack.
pub(crate) const ADDRESSES_MAX: usize = 64;

/// Looks names up.
///
/// Called once for each new connection to a host that is a name, never for address literals, on the task of the
/// request and under its connect timeout. The answer is used for that connection only.
#[async_trait]
pub trait Resolver: Send + Sync {
    /// All addresses of this name. `host` is lower case and has no trailing dot.
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>>;

    /// The same for one client, with a memory of its own: what one has asked is nothing that another may find out by how soon
    /// it is answered. None: there is no memory.
    fn apart(&self) -> Option<Arc<dyn Resolver>> {
        None
    }
}
