//! Runs that are owed: a crash between a message and the wish for a run leaves a message for which nobody comes.

use super::Endpoints;
use crate::error::Error;
use crate::keeper::{INSTALLATION, SCAN_RECORDS};
use crate::tables::{ENDPOINTS, Key};
use storage::Range;

impl Endpoints {
    /// Asks for a run of every sync at whose endpoint something waits. To be called when a process starts.
    ///
    /// # Errors
    /// When storage refuses.
    pub async fn ask_for_owed_runs(&self) -> Result<(), Error> {
        let mut after = None::<Vec<u8>>;
        loop {
            let range = Range { prefix: &[], after: after.as_deref(), limit: SCAN_RECORDS };
            let page = self.organizations().keeper.page(INSTALLATION, ENDPOINTS, range).await?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            after = Some(last.clone());
            for (key, _) in page {
                let [organization, sync] = Key::read_ids(&key);
                match self.ask_if_owed(&organization, &sync).await {
                    // Another region's process does it for its own; what is gone owes nothing.
                    Err(
                        Error::OtherRegion { .. }
                        | Error::UnknownOrganization { .. }
                        | Error::UnknownObject { .. },
                    ) => {}
                    asked => asked?,
                }
            }
        }
    }

    async fn ask_if_owed(&self, organization: &str, sync: &str) -> Result<(), Error> {
        self.organizations().get(organization).await?;
        let lane = self.lane(organization, sync);
        let waits =
            lane.state(&self.organizations().keeper).await?.as_ref().is_some_and(|state| state.told().0 > 0);
        if waits {
            self.queue.note_event(organization, sync).await?;
        }
        Ok(())
    }
}
