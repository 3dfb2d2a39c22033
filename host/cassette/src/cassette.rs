//! A cassette as a run has it: one that is written or one that is read.

use std::sync::Arc;

use crate::error::Error;
use crate::play::{Played, Player};
use crate::record::{Recorder, Recording};

/// A cassette. Clones are the same one.
#[derive(Clone)]
pub enum Cassette {
    /// It is written.
    Record(Recorder),
    /// It is read.
    Replay(Player),
}

/// A connection's share of it.
#[derive(Clone)]
pub struct Reel {
    cassette: Cassette,
    connection: String,
}

/// An instance's share of it.
#[derive(Clone)]
pub enum Tape {
    /// It is written.
    Record(Arc<Recording>),
    /// It is read.
    Replay(Arc<Played>),
}

impl Cassette {
    /// The share of the connection with this name.
    pub fn reel(&self, connection: &str) -> Reel {
        Reel { cassette: self.clone(), connection: connection.to_owned() }
    }
}

impl Reel {
    /// The share of an instance that is about to be made for this call, which is about this: a read group, a commit unit. Of
    /// several that are made for the same, the first in a replay has what the first had in the recording. `seed` is what
    /// its randomness is made of in a recording.
    ///
    /// # Errors
    /// It cannot be written, or what was written is damaged.
    pub fn tape(&self, call: &str, about: &str, seed: [u8; 32]) -> Result<Tape, Error> {
        match &self.cassette {
            Cassette::Record(recorder) => {
                Ok(Tape::Record(Arc::new(recorder.tape(&self.connection, call, about, seed)?)))
            }
            Cassette::Replay(player) => {
                Ok(Tape::Replay(Arc::new(player.tape(&self.connection, call, about)?)))
            }
        }
    }

    /// Whether everything is answered from the cassette.
    pub fn is_replay(&self) -> bool {
        matches!(self.cassette, Cassette::Replay(_))
    }
}

impl Tape {
    /// From what all of its randomness is made.
    pub fn seed(&self) -> [u8; 32] {
        match self {
            Self::Record(tape) => tape.seed(),
            Self::Replay(tape) => tape.seed(),
        }
    }

    /// A call of the contract begins.
    pub fn begin_call(&self, call: &str) {
        match self {
            Self::Record(tape) => tape.begin_call(call),
            Self::Replay(tape) => tape.begin_call(call),
        }
    }

    /// The time of day: what the machine says, kept; or what was kept.
    pub fn wall_ms(&self, real: impl FnOnce() -> u64) -> u64 {
        match self {
            Self::Record(tape) => kept(real(), |ms| tape.wall_ms(ms)),
            Self::Replay(tape) => tape.wall_ms(),
        }
    }

    /// The other clock, likewise.
    pub fn monotonic_ms(&self, real: impl FnOnce() -> u64) -> u64 {
        match self {
            Self::Record(tape) => kept(real(), |ms| tape.monotonic_ms(ms)),
            Self::Replay(tape) => tape.monotonic_ms(),
        }
    }

    /// Why it cannot go on.
    pub fn fault(&self) -> Option<Error> {
        match self {
            Self::Record(tape) => tape.fault(),
            Self::Replay(tape) => tape.fault(),
        }
    }
}

fn kept(ms: u64, keep: impl FnOnce(u64)) -> u64 {
    keep(ms);
    ms
}
