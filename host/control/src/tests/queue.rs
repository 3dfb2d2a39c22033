//! The queue of runs: whose turn it is, who holds what, and what becomes of it.

use super::connections::{SHOP, code, config, digest};
use super::syncs::Works;
use super::world::{Dying, World};
use crate::{Cause, Ending, Load, QueueOptions, RunOutcome, SyncSpec, Taken, Taking, Wish};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

impl Works {
    /// So many syncs that wait to run.
    pub(super) async fn waiting(&self, count: usize) -> Vec<String> {
        let mut syncs = Vec::new();
        for _ in 0..count {
            let id = self.sync(&json!({})).await.id;
            let (admin, acme) = self.by();
            self.queue.run_now(admin, acme, &id).await.unwrap();
            syncs.push(id);
        }
        syncs
    }

    /// The same of another organization; answers its id.
    pub(super) async fn other_waiting(&self, count: usize) -> String {
        let (other, eve) = self.shop.house.other().await;
        self.shop.installations.install(&eve, &other.id, &digest('a'), SHOP).await.unwrap();
        let connection = self.connections.create(&eve, &other.id, config("Shop", "eu")).await.unwrap().id;
        for _ in 0..count {
            let (source, destination) = (connection.clone(), connection.clone());
            let spec = SyncSpec { source, destination, ..self.spec(&json!({})) };
            let id = self.syncs.create(&eve, &other.id, spec).await.unwrap().id;
            self.queue.run_now(&eve, &other.id, &id).await.unwrap();
        }
        other.id
    }

    async fn taken(&self) -> Taken {
        match self.queue.take().await.unwrap() {
            Taking::Run(taken) => taken,
            nothing => panic!("{nothing:?}"),
        }
    }

    async fn wake_ms(&self) -> Option<u64> {
        match self.queue.take().await.unwrap() {
            Taking::Nothing { wake_ms } => wake_ms,
            taken => panic!("{taken:?}"),
        }
    }
}

fn failed(can_retry: bool) -> RunOutcome {
    RunOutcome::Failed { error: "CD0301".into(), can_retry, retry_after_ms: None }
}

#[tokio::test]
async fn organizations_take_turns_however_many_runs_wait() {
    let world = World::new();
    let options = QueueOptions { running_max: 100, ..QueueOptions::default() };
    let works = world.works(options).await;
    works.waiting(8).await;
    let other = works.other_waiting(3).await;
    let mut order = Vec::new();
    for _ in 0..11 {
        order.push(works.taken().await.order.organization == other);
    }
    // As long as both wait, each gets one for one of the other.
    assert_eq!(order.iter().take(6).filter(|is_other| **is_other).count(), 3, "{order:?}");
    assert!(order.windows(2).take(5).all(|pair| pair[0] != pair[1]), "{order:?}");
    assert_eq!(works.wake_ms().await, Some(world.clock_ms() + 60_000));
}

#[tokio::test]
async fn who_operates_a_server_learns_how_much_there_is_and_not_whose() {
    let world = World::new();
    let works = world.works(QueueOptions::default()).await;
    assert_eq!(works.queue.load().await.unwrap(), Load::default());
    works.waiting(2).await;
    works.other_waiting(3).await;
    let taken = works.taken().await;
    assert_eq!(works.queue.load().await.unwrap(), Load { waiting: 4, running: 1 });
    works.queue.finish(taken, &RunOutcome::Done).await.unwrap();
    assert_eq!(works.queue.load().await.unwrap(), Load { waiting: 4, running: 0 });
}

