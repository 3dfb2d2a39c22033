//! What waits at one endpoint, in order: numbers messages, makes them durable many at a time, and forgets them.
//!
//! Whoever leaves a message puts it into a line and then waits for its turn to lead. A leader makes what stands in the line
//! durable in one change, its own message among the others; who comes to lead and has been answered leads nothing. So senders
//! share a sync of the disk, and the order of the line is the order of the numbers.

use super::EventError;
use super::messages::{EventMessage, decode_messages, encode_messages};
use super::record::HeadRecord;
use super::waiting::{State, Waiting};
use super::{DAY_MS, EndpointOptions};
use crate::error::Error;
use crate::keeper::{Attempts, Keeper, SCAN_RECORDS, encode};
use crate::tables::{EVENT_HEADS, EVENT_MESSAGES, EVENT_SEEN, Key};
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use storage::{Change, Life, Range, Revision};
use tokio::sync::{MutexGuard, oneshot};

/// With an id for each, and the two records of all, one change of storage holds them.
const BATCH_MESSAGES: usize = 32;
/// A value of storage in one piece. A larger message is kept by itself, in several.
const BATCH_BYTES: u64 = 48 << 10;
/// What a message takes beside its body and headers.
const MESSAGE_BYTES: u64 = 64;
const HOUR_MS: u64 = 60 * 60 * 1_000;
/// Batches that are forgotten in one change.
const FORGET_BATCHES: usize = 32;

/// The line and the queue of one endpoint.
pub(super) struct Lane {
    owner: String,
    sync: String,
    options: EndpointOptions,
    line: Mutex<VecDeque<Standing>>,
    state: tokio::sync::Mutex<Option<State>>,
    /// Up to which message a run was asked for.
    noted: tokio::sync::Mutex<u64>,
}

/// A message that somebody leaves.
pub(super) struct Left {
    pub(super) message: EventMessage,
    /// By which it is known when it comes again, and for how long.
    pub(super) id: Option<([u64; 2], u64)>,
}

/// A message in the line, and who waits for its number.
struct Standing {
    left: Left,
    answer: oneshot::Sender<Verdict>,
}

type Verdict = Result<Numbered, Refused>;

/// The number that a message has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Numbered {
    pub(super) sequence: u64,
    /// It was there already.
    pub(super) is_known: bool,
}

#[derive(Debug, Clone, Copy)]
enum Refused {
    Full,
    Gone,
}

#[derive(Serialize, Deserialize)]
struct SeenRecord {
    sequence: u64,
    at_ms: u64,
}

/// What a leader has taken from the line, as it is to become.
#[derive(Default)]
struct Plan {
    messages: Vec<EventMessage>,
    bytes: u64,
    ids: HashMap<[u64; 2], (u64, u64)>,
    verdicts: Vec<Verdict>,
}

impl Lane {
    pub(super) fn new(owner: String, sync: String, options: EndpointOptions) -> Self {
        Self {
            owner,
            sync,
            options,
            line: Mutex::default(),
            state: tokio::sync::Mutex::default(),
            noted: tokio::sync::Mutex::default(),
        }
    }

    /// Makes a message durable.
    pub(super) async fn leave(&self, keeper: &Keeper, left: Left) -> Result<Numbered, Error> {
        let (answer, mut answered) = oneshot::channel();
        self.line().push_back(Standing { left, answer });
        loop {
            let mut state = self.state.lock().await;
            match answered.try_recv() {
                Ok(verdict) => return self.judged(verdict),
                // Whoever led could not say what became of it.
                Err(oneshot::error::TryRecvError::Closed) => return Err(storage::Error::Interrupted.into()),
                Err(oneshot::error::TryRecvError::Empty) => self.lead(keeper, &mut state).await?,
            }
        }
    }

    fn judged(&self, verdict: Verdict) -> Result<Numbered, Error> {
        match verdict {
            Ok(numbered) => Ok(numbered),
            Err(Refused::Gone) => Err(Error::Event(EventError::BadToken)),
            Err(Refused::Full) => {
                let EndpointOptions { messages_max, bytes_max } = self.options;
                Err(Error::Event(EventError::Full { messages_max, bytes_max }))
            }
        }
    }

    /// Makes durable what stands first in the line, and answers those who left it.
    async fn lead(&self, keeper: &Keeper, state: &mut Option<State>) -> Result<(), Error> {
        let led = self.take_from_line();
        let (left, answers): (Vec<Left>, Vec<_>) =
            led.into_iter().map(|standing| (standing.left, standing.answer)).unzip();
        let mut attempts = Attempts::at(EVENT_HEADS);
        let verdicts = loop {
            if let Some(verdicts) = self.try_commit(keeper, state, &left).await? {
                break verdicts;
            }
            *state = None;
            attempts.again().await?;
        };
        for (answer, verdict) in answers.into_iter().zip(verdicts) {
            // Who does not wait any more sends it again, and is known by its id.
            let _ = answer.send(verdict);
        }
        Ok(())
    }

