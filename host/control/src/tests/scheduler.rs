//! Syncs run when they are due: once, one after the other, and not again because a clock goes back.

use super::syncs::Works;
use super::world::{DAY_MS, HOUR_MS, START_MS, World};
use crate::keeper::INSTALLATION;
use crate::syncs::due_key;
use crate::tables::SYNCS_DUE;
use crate::{Cause, QueueOptions, RunOutcome, Scheduler, Taken, Taking};
use serde_json::{Value, json};
use std::sync::Arc;
use storage::{Change, Life};

fn hourly(catch_up: &Value) -> Value {
    let when = json!({ "every": { "interval_ms": HOUR_MS, "from_ms": START_MS } });
    json!({ "schedule": { "when": when, "catch_up": catch_up } })
}

fn cron(pattern: &str) -> Value {
    json!({ "schedule": { "when": { "cron": { "pattern": pattern, "zone": "Europe/Berlin" } } } })
}

/// When the next run was due; none: there is none to take.
fn due_of(taken: &Taken) -> u64 {
    match taken.order.cause {
        Cause::Schedule { due_ms } => due_ms,
        _ => panic!("{:?}", taken.order),
    }
}

impl Works {
    async fn started(&self, more: &Value) -> (String, Scheduler) {
        let id = self.sync(more).await.id;
        let (admin, acme) = self.by();
        self.syncs.start(admin, acme, &id).await.unwrap();
        (id, Scheduler::new(Arc::clone(&self.queue)))
    }

    async fn take(&self) -> Option<Taken> {
        match self.queue.take().await.unwrap() {
            Taking::Run(taken) => Some(taken),
            Taking::Nothing { .. } => None,
        }
    }

    /// Executes what is due until nothing is; answers when it was due, in hours since the start.
    async fn hours(&self, scheduler: &Scheduler) -> Vec<u64> {
        let mut hours = Vec::new();
        while scheduler.pass().await.unwrap().started > 0 {
            let taken = self.take().await.unwrap();
            hours.push((due_of(&taken) - START_MS) / HOUR_MS);
            self.queue.finish(taken, &RunOutcome::Done).await.unwrap();
        }
        hours
    }
}

#[tokio::test]
async fn a_sync_runs_when_it_is_due_and_never_twice_at_a_time() {
    let world = World::new();
    let works = world.works(QueueOptions::default()).await;
    let (id, scheduler) = works.started(&hourly(&json!("once"))).await;
    let pass = scheduler.pass().await.unwrap();
    assert_eq!((pass.started, pass.wake_ms), (0, Some(START_MS + HOUR_MS)));
    world.clock.pass(HOUR_MS);
    assert_eq!(scheduler.pass().await.unwrap().started, 1);
    // It has a run now: there is nothing to wake for before its end.
    let pass = scheduler.pass().await.unwrap();
    assert_eq!((pass.started, pass.wake_ms), (0, None));
    let mut taken = works.take().await.unwrap();
    for _ in 0..7 {
        world.clock.pass(HOUR_MS / 2);
        // Nobody is away here, though the lease is shorter than the steps of this clock.
        works.queue.renew(&mut taken).await.unwrap();
    }
    works.queue.finish(taken, &RunOutcome::Done).await.unwrap();
    // Three were missed meanwhile: one run for all of them.
    assert_eq!(works.hours(&scheduler).await, [4]);
    assert_eq!(works.read(&id).await.due_ms, Some(START_MS + 5 * HOUR_MS));
}

#[tokio::test]
async fn what_was_missed_is_made_up_for_as_the_schedule_says() {
    for (catch_up, expected) in
        [(json!("skip"), &[][..]), (json!("once"), &[5]), (json!({ "each": 3 }), &[3, 4, 5])]
    {
        let world = World::new();
        let works = world.works(QueueOptions::default()).await;
        let (_, scheduler) = works.started(&hourly(&catch_up)).await;
        world.clock.pass(5 * HOUR_MS + HOUR_MS / 2);
        assert_eq!(works.hours(&scheduler).await, expected, "{catch_up}");
        world.clock.pass(HOUR_MS / 2);
        assert_eq!(works.hours(&scheduler).await, [6], "{catch_up}");
    }
}

