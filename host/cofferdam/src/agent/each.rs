//! One at a time of each organization.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

/// Whose turn it is, by organization.
#[derive(Default)]
pub(super) struct OneEach(Mutex<HashMap<String, Arc<AsyncMutex<()>>>>);

impl OneEach {
    /// Waits for whoever is there of the same organization. The turn ends when what it returns is dropped.
    pub(super) async fn of(&self, organization: &str) -> OwnedMutexGuard<()> {
        self.turns_of(organization).lock_owned().await
    }

    fn turns_of(&self, organization: &str) -> Arc<AsyncMutex<()>> {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever waits or has its turn has a share.
        turns.retain(|_, turn| Arc::strong_count(turn) > 1);
        Arc::clone(turns.entry(organization.to_owned()).or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::OneEach;
    use futures::FutureExt;

    #[tokio::test]
    async fn an_organization_waits_for_itself_and_for_nobody_else() {
        let turns = OneEach::default();
        let first = turns.of("a").await;
        assert!(turns.of("a").now_or_never().is_none());
        let other = turns.of("b").now_or_never();
        assert!(other.is_some());
        drop(first);
        let next = turns.of("a").now_or_never();
        assert!(next.is_some());
        drop((other, next));
        drop(turns.of("c").await);
        assert_eq!(turns.0.lock().unwrap().len(), 1, "who has left is forgotten");
    }
}
