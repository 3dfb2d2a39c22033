//! What is stored of a commit unit.

use crate::codec;
use crate::error::Error;
use crate::records::SealedRecords;
use crate::tables::{Key, STAGES, UNITS};
use pipeline::records::UnitRecord;
use serde::{Deserialize, Serialize};
use storage::{Change, Life, Revision};

/// A commit unit. Row errors of its prepared record lie in a stage, and so does what becomes of earlier ones.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct StoredUnit {
    pub(crate) name: String,
    pub(crate) record: UnitRecord,
    /// Of the prepared record.
    pub(crate) staged: Option<StageRef>,
    /// Whether the prepared record has a settlement.
    pub(crate) settles: bool,
    /// Segments of the rows that are kept until the prepared record is settled.
    #[serde(default)]
    pub(crate) kept: Vec<u32>,
}

/// Row errors that are stored and not true yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StageRef {
    pub(crate) run: u64,
    pub(crate) stage: u64,
    pub(crate) rows: u32,
    pub(crate) expires_ms: u64,
}

/// The stages of a unit that no commit has made true: all but the one of its prepared record are remains.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct StageList {
    pub(crate) unit: String,
    /// Run and stage.
    pub(crate) open: Vec<(u64, u64)>,
}

impl SealedRecords {
    /// The unit, as new where nothing is known of it.
    pub(crate) async fn read_unit(
        &self,
        sync: &str,
        unit: &str,
    ) -> Result<(StoredUnit, Option<Revision>), Error> {
        let found = self.read_json(UNITS, &Key::of(sync).name(unit)).await?;
        Ok(match found {
            Some((stored, revision)) => (stored, Some(revision)),
            None => (StoredUnit { name: unit.into(), ..StoredUnit::default() }, None),
        })
    }

    pub(crate) async fn read_stages(
        &self,
        sync: &str,
        unit: &str,
    ) -> Result<(StageList, Option<Revision>), Error> {
        let found = self.read_json(STAGES, &Key::of(sync).name(unit)).await?;
        Ok(match found {
            Some((stages, revision)) => (stages, Some(revision)),
            None => (StageList { unit: unit.into(), open: Vec::new() }, None),
        })
    }
}

/// Writes the unit, if it is still as it was read.
pub(crate) fn put_unit(
    change: Change,
    sync: &str,
    unit: &StoredUnit,
    read: Option<&Revision>,
) -> Result<Change, Error> {
    let key = Key::of(sync).name(&unit.name);
    let value = codec::to_json(UNITS, unit)?;
    Ok(change.expect(UNITS, key.clone(), read).put(UNITS, key, Life::Standing, value))
}

/// Writes the list of stages, if it is still as it was read.
pub(crate) fn put_stages(
    change: Change,
    sync: &str,
    stages: &StageList,
    read: Option<&Revision>,
) -> Result<Change, Error> {
    let key = Key::of(sync).name(&stages.unit);
    let value = codec::to_json(STAGES, stages)?;
    Ok(change.expect(STAGES, key.clone(), read).put(STAGES, key, Life::Standing, value))
}
