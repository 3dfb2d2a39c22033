//! Opens everything that there is.

use vault::Place;

use crate::engine::Scan;
use crate::error::Error;
use crate::key::{RecordKey, Space};
use crate::read::Opened;
use crate::storage::Storage;
use crate::value::Stored;

/// Faults that are told one by one; the others are counted.
const FAULTS_TOLD: usize = 20;
const PAGE: usize = 256;

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verified {
    /// Records that opened.
    pub records: u64,
    /// Bytes of their values.
    pub bytes: u64,
    /// Records that have ended and wait to be removed.
    pub ended: u64,
    /// Records that do not open.
    pub faults: u64,
    /// The first of them.
    pub first: Vec<Fault>,
}

/// A record that does not open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Whose.
    pub organization: String,
    /// In which table.
    pub table: String,
    /// Its key there, which is an id.
    pub key: Vec<u8>,
    /// The code of the error.
    pub code: &'static str,
    /// The error.
    pub problem: String,
}

impl Storage {
    /// Reads every record and opens it. Others read and write meanwhile.
    ///
    /// # Errors
    /// When the engine refuses. Records that do not open are no error here: they are what is looked for.
    pub async fn verify_all(&self) -> Result<Verified, Error> {
        let mut verified = Verified::default();
        let mut after = None;
        loop {
            let scan = Scan { prefix: vec![Space::Records as u8], after, limit: PAGE };
            let entries = self.engine.scan(scan).await?;
            let Some((last, _)) = entries.last() else { return Ok(verified) };
            after = Some(last.clone());
            for (key, stored) in &entries {
                self.verify_one(&mut verified, key, stored).await?;
            }
        }
    }

    async fn verify_one(&self, verified: &mut Verified, key: &[u8], stored: &[u8]) -> Result<(), Error> {
        let problem = match self.opened(key, stored).await {
            Ok(Opened::Value(value)) => {
                verified.records += 1;
                verified.bytes += value.expose().len() as u64;
                return Ok(());
            }
            Ok(Opened::Expired) => {
                verified.ended += 1;
                return Ok(());
            }
            // A change came between our reading of the record and of its chunks.
            Ok(Opened::Replaced) if self.stored(key).await?.as_deref() != Some(stored) => return Ok(()),
            Ok(Opened::Replaced) => Error::ChunkMissing { table: String::new() },
            Err(Error::Engine(error)) => return Err(error.into()),
            Err(error) => error,
        };
        verified.faults += 1;
        if verified.first.len() < FAULTS_TOLD {
            let parsed = RecordKey::parse(key);
            verified.first.push(Fault {
                organization: parsed.map(|key| key.organization.to_owned()).unwrap_or_default(),
                table: parsed.map(|key| key.table.to_owned()).unwrap_or_default(),
                key: parsed.map_or(key, |parsed| parsed.key).to_vec(),
                code: problem.code(),
                problem: problem.to_string(),
            });
        }
        Ok(())
    }

    async fn opened(&self, key: &[u8], stored: &[u8]) -> Result<Opened, Error> {
        let RecordKey { organization, table, key } =
            RecordKey::parse(key).ok_or(Error::Format { found: Space::Records as u8 })?;
        let decoded = Stored::decode(stored)?;
        let header = decoded.header()?;
        let Stored { schema_version, .. } = decoded;
        let (class, bucket) = (header.class, header.bucket);
        let place = Place { organization, table, key, schema_version, class, bucket };
        self.open_stored(&place, &decoded).await
    }
}
