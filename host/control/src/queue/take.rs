//! Takes runs: those whose lease has ended first, then those whose organization has its turn.

use super::lane::Lane;
use super::record::{Ending, Run, RunRecord, Taken};
use super::{Queue, backoff};
use crate::error::Error;
use crate::keeper::{INSTALLATION, SCAN_FEW, SCAN_RECORDS};
use crate::tables::{Key, RUNS, RUNS_TAKEN, RUNS_WAITING, TURNS};
use std::sync::atomic::Ordering;
use storage::{Lease, Range};

/// Of one organization so many are looked at whose lease is still that of a process which died between two steps.
const LOOKED_AT: usize = 16;
/// How often the beginning of a run is tried before others have their turn.
const BEGUN_ANEW: usize = 16;

/// What became of the wish to take a run.
#[derive(Debug)]
pub enum Taking {
    /// This one is held.
    Run(Taken),
    /// There is nothing to do.
    Nothing {
        /// When there may be, in milliseconds since the epoch, without anything else happening; none: never.
        wake_ms: Option<u64>,
    },
}

/// The earliest of the times at which there may be something to do.
#[derive(Default)]
struct Wake(Option<u64>);

impl Wake {
    fn at(&mut self, ms: u64) {
        self.0 = Some(self.0.map_or(ms, |earliest| earliest.min(ms)));
    }
}

impl Queue {
    /// Takes a run, if there is one to take. It is held for as long as the options say, and then to be renewed.
    ///
    /// # Errors
    /// When storage refuses.
    pub async fn take(&self) -> Result<Taking, Error> {
        let _in_turn = self.taking.lock().await;
        let mut wake = Wake::default();
        if let Some(taken) = self.take_over(&mut wake).await? {
            return Ok(Taking::Run(taken));
        }
        let mut after = None::<Vec<u8>>;
        loop {
            let range = Range { prefix: &[], after: after.as_deref(), limit: SCAN_FEW };
            let page = self.organizations().keeper.page(INSTALLATION, TURNS, range).await?;
            let Some((last, _)) = page.last() else { return Ok(Taking::Nothing { wake_ms: wake.0 }) };
            after = Some(last.clone());
            for (key, _) in page {
                let (turn, rest) = key
                    .split_first_chunk()
                    .map_or((0, &[][..]), |(turn, rest)| (u64::from_be_bytes(*turn), rest));
                if let Some(taken) = self.take_of(&Key::read_id(rest), turn, &mut wake).await? {
                    // There may be more for another one.
                    self.changed.notify_one();
                    return Ok(Taking::Run(taken));
                }
            }
        }
    }

    /// Takes a run of an organization that has its turn; none: it has none that may begin now.
    async fn take_of(&self, organization: &str, turn: u64, wake: &mut Wake) -> Result<Option<Taken>, Error> {
        if !self.is_served(organization).await? {
            return Ok(None);
        }
        let keeper = &self.organizations().keeper;
        let prefix = Key::of(organization);
        let range = Range { prefix: &prefix, after: None, limit: LOOKED_AT };
        for (key, _) in keeper.page(INSTALLATION, RUNS_WAITING, range).await? {
            let lane = Lane::read(keeper, organization).await?;
            if lane.running() >= self.options.running_max {
                return Ok(None);
            }
            let id = Key::read_id(key.get(prefix.len() + size_of::<u64>()..).unwrap_or_default());
            let Some(run) = self.run(organization, &id).await? else { continue };
            let now_ms = keeper.now_ms();
            if run.record.taken.is_some() {
                continue;
            }
            if run.record.ready_ms > now_ms {
                wake.at(run.record.ready_ms);
                return Ok(None);
            }
            let Some(lease) = self.lease(&run, wake).await? else { continue };
            self.turn.fetch_max(turn, Ordering::AcqRel);
            if let Some(run) = self.begin(run, lane, &lease).await? {
                return Ok(Some(self.held(&run, lease)));
            }
            // It was cancelled, or its organization's lane changes all the time: whoever asks next looks anew.
            keeper.storage.release(lease).await?;
            wake.at(now_ms);
        }
        Ok(None)
    }

    /// Begins a run that waits, under its lease; none: it may not begin any more, or others were faster too often. While many
    /// come to wait at once each of them changes the lane, and none is to keep the first from beginning.
    async fn begin(&self, mut run: Run, mut lane: Lane, lease: &Lease) -> Result<Option<Run>, Error> {
        let keeper = &self.organizations().keeper;
        for _ in 0..BEGUN_ANEW {
            lane.begins(self.turn.load(Ordering::Acquire));
            let change = run.end_waiting(lease.change());
            run.record.taken = Some((keeper.now_ms(), lease.token()));
            run.record.attempt = run.record.attempt.saturating_add(1);
            let change = lane.put(run.put_taken(run.put(change)?))?;
            if keeper.try_commit(change).await?.is_none() {
                self.syncs.tell(&run.organization, run.began());
                return Ok(Some(run));
            }
            match self.run(&run.organization, &run.id).await? {
                Some(again) if again.record.taken.is_none() => run = again,
                Some(_) | None => return Ok(None),
            }
            lane = Lane::read(keeper, &run.organization).await?;
            if lane.running() >= self.options.running_max {
                return Ok(None);
            }
        }
        Ok(None)
    }

