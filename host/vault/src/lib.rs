//! Keys: seals and opens records, keeps the keyring, rotates and shreds.
//!
//! Pure but for randomness and the few files that hold keys. Knows no storage, no organization beyond its id, no network
//! and no clock: whoever calls gives `now_ms`, milliseconds since the epoch.
//!
//! # Hierarchy
//!
//! ```text
//! KEK             key file, passphrase or credential of the service manager; never in the data directory
//!  └ root key     one a deployment; in the keyring's head, wrapped under the KEK
//!     ├ organization keys   one a generation; wrapped under the root key
//!     └ bucket keys         one an expiry hour or day, shared by all organizations; wrapped under the root key
//!        data key = HKDF-SHA-256(organization key, salt: bucket key, class)
//!  └ root key ─ backup key    seals the frames of backups, whose records are sealed by their own keys besides
//! shred key       seals the keyring's body, lies in an erasable slot, is replaced at each shred
//! ```
//! A data key needs both its parents, so deleting an organization and ending a bucket each destroy what they should.
//! Credentials, checkpoints and metadata mostly do not expire: they are in the *standing* bucket, whose key is as old as
//! the keyring. One rule for all classes is easier to hold than an exception, and nothing is lost by it: what does not
//! expire is erased with its organization, or by a rotation.
//!
//! **A single record** is erased by [`Keyring::rotate_organization`], sealing anew what remains
//! ([`Keyring::needs_reseal`]) and [`Keyring::retire_generations`], for many deletions at once. Bucket keys are shared, so
//! the organization's key is the only one that can be destroyed for one organization alone.
//!
//! # Record
//!
//! ```text
//! version u8 = 1 | algorithm u8 = 1 (XAES-256-GCM) | key id 10 | nonce 24 | ciphertext | tag 16
//! key id: class u8 | bucket: span u8 (0 standing, 1 hour, 2 day), number u32 | generation u32
//! ```
//! Numbers are big-endian. The associated data are, each with its length before it: the first 12 bytes, deployment,
//! organization, table, key, schema version, bucket. Wrapped keys have a format of their own with a commitment to the
//! wrapping key; keyring, key file and export draw theirs where they are written.
//!
//! # Guarantees
//!
//! - A record opens only at its place, and only whole. Nothing of it is released before its tag was found right.
//! - A bucket that has ended is not served, also while its key is still there.
//! - A change of the keyring is durable when it returns. A power cut behind any step loses no key that was not to be
//!   destroyed; what an interrupted shred has left is completed or undone when the keyring is opened.
//! - What was shredded opens neither by the keyring nor by any earlier bytes of it, with the current KEK and slot.
//! - No key seals more than 2^48 messages, also across crashes: a range is reserved on disk before it is used.
//! - Secrets are wiped when dropped; their types have no `Debug`, `Clone` or `Serialize`.
//!
//! # Not guaranteed
//!
//! - Erasing overwrites the slot where it lies. File systems that copy on write, snapshots, and the spare blocks of flash
//!   can keep the old bytes: the slot belongs on a disk without snapshots, at best one that is encrypted itself.
//! - Without a slot, deletion is logical only; [`Status::deletion`] says so.
//! - Whoever has an earlier slot *and* an earlier keyring *and* the KEK reads what was deleted since. So does whoever has
//!   an earlier export and its recovery key: exports are to be made anew after each shred.
//! - Records carry no commitment to their key; it is the wrapped keys that must not open under two.
//! - An older record put back in its own place opens: freshness is the part of storage.
//! - Lengths, classes, buckets and generations of records are not hidden.
//! - Copies that the compiler makes on the stack, swapped pages and core dumps are beyond what wiping reaches.

mod backup_key;
mod bucket;
mod cells;
mod codec;
mod counter;
mod deployment;
mod envelope;
mod error;
mod files;
mod hex;
mod journal_key;
mod kek;
mod keyring;
mod memory_key;
mod record;
mod seal_error;
mod secret;
mod slot;
mod xaes;

pub use backup_key::BackupKey;
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
pub use secret::{Key, NoRandomness, Plaintext, random_bytes};
pub use slot::ShredSlot;