#[tokio::test]
async fn a_paused_sync_makes_up_for_what_was_due_and_a_stopped_one_does_not() {
    let world = World::new();
    let works = world.works(QueueOptions::default()).await;
    let (admin, acme) = works.by();
    let (id, scheduler) = works.started(&hourly(&json!("once"))).await;
    // It is due and waits when it is paused.
    world.clock.pass(HOUR_MS);
    assert_eq!(scheduler.pass().await.unwrap().started, 1);
    works.syncs.pause(admin, acme, &id).await.unwrap();
    assert!(works.take().await.is_none() && works.read(&id).await.run.is_none());
    assert_eq!(scheduler.pass().await.unwrap().started, 0);
    works.syncs.start(admin, acme, &id).await.unwrap();
    assert_eq!(works.hours(&scheduler).await, [1]);

    works.syncs.stop(admin, acme, &id).await.unwrap();
    world.clock.pass(2 * HOUR_MS);
    assert_eq!(scheduler.pass().await.unwrap().wake_ms, None);
    works.syncs.start(admin, acme, &id).await.unwrap();
    assert_eq!(works.hours(&scheduler).await, [0; 0]);
    world.clock.pass(HOUR_MS);
    assert_eq!(works.hours(&scheduler).await, [4]);
}

#[tokio::test]
async fn a_daily_sync_runs_once_each_day_also_when_the_clocks_are_changed() {
    let world = World::new();
    let works = world.works(QueueOptions::default()).await;
    let (_, scheduler) = works.started(&cron("30 2 * * *")).await;
    // 4 October 2024 to 3 November: on 27 October 2:30 comes twice.
    let mut due = Vec::new();
    while world.clock_ms() < START_MS + 30 * DAY_MS {
        let wake_ms = scheduler.pass().await.unwrap().wake_ms.unwrap();
        world.clock.set(wake_ms - 1);
        assert_eq!(scheduler.pass().await.unwrap().started, 0);
        world.clock.set(wake_ms);
        due.extend(works.hours(&scheduler).await);
    }
    let gaps: Vec<u64> = due.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(gaps.len(), 30);
    assert_eq!(gaps.iter().filter(|gap| **gap == 25).count(), 1);
    assert_eq!(gaps.iter().filter(|gap| **gap == 24).count(), 29);
}

#[tokio::test]
async fn a_leap_day_is_due_when_there_is_one() {
    let world = World::new();
    let works = world.works(QueueOptions::default()).await;
    let (_, scheduler) = works.started(&cron("0 12 29 2 *")).await;
    let wake_ms = scheduler.pass().await.unwrap().wake_ms.unwrap();
    // 29 February 2028, 11:00 in UTC.
    assert_eq!(wake_ms, (21_243 * 24 + 11) * HOUR_MS);
    world.clock.set(wake_ms);
    assert_eq!(works.hours(&scheduler).await.len(), 1);
}

#[tokio::test]
async fn a_clock_that_goes_back_starts_nothing_twice() {
    let world = World::new();
    let works = world.works(QueueOptions::default()).await;
    let (_, scheduler) = works.started(&hourly(&json!({ "each": 10 }))).await;
    world.clock.pass(2 * HOUR_MS);
    assert_eq!(works.hours(&scheduler).await, [1, 2]);
    world.clock.set(START_MS);
    assert_eq!(works.hours(&scheduler).await, [0; 0]);
    world.clock.set(START_MS + 2 * HOUR_MS);
    assert_eq!(works.hours(&scheduler).await, [0; 0]);
    world.clock.pass(HOUR_MS);
    assert_eq!(works.hours(&scheduler).await, [3]);
}

#[tokio::test]
async fn of_ten_thousand_schedules_a_pass_looks_at_those_that_are_due() {
    let world = World::new();
    let works = world.works(QueueOptions::default()).await;
    let (id, scheduler) = works.started(&hourly(&json!("once"))).await;
    scheduler.pass().await.unwrap();
    let storage = &works.shop.organizations.keeper.storage;
    let acme = &works.shop.house.acme;
    for batch in 0..250_u64 {
        let change = (0..40).fold(Change::new(INSTALLATION), |change, number| {
            let due_ms = START_MS + 2 * HOUR_MS + batch * 40 + number;
            let entry = due_key(due_ms, acme, &format!("syn_{batch}_{number}"));
            change.put(SYNCS_DUE, entry, Life::Standing, Vec::new())
        });
        storage.commit(change).await.unwrap();
    }
    world.clock.pass(HOUR_MS);
    let pass = scheduler.pass().await.unwrap();
    assert_eq!((pass.started, pass.wake_ms), (1, Some(START_MS + 2 * HOUR_MS)));
    assert_eq!(works.take().await.unwrap().order.sync, id);
    // Those of the index that are no syncs any more are forgotten when they come to be due.
    world.clock.pass(HOUR_MS + 99);
    let pass = scheduler.pass().await.unwrap();
    assert_eq!((pass.started, pass.wake_ms, pass.failed.len()), (0, Some(START_MS + 2 * HOUR_MS + 100), 0));
}
