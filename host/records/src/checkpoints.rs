//! Positions as people see and change them. Only while the sync does not run, and never without a note in its history.

use crate::codec;
use crate::error::Error;
use crate::records::{Attempts, SealedRecords};
use crate::seat::Seat;
use crate::tables::{CHANGES, Key, UNITS};
use crate::unit::{StoredUnit, put_unit};
use pipeline::records::{Counters, Position, UnitRecord};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use storage::Life;

/// A position may be as long as the contract allows a checkpoint to be.
const CHECKPOINT_BYTES_MAX: usize = 4 << 20;

/// Where a commit unit stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UnitPosition {
    /// The unit.
    pub unit: String,
    /// Where it stands.
    pub position: Position,
    /// How often it committed, in all runs.
    pub commits: u64,
    /// The run that made the last commit; 0 before the first.
    pub run: u64,
    /// Source rows of all runs, by source stream.
    pub streams: BTreeMap<String, Counters>,
    /// Output rows of all runs, by output stream.
    pub written: BTreeMap<String, u64>,
    /// The run that made a commit of which it is not known yet whether it took effect.
    pub in_doubt: Option<u64>,
}

/// What somebody did to a position.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PositionChange {
    /// When, in milliseconds since 1970.
    pub at_ms: u64,
    /// The unit.
    pub unit: String,
    /// What.
    pub kind: PositionChangeKind,
}

/// What somebody did to a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PositionChangeKind {
    /// It was set to another one.
    Edited,
    /// It was forgotten: the next run begins anew.
    Reset,
}

impl SealedRecords {
    /// Where the units of a sync stand.
    ///
    /// # Errors
    /// [`Error::UnknownSync`], or when storage cannot be read.
    pub async fn checkpoints(&self, sync: &str) -> Result<Vec<UnitPosition>, Error> {
        self.newest_run(sync).await?;
        let mut units = Vec::new();
        for (_, found) in self.scan_all(UNITS, &Key::of(sync)).await? {
            let StoredUnit { name, record, .. } = codec::from_json(UNITS, found.value.expose())?;
            units.push(UnitPosition {
                unit: name,
                position: record.position,
                commits: record.commits,
                run: record.run,
                streams: record.streams,
                written: record.written,
                in_doubt: record.prepared.map(|prepared| prepared.run),
            });
        }
        units.sort_by(|left, right| left.unit.cmp(&right.unit));
        Ok(units)
    }

    /// Sets the position of a unit: one JSON value, as its source gives them. A commit in doubt is forgotten.
    ///
    /// # Errors
    /// [`Error::BadCheckpoint`], [`Error::Running`], [`Error::UnknownSync`], [`Error::UnknownUnit`], or when storage refuses.
    pub async fn edit_checkpoint(&self, sync: &str, unit: &str, checkpoint: &str) -> Result<(), Error> {
        self.set_position(sync, unit, checkpoint, None).await
    }

    /// The same, if the unit still stands where it was seen to.
    ///
    /// # Errors
    /// [`Error::PositionMoved`], and as [`SealedRecords::edit_checkpoint`].
    pub async fn edit_checkpoint_seen(
        &self,
        sync: &str,
        unit: &str,
        checkpoint: &str,
        seen: &Position,
    ) -> Result<(), Error> {
        self.set_position(sync, unit, checkpoint, Some(seen)).await
    }

    /// Whether a text can be a position at all.
    ///
    /// # Errors
    /// [`Error::BadCheckpoint`].
    pub fn check_position(text: &str) -> Result<(), Error> {
        let bad = |message: String| Err(Error::BadCheckpoint { message });
        if text.len() > CHECKPOINT_BYTES_MAX {
            return bad(format!("it has {} bytes, allowed are {CHECKPOINT_BYTES_MAX}", text.len()));
        }
        match serde_json::from_str::<serde::de::IgnoredAny>(text) {
            Ok(_) => Ok(()),
            Err(error) => bad(error.to_string()),
        }
    }

