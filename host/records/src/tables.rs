//! What is kept, in which class, and under which keys. Keys hold names of syncs, units and streams and numbers; never
//! anything of a row.

use storage::Table;
use vault::Class;

const fn table(name: &'static str, class: Class) -> Table {
    Table { name, class, schema_version: 1 }
}

/// `sync`: its newest run. Written when a run begins and never else: whoever expects it unchanged is not fenced.
pub(crate) const SYNCS: Table = table("syncs", Class::Metadata);
/// `sync | run`: when it ran, its counters, how it ended. Standing.
pub(crate) const RUNS: Table = table("runs", Class::Metadata);
/// `sync | run`: the report with all its texts, which may quote rows.
pub(crate) const REPORTS: Table = table("run_reports", Class::Rows);
/// `sync | run`: what went out and what was denied.
pub(crate) const LEDGERS: Table = table("run_ledgers", Class::Rows);
/// `sync | run | number`: lines of guests.
pub(crate) const LOGS: Table = table("run_logs", Class::Rows);
/// `sync | unit`: position, counters, what is prepared.
pub(crate) const UNITS: Table = table("units", Class::Checkpoints);
/// `sync | unit`: numbers of the stages that hold something which no commit has named yet.
pub(crate) const STAGES: Table = table("stages", Class::Metadata);
/// `sync | run`: how many row errors the run has.
pub(crate) const ERROR_COUNTS: Table = table("error_counts", Class::Metadata);
/// `sync | run | number of its first row error`: a stage that a commit has made true.
pub(crate) const ERROR_GROUPS: Table = table("error_groups", Class::Rows);
/// `sync | run | stage | chunk`: what is in a chunk.
pub(crate) const ERROR_INDEX: Table = table("error_index", Class::Rows);
/// `sync | run | stage | chunk | revision`: compressed row errors. Version 1 had a batch for each row.
pub(crate) const ERROR_CHUNKS: Table = Table { schema_version: 2, ..table("error_chunks", Class::Rows) };
/// `sync | stream | run | stage | chunk`: keyed hashes of the keys of its open row errors.
pub(crate) const ERROR_KEYS: Table = table("error_keys", Class::Rows);
/// `sync | run | fingerprint`: a schema by which row errors are laid out.
pub(crate) const ERROR_SCHEMAS: Table = table("error_schemas", Class::Rows);
/// `sync | unit | kind`: what a commit does to row errors of earlier commits.
pub(crate) const SETTLEMENTS: Table = table("settlements", Class::Rows);
/// `sync | unit | token | segment`: rows that a destination may reject as late as at its commit.
pub(crate) const KEPT_ROWS: Table = table("kept_rows", Class::Rows);
/// `sync | time | number`: what people did to positions.
pub(crate) const CHANGES: Table = table("position_changes", Class::Metadata);
/// `sync | stream`: rows that were shown.
pub(crate) const PREVIEWS: Table = table("previews", Class::Rows);
/// `request`: which row errors somebody chose to send through again. May quote rows.
pub(crate) const REPROCESS_REQUESTS: Table = table("reprocess_requests", Class::Rows);
/// `credential`: what it is for, who entered it, its public fields. Standing.
pub(crate) const CREDENTIALS: Table = table("credentials", Class::Credentials);
/// `credential | generation`: its secret fields. Standing.
pub(crate) const CREDENTIAL_SECRETS: Table = table("credential_secrets", Class::Credentials);
/// One record a setting of the organization.
pub(crate) const SETTINGS: Table = table("record_settings", Class::Metadata);

/// Names longer than this stand in keys by their hash: a key has room for three of them.
const NAME_BYTES_MAX: usize = 120;
/// Before a hash, where else the length of a name stands.
const HASHED: u8 = 255;

/// Builds a key of parts, none of which can be taken for another.
#[derive(Debug, Clone, Default)]
pub(crate) struct Key(Vec<u8>);

impl Key {
    /// What belongs to a sync.
    pub(crate) fn of(sync: &str) -> Self {
        Self::default().name(sync)
    }

    pub(crate) fn name(mut self, name: &str) -> Self {
        match u8::try_from(name.len()) {
            Ok(length) if name.len() <= NAME_BYTES_MAX => {
                self.0.push(length);
                self.0.extend_from_slice(name.as_bytes());
            }
            _ => {
                self.0.push(HASHED);
                self.0.extend_from_slice(blake3::hash(name.as_bytes()).as_bytes());
            }
        }
        self
    }

    /// In the order of numbers.
    pub(crate) fn number(mut self, number: u64) -> Self {
        self.0.extend_from_slice(&number.to_be_bytes());
        self
    }

    pub(crate) fn short(mut self, number: u32) -> Self {
        self.0.extend_from_slice(&number.to_be_bytes());
        self
    }

    pub(crate) fn bytes(self) -> Vec<u8> {
        self.0
    }
}

impl std::ops::Deref for Key {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl From<Key> for Vec<u8> {
    fn from(key: Key) -> Self {
        key.bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::Key;
    use std::collections::BTreeSet;

    #[test]
    fn different_names_have_different_keys_and_long_ones_short_keys() {
        let (long, longer) = ("x".repeat(300), "x".repeat(301));
        let names = ["", "a", "b", "ab", "é", "a/b", long.as_str(), longer.as_str()];
        let mut keys = BTreeSet::new();
        for first in names {
            for second in names {
                let key = Key::of(first).name(second);
                assert!(key.len() <= 2 * 121);
                assert!(keys.insert(key.bytes()), "{first} {second}");
            }
        }
    }

    #[test]
    fn numbers_are_in_their_order() {
        assert!(*Key::of("s").number(255) < *Key::of("s").number(256));
    }
}