/// Over an engine that lets others go first at each step.
#[tokio::test]
async fn a_run_begins_while_others_of_its_organization_come_to_wait_all_the_time() {
    let world = World::over(Dying::new(false));
    let works = world.works(QueueOptions::default()).await;
    works.waiting(1).await;
    let mut syncs = Vec::new();
    for _ in 0..30 {
        syncs.push(works.sync(&json!({})).await.id);
    }
    let come = AtomicUsize::new(0);
    let coming = async {
        let (admin, acme) = works.by();
        for sync in &syncs {
            works.queue.run_now(admin, acme, sync).await.unwrap();
            come.fetch_add(1, Ordering::SeqCst);
        }
    };
    let taking = async {
        works.taken().await;
        come.load(Ordering::SeqCst)
    };
    let ((), come_by_then) = tokio::join!(coming, taking);
    assert!((1..syncs.len()).contains(&come_by_then), "{come_by_then} came before it began");
}

#[tokio::test]
async fn who_was_held_back_by_its_limit_gets_no_more_than_its_turn_afterwards() {
    let world = World::new();
    let works = world.works(QueueOptions { running_max: 1, ..QueueOptions::default() }).await;
    works.waiting(9).await;
    let held = works.taken().await;
    let other = works.other_waiting(14).await;
    // The first has reached its limit, and the other goes on alone.
    for _ in 0..8 {
        let taken = works.taken().await;
        assert_eq!(taken.order.organization, other);
        works.queue.finish(taken, &RunOutcome::Done).await.unwrap();
    }
    works.queue.finish(held, &RunOutcome::Done).await.unwrap();
    let mut served = BTreeMap::<String, usize>::new();
    for _ in 0..8 {
        let taken = works.taken().await;
        *served.entry(taken.order.organization.clone()).or_default() += 1;
        works.queue.finish(taken, &RunOutcome::Done).await.unwrap();
    }
    assert!(served.len() == 2 && served.values().all(|count| (3..=5).contains(count)), "{served:?}");
}

#[tokio::test]
async fn a_sync_has_one_run_at_a_time() {
    let world = World::new();
    let works = world.works(QueueOptions::default()).await;
    let (admin, acme) = works.by();
    let sync = works.waiting(1).await.remove(0);
    assert_eq!(code(works.queue.run_now(admin, acme, &sync).await), "CD1261");
    let taken = works.taken().await;
    assert_eq!(code(works.queue.run_now(admin, acme, &sync).await), "CD1261");
    assert_eq!(works.queue.list(admin, acme).await.unwrap().len(), 1);
    works.queue.finish(taken, &RunOutcome::Done).await.unwrap();
    assert!(works.queue.list(admin, acme).await.unwrap().is_empty());
    assert_eq!(works.read(&sync).await.last.unwrap().outcome, Ending::Done);
    assert_eq!(code(works.queue.run_now(admin, acme, &sync).await), "done");
}

#[tokio::test]
async fn a_run_whose_holder_says_nothing_is_taken_over_and_the_holder_has_nothing_to_say() {
    let world = World::new();
    let works = world.works(QueueOptions::default()).await;
    let sync = works.waiting(1).await.remove(0);
    let mut first = works.taken().await;
    world.clock.pass(59_999);
    assert_eq!(works.wake_ms().await, Some(first.until_ms()));
    assert_eq!(works.queue.renew(&mut first).await.unwrap(), None);
    world.clock.pass(59_999);
    assert!(works.wake_ms().await.is_some());
    world.clock.pass(2);
    let mut second = works.taken().await;
    assert_eq!((&second.order.run, second.order.attempt), (&first.order.run, 2));
    assert!(second.order.fence > first.order.fence);
    assert_eq!(code(works.queue.renew(&mut first).await), "CD1262");
    assert_eq!(code(works.queue.finish(first, &RunOutcome::Done).await), "CD1262");
    assert_eq!(works.queue.renew(&mut second).await.unwrap(), None);
    assert_eq!(works.read(&sync).await.run, Some(second.order.run.clone()));
    works.queue.finish(second, &RunOutcome::Done).await.unwrap();
    assert_eq!(works.read(&sync).await.run, None);
}

