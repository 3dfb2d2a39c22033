//! The lease of a sync: that no other process runs it. Its seat holds it until the last share of the seat is gone.

use crate::error::Error;
use crate::records::SealedRecords;
use crate::seat::Seat;
use pipeline::records as port;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use storage::{Lease, Storage};

/// A process that has ended without giving it back keeps others waiting for so long; where nobody else can have storage
/// open, for not even that.
const LEASE_MS: u64 = 60_000;
/// Two may fail before the lease is lost. If it is, it still fences whoever held it.
const RENEW_EVERY: Duration = Duration::from_secs(20);
/// Longer names of syncs stand in the name of a lease by their hash.
const NAME_BYTES_MAX: usize = 120;

/// Leases that are on their way back. A run that begins in the meantime takes its own from here.
#[derive(Default)]
pub(crate) struct Returned {
    leases: Mutex<HashMap<String, Lease>>,
    /// Held while one is taken or given back, so that nobody finds a lease half given back.
    turn: tokio::sync::Mutex<()>,
}

impl Returned {
    fn leases(&self) -> MutexGuard<'_, HashMap<String, Lease>> {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A lease that is given back when it is dropped, by a task of its own: dropping must not wait.
pub(crate) struct HeldLease {
    sync: String,
    lease: Lease,
    storage: Arc<Storage>,
    returned: Arc<Returned>,
}

impl HeldLease {
    pub(crate) fn lease(&self) -> &Lease {
        &self.lease
    }
}

impl Drop for HeldLease {
    fn drop(&mut self) {
        self.returned.leases().insert(self.sync.clone(), self.lease.clone());
        // Without a runtime there is nobody to wait for it any more: the lease ends by itself.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let (sync, storage, returned) =
            (self.sync.clone(), Arc::clone(&self.storage), Arc::clone(&self.returned));
        runtime.spawn(async move {
            let _turn = returned.turn.lock().await;
            let lease = returned.leases().remove(&sync);
            if let Some(lease) = lease {
                let _ends_by_itself = storage.release(lease).await;
            }
        });
    }
}

impl SealedRecords {
    /// Takes the sync's lease for the seat, and keeps it as long as the seat is.
    pub(crate) async fn take_lease(&self, seat: &Arc<Seat>) -> Result<(), Error> {
        let lease = match self.lease_of(&seat.sync).await {
            Err(storage::Error::Leased { .. }) => {
                return Err(port::Error::Locked { sync: seat.sync.clone() }.into());
            }
            lease => lease?,
        };
        let (storage, returned) = (Arc::clone(&self.storage), Arc::clone(&self.returned));
        seat.hold(HeldLease { sync: seat.sync.clone(), lease: lease.clone(), storage, returned });
        tokio::spawn(renew(Arc::downgrade(seat), lease, Arc::downgrade(&self.storage)));
        Ok(())
    }

    async fn lease_of(&self, sync: &str) -> Result<Lease, storage::Error> {
        let _turn = self.returned.turn.lock().await;
        let ours = self.returned.leases().remove(sync);
        if let Some(mut ours) = ours
            && self.storage.renew(&mut ours, LEASE_MS).await.is_ok()
        {
            return Ok(ours);
        }
        self.storage.lease(&self.organization, &lease_name(sync), LEASE_MS).await
    }
}

fn lease_name(sync: &str) -> String {
    if sync.len() <= NAME_BYTES_MAX {
        format!("run {sync}")
    } else {
        format!("run-{}", blake3::hash(sync.as_bytes()))
    }
}

async fn renew(seat: Weak<Seat>, mut lease: Lease, storage: Weak<Storage>) {
    loop {
        tokio::time::sleep(RENEW_EVERY).await;
        let (Some(_alive), Some(storage)) = (seat.upgrade(), storage.upgrade()) else { return };
        // Whoever has lost it learns so from what it writes.
        let _tried_again_later = storage.renew(&mut lease, LEASE_MS).await;
    }
}
