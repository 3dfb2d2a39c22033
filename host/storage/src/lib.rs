//! Durable ordered storage in which everything is sealed: conditional batches, expiry, leases, backup.
//!
//! Two layers. An [`Engine`] keeps ordered bytes durably and knows nothing of keys and organizations; [`Storage`] seals
//! what it is given for its place (organization, table, key, schema version, expiry) and lets an engine keep it, so that a
//! disk sees ciphertext only. Knows not what the values mean.
//!
//! # Not guaranteed
//!
//! - Erasing what was deleted destroys the organization's former key, and with it what *every* backup from before has of
//!   this organization: make a backup after it.
//! - A value that is overwritten is not erased by that: whoever has its former bytes and the organization's key reads it,
//!   until the key is rotated, its bucket ends, or something of the organization is deleted.
//! - An older value put back in its place by somebody who can write to the disk opens; the journal of the durable engine
//!   notices it, the memory and a foreign database do not.
//! - A clock that is set back behind a full hour that has begun since the last pass of maintenance or commit, in another
//!   process than the one that saw it, is believed by that much.
//! - Ids, names of tables, sizes and times of writing are not hidden from whoever reads the disk.

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
