//! Renews credentials: one redemption at a time for each stored credential of the process, and what it gives is durable
//! before anybody uses it.
//!
//! A refresh token that is spent by its use is gone when the host stops between the answer and its keeping. So a mark is
//! kept before the token is sent, and leaves with the next tokens: whoever finds it knows what may have happened.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::sync::OwnedMutexGuard;
use tokio::time::Instant;

use super::error::Error;
use super::material::{Material, field};
use super::redeem::Redeemer;

/// How long a credential whose token still holds is used without trying to renew it again.
const PAUSE: Duration = Duration::from_secs(10);

/// What a redemption gave. All who waited for it share how it failed, and read anew what it kept.
pub(crate) type Outcome = Result<Material, Arc<Error>>;

/// The redemptions under way, by organization and stored name.
#[derive(Default)]
pub(crate) struct Refreshes(Mutex<HashMap<(String, String), Arc<Slot>>>);

#[derive(Default)]
struct Slot {
    turn: Arc<tokio::sync::Mutex<()>>,
    last: Mutex<Last>,
}

#[derive(Default)]
struct Last {
    finished: u64,
    failure: Option<Arc<Error>>,
    failed: Option<Instant>,
}

impl Refreshes {
    fn slot(&self, redeemer: &Redeemer) -> Arc<Slot> {
        let key = (redeemer.store.organization().to_owned(), redeemer.placed.stored.clone());
        Arc::clone(lock(&self.0).entry(key).or_default())
    }

    /// Something newer than `seen`, which was refused or ends soon. However many ask at once, one redemption is made;
    /// it goes on when the request that wanted it is dropped.
    pub(crate) async fn renew(&self, redeemer: Redeemer, seen: &Material) -> Outcome {
        let slot = self.slot(&redeemer);
        let before = lock(&slot.last).finished;
        let turn = Arc::clone(&slot.turn).lock_owned().await;
        if let Some(shared) = slot.failed_since(before) {
            return Err(shared);
        }
        let kept = redeemer.kept().await?;
        if kept.generation() != seen.generation() && kept.get(field::ACCESS_TOKEN).is_some() {
            return Ok(kept);
        }
        let credential = redeemer.placed.ask.name.clone();
        let stored = redeemer.placed.stored.clone();
        match tokio::spawn(alone(slot, redeemer, turn)).await {
            Ok(outcome) => outcome,
            Err(_ended) => {
                let source = super::port::StoreError::Storage { problem: "the host is stopping".to_owned() };
                Err(Arc::new(Error::Unavailable { credential, stored, source }))
            }
        }
    }

    /// Did renewing fail so recently that a token which still holds should be used as it is?
    pub(crate) fn rests(&self, redeemer: &Redeemer) -> bool {
        let slot = self.slot(redeemer);
        let last = lock(&slot.last);
        last.failed.is_some_and(|failed| failed.elapsed() < PAUSE)
    }
}

/// Its own type, because sending a request is a part of sending a request here.
fn alone(slot: Arc<Slot>, redeemer: Redeemer, turn: OwnedMutexGuard<()>) -> BoxFuture<'static, Outcome> {
    Box::pin(async move {
        let outcome = redeemer.redeem().await.map_err(Arc::new);
        slot.finish(&outcome);
        drop(turn);
        outcome
    })
}

impl Slot {
    /// How a redemption failed that ended while its caller waited.
    fn failed_since(&self, before: u64) -> Option<Arc<Error>> {
        let last = lock(&self.last);
        if last.finished == before { None } else { last.failure.clone() }
    }

    fn finish(&self, outcome: &Outcome) {
        let mut last = lock(&self.last);
        last.finished += 1;
        match outcome {
            Ok(_) => {
                (last.failed, last.failure) = (None, None);
            }
            Err(error) => {
                (last.failed, last.failure) = (Some(Instant::now()), Some(Arc::clone(error)));
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
