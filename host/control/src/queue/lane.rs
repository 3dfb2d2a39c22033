//! What is counted of one organization's runs, and when it has its turn.

use crate::error::Error;
use crate::keeper::{INSTALLATION, Keeper, decode, encode};
use crate::tables::{Key, LANES, TURNS};
use serde::{Deserialize, Serialize};
use storage::{Change, Life, Revision};

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct LaneRecord {
    turn: u64,
    waiting: u32,
    running: u32,
}

/// Where a stored lane stands among those who wait, if it does.
pub(crate) fn turn_of(stored: &[u8]) -> Result<u64, Error> {
    let record: LaneRecord = decode(LANES, stored)?;
    Ok(record.turn)
}

/// How many of a stored lane wait, and how many are under way.
pub(super) fn load_of(stored: &[u8]) -> Result<(u32, u32), Error> {
    let record: LaneRecord = decode(LANES, stored)?;
    Ok((record.waiting, record.running))
}

/// Of one organization. To be put into every change that it is changed for, once.
pub(super) struct Lane {
    organization: String,
    record: LaneRecord,
    /// Where it stands among those who wait.
    listed: Option<u64>,
    seen: Option<Revision>,
}

impl Lane {
    pub(super) async fn read(keeper: &Keeper, organization: &str) -> Result<Self, Error> {
        let found = keeper.read::<LaneRecord>(INSTALLATION, LANES, &Key::of(organization)).await?;
        let (record, seen) = found.map_or_else(Default::default, |(record, seen)| (record, Some(seen)));
        let listed = (record.waiting > 0).then_some(record.turn);
        Ok(Self { organization: organization.to_owned(), record, listed, seen })
    }

    pub(super) fn running(&self) -> u32 {
        self.record.running
    }

    /// One more waits. `now`: the turn that is served now, which is that of whoever comes anew.
    pub(super) fn comes(&mut self, now: u64) {
        if self.record.waiting == 0 {
            self.record.turn = self.record.turn.max(now);
        }
        self.record.waiting = self.record.waiting.saturating_add(1);
    }

    /// One waits no more, and has not begun.
    pub(super) fn goes(&mut self) {
        self.record.waiting = self.record.waiting.saturating_sub(1);
    }

    /// One that waited begins. `now`: the latest turn that was served, behind which nobody gets another one.
    pub(super) fn begins(&mut self, now: u64) {
        self.goes();
        self.record.turn = self.record.turn.max(now).saturating_add(1);
        self.record.running = self.record.running.saturating_add(1);
    }

    /// One that was under way has ended.
    pub(super) fn ends(&mut self) {
        self.record.running = self.record.running.saturating_sub(1);
    }

    pub(super) fn put(&self, change: Change) -> Result<Change, Error> {
        let at = Key::of(&self.organization);
        let change = change.expect(LANES, at.clone(), self.seen.as_ref());
        let change = change.put(LANES, at, Life::Standing, encode(LANES, &self.record)?);
        let turn_key = |turn: u64| Key::default().number(turn).id(&self.organization);
        let listed = (self.record.waiting > 0).then_some(self.record.turn);
        let change = match self.listed.filter(|before| Some(*before) != listed) {
            Some(before) => change.discard(TURNS, turn_key(before)),
            None => change,
        };
        Ok(match listed.filter(|now| Some(*now) != self.listed) {
            Some(now) => change.put(TURNS, turn_key(now), Life::Standing, Vec::new()),
            None => change,
        })
    }
}
