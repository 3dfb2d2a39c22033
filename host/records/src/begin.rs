//! A run begins: it gets the seat of its sync and a number, and puts in order what an earlier run has left.

use crate::codec;
use crate::error::Error;
use crate::records::{Attempts, SealedRecords, SyncRecord};
use crate::runs::{Reasons, RunEntry};
use crate::seat::Seat;
use crate::tables::{Key, RUNS, SYNCS};
use pipeline::records::{self as port, RunTicket};
use std::sync::Arc;
use storage::Life;

impl SealedRecords {
    /// Begins a run of the sync.
    pub(crate) async fn begin_run(&self, sync: &str, reasons: Reasons) -> Result<RunTicket, Error> {
        let locked = || port::Error::Locked { sync: sync.to_owned() };
        let seat = self.seats.take(sync).ok_or_else(locked)?;
        self.take_lease(&seat).await?;
        let retention = self.retention().await?;
        let mut attempts = Attempts::at(SYNCS);
        let run = loop {
            let known = self.read_sync(sync).await?;
            let run = known.as_ref().map_or(0, |(known, _)| known.runs) + 1;
            let record = codec::to_json(SYNCS, &SyncRecord { name: sync.into(), runs: run })?;
            let entry = RunEntry::begun(run, self.storage.now_ms(), reasons.clone());
            let entry = codec::to_json(RUNS, &entry)?;
            let change = self.change().expect(SYNCS, Key::of(sync), known.as_ref().map(|(_, read)| read));
            let change = change.put(SYNCS, Key::of(sync), Life::Standing, record);
            let change = change.put(RUNS, Key::of(sync).number(run), Life::Standing, entry);
            if self.try_commit(change).await? {
                break run;
            }
            attempts.again()?;
        };
        seat.begin(run, retention);
        // From here on nothing of an earlier run comes true any more.
        self.apply_settlements(&seat).await?;
        self.sweep(&seat).await?;
        self.sweep_kept(&seat).await?;
        self.seats.hand_to_run(&seat);
        Ok(RunTicket { sync: sync.into(), run })
    }

    /// Keeps the sync from running as long as the seat is held: for what may only be done while it does not.
    pub(crate) async fn hold_idle(&self, sync: &str) -> Result<Arc<Seat>, Error> {
        let running = || Error::Running { sync: sync.to_owned() };
        let seat = self.seats.take(sync).ok_or_else(running)?;
        match self.take_lease(&seat).await {
            Err(Error::Port(port::Error::Locked { .. })) => Err(running()),
            taken => taken.map(|()| seat),
        }
    }
}
