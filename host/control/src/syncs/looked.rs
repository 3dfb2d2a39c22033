//! What a sync's source had when somebody looked last, for whoever runs the sync: against that it sees what has changed.

use super::Syncs;
use crate::connections::Catalog;
use crate::error::Error;

/// What a sync's source had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookedInto {
    /// The source's connection.
    pub connection: String,
    /// Of the connection now.
    pub revision: u64,
    /// What was found; none: nobody has looked yet.
    pub catalog: Option<Catalog>,
}

impl Syncs {
    /// What the source of a sync had when somebody looked last.
    ///
    /// # Errors
    /// [`Error::UnknownObject`], or when storage cannot be read.
    pub async fn looked_into(&self, organization: &str, id: &str) -> Result<LookedInto, Error> {
        let (_, spec) = self.whole(organization, id).await?;
        let connection = spec.source;
        let revision = self.connections.read(organization, &connection).await?.revision;
        let catalog = self.connections.read_catalog(organization, &connection).await?;
        Ok(LookedInto { connection, revision, catalog })
    }

    /// What an admin lets a connection do has changed: whoever holds a run learns so at once, and lets it do no more.
    pub fn rights_changed(&self) {
        self.wishes.send_modify(|count| *count += 1);
    }
}
