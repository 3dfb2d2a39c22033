//! The commits of a unit: prepared, made true, or forgotten.

use crate::error::Error;
use crate::kept::discard_kept;
use crate::records::{Attempts, SealedRecords};
use crate::reprocess::Plan;
use crate::seat::Seat;
use crate::settlement::Draft;
use crate::stage::Stage;
use crate::tables::UNITS;
use crate::unit::{StageRef, put_stages, put_unit};
use pipeline::records::{Amendment, Prepared};
use storage::Change;

impl SealedRecords {
    /// Stores what will be true. Row errors, and what becomes of earlier ones, are stored first; the unit's record names
    /// them in the batch that makes it all prepared.
    pub(crate) async fn prepare_unit(
        &self,
        seat: &Seat,
        unit: &str,
        mut prepared: Prepared,
        plan: Option<&Plan>,
    ) -> Result<(), Error> {
        let row_errors = std::mem::take(&mut prepared.effect.row_errors);
        let (mut stored, _) = self.read_unit(&seat.sync, unit).await?;
        if stored.record.prepared.is_some() {
            // It says why not.
            return Ok(stored.record.prepare(unit, prepared)?);
        }
        let (row_errors, settlement) = self.draft_settlement(seat, &mut prepared, row_errors, plan)?;
        let run = prepared.run;
        let stage = self.stage(seat, unit, run, self.encode(row_errors).await?).await?;
        let mut attempts = Attempts::at(UNITS);
        loop {
            let (mut stored, read) = self.read_unit(&seat.sync, unit).await?;
            stored.record.prepare(unit, prepared.clone())?;
            stored.staged = stage.as_ref().map(|stage| stage.reference);
            stored.settles = settlement.is_some();
            stored.kept = seat.kept_for(unit, &prepared.token);
            let change = self.with_stage(seat, unit, stage.as_ref()).await?;
            let mut change = put_unit(change, &seat.sync, &stored, read.as_ref())?;
            if let Some(settlement) = &settlement {
                change = self.put_draft(change, seat, unit, settlement)?;
            }
            if self.try_commit(change).await? {
                return Ok(());
            }
            attempts.again()?;
        }
    }

    /// A change of the run that brings what is left of a stage to be stored.
    async fn with_stage(&self, seat: &Seat, unit: &str, stage: Option<&Stage>) -> Result<Change, Error> {
        let last = stage.map_or_else(|| self.change(), |stage| stage.last.clone());
        let change = self.fenced(seat, last).await?;
        match stage.filter(|stage| !stage.is_listed) {
            Some(stage) => {
                let (mut stages, read) = self.read_stages(&seat.sync, unit).await?;
                stages.open.push((stage.reference.run, stage.reference.stage));
                put_stages(change, &seat.sync, &stages, read.as_ref())
            }
            None => Ok(change),
        }
    }

    /// Makes the prepared record true, with everything that it names.
    pub(crate) async fn commit_unit(
        &self,
        seat: &Seat,
        unit: &str,
        token: &str,
        mut amendment: Amendment,
        plan: Option<&Plan>,
    ) -> Result<(), Error> {
        let late = std::mem::take(&mut amendment.row_errors);
        let (mut stored, read) = self.read_unit(&seat.sync, unit).await?;
        let prepared = stored.record.prepared.as_ref().filter(|prepared| prepared.token == token);
        let Some(run) = prepared.map(|prepared| prepared.run) else {
            stored.record.commit(unit, token, amendment)?;
            return self.apply_settlement(seat, unit).await;
        };
        let mut settlement = None;
        if stored.settles {
            // What an earlier commit settled must not be lost under this one.
            self.apply_settlement(seat, unit).await?;
            settlement = self.read_draft(seat, unit).await?;
        }
        let late = match &mut settlement {
            Some(settlement) => settlement.amend(&amendment, late),
            None => late,
        };
        let encoded = self.encode(late).await?;
        let stage = if stored.kept.is_empty() {
            self.stage(seat, unit, run, encoded).await?
        } else {
            // The change that settles the commit has what was kept for it to remove instead.
            self.stage_whole(seat, unit, run, encoded).await?
        };
        let settled = settlement.map(Draft::conclude);
        let mut attempts = Attempts::at(UNITS);
        let mut known = Some((stored, read));
        loop {
            let (mut stored, read) = match known.take() {
                Some(known) => known,
                None => self.read_unit(&seat.sync, unit).await?,
            };
            if stored.record.commit(unit, token, amendment.clone())?.is_none() {
                break;
            }
            let mut change = self.fenced(seat, last_of(self, stage.as_ref())).await?;
            let made_true: Vec<StageRef> =
                stored.staged.take().into_iter().chain(stage.as_ref().map(|stage| stage.reference)).collect();
            stored.settles = false;
            change = discard_kept(change, &seat.sync, unit, token, &std::mem::take(&mut stored.kept));
            change = put_unit(change, &seat.sync, &stored, read.as_ref())?;
            if !made_true.is_empty() {
                let (mut stages, read) = self.read_stages(&seat.sync, unit).await?;
                stages.open.retain(|(_, open)| made_true.iter().all(|stage| stage.stage != *open));
                change = put_stages(change, &seat.sync, &stages, read.as_ref())?;
            }
            change = self.put_groups(change, &seat.sync, run, &made_true).await?;
            if let Some(settled) = &settled {
                change = self.put_settled(change, seat, unit, settled)?;
            }
            if self.try_commit(change).await? {
                break;
            }
            attempts.again()?;
        }
        seat.forget_kept(unit);
        if let (Some(plan), Some(settled)) = (plan, &settled) {
            plan.count(settled, seat.run());
        }
        if settled.is_some() { self.apply_settlement(seat, unit).await } else { Ok(()) }
    }

    /// Forgets the prepared record, and what it named.
    pub(crate) async fn discard_unit(&self, seat: &Seat, unit: &str, token: &str) -> Result<(), Error> {
        let mut attempts = Attempts::at(UNITS);
        loop {
            let (mut stored, read) = self.read_unit(&seat.sync, unit).await?;
            if stored.record.prepared.as_ref().is_none_or(|prepared| prepared.token != token) {
                return Ok(());
            }
            stored.record.discard(token);
            let had_rows = stored.staged.take().is_some();
            let settled = std::mem::take(&mut stored.settles);
            let change = if settled { self.delete_draft(self.change(), seat, unit) } else { self.change() };
            let change = discard_kept(change, &seat.sync, unit, token, &std::mem::take(&mut stored.kept));
            let change = self.fenced(seat, change).await?;
            if self.try_commit(put_unit(change, &seat.sync, &stored, read.as_ref())?).await? {
                return if had_rows { self.sweep_unit(seat, unit).await } else { Ok(()) };
            }
            attempts.again()?;
        }
    }
}

fn last_of(records: &SealedRecords, stage: Option<&Stage>) -> Change {
    stage.map_or_else(|| records.change(), |stage| stage.last.clone())
}
