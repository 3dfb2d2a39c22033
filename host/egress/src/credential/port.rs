//! The port to where credentials are kept.

use async_trait::async_trait;

use super::material::{Generation, Material};

/// Keeps the credentials of one organization.
///
/// [`Credentials::material`] is called for each request that carries a credential, on the task of the request: what was
/// rotated or revoked counts from the next request on. It should be quick. The others are called by a refresh, on a task
/// that no request can cancel; never twice at once for one credential in one process.
#[async_trait]
pub trait Credentials: Send + Sync {
    /// Within what the names of stored credentials are unique: refreshes of one name in two organizations must not wait
    /// for each other, and still less share a result.
    fn organization(&self) -> &str;

    /// What is kept of a credential now.
    async fn material(&self, credential: &str) -> Result<Material, StoreError>;

    /// Keeps, durably, that the refresh token of this generation is being sent. Whoever finds the mark when nobody is at
    /// it knows that what came back may be lost. The generation stays.
    async fn mark(&self, credential: &str, seen: Generation) -> Result<(), StoreError>;

    /// New tokens were asked for, and are kept, or not. For figures: whoever keeps none of them does nothing.
    fn redeemed(&self, _credential: &str, _is_renewed: bool) {}

    /// Takes the mark away: the provider answered that it has spent nothing.
    async fn unmark(&self, credential: &str, seen: Generation) -> Result<(), StoreError>;

    /// Keeps what a refresh gave, if what is kept still is `seen`, and says its generation. It is durable when this
    /// returns: the caller uses it from then on, and the provider has forgotten what was there before. The mark ends.
    async fn persist(
        &self,
        credential: &str,
        seen: Generation,
        fresh: Material,
    ) -> Result<Generation, StoreError>;
}

/// Why a stored credential cannot be had or kept.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// It was never entered, or was revoked.
    #[error("nobody has entered it, or it was revoked")]
    Missing,
    /// It was entered for something else than what the manifest and the configuration now make of it.
    #[error("it was entered for {entered_for}, and would now be sent to {now}")]
    Rebound {
        /// The audience, kind and settings under which it was entered.
        entered_for: String,
        /// Those of now.
        now: String,
    },
    /// What is kept is no longer what was seen.
    #[error("somebody else has changed it meanwhile")]
    Superseded,
    /// Storage failed.
    #[error("it cannot be read or kept: {problem}")]
    Storage {
        /// What storage says, without any value.
        problem: String,
    },
}
