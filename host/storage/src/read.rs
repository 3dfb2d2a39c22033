//! Reads records and opens them. What has expired is not there.

use vault::{Place, Plaintext, RecordHeader};

use crate::change::Revision;
use crate::engine::Scan;
use crate::error::Error;
use crate::key;
use crate::storage::Storage;
use crate::table::Table;
use crate::value::Stored;

/// What an answer of a scan has before it ends early: values may be large, and all of them are in memory.
const ANSWER_BYTES: usize = 8 << 20;
/// How often a value that is replaced while it is read is read anew.
const ATTEMPTS: usize = 16;

/// A record that was found.
pub struct Found {
    /// What was written.
    pub value: Plaintext,
    /// The version of the table's schema in which it was written.
    pub schema_version: u32,
    /// To expect that it is still so.
    pub revision: Revision,
    /// When it stops to be served, in milliseconds since the epoch; none: never.
    pub ends_ms: Option<u64>,
}

/// Which records of a table to read, in ascending order of their keys.
#[derive(Debug, Clone, Copy, Default)]
pub struct Range<'a> {
    /// What their keys begin with.
    pub prefix: &'a [u8],
    /// Only keys behind this one.
    pub after: Option<&'a [u8]>,
    /// At most so many. Fewer may come, though at least one where there is one: ask again behind the last key.
    pub limit: usize,
}

/// What became of opening.
pub(crate) enum Opened {
    Value(Plaintext),
    Expired,
    /// A chunk is gone: the record was replaced or removed meanwhile.
    Replaced,
}

impl Storage {
    /// A record; none where there is none or it has expired.
    ///
    /// # Errors
    /// When it cannot be read or opened.
    pub async fn get(&self, organization: &str, table: Table, key: &[u8]) -> Result<Option<Found>, Error> {
        let stored_key = key::record(organization, table.name, key)?;
        let mut before = None;
        for _ in 0..ATTEMPTS {
            let Some(stored) = self.stored(&stored_key).await? else { return Ok(None) };
            if before.as_ref() == Some(&stored) {
                return Err(Error::ChunkMissing { table: table.name.to_owned() });
            }
            match self.open_in(organization, table, key, &stored).await? {
                Opened::Value(value) => {
                    self.note_if_outdated(organization, &stored_key, &stored);
                    return Ok(Some(found(value, stored)?));
                }
                Opened::Expired => return Ok(None),
                Opened::Replaced => before = Some(stored),
            }
        }
        Err(Error::Conflict { table: table.name.to_owned() })
    }

    /// Records of a table, with their keys.
    ///
    /// # Errors
    /// When they cannot be read, or one of them cannot be opened.
    pub async fn scan(
        &self,
        organization: &str,
        table: Table,
        range: Range<'_>,
    ) -> Result<Vec<(Vec<u8>, Found)>, Error> {
        let table_prefix = key::table_prefix(organization, table.name)?;
        let within = |key: &[u8]| [table_prefix.as_slice(), key].concat();
        let mut after = range.after.map(within);
        let mut records = Vec::new();
        let mut bytes = 0;
        while records.is_empty() && range.limit > 0 {
            let scan = Scan { prefix: within(range.prefix), after: after.take(), limit: range.limit };
            let entries = self.engine.scan(scan).await?;
            let Some((last, _)) = entries.last() else { break };
            after = Some(last.clone());
            for (stored_key, stored) in entries {
                let key = stored_key.get(table_prefix.len()..).unwrap_or_default().to_vec();
                let one = match self.open_in(organization, table, &key, &stored).await? {
                    Opened::Value(value) => {
                        self.note_if_outdated(organization, &stored_key, &stored);
                        Some(found(value, stored)?)
                    }
                    Opened::Expired => None,
                    Opened::Replaced => self.get(organization, table, &key).await?,
                };
                let Some(one) = one else { continue };
                bytes += one.value.expose().len();
                records.push((key, one));
                if bytes >= ANSWER_BYTES {
                    return Ok(records);
                }
            }
        }
        Ok(records)
    }

    async fn open_in(
        &self,
        organization: &str,
        table: Table,
        key: &[u8],
        stored: &[u8],
    ) -> Result<Opened, Error> {
        let decoded = Stored::decode(stored)?;
        let RecordHeader { bucket, .. } = decoded.header()?;
        let Stored { schema_version, .. } = decoded;
        let class = table.class;
        let place = Place { organization, table: table.name, key, schema_version, class, bucket };
        self.open_stored(&place, &decoded).await
    }

    /// Opens what is stored at a place.
    pub(crate) async fn open_stored(&self, place: &Place<'_>, stored: &Stored<'_>) -> Result<Opened, Error> {
        self.open_stored_by(place, stored, self.now_ms()).await
    }

    /// For the parts of storage that go by the time that is believed. None: replaced meanwhile, or ended.
    pub(crate) async fn open_at(
        &self,
        place: &Place<'_>,
        stored: &Stored<'_>,
        now_ms: u64,
    ) -> Result<Option<Plaintext>, Error> {
        match self.open_stored_by(place, stored, now_ms).await? {
            Opened::Value(value) => Ok(Some(value)),
            Opened::Expired | Opened::Replaced => Ok(None),
        }
    }

    async fn open_stored_by(
        &self,
        place: &Place<'_>,
        stored: &Stored<'_>,
        now_ms: u64,
    ) -> Result<Opened, Error> {
        if place.bucket.has_ended(now_ms) {
            return Ok(Opened::Expired);
        }
        let value = self.keys.read().open_record(place, stored.sealed, now_ms)?;
        match stored.chunks {
            None => Ok(Opened::Value(value)),
            Some(chunks) => self.assemble(place, chunks, value.expose(), now_ms).await,
        }
    }
}

fn found(value: Plaintext, stored: Vec<u8>) -> Result<Found, Error> {
    let decoded = Stored::decode(&stored)?;
    let (schema_version, ends_ms) = (decoded.schema_version, decoded.header()?.bucket.ends_ms());
    Ok(Found { value, schema_version, ends_ms, revision: Revision(stored) })
}
