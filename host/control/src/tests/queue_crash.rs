//! Takers and whole processes die at random moments: no run is executed twice under a fence that holds, and none is lost.

use super::organizations::region;
use super::syncs::Works;
use super::world::{Dying, World};
use crate::{Connections, Error, Organizations, Queue, QueueOptions, RunOutcome, Syncs, Taken, Taking};
use std::collections::BTreeSet;
use std::sync::Arc;
use storage::SledEngine;
use storage::sled::Options;
use tempfile::TempDir;

const STEPS: u64 = 250;
const SYNCS: usize = 6;

fn options() -> QueueOptions {
    QueueOptions { running_max: 4, attempts_max: u32::MAX, takeovers_at_once: u32::MAX, lease_ms: 60_000 }
}

/// SplitMix64: the same numbers for the same seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }

    fn of<T>(&mut self, list: &mut Vec<T>) -> Option<T> {
        let count = u64::try_from(list.len()).unwrap();
        (count > 0).then(|| list.swap_remove(usize::try_from(self.below(count)).unwrap()))
    }
}

/// What is known of what was executed.
#[derive(Default)]
struct Known {
    wanted: BTreeSet<String>,
    ended: BTreeSet<String>,
    /// Their end was said, and the answer was lost with the process.
    perhaps_ended: BTreeSet<String>,
    holders: Vec<Taken>,
    takeovers: usize,
}

/// What lives as long as a process, and whom it serves.
struct Process {
    queue: Queue,
    admin: String,
    acme: String,
    syncs: Vec<String>,
}

impl World {
    async fn queue(&self) -> Queue {
        let users = Arc::new(self.users().await);
        let organizations = Arc::new(Organizations::new(users, region("eu-1")));
        let connections = Arc::new(Connections::new(organizations, Default::default()));
        Queue::new(Arc::new(Syncs::new(connections)), options())
    }

    async fn process(&self) -> Process {
        let works: Works = self.works(options()).await;
        let syncs = works.waiting(SYNCS).await;
        let (admin, acme) = works.by();
        let (admin, acme) = (admin.to_owned(), acme.to_owned());
        drop(works);
        Process { queue: self.queue().await, admin, acme, syncs }
    }
}

