//! Keys: seals and opens records, keeps the keyring, rotates and shreds.
//!
//! Pure but for randomness and the few files that hold keys. Knows no storage, no organization beyond its id, no network
//! and no clock: whoever calls gives `now_ms`, milliseconds since the epoch.
mod bucket;
mod cells;
mod codec;
mod counter;
mod deployment;
mod envelope;
mod error;
mod files;
mod hex;
mod kek;
mod keyring;
mod memory_key;
mod record;
mod seal_error;
mod secret;
mod slot;
mod xaes;

pub use bucket::{Bucket, Class};
pub use deployment::{DeploymentId, KeyId};
pub use envelope::UnwrapError;
pub use error::Error;
pub use files::{FileSystem, Guard, Lock, OsFiles};
pub use kek::{
    Argon2Parameters, CredentialKek, Kek, KekProvider, KeyFile, Passphrase, PassphraseKek, RecoveryKey,
    WantedKek,
};
pub use keyring::{Deletion, ExportSummary, Keyring, Location, Status};
pub use memory_key::MemoryKey;
pub use record::{OVERHEAD_BYTES, PLAINTEXT_BYTES_MAX, Place, RecordHeader};
pub use seal_error::SealError;
pub use secret::{Key, NoRandomness, Plaintext};
pub use slot::ShredSlot;
