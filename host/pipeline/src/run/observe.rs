//! The port `Observer`: progress, for people who watch.

use serde::{Deserialize, Serialize};

/// What a read group is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Connectors are opened and asked for their plans.
    Opening,
    /// Rows move.
    Moving,
    /// The source asked to wait.
    Waiting {
        /// For so many milliseconds.
        ms: u64,
    },
    /// The destination makes rows durable.
    Committing,
    /// An attempt failed and another one follows.
    Retrying {
        /// After so many milliseconds.
        ms: u64,
        /// Why.
        reason: String,
    },
    /// It is over.
    Ended,
}

/// What a read group is doing now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupProgress {
    /// The read group.
    pub group: String,
    /// The attempt, from 1.
    pub attempt: u32,
    /// What it is doing.
    pub phase: Phase,
}

/// How far a stream is. What is not committed yet can still be rolled back: then the figures fall.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamProgress {
    /// The read group.
    pub group: String,
    /// The stream.
    pub stream: String,
    /// Source rows that came as far as the destination.
    pub read: u64,
    /// Rows that the destination took.
    pub accepted: u64,
    /// Rows that someone rejected.
    pub rejected: u64,
    /// Rows that were filtered.
    pub filtered: u64,
    /// Rows of those read that are committed.
    pub committed: u64,
    /// Bytes of the rows read.
    pub bytes: u64,
}

/// Sees a run go on. Called on the tasks of the run, for each batch, commit and change of phase, never for each row; several
/// groups may call at one time. Must return at once and must not panic.
pub trait Observer: Send + Sync {
    /// A stream has moved on.
    fn stream(&self, progress: StreamProgress);

    /// A group does something else now.
    fn group(&self, progress: GroupProgress);
}

/// Watches nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoObserver;

impl Observer for NoObserver {
    fn stream(&self, _progress: StreamProgress) {}

    fn group(&self, _progress: GroupProgress) {}
}
