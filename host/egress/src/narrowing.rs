//! Rights that can become fewer while they are used, and never more.

use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};

use crate::gate::{Decision, Gate, RequestLine};

/// What is allowed by the rights that a client began with, and by those of now.
///
/// Whoever narrows them has what goes on judged anew: [`Revoker::rejudge`](crate::Revoker::rejudge).
pub struct Narrowing {
    first: Arc<dyn Gate>,
    /// None: those of the beginning.
    now: RwLock<Option<Arc<dyn Gate>>>,
}

impl Narrowing {
    /// These rights, from the beginning.
    #[must_use]
    pub fn new(first: Arc<dyn Gate>) -> Self {
        Self { first, now: RwLock::new(None) }
    }

    /// From now on only what these rights allow too.
    pub fn narrow(&self, to: Arc<dyn Gate>) {
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = Some(to);
    }

    fn both(&self, judge: impl Fn(&dyn Gate) -> Decision) -> Decision {
        match judge(&*self.first) {
            Decision::Allow { rule } => {
                let now = self.now.read().unwrap_or_else(PoisonError::into_inner);
                now.as_deref().map_or(Decision::Allow { rule }, judge)
            }
            denied => denied,
        }
    }
}

impl Gate for Narrowing {
    fn request(&self, line: &RequestLine<'_>) -> Decision {
        self.both(|gate| gate.request(line))
    }

    fn address(&self, address: IpAddr, port: u16) -> Decision {
        self.both(|gate| gate.address(address, port))
    }

    fn own_address(&self, address: IpAddr, port: u16) -> Decision {
        self.both(|gate| gate.own_address(address, port))
    }

    /// As one of either: what is told late tells less.
    fn is_one_of_many(&self, address: IpAddr, port: u16) -> bool {
        let now = self.now.read().unwrap_or_else(PoisonError::into_inner);
        self.first.is_one_of_many(address, port)
            || now.as_deref().is_some_and(|now| now.is_one_of_many(address, port))
    }
}
