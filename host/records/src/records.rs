//! The records of one organization, and how each of them is read and changed.

use crate::codec;
use crate::error::Error;
use crate::lease::Returned;
use crate::seat::{Seat, Seats};
use crate::settings::Settings;
use crate::tables::{Key, SYNCS};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use storage::{Change, Found, Range, Revision, Storage, Table};

/// How often a change is made anew because something that it was made of has changed meanwhile. What competes are other
/// units of the run, once for each of their commits, and storage when it seals records anew.
const ATTEMPTS_MAX: u32 = 64;
/// Records of one answer of a scan.
const SCAN_RECORDS: usize = 256;

/// What must outlive the runs of one organization, sealed.
pub struct SealedRecords {
    pub(crate) storage: Arc<Storage>,
    pub(crate) organization: String,
    pub(crate) settings: Settings,
    pub(crate) seats: Seats,
    pub(crate) returned: Arc<Returned>,
}

/// What is known of a sync.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SyncRecord {
    pub(crate) name: String,
    /// Its newest run; also how many it has had.
    pub(crate) runs: u64,
}

impl SealedRecords {
    /// The records of this organization, which storage must know.
    #[must_use]
    pub fn new(storage: Arc<Storage>, organization: impl Into<String>, settings: Settings) -> Self {
        let (seats, returned) = (Seats::default(), Arc::default());
        Self { storage, organization: organization.into(), settings, seats, returned }
    }

    /// Whose they are, as storage calls it.
    #[must_use]
    pub fn organization(&self) -> &str {
        &self.organization
    }

    pub(crate) fn change(&self) -> Change {
        Change::new(&*self.organization)
    }

    /// The change, to be made only while this run is the newest of its sync.
    pub(crate) async fn fenced(&self, seat: &Seat, change: Change) -> Result<Change, Error> {
        match self.read_sync(&seat.sync).await? {
            Some((sync, revision)) if sync.runs == seat.run() => {
                let change = change.expect(SYNCS, Key::of(&seat.sync), Some(&revision));
                Ok(match seat.lease() {
                    Some(lease) => change.fenced_by(lease),
                    None => change,
                })
            }
            _ => Err(seat.fenced().into()),
        }
    }

    /// Makes a change that depends on nothing but the run being the newest.
    pub(crate) async fn commit_fenced(&self, seat: &Seat, change: Change) -> Result<(), Error> {
        let mut attempts = Attempts::at(SYNCS);
        while !self.try_commit(self.fenced(seat, change.clone()).await?).await? {
            attempts.again()?;
        }
        Ok(())
    }

    /// False when something was not as expected: then it is to be read again.
    pub(crate) async fn try_commit(&self, change: Change) -> Result<bool, Error> {
        match self.storage.commit(change).await {
            Ok(_) => Ok(true),
            Err(storage::Error::Conflict { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    pub(crate) async fn read_sync(&self, sync: &str) -> Result<Option<(SyncRecord, Revision)>, Error> {
        self.read_json(SYNCS, &Key::of(sync)).await
    }

    pub(crate) async fn get(&self, table: Table, key: &[u8]) -> Result<Option<Found>, Error> {
        Ok(self.storage.get(&self.organization, table, key).await?)
    }

    pub(crate) async fn read_json<T: DeserializeOwned>(
        &self,
        table: Table,
        key: &[u8],
    ) -> Result<Option<(T, Revision)>, Error> {
        let Some(found) = self.get(table, key).await? else { return Ok(None) };
        Ok(Some((codec::from_json(table, found.value.expose())?, found.revision)))
    }

    pub(crate) async fn read_compact<T: DeserializeOwned>(
        &self,
        table: Table,
        key: &[u8],
    ) -> Result<Option<(T, Revision)>, Error> {
        let Some(found) = self.get(table, key).await? else { return Ok(None) };
        Ok(Some((codec::from_compact(table, found.value.expose())?, found.revision)))
    }

    /// Some records with this prefix behind `after`, and where to go on; none at the end.
    pub(crate) async fn scan_page(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
    ) -> Result<Vec<(Vec<u8>, Found)>, Error> {
        let range = Range { prefix, after, limit: SCAN_RECORDS };
        Ok(self.storage.scan(&self.organization, table, range).await?)
    }

    /// Every record with this prefix: only for tables in which these are few and small.
    pub(crate) async fn scan_all(&self, table: Table, prefix: &[u8]) -> Result<Vec<(Vec<u8>, Found)>, Error> {
        let mut all: Vec<(Vec<u8>, Found)> = Vec::new();
        loop {
            let after = all.last().map(|(key, _)| key.as_slice());
            let page = self.scan_page(table, prefix, after).await?;
            if page.is_empty() {
                return Ok(all);
            }
            all.extend(page);
        }
    }
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

    /// Another one, unless there were enough.
    pub(crate) fn again(&mut self) -> Result<(), Error> {
        self.made += 1;
        if self.made > ATTEMPTS_MAX {
            return Err(Error::Contended { table: self.table.name.into(), attempts: ATTEMPTS_MAX });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{ATTEMPTS_MAX, Attempts};
    use crate::tables::UNITS;

    #[test]
    fn a_change_is_not_made_anew_for_ever() {
        let mut attempts = Attempts::at(UNITS);
        for _ in 0..ATTEMPTS_MAX {
            attempts.again().unwrap();
        }
        let error = attempts.again().unwrap_err();
        assert_eq!(error.code(), "CD1059");
        assert!(error.to_string().contains("`units` was changed 64 times"), "{error}");
    }
}
