//! What every route can reach: the installation, and what the server remembers of those who ask.

use crate::consents::Consents;
use crate::limiter::Limiter;
use crate::listeners::Listeners;
use crate::options::{Options, Transport};
use crate::parts::Parts;
use std::sync::Arc;
use tokio::sync::{Mutex, MutexGuard, Semaphore};
use tokio_util::sync::CancellationToken;

/// Who changes things that share a place waits for each other; more places than processors are of no use.
const EDITS: usize = 64;

/// Uploads at once: each may be as large as a component and is held in memory twice while it is sealed.
const UPLOADS: usize = 4;

/// What every route can reach. Cheap to clone.
#[derive(Clone)]
pub(crate) struct House(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) parts: Parts,
    pub(crate) options: Options,
    pub(crate) limiter: Limiter,
    pub(crate) listeners: Listeners,
    pub(crate) uploads: Semaphore,
    pub(crate) consents: Consents,
    edits: [Mutex<()>; EDITS],
    draining: CancellationToken,
}

impl House {
    pub(crate) fn new(parts: Parts, options: Options) -> Self {
        let limiter = Limiter::new(&options.rates);
        let edits = std::array::from_fn(|_| Mutex::default());
        let (listeners, draining) = (Listeners::default(), CancellationToken::new());
        let (uploads, consents) = (Semaphore::new(UPLOADS), Consents::default());
        Self(Arc::new(Inner { parts, options, limiter, listeners, uploads, consents, edits, draining }))
    }

    /// From here on nothing of `of` is changed by anybody else who asks here, until the guard is dropped: what was read and
    /// found to be as expected is still so when it is changed. One process has the data directory.
    pub(crate) async fn edit(&self, of: &str) -> MutexGuard<'_, ()> {
        let place = of.bytes().fold(0_usize, |place, byte| place.wrapping_mul(31).wrapping_add(byte.into()));
        let [first, ..] = &self.0.edits;
        self.0.edits.get(place % EDITS).unwrap_or(first).lock().await
    }

    pub(crate) fn is_encrypted(&self) -> bool {
        !matches!(self.0.options.transport, Transport::Plain)
    }

    /// Whether nobody gets in, because there is no certificate yet.
    pub(crate) fn waits_for_certificate(&self) -> bool {
        matches!(&self.0.options.transport, Transport::Given(certificates) if !certificates.0.is_there())
    }

    pub(crate) fn begin_to_drain(&self) {
        self.0.draining.cancel();
    }

    /// Waits until the server ends.
    pub(crate) async fn draining(&self) {
        self.0.draining.cancelled().await;
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.0.draining.is_cancelled()
    }
}

impl std::ops::Deref for House {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}
