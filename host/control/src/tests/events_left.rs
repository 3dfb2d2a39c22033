//! Messages that a run has left where they wait: another one comes for them, later each time, and not for ever later.

use super::endpoints::{Hook, PLAIN, arrived, leave, served};
use super::world::{DAY_MS, Dying, HOUR_MS, START_MS, World};
use crate::{Cause, EndpointOptions, EventQueue, RunOutcome, Scheduler, Taken, Taking};
use serde_json::json;
use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::sync::Arc;

const MINUTE_MS: u64 = 60_000;

fn failed() -> RunOutcome {
    RunOutcome::Failed { error: "CD0301".into(), can_retry: false, retry_after_ms: None }
}

/// At least so many minutes, and at most a quarter longer.
fn minutes(count: u64) -> RangeInclusive<u64> {
    count * MINUTE_MS..=count * MINUTE_MS / 4 * 5
}

impl Hook {
    fn scheduler(&self) -> Scheduler {
        Scheduler::new(Arc::clone(&self.works.queue))
    }

    async fn told(&self) -> EventQueue {
        let (admin, acme) = self.works.by();
        self.endpoints.waiting(admin, acme, &self.sync).await.unwrap()
    }

    /// The run that waits now, if the scheduler finds one to be due.
    async fn due(&self) -> Option<Taken> {
        self.scheduler().pass().await.unwrap();
        self.take().await
    }

    async fn ends(&self, taken: Taken, outcome: &RunOutcome) {
        self.works.queue.finish(taken, outcome).await.unwrap();
    }

    /// With one message, which a run has left.
    async fn with_one_left(world: &World) -> Self {
        let hook = world.hook(PLAIN, EndpointOptions::default()).await;
        hook.leave("1", "one").await.unwrap();
        let taken = hook.take().await.unwrap();
        hook.ends(taken, &failed()).await;
        hook
    }

    /// How long it is until the next run comes.
    async fn wait_ms(&self, world: &World) -> Option<u64> {
        self.told().await.next_run_ms.map(|next_ms| next_ms - world.clock_ms())
    }
}

#[tokio::test]
async fn what_a_run_has_left_is_come_for_later_each_time_until_one_succeeds() {
    let world = World::new();
    let hook = Hook::with_one_left(&world).await;
    let (_, acme) = hook.works.by();
    for (runs, least) in [(1, 1), (2, 2), (3, 4), (4, 8), (5, 15), (6, 15)] {
        let told = hook.told().await;
        let next_ms = told.next_run_ms.unwrap();
        assert_eq!((told.waiting, told.left_by_runs), (1, runs));
        assert!(minutes(least).contains(&(next_ms - world.clock_ms())), "{runs}: {told:?}");
        let pass = hook.scheduler().pass().await.unwrap();
        assert_eq!((pass.started, pass.wake_ms), (0, Some(next_ms)));
        world.clock.set(next_ms - 1);
        assert!(hook.due().await.is_none(), "{runs}");
        world.clock.set(next_ms);
        let taken = hook.due().await.unwrap();
        assert_eq!(taken.order.cause, Cause::Event);
        // There is one at a time, and nothing is said of another one.
        assert_eq!(hook.told().await.next_run_ms, None);
        assert!(hook.due().await.is_none());
        hook.ends(taken, &failed()).await;
    }
    world.clock.set(hook.told().await.next_run_ms.unwrap());
    let taken = hook.due().await.unwrap();
    hook.endpoints.committed(acme, &hook.sync, 1).await.unwrap();
    hook.ends(taken, &RunOutcome::Done).await;
    assert_eq!((hook.told().await.next_run_ms, hook.told().await.left_by_runs), (None, 0));
    world.clock.pass(HOUR_MS);
    assert!(hook.due().await.is_none());
    // Whatever fails next has failed once.
    hook.leave("2", "two").await.unwrap();
    let taken = hook.take().await.unwrap();
    hook.ends(taken, &failed()).await;
    assert!(minutes(1).contains(&hook.wait_ms(&world).await.unwrap()));
}

#[tokio::test]
async fn messages_that_come_meanwhile_wait_with_those_that_were_left() {
    let world = World::new();
    let hook = Hook::with_one_left(&world).await;
    let next_ms = hook.told().await.next_run_ms;
    for id in ["2", "3"] {
        hook.leave(id, "more").await.unwrap();
        assert!(hook.due().await.is_none());
    }
    assert_eq!((hook.told().await.waiting, hook.told().await.next_run_ms), (3, next_ms));
    world.clock.set(next_ms.unwrap());
    assert_eq!(hook.leave("4", "at the time").await.unwrap().sequence, 4);
    // It was due by then: whoever comes first asks for the run, and there is one.
    assert!(hook.due().await.is_some());
    assert!(hook.due().await.is_none());
}

#[tokio::test]
async fn one_that_comes_during_a_run_that_fails_waits_as_well() {
    let world = World::new();
    let hook = world.hook(PLAIN, EndpointOptions::default()).await;
    hook.leave("1", "one").await.unwrap();
    let taken = hook.take().await.unwrap();
    hook.leave("2", "two").await.unwrap();
    hook.ends(taken, &failed()).await;
    assert!(hook.due().await.is_none());
    assert!(minutes(1).contains(&hook.wait_ms(&world).await.unwrap()));
}

