//! Seals what it is given and lets an engine keep it; opens what it finds.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use vault::{Bucket, Keyring, Place, Plaintext, RecordHeader};

use crate::change::{Change, Revision, Step};
use crate::clock::Clock;
use crate::engine::{Batch, Engine, EngineError, Expect, Scan, Sequence};
use crate::error::Error;
use crate::table::Table;
use crate::{key, value};

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

/// Sealed storage over an engine. Every call may be made from any task.
pub struct Storage {
    engine: Arc<dyn Engine>,
    keyring: RwLock<Keyring>,
    clock: Arc<dyn Clock>,
}

impl Storage {
    /// Storage in this engine under the keys of this keyring.
    #[must_use]
    pub fn new(engine: Arc<dyn Engine>, keyring: Keyring, clock: Arc<dyn Clock>) -> Self {
        Self { engine, keyring: RwLock::new(keyring), clock }
    }

    /// A record; none where there is none or it has expired.
    ///
    /// # Errors
    /// When it cannot be read or opened.
    pub async fn get(&self, organization: &str, table: Table, key: &[u8]) -> Result<Option<Found>, Error> {
        let stored = self.engine.get(&key::record(organization, table.name, key)?).await?;
        stored.map_or(Ok(None), |stored| self.open(organization, table, key, stored))
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
        let mut found = Vec::new();
        while found.is_empty() {
            let scan = Scan { prefix: within(range.prefix), after: after.take(), limit: range.limit };
            let entries = self.engine.scan(scan).await?;
            let Some((last, _)) = entries.last() else { break };
            after = Some(last.clone());
            for (stored_key, stored) in entries {
                let key = stored_key.get(table_prefix.len()..).unwrap_or_default().to_vec();
                if let Some(one) = self.open(organization, table, &key, stored)? {
                    found.push((key, one));
                }
            }
        }
        Ok(found)
    }

    /// Makes a change true, whole, if what it expects is true. When it returns, it is durable.
    ///
    /// # Errors
    /// [`Error::Conflict`] when something is not as expected: nothing was changed.
    pub async fn commit(&self, change: Change) -> Result<Sequence, Error> {
        let batch = self.seal(change)?;
        match self.engine.commit(batch).await {
            Err(EngineError::Conflict { .. }) => Err(Error::Conflict { table: String::new() }),
            result => Ok(result?),
        }
    }

    fn seal(&self, change: Change) -> Result<Batch, Error> {
        let Change { organization, steps } = change;
        let mut batch = Batch::default();
        for step in steps {
            match step {
                Step::Expect { table, key, revision } => batch.expect.push(Expect {
                    key: key::record(&organization, table.name, &key)?,
                    value: revision.map(|revision| revision.0),
                }),
                Step::Delete { table, key } => {
                    batch.delete.push(key::record(&organization, table.name, &key)?);
                }
                Step::Put { table, key, life, value } => {
                    let now_ms = self.clock.now_ms();
                    let place = Place {
                        organization: &organization,
                        table: table.name,
                        key: &key,
                        schema_version: table.schema_version,
                        class: table.class,
                        bucket: life.bucket(now_ms),
                    };
                    self.ensure_bucket(place.bucket, now_ms)?;
                    let sealed = self.keyring().seal(&place, &value, now_ms)?;
                    let stored = value::encode(table.schema_version, &sealed);
                    batch.put.push((key::record(&organization, table.name, &key)?, stored));
                }
            }
        }
        Ok(batch)
    }

    fn ensure_bucket(&self, bucket: Bucket, now_ms: u64) -> Result<(), Error> {
        if self.keyring().buckets().any(|known| known == bucket) {
            return Ok(());
        }
        let mut keyring = self.keyring.write().unwrap_or_else(PoisonError::into_inner);
        Ok(keyring.create_buckets(&[bucket], now_ms)?)
    }

    /// None when it has expired.
    fn open(
        &self,
        organization: &str,
        table: Table,
        key: &[u8],
        stored: Vec<u8>,
    ) -> Result<Option<Found>, Error> {
        let now_ms = self.clock.now_ms();
        let (schema_version, sealed) = value::decode(&stored)?;
        let bucket = RecordHeader::parse(sealed)?.bucket;
        if bucket.has_ended(now_ms) {
            return Ok(None);
        }
        let class = table.class;
        let place = Place { organization, table: table.name, key, schema_version, class, bucket };
        let value = self.keyring().open_record(&place, sealed, now_ms)?;
        Ok(Some(Found { value, schema_version, revision: Revision(stored), ends_ms: bucket.ends_ms() }))
    }

    fn keyring(&self) -> RwLockReadGuard<'_, Keyring> {
        self.keyring.read().unwrap_or_else(PoisonError::into_inner)
    }
}