    /// Takes a run over whose holder has said nothing for too long.
    async fn take_over(&self, wake: &mut Wake) -> Result<Option<Taken>, Error> {
        let keeper = &self.organizations().keeper;
        let look_ms = self.look_ms.load(Ordering::Acquire);
        if keeper.now_ms() < look_ms {
            let any = Range { prefix: &[], after: None, limit: 1 };
            if !keeper.page(INSTALLATION, RUNS_TAKEN, any).await?.is_empty() {
                wake.at(look_ms);
            }
            return Ok(None);
        }
        let (mut held, mut after) = (Wake::default(), None::<Vec<u8>>);
        loop {
            let range = Range { prefix: &[], after: after.as_deref(), limit: SCAN_RECORDS };
            let page = keeper.page(INSTALLATION, RUNS_TAKEN, range).await?;
            let Some((last, _)) = page.last() else { break };
            after = Some(last.clone());
            for (key, _) in page {
                let [organization, id] = Key::read_ids(&key);
                if !self.is_served(&organization).await? {
                    continue;
                }
                let Some(run) = self.run(&organization, &id).await? else { continue };
                let Some(lease) = self.lease(&run, &mut held).await? else { continue };
                if let Some(taken) = self.take_from(run, lease, &mut held).await? {
                    return Ok(Some(taken));
                }
            }
        }
        self.look_ms.store(held.0.unwrap_or(u64::MAX), Ordering::Release);
        if let Some(ms) = held.0 {
            wake.at(ms);
        }
        Ok(None)
    }

    /// None: it has ended meanwhile, or waits now.
    async fn take_from(&self, mut run: Run, lease: Lease, look: &mut Wake) -> Result<Option<Taken>, Error> {
        let keeper = &self.organizations().keeper;
        run.record.takeovers = run.record.takeovers.saturating_add(1);
        let behind = run.record.takeovers.saturating_sub(self.options.takeovers_at_once);
        let is_done = match run.record.wish {
            // Who executes it to end it might not come so far.
            Some(_) if behind > 0 => self.try_end(run, &lease, &(Ending::Cancelled, None)).await?,
            None if behind > 0 => {
                let wait_ms = backoff::after(&backoff::TAKEN_OVER, behind, &run.id);
                self.put_back(run, &lease, wait_ms).await?
            }
            _ => {
                run.record.attempt = run.record.attempt.saturating_add(1);
                run.record.taken = Some((keeper.now_ms(), lease.token()));
                if keeper.try_commit(run.put(lease.change())?).await?.is_none() {
                    self.note_held(lease.until_ms());
                    self.syncs.tell(&run.organization, run.began());
                    return Ok(Some(self.held(&run, lease)));
                }
                false
            }
        };
        if !is_done {
            // Something of it has changed meanwhile, and nobody else looks at it again.
            look.at(keeper.now_ms());
        }
        keeper.storage.release(lease).await?;
        Ok(None)
    }

    fn held(&self, run: &Run, lease: Lease) -> Taken {
        Taken { order: run.order(self.options.attempts_max), lease, is_doubted: run.record.takeovers > 0 }
    }

    /// The lease under which this run is executed; none: somebody has it.
    async fn lease(&self, run: &Run, wake: &mut Wake) -> Result<Option<Lease>, Error> {
        let storage = &self.organizations().keeper.storage;
        // One name for all runs of a sync: names are kept for ever, and the fence rises over them all.
        let name = format!("queue {}", run.record.sync);
        match storage.lease(INSTALLATION, &name, self.options.lease_ms).await {
            Ok(lease) => {
                self.note_held(lease.until_ms());
                Ok(Some(lease))
            }
            Err(storage::Error::Leased { until_ms, .. }) => {
                wake.at(until_ms);
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Leases are looked at again when the first of them may have ended.
    fn note_held(&self, until_ms: u64) {
        self.look_ms.fetch_min(until_ms, Ordering::AcqRel);
    }

    /// Whether this process executes runs of an organization: it is of this region, and still there.
    async fn is_served(&self, organization: &str) -> Result<bool, Error> {
        match self.organizations().get(organization).await {
            Ok(_) => Ok(true),
            Err(Error::OtherRegion { .. } | Error::UnknownOrganization { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn run(&self, organization: &str, id: &str) -> Result<Option<Run>, Error> {
        let at = Key::of(organization).id(id);
        let found = self.organizations().keeper.read::<RunRecord>(INSTALLATION, RUNS, &at).await?;
        Ok(found.map(|(record, seen)| Run {
            organization: organization.to_owned(),
            id: id.to_owned(),
            record,
            seen: Some(seen),
        }))
    }
}
