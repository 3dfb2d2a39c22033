//! A whole log as a file that can be verified anywhere: lines of JSON.
//!
//! The first line tells which log it is and by which key it is judged, the last is a signed checkpoint, and each line
//! between them is an entry, byte for byte as it was hashed. Personal fields stay sealed in it.

use super::log::{Audit, Log};
use crate::error::Error;
use crate::keeper::SCAN_RECORDS;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncWrite, AsyncWriteExt};

/// The first line of an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Header {
    /// The version of the format.
    pub(super) cofferdam_audit: u32,
    pub(super) origin: String,
    pub(super) key: String,
}

/// The last line of an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Footer {
    pub(super) checkpoint: String,
}

pub(super) const VERSION: u32 = 1;

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// How many entries.
    pub entries: u64,
    /// The signed checkpoint at its end, to be remembered elsewhere.
    pub checkpoint: String,
}

impl Audit {
    /// Writes a log as it is when the call is made; entries that come meanwhile are not in it.
    ///
    /// # Errors
    /// When storage cannot be read, or what it is written to refuses.
    pub async fn export(
        &self,
        log: &Log,
        out: &mut (dyn AsyncWrite + Unpin + Send),
    ) -> Result<Exported, Error> {
        let head = self.head(log).await?;
        let checkpoint = self.sign(log, &head);
        let header =
            Header { cofferdam_audit: VERSION, origin: self.origin(log), key: self.key().to_string() };
        write_line(out, &line(&header)?).await?;
        let mut entries = 0;
        while entries < head.size {
            let page = self.lines(log, entries, SCAN_RECORDS).await?;
            let left = usize::try_from(head.size - entries).unwrap_or(usize::MAX);
            if page.is_empty() {
                return Err(Error::NoSuchEntry {
                    log: log.name().to_owned(),
                    number: entries,
                    entries: head.size,
                });
            }
            for (number, bytes) in page.into_iter().take(left) {
                write_line(out, &bytes).await?;
                entries = number + 1;
            }
        }
        write_line(out, &line(&Footer { checkpoint: checkpoint.clone() })?).await?;
        out.flush().await.map_err(Error::Export)?;
        Ok(Exported { entries, checkpoint })
    }
}

fn line<T: Serialize>(value: &T) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(value).map_err(|error| Error::Export(error.into()))
}

async fn write_line(out: &mut (dyn AsyncWrite + Unpin + Send), line: &[u8]) -> Result<(), Error> {
    out.write_all(line).await.map_err(Error::Export)?;
    out.write_all(b"\n").await.map_err(Error::Export)
}