    /// None: something has changed what waits, which is to be read anew.
    async fn try_commit(
        &self,
        keeper: &Keeper,
        state: &mut Option<State>,
        left: &[Left],
    ) -> Result<Option<Vec<Verdict>>, Error> {
        let Some(state) = self.loaded(keeper, state).await? else {
            return Ok(Some(left.iter().map(|_| Err(Refused::Gone)).collect()));
        };
        let now_ms = keeper.now_ms();
        let plan = self.plan(keeper, state, (left, now_ms)).await?;
        if plan.messages.is_empty() {
            return Ok(Some(plan.verdicts));
        }
        let first = state.next;
        let next = first + u64::try_from(plan.messages.len()).unwrap_or(u64::MAX);
        let life = Life::Until(now_ms + DAY_MS);
        let mut change = Change::new(self.owner.as_str())
            .expect(EVENT_HEADS, self.at(), Some(&state.seen))
            .put(EVENT_HEADS, self.at(), Life::Standing, encode(EVENT_HEADS, &HeadRecord { next })?)
            .put(EVENT_MESSAGES, self.at().number(first), life, encode_messages(&plan.messages)?);
        for (id, (sequence, window_ms)) in &plan.ids {
            // Storage rounds the end of a life down to the hour.
            let life = Life::Until(now_ms + window_ms + HOUR_MS);
            let seen = encode(EVENT_SEEN, &SeenRecord { sequence: *sequence, at_ms: now_ms })?;
            change = change.put(EVENT_SEEN, self.seen_at(*id), life, seen);
        }
        if keeper.try_commit(change).await?.is_some() {
            return Ok(None);
        }
        // Its hour: see `Life::Until`.
        let ends_ms = (now_ms + DAY_MS) / HOUR_MS * HOUR_MS;
        let batch = Waiting { first, last: next - 1, bytes: plan.bytes, received_ms: now_ms, ends_ms };
        state.push(batch);
        state.next = next;
        let Some((_, seen)) = self.read_head(keeper).await? else { return Ok(Some(plan.verdicts)) };
        state.seen = seen;
        Ok(Some(plan.verdicts))
    }

    async fn plan(
        &self,
        keeper: &Keeper,
        state: &State,
        (left, now_ms): (&[Left], u64),
    ) -> Result<Plan, Error> {
        let (waiting, bytes) = (state.waiting(), state.bytes);
        let mut plan = Plan::default();
        for Left { message, id } in left {
            if let Some(sequence) = self.known(keeper, &plan, (*id, now_ms)).await? {
                plan.verdicts.push(Ok(Numbered { sequence, is_known: true }));
                continue;
            }
            let count = u64::try_from(plan.messages.len()).unwrap_or(u64::MAX);
            let size = size_of(message);
            if waiting + count >= self.options.messages_max
                || bytes + plan.bytes + size > self.options.bytes_max
            {
                plan.verdicts.push(Err(Refused::Full));
                continue;
            }
            let sequence = state.next + count;
            if let Some((id, window_ms)) = *id {
                plan.ids.insert(id, (sequence, window_ms));
            }
            plan.bytes += size;
            plan.messages.push(EventMessage { sequence, received_ms: now_ms, ..message.clone() });
            plan.verdicts.push(Ok(Numbered { sequence, is_known: false }));
        }
        Ok(plan)
    }

    /// Under which number a message is known that came a while ago, or stands before this one in the same batch.
    async fn known(
        &self,
        keeper: &Keeper,
        plan: &Plan,
        (id, now_ms): (Option<([u64; 2], u64)>, u64),
    ) -> Result<Option<u64>, Error> {
        let Some((id, window_ms)) = id else { return Ok(None) };
        if let Some((sequence, _)) = plan.ids.get(&id) {
            return Ok(Some(*sequence));
        }
        let found = keeper.read::<SeenRecord>(&self.owner, EVENT_SEEN, &self.seen_at(id)).await?;
        let found = found.filter(|(seen, _)| now_ms < seen.at_ms + window_ms);
        Ok(found.map(|(seen, _)| seen.sequence))
    }

