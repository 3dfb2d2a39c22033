//! How far sealing anew has come, as the holder of a data directory tells it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use storage::{Error, Resealing, Storage};

/// Of one organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Progress {
    /// Records that are sealed anew.
    pub(crate) records: u64,
    /// The bytes of their values.
    pub(crate) bytes: u64,
    /// Records that do not open.
    pub(crate) unreadable: u64,
    /// When it began, in milliseconds since 1970.
    pub(crate) started_ms: u64,
}

/// Of each organization that is being sealed anew.
pub(super) async fn of(storage: &Storage) -> Result<BTreeMap<String, Progress>, Error> {
    let mut progress = BTreeMap::new();
    for organization in storage.organizations() {
        if let Some(Resealing { records, bytes, unreadable, started_ms, .. }) =
            storage.resealing(&organization).await?
        {
            progress.insert(organization, Progress { records, bytes, unreadable, started_ms });
        }
    }
    Ok(progress)
}
