//! Which components took workers with them. Who keeps that is the parent's affair; who only runs one command forgets it.

use async_trait::async_trait;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Workers that one version of a connector may take with it.
pub const CRASHES_MAX: u32 = 3;

/// Remembers losses of one organization, by the digests of components. Asked when a connector gets a worker, and told before
/// anybody gets another one in the place of one that was lost.
#[async_trait]
pub trait Losses: Send + Sync {
    /// How many workers a component took with it; from [`CRASHES_MAX`] on it gets none.
    async fn count(&self, digest: &str) -> u32;

    /// It took one more, which ended like this. The words are the host's.
    async fn note(&self, digest: &str, how: &str);
}

/// Remembers for as long as it lives.
#[derive(Debug, Default)]
pub struct Passing(Mutex<HashMap<String, u32>>);

#[async_trait]
impl Losses for Passing {
    async fn count(&self, digest: &str) -> u32 {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.get(digest).copied().unwrap_or_default()
    }

    async fn note(&self, digest: &str, _: &str) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(digest.to_owned()).or_default() += 1;
    }
}
