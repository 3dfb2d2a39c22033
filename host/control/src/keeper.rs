//! Storage as this crate uses it: values are JSON, and changes are made anew when somebody else was faster.

use crate::error::Error;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::time::Duration;
use storage::{Change, Found, Range, Revision, Storage, Table};

/// The storage organization of what is of the installation as a whole. No id of an organization looks like this.
pub const INSTALLATION: &str = "installation";

/// How often a change is made anew because something that it was made of has changed meanwhile.
const ATTEMPTS_MAX: u32 = 64;
/// A commit takes about so long; the wait before another attempt doubles up to 6.4 ms.
const WAIT_FIRST: Duration = Duration::from_micros(100);
const WAIT_DOUBLINGS: u32 = 6;
/// Records of one answer of a scan.
pub(crate) const SCAN_RECORDS: usize = 256;
/// The same of a scan of which mostly the first records are wanted: storage reads so few without another thread.
pub(crate) const SCAN_FEW: usize = 16;

#[derive(Clone)]
pub(crate) struct Keeper {
    pub(crate) storage: Arc<Storage>,
}

impl Keeper {
    pub(crate) fn new(storage: Arc<Storage>) -> Self {
        Self { storage }
    }

    pub(crate) fn now_ms(&self) -> u64 {
        self.storage.now_ms()
    }

    /// Makes sure that the installation has a key.
    pub(crate) async fn create_installation(&self) -> Result<(), Error> {
        if !self.knows(INSTALLATION) {
            self.storage.create_organization(INSTALLATION).await?;
        }
        Ok(())
    }

    /// Whether there is a key for what belongs to this owner.
    pub(crate) fn knows(&self, owner: &str) -> bool {
        self.storage.with_keyring(|keyring| keyring.current_generation(owner).is_ok())
    }

    pub(crate) async fn get(&self, owner: &str, table: Table, key: &[u8]) -> Result<Option<Found>, Error> {
        Ok(self.storage.get(owner, table, key).await?)
    }

    pub(crate) async fn read<T: DeserializeOwned>(
        &self,
        owner: &str,
        table: Table,
        key: &[u8],
    ) -> Result<Option<(T, Revision)>, Error> {
        let Some(found) = self.get(owner, table, key).await? else { return Ok(None) };
        Ok(Some((decode(table, found.value.expose())?, found.revision)))
    }

    pub(crate) async fn page(
        &self,
        owner: &str,
        table: Table,
        range: Range<'_>,
    ) -> Result<Vec<(Vec<u8>, Found)>, Error> {
        Ok(self.storage.scan(owner, table, range).await?)
    }

    /// Which table was not as expected; none: the change is true.
    pub(crate) async fn try_commit(&self, change: Change) -> Result<Option<String>, Error> {
        match self.storage.commit(change).await {
            Ok(_) => Ok(None),
            Err(storage::Error::Conflict { table }) => Ok(Some(table)),
            Err(error) => Err(error.into()),
        }
    }
}

pub(crate) fn encode<T: Serialize>(table: Table, value: &T) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(value).map_err(|error| unreadable(table, &error))
}

pub(crate) fn decode<T: DeserializeOwned>(table: Table, bytes: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(bytes).map_err(|error| unreadable(table, &place_of(&error)))
}

pub(crate) fn unreadable(table: Table, message: &dyn std::fmt::Display) -> Error {
    Error::Unreadable { table: table.name.to_owned(), message: message.to_string() }
}

/// Where the reading ended. What the parser says besides may quote the value.
fn place_of(error: &serde_json::Error) -> String {
    format!("it is no such record from column {} on", error.column())
}

/// Counts how often a change is made anew.
pub(crate) struct Attempts {
    table: Table,
    made: u32,
}

impl Attempts {
    pub(crate) fn at(table: Table) -> Self {
        Self { table, made: 0 }
    }

    /// Another one, unless there were enough. Who has lost waits a while, not as long as the others that have lost, or the same
    /// ones would win each time.
    pub(crate) async fn again(&mut self) -> Result<(), Error> {
        self.made += 1;
        if self.made > ATTEMPTS_MAX {
            return Err(Error::Contended { table: self.table.name.to_owned(), attempts: ATTEMPTS_MAX });
        }
        let longest = WAIT_FIRST.saturating_mul(1 << self.made.min(WAIT_DOUBLINGS));
        tokio::time::sleep(longest.mul_f64(fastrand::f64())).await;
        Ok(())
    }
}
