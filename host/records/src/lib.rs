//! What must outlive a run, kept in sealed storage: runs and their history, positions, row errors, logs,
//! previews, and credentials.
//!
//! [`SealedRecords`] implements the pipeline's port `RunRecords` over [`storage::Storage`], and answers what commands ask.
//! Knows which class and life each value has, and that keys hold names and numbers only; knows no engine, no keys of a
//! keyring and no connector.
//!
//! # Row errors
//!
//! Those of one commit are a *stage*: compressed chunks of one stream and schema, each with a small index record, stored in
//! as many batches as it takes before the unit's record names the stage. The batch that makes the commit true makes the
//! stage a *group* of its run, which gives its row errors their numbers. What a crash leaves is in the unit's list of
//! stages and removed when the next run begins. What a commit does to row errors of earlier ones is a *settlement*: true
//! in the batch of the commit, applied to the chunks after it, and seen by readers in between.
//!
//! A row error is changed or deleted by writing its chunk anew under another key. Where somebody wished it, the old one is
//! deleted so that storage erases it; where a run did it, the old bytes end with their day: sealing everything anew after
//! each reprocess or crash would make every backup from before unreadable.

mod begin;
mod by_organization;
mod checkpoints;
mod chunk;
mod codec;
mod commit;
mod credentials;
mod edit;
mod error;
mod errors;
mod forget;
mod groups;
mod kept;
mod lease;
mod log;
mod port;
mod previews;
mod records;
mod reprocess;
mod runs;
mod seat;
mod session;
mod settings;
mod settlement;
mod stage;
mod superseded;
mod sweep;
mod tables;
mod taken;
mod unit;
mod walk;

#[cfg(test)]
mod tests;

pub use by_organization::RecordsByOrganization;
pub use checkpoints::{PositionChange, PositionChangeKind, UnitPosition};
pub use credentials::{
    CredentialBinding, CredentialFields, CredentialUpdate, EnteredCredential, KeptCredential,
    OpenedCredential, UpdateCause,
};
pub use error::Error;
pub use errors::{ErrorCounts, ErrorFilter, ErrorId, ErrorPage, ErrorState, KeptError, StateFilter};
pub use log::{LogLevel, LogLine, LogPage, LogPlace, RunLines, RunLog};
pub use previews::Preview;
pub use records::SealedRecords;
pub use reprocess::{Choice, Reprocess, ReprocessRequest};
pub use runs::{GroupEnd, KnownSync, RunEnd, RunEntry};
pub use session::Session;
pub use settings::{Retention, Settings};
pub use taken::TakenBack;
