//! Bounds what a connector can tell to name servers: under a wildcard rule each name that is looked up is a message to
//! whoever answers for it.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use crate::pace::Pace;
use crate::{Caps, Error, Limit, Result};

/// The names that one client has looked up.
pub(crate) struct Lookups {
    seen: Mutex<Seen>,
    pace: Pace,
}

#[derive(Default)]
struct Seen {
    names: HashSet<Arc<str>>,
    bytes: u64,
}

impl Lookups {
    pub(crate) fn new(caps: &Caps) -> Self {
        Self { seen: Mutex::default(), pace: Pace::new(caps.host_names_per_second) }
    }

    /// Returns when the name may be looked up. Its name servers have heard a known one already: that costs nothing.
    pub(crate) async fn admit(&self, name: &Arc<str>, caps: &Caps) -> Result<()> {
        if self.is_new(name, caps)? {
            self.pace.wait().await;
        }
        Ok(())
    }

    fn is_new(&self, name: &Arc<str>, caps: &Caps) -> Result<bool> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.names.contains(name) {
            return Ok(false);
        }
        if seen.names.len() as u64 >= caps.host_names {
            return Err(Error::Limit { limit: Limit::HostNames, allowed: caps.host_names });
        }
        let bytes = seen.bytes + name.len() as u64;
        if bytes > caps.host_name_bytes {
            return Err(Error::Limit { limit: Limit::HostNameBytes, allowed: caps.host_name_bytes });
        }
        seen.bytes = bytes;
        Ok(seen.names.insert(Arc::clone(name)))
    }
}
