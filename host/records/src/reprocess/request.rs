//! What somebody chose to send through again, until a run does it. It may quote rows, so it lies under the organization's own
//! key; whoever keeps the queue of runs knows its id alone.

use super::choice::{Choice, Reprocess};
use crate::codec;
use crate::error::Error;
use crate::errors::{ErrorFilter, StateFilter};
use crate::records::SealedRecords;
use crate::tables::{Key, REPROCESS_REQUESTS};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use storage::Life;

/// A run that waits for longer than this is not what was meant any more.
const LIFE_MS: u64 = 24 * 60 * 60 * 1_000;

/// Which row errors are to be sent through again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReprocessRequest {
    /// Of this sync.
    pub sync: String,
    /// Of this run of it.
    pub run: u64,
    /// Those that it finds; its run and state are not looked at.
    pub filter: ErrorFilter,
    /// Also those that are superseded.
    pub force: bool,
}

impl SealedRecords {
    /// Keeps a choice for a day, and says by which id it is found, and what it finds now. Without a run that of the newest row
    /// errors is taken that the filter finds.
    ///
    /// # Errors
    /// As [`Reprocess::new`], or when storage refuses.
    pub async fn keep_reprocess_request(
        self: &Arc<Self>,
        sync: &str,
        run: Option<u64>,
        filter: ErrorFilter,
        force: bool,
    ) -> Result<(String, ReprocessRequest, Choice), Error> {
        let run = match run {
            Some(run) => run,
            None => self.newest_found(sync, &filter, force).await?,
        };
        let chosen = Reprocess::new(Arc::clone(self), sync, run, filter.clone(), force).await?;
        let request = ReprocessRequest { sync: sync.into(), run, filter, force };
        let id = format!("rpr_{:032x}", fastrand::u128(..));
        let until = Life::Until(self.storage.now_ms().saturating_add(LIFE_MS));
        let value = codec::to_json(REPROCESS_REQUESTS, &request)?;
        self.storage.commit(self.change().put(REPROCESS_REQUESTS, key(&id), until, value)).await?;
        Ok((id, request, chosen.choice()))
    }

    /// A choice that was kept.
    ///
    /// # Errors
    /// [`Error::UnknownRequest`] once its day is over, or when storage cannot be read.
    pub async fn reprocess_request(&self, id: &str) -> Result<ReprocessRequest, Error> {
        let found = self.read_json(REPROCESS_REQUESTS, &key(id)).await?;
        found.map(|(request, _)| request).ok_or_else(|| Error::UnknownRequest { request: id.into() })
    }

    /// Forgets a choice for which there is no run, or none any more.
    ///
    /// # Errors
    /// When storage refuses.
    pub async fn forget_reprocess_request(&self, id: &str) -> Result<(), Error> {
        self.storage.commit(self.change().discard(REPROCESS_REQUESTS, key(id))).await?;
        Ok(())
    }

    async fn newest_found(&self, sync: &str, filter: &ErrorFilter, force: bool) -> Result<u64, Error> {
        let state = if force { StateFilter::Any } else { StateFilter::Open };
        let counts = self.count_errors(sync, &ErrorFilter { state, ..filter.clone() }).await?;
        match counts.keys().map(|(run, ..)| *run).max() {
            Some(run) => Ok(run),
            // None is found in the newest run either, and that says why.
            None => self.newest_run(sync).await,
        }
    }
}

impl Reprocess {
    /// Chooses what a request says, as it is found now.
    ///
    /// # Errors
    /// As [`Reprocess::new`].
    pub async fn of(records: Arc<SealedRecords>, request: ReprocessRequest) -> Result<Arc<Self>, Error> {
        let ReprocessRequest { sync, run, filter, force } = request;
        Self::new(records, &sync, run, filter, force).await
    }
}

fn key(id: &str) -> Key {
    Key::default().name(id)
}
