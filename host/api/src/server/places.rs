//! How many connections there may be: all together, and from one address, so that nobody takes every place.

use crate::options::Limits;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub(super) struct Places {
    all: Arc<Semaphore>,
    per_address_max: usize,
    taken: Mutex<HashMap<IpAddr, usize>>,
}

/// A place for whoever comes next.
pub(super) struct Free {
    places: Arc<Places>,
    /// None: the semaphore was closed, which nobody does.
    permit: Option<OwnedSemaphorePermit>,
}

/// A place that somebody has. Dropping it frees it.
pub(super) struct Place {
    places: Arc<Places>,
    address: Option<IpAddr>,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Places {
    pub(super) fn new(limits: &Limits) -> Arc<Self> {
        Arc::new(Self {
            all: Arc::new(Semaphore::new(limits.connections_max)),
            per_address_max: limits.connections_per_address_max,
            taken: Mutex::default(),
        })
    }

    /// Waits for a place.
    pub(super) async fn free(self: &Arc<Self>) -> Free {
        let permit = Arc::clone(&self.all).acquire_owned().await.ok();
        Free { places: Arc::clone(self), permit }
    }
}

impl Free {
    /// For this address; none: it has enough. Behind a proxy of ours are many people.
    pub(super) fn of(self, address: IpAddr, is_proxy: bool) -> Option<Place> {
        let Self { places, permit } = self;
        if is_proxy {
            return Some(Place { places, address: None, _permit: permit });
        }
        {
            let mut taken = places.taken.lock().unwrap_or_else(PoisonError::into_inner);
            let count = taken.entry(address).or_default();
            if *count >= places.per_address_max {
                return None;
            }
            *count += 1;
        }
        Some(Place { places, address: Some(address), _permit: permit })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(address) = self.address else { return };
        let mut taken = self.places.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&address) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                taken.remove(&address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Places;
    use crate::options::Limits;
    use futures::FutureExt;
    use std::net::IpAddr;

    #[tokio::test]
    async fn nobody_takes_every_place() {
        let limits = Limits { connections_max: 3, connections_per_address_max: 2, ..Limits::default() };
        let places = Places::new(&limits);
        let [one, two, proxy]: [IpAddr; 3] = [1, 2, 3].map(|last| [192, 0, 2, last].into());
        let first = places.free().await.of(one, false).unwrap();
        let second = places.free().await.of(one, false).unwrap();
        assert!(places.free().await.of(one, false).is_none());
        let third = places.free().await.of(two, false).unwrap();
        assert!(places.free().now_or_never().is_none());
        drop(third);
        drop(first);
        drop(second);
        let behind: Vec<_> = [places.free().await, places.free().await, places.free().await]
            .into_iter()
            .map(|free| free.of(proxy, true))
            .collect();
        assert!(behind.iter().all(Option::is_some));
        drop(behind);
        assert!(places.taken.lock().unwrap().is_empty());
    }
}
