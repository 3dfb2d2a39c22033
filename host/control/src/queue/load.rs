//! How much waits and is under way in all organizations together, for who operates the server.

use super::Queue;
use super::lane::load_of;
use crate::error::Error;
use crate::keeper::{INSTALLATION, SCAN_RECORDS};
use crate::tables::LANES;
use storage::Range;

/// How many runs there are. Of whom is nobody's business who asks for it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Load {
    /// Runs that wait.
    pub waiting: u64,
    /// Runs that are under way.
    pub running: u64,
}

impl Queue {
    /// How much there is now. Costs a record for each organization that ever had a run.
    ///
    /// # Errors
    /// When storage cannot be read.
    pub async fn load(&self) -> Result<Load, Error> {
        let (mut load, mut after) = (Load::default(), None::<Vec<u8>>);
        loop {
            let range = Range { prefix: &[], after: after.as_deref(), limit: SCAN_RECORDS };
            let page = self.organizations().keeper.page(INSTALLATION, LANES, range).await?;
            let Some((last, _)) = page.last() else { return Ok(load) };
            after = Some(last.clone());
            for (_, found) in &page {
                let (waiting, running) = load_of(found.value.expose())?;
                load.waiting += u64::from(waiting);
                load.running += u64::from(running);
            }
        }
    }
}
