//! Sends row errors to whoever writes them somewhere, a chunk at a time: what is in memory does not grow with their number.

use super::{ErrorFilter, KeptError};
use crate::error::Error;
use crate::records::SealedRecords;
use tokio::sync::mpsc::Sender;

impl SealedRecords {
    /// Sends the row errors that the filter finds, in the order of their ids. Waits for whoever takes them, and ends when
    /// nobody does any more.
    ///
    /// # Errors
    /// As [`SealedRecords::errors`].
    pub async fn send_errors(
        &self,
        sync: &str,
        filter: &ErrorFilter,
        to: &Sender<Vec<KeptError>>,
    ) -> Result<(), Error> {
        self.newest_run(sync).await?;
        let mut search = self.search(sync, filter, None).await?;
        while let Some((listed, errors)) = search.next().await? {
            let shown = search.shown(&listed, errors).await?;
            if to.send(shown).await.is_err() {
                return Ok(());
            }
        }
        search.prove_conditions()
    }
}