#[tokio::test]
async fn a_run_whose_processes_die_again_and_again_waits_longer_each_time_and_is_never_given_up() {
    let world = World::new();
    let works = world.works(QueueOptions::default()).await;
    let sync = works.waiting(1).await.remove(0);
    for _ in 0..4 {
        drop(works.taken().await);
        world.clock.pass(60_001);
    }
    let mut waited = Vec::new();
    for _ in 0..20 {
        // What would be next is not held up by it.
        let wake_ms = works.wake_ms().await.unwrap();
        waited.push(wake_ms - world.clock_ms());
        world.clock.set(wake_ms);
        drop(works.taken().await);
        world.clock.pass(60_001);
    }
    assert!(waited[..5].is_sorted() && waited[0] >= 2_000 && waited[1] >= 4_000, "{waited:?}");
    assert!(waited.iter().all(|wait| *wait <= 60_000 / 4 * 5), "{waited:?}");
    world.clock.pass(2 * 3_600_000);
    assert!(works.wake_ms().await.is_some());
    world.clock.pass(2 * 3_600_000);
    // No attempt has failed: it has as many as any other.
    for left in (1..=5).rev() {
        let taken = works.taken().await;
        assert_eq!(taken.order.is_last, left == 1);
        works.queue.finish(taken, &failed(true)).await.unwrap();
        world.clock.pass(2 * 3_600_000);
    }
    assert_eq!(works.read(&sync).await.last.unwrap().outcome, Ending::Failed);
}

#[tokio::test]
async fn a_run_that_is_to_end_when_its_process_dies_once_more_is_begun_by_nobody() {
    let world = World::new();
    let works = world.works(QueueOptions::default()).await;
    let (admin, acme) = works.by();
    let sync = works.waiting(1).await.remove(0);
    for _ in 0..3 {
        drop(works.taken().await);
        world.clock.pass(60_001);
    }
    let last = works.taken().await;
    works.queue.cancel(admin, acme, &last.order.run).await.unwrap();
    world.clock.pass(60_001);
    assert_eq!(works.wake_ms().await, None);
    assert_eq!(works.read(&sync).await.last.unwrap().outcome, Ending::Cancelled);
    assert_eq!(works.queue.load().await.unwrap(), Load::default());
}

/// Whoever takes over and whoever cancels meet at every moment of it: what then changed under the taker is looked at again at once.
#[tokio::test]
async fn a_run_that_changes_while_it_is_taken_over_stays_held_by_nobody() {
    let world = World::over(Dying::new(false));
    let works = world.works(QueueOptions::default()).await;
    let (admin, acme) = works.by();
    let sync = works.sync(&json!({})).await.id;
    let mut missed = 0;
    for turns in 0..60 {
        works.queue.run_now(admin, acme, &sync).await.unwrap();
        let run = works.taken().await.order.run;
        world.clock.pass(60_001);
        let cancelling = async {
            for _ in 0..turns {
                tokio::task::yield_now().await;
            }
            works.queue.cancel(admin, acme, &run).await.unwrap();
        };
        let (taking, ()) = futures::join!(works.queue.take(), cancelling);
        let taken = match taking.unwrap() {
            Taking::Run(taken) => taken,
            Taking::Nothing { wake_ms } => {
                missed += 1;
                assert_eq!(wake_ms, Some(world.clock_ms()), "{turns}: nobody looks at it again");
                works.taken().await
            }
        };
        assert_eq!(taken.order.run, run);
        works.queue.finish(taken, &RunOutcome::Cancelled).await.unwrap();
    }
    assert!(missed > 0, "they have never met");
}

