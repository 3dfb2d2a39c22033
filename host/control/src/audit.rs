//! The audit log: who did what, so that nobody can change it afterwards without being found out.
//!
//! One log for each organization and one for the installation, each an append-only Merkle tree as in RFC 6962 with signed
//! checkpoints. Whoever keeps a checkpoint elsewhere can hold the log against it for ever.

mod entry;
mod export;
mod findings;
mod log;
mod note;
mod persons;
mod proof;
mod prove;
mod read;
mod tree;
mod verify;

pub use entry::{Act, Event, Outcome, Personal};
pub use export::Exported;
pub use findings::Finding;
pub use log::{Audit, Head, Log, Recorded};
pub use note::{Checkpoint, NoteKey};
pub use persons::PersonalFields;
pub use proof::{verify_consistency, verify_inclusion};
pub use prove::{Proof, Remembered};
pub use read::ReadEntry;
pub use verify::{Verification, VerifyOptions, verify_export};

#[cfg(test)]
pub(crate) use tree::leaf_hash as test_leaf_hash;
