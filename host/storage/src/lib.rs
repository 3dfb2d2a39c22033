//! Durable ordered storage in which everything is sealed: conditional batches, expiry, leases, backup.
//!
//! Two layers. An [`Engine`] keeps ordered bytes durably and knows nothing of keys and organizations; [`Storage`] seals
//! what it is given for its place (organization, table, key, schema version, expiry) and lets an engine keep it, so that a
//! disk sees ciphertext only. Knows not what the values mean.

mod backup;
mod cache;
mod change;
mod chunks;
mod clock;
mod commit;
mod draft;
mod engine;
mod error;
mod hasher;
mod heads;
mod key;
mod keys;
mod lease;
mod maintain;
mod memory;
mod notes;
mod organizations;
mod purge;
mod read;
mod reseal;
pub mod sled;
mod storage;
mod table;
mod time;
mod value;
mod verify;

pub use self::sled::SledEngine;
pub use backup::{BackupError, BackupReader, BackupSummary, Restored, restore_backup, verify_backup};
pub use cache::Cache;
pub use change::{CHANGE_BYTES_MAX, CHANGE_STEPS_MAX, Change, Revision};
pub use clock::{Clock, SystemClock};
pub use engine::{
    BATCH_BYTES_MAX, BATCH_OPERATIONS_MAX, Batch, Engine, EngineError, Entry, Expect, KEY_BYTES_MAX, Scan,
    Sequence, Snapshot, SnapshotItem, VALUE_BYTES_MAX,
};
pub use error::Error;
pub use hasher::KeyedHasher;
pub use lease::Lease;
pub use maintain::{Maintenance, Pass};
pub use memory::MemoryEngine;
pub use read::{Found, Range};
pub use reseal::Resealing;
pub use storage::Storage;
pub use table::{Life, Table};
pub use verify::{Fault, Verified};