#[tokio::test]
async fn a_run_that_has_committed_something_is_taken_over_at_once_again() {
    let world = World::new();
    let works = world.works(QueueOptions::default()).await;
    works.waiting(1).await;
    let first = works.taken().await;
    assert!(!first.is_doubted());
    drop(first);
    for _ in 0..10 {
        for _ in 0..3 {
            world.clock.pass(60_001);
            let mut taken = works.taken().await;
            assert!(taken.is_doubted());
            if taken.order.attempt % 3 == 1 {
                works.queue.has_moved(&mut taken).await.unwrap();
                assert!(!taken.is_doubted());
            }
        }
    }
    // Who has lost it has nothing to say of it.
    world.clock.pass(60_001);
    let mut former = works.taken().await;
    world.clock.pass(60_001);
    let latter = works.taken().await;
    assert_eq!(code(works.queue.has_moved(&mut former).await), "CD1262");
    works.queue.finish(latter, &RunOutcome::Done).await.unwrap();
}

#[tokio::test]
async fn a_run_that_failed_is_tried_again_later_each_time_until_there_were_enough() {
    let world = World::new();
    let works = world.works(QueueOptions { attempts_max: 3, ..QueueOptions::default() }).await;
    let sync = works.waiting(1).await.remove(0);
    let run = works.read(&sync).await.run;
    let mut waited = Vec::new();
    for attempt in 1..=3 {
        let taken = works.taken().await;
        assert_eq!((taken.order.attempt, Some(&taken.order.run)), (attempt, run.as_ref()));
        works.queue.finish(taken, &failed(true)).await.unwrap();
        let wake_ms = works.wake_ms().await;
        if let Some(wake_ms) = wake_ms {
            waited.push(wake_ms - world.clock_ms());
            world.clock.set(wake_ms - 1);
            assert_eq!(works.wake_ms().await, Some(wake_ms));
            world.clock.set(wake_ms);
        }
    }
    assert!(waited.len() == 2 && waited[0] >= 30_000 && waited[1] >= 60_000, "{waited:?}");
    let last = works.read(&sync).await.last.unwrap();
    assert_eq!((last.outcome, last.error.as_deref()), (Ending::Failed, Some("CD0301")));

    // What no other attempt would help is not tried again, and what the other side says is waited for.
    let sync = works.waiting(1).await.remove(0);
    let later =
        RunOutcome::Failed { error: "CD0301".into(), can_retry: true, retry_after_ms: Some(7_200_000) };
    works.queue.finish(works.taken().await, &later).await.unwrap();
    assert_eq!(works.wake_ms().await, Some(world.clock_ms() + 7_200_000));
    world.clock.pass(7_200_000);
    works.queue.finish(works.taken().await, &failed(false)).await.unwrap();
    assert_eq!(works.read(&sync).await.last.unwrap().outcome, Ending::Failed);
}

#[tokio::test]
async fn a_run_that_is_handed_back_goes_on_at_once_and_counts_no_attempt() {
    let world = World::new();
    let works = world.works(QueueOptions::default()).await;
    works.waiting(1).await;
    let first = works.taken().await;
    let run = first.order.run.clone();
    works.queue.finish(first, &RunOutcome::HandedBack).await.unwrap();
    let second = works.taken().await;
    assert_eq!((second.order.run, second.order.attempt), (run, 1));
}

