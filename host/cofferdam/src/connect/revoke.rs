//! Revokes a credential: its provider is told, it is deleted for every reader, and its bytes are erased.

use std::sync::Arc;

use records::{KeptCredential, SealedRecords};
use serde::{Deserialize, Serialize};
use storage::Storage;

use super::calls::Untold;
use super::give_back::given_back;
use crate::arguments::Network;
use crate::deployment::ORGANIZATION;
use crate::hold::Effect;
use crate::problem::{Problem, Problems};

/// What came of it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Revoked {
    /// What it was.
    pub(crate) kept: KeptCredential,
    /// Its provider takes it no more.
    pub(crate) provider_told: bool,
    /// Why its provider could not be told, where there is a reason.
    pub(crate) warnings: Vec<Problem>,
    /// Records that were sealed anew, so that its bytes open no more; none: there was nothing to erase.
    pub(crate) resealed: Option<u64>,
    /// Connections of a run that had it.
    pub(crate) cut: Vec<Effect>,
}

/// Whoever uses it must have been cut off before.
pub(crate) async fn revoke(
    records: &SealedRecords,
    storage: &Storage,
    name: &str,
    network: &Network,
) -> Result<Revoked, Problems> {
    let opened = records.open_credential(name).await?;
    // Before it is gone here: afterwards nobody could tell its provider any more. What the provider answers stops nothing.
    let (provider_told, warnings) = match given_back(&opened, (network, Arc::new(Untold))).await {
        Ok(told) => (told, Vec::new()),
        Err(problems) => (false, problems.into_all()),
    };
    drop(opened);
    let kept = records.revoke_credential(name).await?;
    let resealed = storage.erase_now(ORGANIZATION).await?.map(|erased| erased.records);
    Ok(Revoked { kept, provider_told, warnings, resealed, cut: Vec::new() })
}
