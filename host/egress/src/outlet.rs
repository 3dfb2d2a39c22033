//! What all clients of the process share: whom TLS trusts, how names are looked up, through which proxy all goes,
//! what time it is, which credentials are being renewed, and how much memory there is for bodies that are kept.

use std::sync::Arc;
use std::time::SystemTime;

use crate::credential::{Refreshes, Room};
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
    pub(crate) room: Arc<Room>,
}

impl Outlet {
    pub(crate) fn now(&self) -> SystemTime {
        (self.clock)()
    }
}
