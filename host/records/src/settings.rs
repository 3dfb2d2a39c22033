//! How much is kept, and for how long.

use crate::codec;
use crate::error::Error;
use crate::records::SealedRecords;
use crate::tables::{Key, SETTINGS};
use serde::{Deserialize, Serialize};
use storage::{Change, Life};

const HOUR_MS: u64 = 60 * 60 * 1_000;
const DAY_MS: u64 = 24 * HOUR_MS;

/// Sizes that tests make small.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// A source row larger than this is not kept; its size is.
    pub row_bytes_max: usize,
    /// So many keys of open row errors of one stream are looked for in a run, the newest first.
    pub open_keys_max: usize,
    /// Lines of guests that are kept of one run.
    pub log_lines_max: u64,
    /// Bytes of such lines.
    pub log_bytes_max: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            row_bytes_max: 1 << 20,
            open_keys_max: 1_000_000,
            log_lines_max: 10_000,
            log_bytes_max: 4 << 20,
        }
    }
}

/// How long an organization's data is kept. What is promised to everyone is the default, and the most there can be. A
/// shorter time holds for what is written from then on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Retention {
    /// Row errors with their rows.
    pub row_errors_ms: u64,
    /// Lines of guests, ledgers, and the texts of reports.
    pub run_logs_ms: u64,
    /// Rows of previews.
    pub previews_ms: u64,
    /// Messages of event endpoints.
    pub events_ms: u64,
    /// Whether a run's log also says what each commit brought, and not only what went wrong.
    pub success_logs: bool,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            row_errors_ms: 45 * DAY_MS,
            run_logs_ms: 45 * DAY_MS,
            previews_ms: DAY_MS,
            events_ms: DAY_MS,
            success_logs: false,
        }
    }
}

impl Retention {
    /// Nothing is kept for longer than promised. What would live for less than an hour would have ended before it is
    /// written: keys end with full hours.
    ///
    /// # Errors
    /// [`Error::RetentionTooLong`], [`Error::RetentionTooShort`].
    pub fn check(&self) -> Result<(), Error> {
        let longest = Self::default();
        let within = |setting, wanted_ms, longest_ms| {
            if wanted_ms < HOUR_MS {
                return Err(Error::RetentionTooShort { setting, wanted_ms });
            }
            if wanted_ms > longest_ms {
                return Err(Error::RetentionTooLong { setting, wanted_ms, longest_ms });
            }
            Ok(())
        };
        within("row_errors", self.row_errors_ms, longest.row_errors_ms)?;
        within("run_logs", self.run_logs_ms, longest.run_logs_ms)?;
        within("previews", self.previews_ms, longest.previews_ms)?;
        within("events", self.events_ms, longest.events_ms)
    }
}

impl SealedRecords {
    /// How long the organization's data is kept.
    ///
    /// # Errors
    /// When storage cannot be read.
    pub async fn retention(&self) -> Result<Retention, Error> {
        Ok(self
            .read_json(SETTINGS, &retention_key())
            .await?
            .map(|(retention, _)| retention)
            .unwrap_or_default())
    }

    /// Changes how long the organization's data is kept, for what is written from now on.
    ///
    /// # Errors
    /// [`Error::RetentionTooLong`] when it would be longer than promised, [`Error::RetentionTooShort`].
    pub async fn set_retention(&self, retention: &Retention) -> Result<(), Error> {
        retention.check()?;
        let value = codec::to_json(SETTINGS, retention)?;
        let change = Change::new(&*self.organization).put(SETTINGS, retention_key(), Life::Standing, value);
        self.storage.commit(change).await?;
        Ok(())
    }
}

fn retention_key() -> Key {
    Key::default().name("retention")
}