impl Process {
    async fn step(&self, world: &World, chance: &mut Chance, known: &mut Known) -> Result<(), Error> {
        match chance.below(10) {
            0 | 1 => {
                let sync = &self.syncs[usize::try_from(chance.below(SYNCS as u64)).unwrap()];
                match self.queue.run_now(&self.admin, &self.acme, sync).await {
                    Ok(order) => {
                        assert!(known.wanted.insert(order.run));
                    }
                    Err(Error::RunPending { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
            2..=4 => self.take(known).await?,
            5 => {
                if let Some(mut taken) = chance.of(&mut known.holders) {
                    match self.queue.renew(&mut taken).await {
                        Ok(_) => known.holders.push(taken),
                        Err(Error::RunLost { .. }) => {}
                        Err(error) => return Err(error),
                    }
                }
            }
            // A taker dies.
            6 => drop(chance.of(&mut known.holders)),
            7 => world.clock.pass(chance.below(90_000)),
            _ => {
                if let Some(taken) = chance.of(&mut known.holders) {
                    let outcome = match chance.below(4) {
                        0 => RunOutcome::HandedBack,
                        1 => RunOutcome::Failed {
                            error: "CD0301".into(),
                            can_retry: true,
                            retry_after_ms: None,
                        },
                        _ => RunOutcome::Done,
                    };
                    self.finish(known, taken, &outcome).await?;
                }
            }
        }
        Ok(())
    }

    async fn take(&self, known: &mut Known) -> Result<(), Error> {
        if let Taking::Run(taken) = self.queue.take().await? {
            let run = &taken.order.run;
            known.wanted.insert(run.clone());
            assert!(!known.ended.contains(run), "{run} has ended, and is executed again");
            let mut held = Vec::new();
            for mut other in std::mem::take(&mut known.holders) {
                if other.order.run == *run {
                    assert!(other.order.fence < taken.order.fence);
                    match self.queue.renew(&mut other).await {
                        Ok(_) => panic!("{run} is held twice"),
                        Err(Error::RunLost { .. }) => {}
                        Err(error) => return Err(error),
                    }
                    known.takeovers += 1;
                } else {
                    held.push(other);
                }
            }
            known.holders = held;
            known.holders.push(taken);
        }
        Ok(())
    }

    async fn finish(&self, known: &mut Known, taken: Taken, outcome: &RunOutcome) -> Result<(), Error> {
        let run = taken.order.run.clone();
        let is_end = *outcome == RunOutcome::Done;
        match self.queue.finish(taken, outcome).await {
            Ok(()) if is_end => assert!(known.ended.insert(run.clone()), "{run} has ended twice"),
            Ok(()) | Err(Error::RunLost { .. }) => {}
            Err(error) => {
                if is_end {
                    known.perhaps_ended.insert(run);
                }
                return Err(error);
            }
        }
        Ok(())
    }

    /// Everything that waits is executed in the end.
    async fn drain(&self, world: &World, known: &mut Known) {
        known.holders.clear();
        loop {
            match self.queue.take().await.unwrap() {
                Taking::Run(taken) => {
                    assert!(!known.ended.contains(&taken.order.run));
                    known.wanted.insert(taken.order.run.clone());
                    self.finish(known, taken, &RunOutcome::Done).await.unwrap();
                }
                Taking::Nothing { wake_ms: Some(wake_ms) } => world.clock.set(wake_ms + 1),
                Taking::Nothing { wake_ms: None } => break,
            }
        }
        assert!(self.queue.list(&self.admin, &self.acme).await.unwrap().is_empty());
        let lost: Vec<_> = known
            .wanted
            .iter()
            .filter(|run| !known.ended.contains(*run) && !known.perhaps_ended.contains(*run))
            .collect();
        assert!(lost.is_empty(), "{lost:?}");
    }
}

#[tokio::test]
async fn no_run_is_executed_twice_or_lost_wherever_takers_and_processes_die() {
    let (mut ended, mut takeovers, mut deaths) = (0, 0, 0);
    for seed in 0..6 {
        let engine = Dying::new(seed % 2 == 1);
        let world = World::over(engine.clone());
        let mut process = world.process().await;
        let (mut chance, mut known) = (Chance(seed), Known::default());
        for _ in 0..STEPS {
            if chance.below(25) == 0 {
                engine.die_after(chance.below(4));
            }
            if process.step(&world, &mut chance, &mut known).await.is_err() {
                deaths += 1;
                engine.revive();
                // Whoever held something was part of the process.
                known.holders.clear();
                let Process { queue, admin, acme, syncs } = process;
                drop(queue);
                process = Process { queue: world.queue().await, admin, acme, syncs };
            }
        }
        engine.revive();
        process.drain(&world, &mut known).await;
        ended += known.ended.len();
        takeovers += known.takeovers;
    }
    assert!(ended > 100 && takeovers > 5 && deaths > 10, "{ended} {takeovers} {deaths}");
}

#[tokio::test]
async fn over_the_durable_engine_a_new_process_goes_on_where_the_former_one_ended() {
    let folder = TempDir::new().unwrap();
    let open = || {
        let options = Options::new(folder.path().join("data"), [7; 16], [9; 32]).holder("the test suite");
        Arc::new(SledEngine::open(&options).unwrap())
    };
    let mut world = World::over(open());
    let mut process = world.process().await;
    let (mut chance, mut known) = (Chance(77), Known::default());
    for _ in 0..5 {
        for _ in 0..60 {
            process.step(&world, &mut chance, &mut known).await.unwrap();
        }
        known.holders.clear();
        let Process { queue, admin, acme, syncs } = process;
        drop(queue);
        world.engine = Arc::new(storage::MemoryEngine::new());
        world.engine = open();
        process = Process { queue: world.queue().await, admin, acme, syncs };
    }
    process.drain(&world, &mut known).await;
    assert!(known.ended.len() > 8, "{}", known.ended.len());
}
