//! What all clients of the process share: whom TLS trusts, how names are looked up, through which proxy all goes,
//! what time it is, and which credentials are being renewed.

use std::sync::Arc;
use std::time::SystemTime;

use crate::credential::Refreshes;
use crate::settings::WallClock;
use crate::tls::Trust;
use crate::{Proxy, Resolver};

#[derive(Clone)]
pub(crate) struct Outlet {
    pub(crate) trust: Arc<Trust>,
    pub(crate) resolver: Arc<dyn Resolver>,
    pub(crate) proxy: Option<Proxy>,
    pub(crate) refreshes: Arc<Refreshes>,
    pub(crate) clock: WallClock,
}

impl Outlet {
    pub(crate) fn now(&self) -> SystemTime {
        (self.clock)()
    }
}
