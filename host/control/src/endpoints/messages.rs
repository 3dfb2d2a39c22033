//! Messages as they are kept and as runs read them, and the look at what waits.

use super::Endpoints;
use super::tokens::unknown;
use crate::access::Action;
use crate::audit::{Act, Event};
use crate::error::Error;
use crate::keeper::unreadable;
use crate::syncs::{self, Kept};
use crate::tables::EVENT_MESSAGES;
use serde::{Deserialize, Serialize};
use storage::Change;

/// What a call of a connector gets at most, however small they are.
const READ_MESSAGES: usize = 1_000;
/// Half of what a page may have: rows may be larger than what they were made of.
const READ_BYTES: usize = 4 << 20;

/// A message that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventMessage {
    /// Rises by one with each message of an endpoint, from 1.
    pub sequence: u64,
    /// When it was accepted, in milliseconds since the epoch.
    pub received_ms: u64,
    /// Those that the connector's manifest names, in lower case.
    pub headers: Vec<(String, String)>,
    /// As it came.
    pub body: Vec<u8>,
}

/// What waits at an endpoint. Without what is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventQueue {
    /// Messages that no run has moved.
    pub waiting: u64,
    /// Their bytes, and those that storage keeps with them.
    pub bytes: u64,
    /// Since when the first of them waits, in milliseconds since the epoch; none: none does.
    pub oldest_ms: Option<u64>,
    /// The number that the next message gets.
    pub next: u64,
    /// How many runs, one after the other, have ended without success and have left messages here.
    pub left_by_runs: u32,
    /// When the next run comes for what waits, in milliseconds since the epoch; none: nothing waits, the sync has a run, or it is
    /// stopped or paused.
    pub next_run_ms: Option<u64>,
}

impl Endpoints {
    /// What waits at an endpoint, also one that is off.
    ///
    /// # Errors
    /// [`Error::UnknownObject`], [`Error::Denied`], [`Error::UnknownOrganization`], or when storage cannot be read.
    pub async fn waiting(&self, by: &str, organization: &str, sync: &str) -> Result<EventQueue, Error> {
        self.organizations().may(by, organization, Action::ReadRuns).await?;
        self.endpoint_record(organization, sync).await?;
        let kept = self.organizations().head::<Kept>(organization, syncs::KIND, sync).await?.head.more;
        let lane = self.lane(organization, sync);
        let state = lane.state(&self.organizations().keeper).await?;
        let state = state.as_ref().ok_or_else(|| unknown(sync))?;
        let (waiting, bytes, oldest_ms) = state.told();
        let left_by_runs = kept.behind.map_or(0, |behind| behind.runs);
        let next_run_ms = kept.due_ms.filter(|_| waiting > 0);
        Ok(EventQueue { waiting, bytes, oldest_ms, next: state.next, left_by_runs, next_run_ms })
    }

    /// Drops every message that waits; answers how many. What a run has read of them by now may still be moved.
    ///
    /// # Errors
    /// [`Error::UnknownObject`], [`Error::Denied`], or when storage refuses.
    pub async fn clear(&self, by: &str, organization: &str, sync: &str) -> Result<u64, Error> {
        self.organizations().may(by, organization, Action::EditPositions).await?;
        self.endpoint_record(organization, sync).await?;
        let lane = self.lane(organization, sync);
        let keeper = &self.organizations().keeper;
        let last = lane.state(keeper).await?.as_ref().ok_or_else(|| unknown(sync))?.next - 1;
        let event = Event::done(Act::EventsCleared, by, sync).detail("up_to", last.to_string());
        // Before it: what is dropped is in the log by then.
        let log = self.organizations().log(organization);
        self.organizations().audit.append_with(&log, &event, Change::new(crate::INSTALLATION)).await?;
        lane.forget(keeper, last).await
    }

    /// The messages behind this number, in their order; none: nothing waits. For whoever runs the sync.
    ///
    /// # Errors
    /// When storage cannot be read.
    pub async fn read(&self, organization: &str, sync: &str, after: u64) -> Result<Vec<EventMessage>, Error> {
        let keeper = &self.organizations().keeper;
        let lane = self.lane(organization, sync);
        let batches = match lane.state(keeper).await?.as_ref() {
            Some(state) => state.behind(after, READ_MESSAGES),
            None => Vec::new(),
        };
        let (mut read, mut bytes) = (Vec::new(), 0);
        for batch in batches {
            for message in lane.read(keeper, batch.first).await? {
                if message.sequence <= after {
                    continue;
                }
                bytes += message.body.len();
                if read.len() == READ_MESSAGES || (bytes > READ_BYTES && !read.is_empty()) {
                    return Ok(read);
                }
                read.push(message);
            }
        }
        Ok(read)
    }

    /// Forgets the messages up to this number, because a destination has committed what became of them. For whoever runs the
    /// sync.
    ///
    /// # Errors
    /// When storage refuses.
    pub async fn committed(&self, organization: &str, sync: &str, up_to: u64) -> Result<(), Error> {
        let keeper = &self.organizations().keeper;
        self.lane(organization, sync).forget(keeper, up_to).await.map(|_| ())
    }
}

pub(super) fn encode_messages(messages: &[EventMessage]) -> Result<Vec<u8>, Error> {
    postcard::to_stdvec(messages).map_err(|error| unreadable(EVENT_MESSAGES, &error))
}

pub(super) fn decode_messages(bytes: &[u8]) -> Result<Vec<EventMessage>, Error> {
    postcard::from_bytes(bytes).map_err(|error| unreadable(EVENT_MESSAGES, &error))
}