#[tokio::test]
async fn a_wish_reaches_the_holder_and_a_run_that_waits_goes_at_once() {
    let world = World::new();
    let works = world.works(QueueOptions::default()).await;
    let (admin, acme) = works.by();
    let sync = works.waiting(1).await.remove(0);
    let mut taken = works.taken().await;
    let mut wishes = works.queue.wishes();
    assert_eq!(works.queue.wish_of(&taken).await.unwrap(), None);
    works.syncs.start(admin, acme, &sync).await.unwrap();
    wishes.mark_unchanged();
    works.syncs.pause(admin, acme, &sync).await.unwrap();
    assert!(wishes.has_changed().unwrap());
    let until_ms = taken.until_ms();
    world.clock.pass(1_000);
    assert_eq!(works.queue.wish_of(&taken).await.unwrap(), Some(Wish::Pause));
    assert_eq!(taken.until_ms(), until_ms, "to ask is not to hold");
    assert_eq!(works.queue.renew(&mut taken).await.unwrap(), Some(Wish::Pause));
    assert_eq!(taken.until_ms(), until_ms + 1_000);
    works.syncs.stop(admin, acme, &sync).await.unwrap();
    assert_eq!(works.queue.renew(&mut taken).await.unwrap(), Some(Wish::Cancel));
    // What fails when it is to end anyway is not tried again.
    works.queue.finish(taken, &failed(true)).await.unwrap();
    assert_eq!(works.wake_ms().await, None);

    let run = works.queue.run_now(admin, acme, &sync).await.unwrap().run;
    works.queue.cancel(admin, acme, &run).await.unwrap();
    assert_eq!(works.wake_ms().await, None);
    assert_eq!(works.read(&sync).await.last.unwrap().outcome, Ending::Cancelled);
    assert_eq!(code(works.queue.cancel(admin, acme, &run).await), "CD1253");
    let operator = &works.shop.house.operator;
    assert_eq!(code(works.queue.run_now(operator, acme, &sync).await), "CD1242");
    let acts = works.shop.acts().await;
    assert_eq!(acts.iter().filter(|act| *act == "run_cancelled").count(), 1);
}

#[tokio::test]
async fn events_that_come_during_a_run_make_one_more_and_wait_for_a_sync_that_does_not_run() {
    let world = World::new();
    let works = world.works(QueueOptions::default()).await;
    let (admin, acme) = works.by();
    let scheduler = crate::Scheduler::new(std::sync::Arc::clone(&works.queue));
    let sync = works.sync(&json!({})).await.id;
    assert!(works.queue.note_event(acme, &sync).await.unwrap().is_none());
    works.syncs.start(admin, acme, &sync).await.unwrap();
    assert_eq!(scheduler.pass().await.unwrap().started, 1);
    let taken = works.taken().await;
    for _ in 0..3 {
        assert!(works.queue.note_event(acme, &sync).await.unwrap().is_none());
    }
    works.queue.finish(taken, &RunOutcome::Done).await.unwrap();
    assert_eq!(scheduler.pass().await.unwrap().started, 1);
    works.queue.finish(works.taken().await, &RunOutcome::Done).await.unwrap();
    assert_eq!(scheduler.pass().await.unwrap().started, 0);
    assert!(works.queue.note_event(acme, &sync).await.unwrap().is_some());
}

#[tokio::test]
async fn a_reprocess_is_a_run_like_any_other_and_names_what_was_chosen() {
    let world = World::new();
    let works = world.works(QueueOptions::default()).await;
    let (admin, acme) = works.by();
    let sync = works.sync(&json!({})).await.id;
    let operator = &works.shop.house.operator;
    assert_eq!(code(works.queue.reprocess(operator, acme, &sync, "rpr_1").await), "CD1242");
    assert_eq!(code(works.queue.reprocess(admin, acme, "syn_none", "rpr_1").await), "CD1253");
    works.queue.reprocess(admin, acme, &sync, "rpr_1").await.unwrap();
    assert_eq!(code(works.queue.reprocess(admin, acme, &sync, "rpr_2").await), "CD1261");
    assert_eq!(code(works.queue.run_now(admin, acme, &sync).await), "CD1261");
    let taken = works.taken().await;
    let cause = Cause::Reprocess { by: admin.to_owned(), request: "rpr_1".into() };
    assert_eq!(taken.order.cause, cause);
    assert_eq!(code(works.queue.reprocess(admin, acme, &sync, "rpr_2").await), "CD1261");
    works.queue.finish(taken, &RunOutcome::Done).await.unwrap();
    let acts = works.shop.acts().await;
    assert_eq!(acts.iter().filter(|act| *act == "reprocess_requested").count(), 1);
    works.syncs.is_known(acme, &sync).await.unwrap();
    assert_eq!(works.syncs.is_known(acme, "syn_none").await.unwrap_err().code(), "CD1253");
}