    async fn set_position(
        &self,
        sync: &str,
        unit: &str,
        checkpoint: &str,
        seen: Option<&Position>,
    ) -> Result<(), Error> {
        Self::check_position(checkpoint)?;
        let seat = self.hold_idle(sync).await?;
        self.known_unit(sync, unit).await?;
        // Nothing else moves it while the seat is held.
        if let Some(seen) = seen
            && self.read_unit(sync, unit).await?.0.record.position != *seen
        {
            return Err(Error::PositionMoved { sync: sync.into(), unit: unit.into() });
        }
        let set = |record: &mut UnitRecord| {
            record.position.checkpoint = Some(checkpoint.to_owned());
            record.position.complete = false;
            // After a reset it is the position of all that was read here before.
            if record.position.streams.is_empty() {
                record.position.streams = record.streams.keys().cloned().collect();
            }
        };
        self.change_position(&seat, unit, PositionChangeKind::Edited, set).await
    }

    /// Forgets the position of a unit, or of all: the next run reads from the start. A commit in doubt is forgotten.
    /// Returns the units.
    ///
    /// # Errors
    /// [`Error::Running`], [`Error::UnknownSync`], [`Error::UnknownUnit`], or when storage refuses.
    pub async fn reset_checkpoint(&self, sync: &str, unit: Option<&str>) -> Result<Vec<String>, Error> {
        let seat = self.hold_idle(sync).await?;
        let units = match unit {
            Some(unit) => {
                self.known_unit(sync, unit).await?;
                vec![unit.to_owned()]
            }
            None => self.checkpoints(sync).await?.into_iter().map(|known| known.unit).collect(),
        };
        for unit in &units {
            // Generations rise for good: a destination must not take a new refill for an old one.
            let forget = |record: &mut UnitRecord| {
                record.position = Position { generation: record.position.generation, ..Position::default() };
            };
            self.change_position(&seat, unit, PositionChangeKind::Reset, forget).await?;
        }
        Ok(units)
    }

    /// What was done to positions of the sync, in its order.
    ///
    /// # Errors
    /// When storage cannot be read.
    pub async fn position_changes(&self, sync: &str) -> Result<Vec<PositionChange>, Error> {
        let found = self.scan_all(CHANGES, &Key::of(sync)).await?;
        found.iter().map(|(_, found)| codec::from_json(CHANGES, found.value.expose())).collect()
    }

    async fn known_unit(&self, sync: &str, unit: &str) -> Result<(), Error> {
        let known = self.checkpoints(sync).await?;
        if known.iter().any(|known| known.unit == unit) {
            return Ok(());
        }
        let known = known.into_iter().map(|known| known.unit).collect();
        Err(Error::UnknownUnit { sync: sync.into(), unit: unit.into(), known })
    }

    /// Conditional on the unit being as it was read. What is forgotten of a commit in doubt is removed when the next run
    /// begins.
    async fn change_position(
        &self,
        seat: &Seat,
        unit: &str,
        kind: PositionChangeKind,
        edit: impl Fn(&mut UnitRecord),
    ) -> Result<(), Error> {
        let mut attempts = Attempts::at(UNITS);
        loop {
            let (mut stored, read) = self.read_unit(&seat.sync, unit).await?;
            edit(&mut stored.record);
            stored.record.prepared = None;
            stored.staged = None;
            let mut change = self.change();
            if std::mem::take(&mut stored.settles) {
                change = self.delete_draft(change, seat, unit);
            }
            if let Some(lease) = seat.lease() {
                change = change.fenced_by(lease);
            }
            change = put_unit(change, &seat.sync, &stored, read.as_ref())?;
            let at_ms = self.storage.now_ms();
            let note = codec::to_json(CHANGES, &PositionChange { at_ms, unit: unit.into(), kind })?;
            let key = Key::of(&seat.sync).number(at_ms).number(fastrand::u64(..));
            if self.try_commit(change.put(CHANGES, key, Life::Standing, note)).await? {
                return Ok(());
            }
            attempts.again()?;
        }
    }
}
