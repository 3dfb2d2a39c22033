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
use super::material::{Generation, Material, field};
use super::redeem::Redeemer;

/// How long a credential whose token still holds is used without trying to renew it again.
const PAUSE: Duration = Duration::from_secs(10);
/// How long an answer counts that another attempt would only get again: a provider may lock out who asks too often.
const SETTLED: Duration = Duration::from_secs(60);

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
    failure: Option<Failure>,
    /// The state whose token was refused right after it was made, and when.
    useless: Option<(Generation, Instant)>,
}

/// How the last redemption failed, what it spent, and when.
struct Failure {
    error: Arc<Error>,
    spent: Generation,
    at: Instant,
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
        if let Some(settled) = slot.settled(&kept) {
            return Err(settled);
        }
        let credential = redeemer.placed.ask.name.clone();
        let stored = redeemer.placed.stored.clone();
        match tokio::spawn(alone(slot, redeemer, kept.generation(), turn)).await {
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
        last.failure.as_ref().is_some_and(|failure| failure.at.elapsed() < PAUSE)
    }

    /// A token of this state was refused right after it was made: it is not its age that the server minds.
    pub(crate) fn was_useless(&self, redeemer: &Redeemer, made: Generation) {
        let slot = self.slot(redeemer);
        lock(&slot.last).useless = Some((made, Instant::now()));
    }

    /// Would renewing this state only give another token that is refused?
    pub(crate) fn is_useless(&self, redeemer: &Redeemer, seen: Generation) -> bool {
        let slot = self.slot(redeemer);
        let last = lock(&slot.last);
        last.useless.is_some_and(|(made, at)| made == seen && at.elapsed() < SETTLED)
    }
}

/// Its own type, because sending a request is a part of sending a request here.
fn alone(
    slot: Arc<Slot>,
    redeemer: Redeemer,
    spent: Generation,
    turn: OwnedMutexGuard<()>,
) -> BoxFuture<'static, Outcome> {
    Box::pin(async move {
        let outcome = redeemer.redeem().await.map_err(Arc::new);
        slot.finish(spent, &outcome);
        drop(turn);
        outcome
    })
}

impl Slot {
    /// How a redemption failed that ended while its caller waited.
    fn failed_since(&self, before: u64) -> Option<Arc<Error>> {
        let last = lock(&self.last);
        last.failure.as_ref().filter(|_| last.finished != before).map(|failure| Arc::clone(&failure.error))
    }

    /// What the provider said of this very state, where only an administrator can change it.
    fn settled(&self, kept: &Material) -> Option<Arc<Error>> {
        let last = lock(&self.last);
        let failure = last.failure.as_ref().filter(|failure| failure.spent == kept.generation())?;
        let is_settled = failure.error.needs_connecting() && failure.at.elapsed() < SETTLED;
        is_settled.then(|| Arc::clone(&failure.error))
    }

    fn finish(&self, spent: Generation, outcome: &Outcome) {
        let mut last = lock(&self.last);
        last.finished += 1;
        let failed = outcome.as_ref().err();
        last.failure = failed.map(|error| Failure { error: Arc::clone(error), spent, at: Instant::now() });
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
