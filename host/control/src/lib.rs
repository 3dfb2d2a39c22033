//! Who may do what in an installation: people and the audit log, over sealed storage.
//!
//! Decides and remembers; executes nothing. Knows no engine, no connector, no route of HTTP; rows never pass through here.
//!
//! # Where things are kept
//!
//! What is of the installation (who its people are, and every audit log) is kept under a storage organization of its own,
//! [`INSTALLATION`], so that it outlives the organizations it tells of. What is of one organization is kept under its own
//! key and goes with it.

mod audit;
mod error;
mod keeper;
mod secret;
mod tables;
mod users;

#[cfg(test)]
mod tests;

pub use audit::{
    Act, Audit, Checkpoint, Event, Exported, Finding, Head, Log, NoteKey, Outcome, Personal, PersonalFields,
    Proof, ReadEntry, Recorded, Remembered, Verification, VerifyOptions, verify_consistency, verify_export,
    verify_inclusion,
};
pub use error::Error;
pub use keeper::INSTALLATION;
pub use secret::Secret;
pub use users::{Email, Login, PasswordPolicy, SecondFactorSetup, User, Users, UsersOptions, Weakness};
