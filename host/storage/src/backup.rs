//! Backups: all that an engine has as of one commit, while commits go on. They hold sealed records and no keys.
//!
//! ```text
//! magic 8 "COFFBKUP" | version u16 | deployment 16 | backup 16 (random) | created u64, milliseconds since the epoch
//! frame: kind u8 (1 items, 2 end) | length u32 | sealed
//! ```
//! A frame is sealed under the deployment's backup key (`vault::BackupKey`) for the 50 bytes of the start, its kind and its
//! number u64 from 0: a frame that was changed, left out, moved, or is of another backup does not open. Within the seal:
//!
//! ```text
//! items: length of the heads u32 | heads, compressed with zstd | values, one after the other
//!        head: kind u8 (1 put, 2 delete) | length of the key u16 | key | length of the value u32
//! end:   frames u64 | items u64 | sequence u64 | BLAKE3 of all frames before it 32
//! ```
//! Nothing may follow the end. Numbers are big-endian. Keys and lengths are compressed, to a tenth and less. Values are
//! not: they are ciphertext, in which nothing is left to compress; who writes large values compresses before sealing.
//!
//! What opens from a backup is decided by the keyring of the day on which it is restored. Records whose bucket has ended
//! since, of organizations that were deleted since, and of those in which something was erased since, open no more.

mod error;
mod format;
mod read;
mod restore;
mod write;

pub use error::BackupError;
pub use read::BackupReader;
pub use restore::{Restored, restore_backup, verify_backup};

use vault::DeploymentId;

/// What a backup says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackupSummary {
    /// The deployment that it is of.
    pub deployment: DeploymentId,
    /// When it was begun, in milliseconds since the epoch.
    pub created_ms: u64,
    /// The commit as of which it holds.
    pub sequence: u64,
    /// Steps towards that state: records, and what storage keeps beside them.
    pub items: u64,
    /// Frames, without the last.
    pub frames: u64,
    /// Bytes of the file.
    pub bytes: u64,
}