    fn take_from_line(&self) -> Vec<Standing> {
        let (mut line, mut led, mut bytes) = (self.line(), Vec::new(), 0);
        while let Some(standing) = line.pop_front() {
            bytes += size_of(&standing.left.message);
            if led.len() == BATCH_MESSAGES || (bytes > BATCH_BYTES && !led.is_empty()) {
                line.push_front(standing);
                break;
            }
            led.push(standing);
        }
        led
    }

    /// What waits; none: the sync is gone.
    async fn loaded<'s>(
        &self,
        keeper: &Keeper,
        state: &'s mut Option<State>,
    ) -> Result<Option<&'s mut State>, Error> {
        if state.is_none() {
            *state = self.load(keeper).await?;
        }
        if let Some(state) = state {
            state.end(keeper.now_ms());
        }
        Ok(state.as_mut())
    }

    async fn load(&self, keeper: &Keeper) -> Result<Option<State>, Error> {
        let Some((head, seen)) = self.read_head(keeper).await? else { return Ok(None) };
        let (prefix, mut after) = (self.at(), None::<Vec<u8>>);
        let mut state = State::new(head.next, seen);
        loop {
            let range = Range { prefix: &prefix, after: after.as_deref(), limit: SCAN_RECORDS };
            let page = keeper.page(&self.owner, EVENT_MESSAGES, range).await?;
            let Some((last, _)) = page.last() else { break };
            after = Some(last.clone());
            for (_, found) in page {
                let messages = decode_messages(found.value.expose())?;
                let (Some(first), Some(last)) = (messages.first(), messages.last()) else { continue };
                state.push(Waiting {
                    first: first.sequence,
                    last: last.sequence,
                    bytes: messages.iter().map(size_of).sum(),
                    received_ms: first.received_ms,
                    ends_ms: found.ends_ms.unwrap_or(u64::MAX),
                });
            }
        }
        Ok(Some(state))
    }

    /// What waits, for as long as the guard is held; none: the sync has no endpoint, or is gone.
    pub(super) async fn state(&self, keeper: &Keeper) -> Result<MutexGuard<'_, Option<State>>, Error> {
        let mut state = self.state.lock().await;
        self.loaded(keeper, &mut state).await?;
        Ok(state)
    }

    /// The messages of a batch; none: it is gone.
    pub(super) async fn read(&self, keeper: &Keeper, first: u64) -> Result<Vec<EventMessage>, Error> {
        let found = keeper.get(&self.owner, EVENT_MESSAGES, &self.at().number(first)).await?;
        found.map_or_else(|| Ok(Vec::new()), |found| decode_messages(found.value.expose()))
    }

    /// Forgets every message up to this one that goes with its batch; answers how many.
    pub(super) async fn forget(&self, keeper: &Keeper, up_to: u64) -> Result<u64, Error> {
        let mut guard = self.state(keeper).await?;
        let Some(state) = guard.as_mut() else { return Ok(0) };
        let before = state.waiting();
        loop {
            let gone =
                state.batches.iter().take_while(|batch| batch.last <= up_to).take(FORGET_BATCHES).count();
            if gone == 0 {
                break;
            }
            let change = state.batches.iter().take(gone).fold(
                Change::new(self.owner.as_str()),
                // They end by themselves within a day.
                |change, batch| change.discard(EVENT_MESSAGES, self.at().number(batch.first)),
            );
            keeper.storage.commit(change).await?;
            (0..gone).for_each(|_| state.pop());
        }
        state.done = state.done.max(up_to.min(state.next - 1));
        Ok(before - state.waiting())
    }

    /// Lets a run be asked for by `note` unless one was that comes for this message too.
    pub(super) async fn note(
        &self,
        keeper: &Keeper,
        sequence: u64,
        note: impl AsyncFnOnce() -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut noted = self.noted.lock().await;
        if *noted >= sequence {
            return Ok(());
        }
        // Everything up to there is durable, so a run that begins from now on finds it.
        let up_to = self.state(keeper).await?.as_ref().map_or(sequence, |state| state.next - 1);
        note().await?;
        *noted = up_to;
        Ok(())
    }

    async fn read_head(&self, keeper: &Keeper) -> Result<Option<(HeadRecord, Revision)>, Error> {
        keeper.read(&self.owner, EVENT_HEADS, &self.at()).await
    }

    fn line(&self) -> std::sync::MutexGuard<'_, VecDeque<Standing>> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn at(&self) -> Key {
        Key::of(&self.sync)
    }

    fn seen_at(&self, [high, low]: [u64; 2]) -> Key {
        self.at().number(high).number(low)
    }
}

fn size_of(message: &EventMessage) -> u64 {
    let headers: usize = message.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    u64::try_from(message.body.len() + headers).unwrap_or(u64::MAX).saturating_add(MESSAGE_BYTES)
}
