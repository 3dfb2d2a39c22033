//! Durable ordered storage in which everything is sealed: conditional batches, expiry, leases, backup.
//!
//! Two layers. An [`Engine`] keeps ordered bytes durably and knows nothing of keys and organizations; [`Storage`] seals
//! what it is given for its place (organization, table, key, schema version, expiry) and lets an engine keep it, so that a
//! disk sees ciphertext only. Knows not what the values mean.

mod change;
mod clock;
mod engine;
mod error;
mod key;
mod memory;
mod storage;
mod table;
mod value;

pub use change::{Change, Revision};
pub use clock::{Clock, SystemClock};
pub use engine::{
    BATCH_BYTES_MAX, BATCH_OPERATIONS_MAX, Batch, Engine, EngineError, Entry, Expect, KEY_BYTES_MAX, Scan,
    Sequence, Snapshot, SnapshotItem, VALUE_BYTES_MAX,
};
pub use error::Error;
pub use memory::MemoryEngine;
pub use storage::{Found, Range, Storage};
pub use table::{Life, Table};