#[tokio::test]
async fn it_is_known_to_a_process_that_remembers_nothing() {
    let world = World::new();
    let hook = Hook::with_one_left(&world).await;
    let next_ms = hook.told().await.next_run_ms.unwrap();
    let (endpoints, queue) = served(Arc::clone(&hook.works.shop.organizations.users), "eu-1");
    let scheduler = Scheduler::new(Arc::clone(&queue));
    endpoints.ask_for_owed_runs().await.unwrap();
    let pass = scheduler.pass().await.unwrap();
    assert_eq!((pass.started, pass.wake_ms), (0, Some(next_ms)));
    assert!(matches!(queue.take().await.unwrap(), Taking::Nothing { .. }));
    world.clock.set(next_ms);
    assert_eq!(scheduler.pass().await.unwrap().started, 1);
    let Taking::Run(taken) = queue.take().await.unwrap() else { panic!("there is none") };
    queue.finish(taken, &failed()).await.unwrap();
    let (admin, acme) = hook.works.by();
    let told = endpoints.waiting(admin, acme, &hook.sync).await.unwrap();
    assert_eq!(told.left_by_runs, 2);
}

#[tokio::test]
async fn a_sync_that_is_paused_or_stopped_is_left_alone_and_comes_at_once_when_it_goes_on() {
    for stops in [false, true] {
        let world = World::new();
        let hook = Hook::with_one_left(&world).await;
        let (admin, acme) = hook.works.by();
        match stops {
            true => hook.works.syncs.stop(admin, acme, &hook.sync).await.unwrap(),
            false => hook.works.syncs.pause(admin, acme, &hook.sync).await.unwrap(),
        };
        assert_eq!(hook.told().await.next_run_ms, None, "{stops}");
        world.clock.pass(HOUR_MS);
        assert!(hook.due().await.is_none(), "{stops}");
        hook.works.syncs.start(admin, acme, &hook.sync).await.unwrap();
        let taken = hook.due().await.unwrap();
        assert_eq!(taken.order.cause, Cause::Event);
        // It is ended by that: what it leaves waits for the sync, and not for a time.
        hook.works.syncs.pause(admin, acme, &hook.sync).await.unwrap();
        hook.ends(taken, &RunOutcome::Cancelled).await;
        assert_eq!((hook.told().await.next_run_ms, hook.told().await.left_by_runs), (None, 0), "{stops}");
    }
}

#[tokio::test]
async fn whoever_changes_the_sync_waits_for_nothing() {
    let world = World::new();
    let hook = Hook::with_one_left(&world).await;
    let (admin, acme) = hook.works.by();
    let stored = hook.works.read(&hook.sync).await;
    let at = (hook.sync.as_str(), stored.revision);
    hook.works.syncs.update(admin, acme, at, stored.spec).await.unwrap();
    assert_eq!(hook.due().await.unwrap().order.cause, Cause::Event);
}

#[tokio::test]
async fn a_run_that_somebody_cancels_leaves_what_waits_for_a_later_one() {
    let world = World::new();
    let hook = world.hook(PLAIN, EndpointOptions::default()).await;
    let (admin, acme) = hook.works.by();
    hook.leave("1", "one").await.unwrap();
    let run = hook.works.read(&hook.sync).await.run.unwrap();
    hook.works.queue.cancel(admin, acme, &run).await.unwrap();
    assert!(hook.due().await.is_none());
    let wait_ms = hook.wait_ms(&world).await.unwrap();
    assert!(minutes(1).contains(&wait_ms));
    world.clock.pass(wait_ms);
    assert_eq!(hook.due().await.unwrap().order.cause, Cause::Event);
}

#[tokio::test]
async fn runs_that_people_ask_for_come_at_once_and_say_what_they_found() {
    let world = World::new();
    let hook = Hook::with_one_left(&world).await;
    let (admin, acme) = hook.works.by();
    let next_ms = hook.told().await.next_run_ms;
    // Row errors that are sent through again say nothing of messages.
    for outcome in [failed(), RunOutcome::Done] {
        hook.works.queue.reprocess(admin, acme, &hook.sync, "req_1").await.unwrap();
        let taken = hook.take().await.unwrap();
        hook.ends(taken, &outcome).await;
        assert!(hook.due().await.is_none());
        assert_eq!((hook.told().await.left_by_runs, hook.told().await.next_run_ms), (1, next_ms));
    }
    for (outcome, left_by_runs) in [(failed(), 2), (RunOutcome::Done, 0)] {
        hook.works.queue.run_now(admin, acme, &hook.sync).await.unwrap();
        let taken = hook.take().await.unwrap();
        hook.ends(taken, &outcome).await;
        assert_eq!(hook.told().await.left_by_runs, left_by_runs);
    }
}

