//! What the system behind a connection has: names and types, as they were when somebody looked. Nothing of rows.

use super::{Connections, KIND, record::Made};
use crate::access::Action;
use crate::error::Error;
use crate::keeper::encode;
use crate::tables::{CATALOGS, Key};
use serde::{Deserialize, Serialize};
use storage::{Change, Life};

/// What was found at the other end of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Catalog {
    /// Of the connection, when it was looked at: with a newer one it is to be looked again.
    pub revision: u64,
    /// When, in milliseconds since the epoch.
    pub discovered_ms: u64,
    /// What there is.
    pub streams: Vec<CatalogStream>,
}

/// A stream of a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogStream {
    /// Its name.
    pub name: String,
    /// With which others it is read.
    pub group: String,
    /// Its fields.
    pub fields: Vec<CatalogField>,
    /// The fields that tell its rows apart; empty: there are none.
    pub key: Vec<String>,
    /// Whether it can be read on from where a run ended.
    pub incremental: bool,
}

/// A field of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogField {
    /// Its name.
    pub name: String,
    /// Its type, as the contract calls it.
    pub data_type: String,
    /// Whether it may be null.
    pub nullable: bool,
}

impl Connections {
    /// Keeps what was found for a connection of this revision, in place of what was found before. For whoever has looked.
    ///
    /// # Errors
    /// [`Error::StaleRevision`] when the connection was changed while it was looked at, [`Error::UnknownObject`], or when
    /// storage refuses.
    pub async fn keep_catalog(
        &self,
        organization: &str,
        (id, revision): (&str, u64),
        streams: Vec<CatalogStream>,
    ) -> Result<Catalog, Error> {
        self.organizations.head::<Made>(organization, KIND, id).await?.expect(KIND, revision)?;
        let catalog = Catalog { revision, discovered_ms: self.organizations.keeper.now_ms(), streams };
        let change = Change::new(self.organizations.owner(organization));
        let value = encode(CATALOGS, &catalog)?;
        let change = change.put(CATALOGS, Key::of(id), Life::Standing, value);
        self.organizations.keeper.storage.commit(change).await?;
        Ok(catalog)
    }

    /// What was found for a connection; none: nobody has looked yet.
    ///
    /// # Errors
    /// [`Error::UnknownObject`], [`Error::Denied`], [`Error::UnknownOrganization`], or when storage cannot be read.
    pub async fn catalog(&self, by: &str, organization: &str, id: &str) -> Result<Option<Catalog>, Error> {
        self.organizations.may(by, organization, Action::ReadCatalog).await?;
        self.read_catalog(organization, id).await
    }

    pub(crate) async fn read_catalog(&self, organization: &str, id: &str) -> Result<Option<Catalog>, Error> {
        // One that was kept while its connection was deleted is nobody's.
        self.organizations.head::<Made>(organization, KIND, id).await?;
        let owner = self.organizations.owner(organization);
        let found = self.organizations.keeper.read(&owner, CATALOGS, &Key::of(id)).await?;
        Ok(found.map(|(catalog, _)| catalog))
    }
}
