//! Which connectors of an organization took workers with them, as its installations have it: a server that starts again knows.

use async_trait::async_trait;
use control::{Installations, LOSSES_MAX};
use std::sync::Arc;
use worker::{CRASHES_MAX, Losses};

// Who keeps them and who heeds them mean the same.
const _: () = assert!(LOSSES_MAX == CRASHES_MAX as usize, "a quarantine begins with the same loss");

/// Of one organization.
pub(super) struct Kept {
    pub(super) installations: Arc<Installations>,
    pub(super) organization: String,
}

#[async_trait]
impl Losses for Kept {
    async fn count(&self, digest: &str) -> u32 {
        match self.installations.losses(&self.organization, digest).await {
            Ok(count) => u32::try_from(count).unwrap_or(u32::MAX),
            Err(error) => {
                // Whoever cannot read this comes to no rows either.
                tracing::warn!(
                    code = error.code(),
                    "which workers a connector took with it could not be read"
                );
                0
            }
        }
    }

    async fn note(&self, digest: &str, how: &str) {
        if let Err(error) = self.installations.note_loss(&self.organization, digest, how).await {
            tracing::warn!(code = error.code(), "that a connector took a worker with it could not be kept");
        }
    }
}
