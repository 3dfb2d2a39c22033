//! Makes changes true: drafts the batch of an engine, writes chunks before it, and clears away behind it.

use std::collections::BTreeMap;

use crate::change::Change;
use crate::draft::{Draft, Why};
use crate::engine::{EngineError, Sequence};
use crate::error::Error;
use crate::storage::Storage;

/// How often a change is drafted anew because something of ours, which the caller does not know of, has changed.
const ATTEMPTS: usize = 64;

impl Storage {
    /// Makes a change true, whole, if what it expects is true. When it returns, it is durable. A batch of
    /// [`CHANGE_STEPS_MAX`](crate::CHANGE_STEPS_MAX) steps and [`CHANGE_BYTES_MAX`](crate::CHANGE_BYTES_MAX) always fits.
    ///
    /// # Errors
    /// [`Error::Conflict`] when something is not as expected, [`Error::Fenced`] when the lease is outdated,
    /// [`Error::TooLarge`]: nothing was changed.
    pub async fn commit(&self, change: Change) -> Result<Sequence, Error> {
        for _ in 0..ATTEMPTS {
            if let Some(sequence) = self.try_commit(&change).await? {
                return Ok(sequence);
            }
        }
        Err(Error::Conflict { table: String::new() })
    }

    /// None: something of ours has changed meanwhile.
    async fn try_commit(&self, change: &Change) -> Result<Option<Sequence>, Error> {
        let organization = change.organization.as_str();
        let mut draft = self.draft(change).await?;
        let batch = draft.batch();
        batch.check()?;
        for large in &mut draft.larges {
            if let Err(error) = self.write_chunks(organization, large).await {
                self.abandon(organization, &draft).await;
                return Err(error);
            }
        }
        match self.engine.commit(batch).await {
            Ok(sequence) => {
                self.settle(organization, &draft).await;
                Ok(Some(sequence))
            }
            Err(EngineError::Conflict { key }) => {
                self.abandon(organization, &draft).await;
                match draft.why(&key) {
                    Some(Why::Expected { table }) => Err(Error::Conflict { table: (*table).to_owned() }),
                    Some(Why::Fence { name }) => Err(Error::Fenced { name: (*name).to_owned() }),
                    Some(Why::Own) | None => {
                        self.heads.forget(organization);
                        Ok(None)
                    }
                }
            }
            Err(error) => {
                // Whether it became true is not known when the engine has stopped: then its chunks stay.
                if !matches!(error, EngineError::Stopped { .. }) {
                    self.abandon(organization, &draft).await;
                }
                Err(error.into())
            }
        }
    }

    /// The change is true: nobody needs what it has replaced. A failure leaves it to the next sweep.
    async fn settle(&self, organization: &str, draft: &Draft<'_>) {
        if let Some(mark) = draft.mark {
            self.time.set_kept(mark);
        }
        if draft.has_new_head {
            self.heads.forget(organization);
        }
        draft.larges.iter().for_each(|large| self.writing.finish(&large.chunks.id));
        for id in &draft.replaced {
            let _left_to_the_sweep = self.remove_chunks(organization, id).await;
        }
    }

    /// The change is not true and will not be: nobody needs the chunks that were written for it.
    async fn abandon(&self, organization: &str, draft: &Draft<'_>) {
        for large in &draft.larges {
            let _left_to_the_sweep = self.remove_chunks(organization, &large.chunks.id).await;
            self.writing.finish(&large.chunks.id);
        }
    }
}

/// What must be true, by the engine's key, and on whose behalf.
pub(crate) type Expectations<'a> = BTreeMap<Vec<u8>, (Option<Vec<u8>>, Why<'a>)>;