#[tokio::test]
async fn where_no_message_is_left_nobody_comes() {
    let world = World::new();
    let hook = world.hook(PLAIN, EndpointOptions::default()).await;
    let (admin, acme) = hook.works.by();
    // A run that fails has moved them all the same, or they were dropped meanwhile.
    for clears in [false, true] {
        let sequence = hook.leave("", "one").await.unwrap().sequence;
        let taken = hook.take().await.unwrap();
        match clears {
            true => drop(hook.endpoints.clear(admin, acme, &hook.sync).await.unwrap()),
            false => hook.endpoints.committed(acme, &hook.sync, sequence).await.unwrap(),
        }
        hook.ends(taken, &failed()).await;
        let pass = hook.scheduler().pass().await.unwrap();
        assert_eq!((pass.started, pass.wake_ms), (0, None), "{clears}");
    }
    // What is gone when its time has come costs one run, and no other one.
    hook.leave("", "one").await.unwrap();
    let taken = hook.take().await.unwrap();
    hook.ends(taken, &failed()).await;
    world.clock.pass(DAY_MS);
    assert_eq!((hook.told().await.waiting, hook.told().await.next_run_ms), (0, None));
    let taken = hook.due().await.unwrap();
    hook.ends(taken, &failed()).await;
    assert_eq!(hook.scheduler().pass().await.unwrap().wake_ms, None);
}

#[tokio::test]
async fn a_schedule_goes_on_beside_it_and_whichever_comes_first_is_next() {
    let world = World::new();
    let hook = world.hook(PLAIN, EndpointOptions::default()).await;
    let (admin, acme) = hook.works.by();
    let stored = hook.works.read(&hook.sync).await;
    let schedule = json!({ "when": { "every": { "interval_ms": 10 * MINUTE_MS, "from_ms": START_MS } } });
    let spec = hook.works.spec(&json!({ "source": stored.spec.source, "schedule": schedule }));
    let at = (hook.sync.as_str(), stored.revision);
    hook.works.syncs.update(admin, acme, at, spec).await.unwrap();
    hook.leave("1", "one").await.unwrap();
    let mut causes = Vec::new();
    let mut next = hook.take().await;
    while causes.len() < 7 {
        if let Some(taken) = next {
            causes.push(taken.order.cause.clone());
            hook.ends(taken, &failed()).await;
        }
        let pass = hook.scheduler().pass().await.unwrap();
        if pass.started == 0 {
            assert_eq!(pass.wake_ms, hook.told().await.next_run_ms);
            world.clock.set(pass.wake_ms.unwrap());
        }
        next = hook.due().await;
    }
    // At 0, 1, 3 and 7 minutes and something, then by the schedule, between whose times none of these waits ends.
    let due = |count: u64| Cause::Schedule { due_ms: START_MS + count * 10 * MINUTE_MS };
    assert_eq!(causes[..4], [const { Cause::Event }; 4]);
    assert_eq!(causes[4..], [due(1), due(2), due(3)]);
}

#[tokio::test]
async fn many_endpoints_that_failed_together_come_again_one_by_one() {
    let world = World::new();
    let hook = Hook::with_one_left(&world).await;
    let (admin, acme) = hook.works.by();
    let source = hook.works.read(&hook.sync).await.spec.source;
    let mut syncs = vec![hook.sync.clone()];
    for _ in 0..30 {
        let sync = hook.works.sync(&json!({ "source": source })).await.id;
        hook.works.syncs.start(admin, acme, &sync).await.unwrap();
        let (_, token) = hook.endpoints.create(admin, acme, &sync).await.unwrap();
        leave(&hook.endpoints, &token, arrived(&[], "one")).await.unwrap();
        let taken = hook.take().await.unwrap();
        hook.ends(taken, &failed()).await;
        syncs.push(sync);
    }
    let mut times = BTreeSet::new();
    for sync in &syncs {
        times.insert(hook.endpoints.waiting(admin, acme, sync).await.unwrap().next_run_ms.unwrap());
    }
    assert!(times.len() > 20, "{times:?}");
    world.clock.pass(2 * MINUTE_MS);
    assert_eq!(hook.scheduler().pass().await.unwrap().started, syncs.len());
    assert_eq!(hook.scheduler().pass().await.unwrap().started, 0);
    // They are runs like all others: as many at one time as an organization may have.
    let mut taken = Vec::new();
    while let Some(one) = hook.take().await {
        taken.push(one);
    }
    assert_eq!(taken.len(), 4);
}

/// Over an engine that lets others go first at each step.
#[tokio::test]
async fn no_message_is_forgotten_that_comes_while_a_run_fails() {
    for number in 0..30_u64 {
        let world = World::over(Dying::new(false));
        let hook = Hook::with_one_left(&world).await;
        world.clock.pass(HOUR_MS);
        let taken = hook.due().await.unwrap();
        // Each time one of the two is a few steps ahead.
        let steps = async |count: u64| {
            for _ in 0..count {
                tokio::task::yield_now().await;
            }
        };
        tokio::join!(
            async {
                steps(number).await;
                hook.leave("2", "two").await.unwrap();
            },
            async {
                steps(number * 7 % 30).await;
                hook.ends(taken, &failed()).await;
            }
        );
        world.clock.pass(20 * MINUTE_MS);
        assert!(hook.due().await.is_some(), "{number}");
    }
}
