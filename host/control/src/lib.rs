//! Who may do what in an installation, from where and when: people, organizations, sessions, tokens, zones, schedules and
//! the audit log, over sealed storage.
//!
//! Decides and remembers; executes nothing. Knows no engine, no connector, no route of HTTP; rows never pass through here.
//!
//! # Where things are kept
//!
//! What is of the installation (who its people are, and every audit log) is kept under a storage organization of its own,
//! [`INSTALLATION`], so that it outlives the organizations it tells of. What is of one organization is kept under its own
//! key and goes with it.

mod access;
mod answers;
mod audit;
mod components;
mod connections;
mod endpoints;
mod error;
mod filed;
mod installations;
mod keeper;
mod live;
mod organizations;
mod queue;
mod scheduler;
mod schedules;
mod secret;
mod sessions;
mod syncs;
mod tables;
mod tokens;
mod users;
mod zones;

#[cfg(test)]
mod tests;

pub use access::{Action, Actor, Reason, Scope, judge, judge_token};
pub use answers::{Answer, Answers, Asked, Begun};
pub use audit::{
    Act, Audit, Checkpoint, Event, Exported, Finding, Head, Log, NoteKey, Outcome, Personal, PersonalFields,
    Proof, ReadEntry, Recorded, Remembered, Verification, VerifyOptions, verify_consistency, verify_export,
    verify_inclusion,
};
pub use components::{COMPONENT_BYTES_MAX, Components};
pub use connections::{
    Catalog, CatalogField, CatalogStream, Connection, ConnectionConfig, ConnectionSummary, Connections,
    Consent, CredentialState, CredentialToEnter, Entered, Grantable, GrantedDirectory, OfferedDirectory,
    stored_prefix,
};
pub use endpoints::{
    Accepted, Arrived, Endpoint, EndpointOptions, EndpointToken, Endpoints, EventError, EventLoad,
    EventMessage, EventQueue, OpenEndpoint,
};
pub use error::Error;
pub use filed::{Left, Page};
pub use installations::{Installation, Installations, LOSSES_MAX, Loss};
pub use keeper::INSTALLATION;
pub use live::{Happened, Heard, Listener, Live, LiveEvent, RunCounts};
pub use organizations::{
    Deletion, DeletionCertificate, Glass, GlassState, Invitation, Invited, Member, MemberRole,
    OperatorInvitation, Organization, Organizations, Region,
};
pub use queue::{
    ActiveRun, ActiveState, Cause, Ending, Load, Order, Queue, QueueOptions, RunOutcome, Taken, Taking, Wish,
};
pub use scheduler::{Scheduler, SchedulerPass};
pub use schedules::{CatchUp, Plan, Schedule, ScheduleSpec, When};
pub use secret::Secret;
pub use sessions::{Session, Sessions};
pub use syncs::{
    LastRun, LookedInto, PauseCause, SchemaChanges, StoredSync, SyncSpec, SyncState, SyncSummary, Syncs,
};
pub use tokens::{NewToken, Token, Tokens};
pub use users::{Email, Login, PasswordPolicy, SecondFactorSetup, User, Users, UsersOptions, Weakness};
pub use zones::{Entrance, Zones, client_address};
