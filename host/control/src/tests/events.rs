//! Messages: accepted durably and in order, known when they come again, bounded, and gone within a day.

use super::connections::code;
use super::endpoints::{Hook, PLAIN, SIGNED, arrived, leave};
use super::world::{DAY_MS, Dying, HOUR_MS, World, contains};
use crate::{Cause, EndpointOptions, EventQueue, RunOutcome, Taken, Taking};
use futures::future::join_all;
use std::collections::BTreeSet;
use std::sync::Arc;

const MINUTE_MS: u64 = 60_000;

impl Hook {
    pub(super) async fn take(&self) -> Option<Taken> {
        match self.works.queue.take().await.unwrap() {
            Taking::Run(taken) => Some(taken),
            Taking::Nothing { .. } => None,
        }
    }
}

#[tokio::test]
async fn messages_are_numbered_as_they_come_and_keep_the_headers_that_were_asked_for() {
    let world = World::new();
    let hook = world.hook(PLAIN, EndpointOptions::default()).await;
    let (admin, acme) = hook.works.by();
    let all = [("x-event", "paid"), ("authorization", "canary"), ("x-event", "sent"), ("x-id", "1")];
    let first = leave(&hook.endpoints, &hook.token, arrived(&all, "one")).await.unwrap();
    assert_eq!((first.sequence, first.is_known), (1, false));
    assert_eq!(hook.leave("2", "").await.unwrap().sequence, 2);
    let large = "x".repeat(1 << 20);
    assert_eq!(hook.leave("3", &large).await.unwrap().sequence, 3);
    let read = hook.endpoints.read(acme, &hook.sync, 0).await.unwrap();
    assert_eq!(read[0].headers, [("x-event".into(), "paid".into()), ("x-event".into(), "sent".into())]);
    assert_eq!(hook.bodies(1).await, [(2, String::new()), (3, large)]);
    let told = hook.endpoints.waiting(admin, acme, &hook.sync).await.unwrap();
    let EventQueue { waiting, bytes, oldest_ms, next, .. } = told;
    assert_eq!((waiting, oldest_ms, next), (3, Some(world.clock_ms()), 4));
    assert!((1 << 20..(1 << 20) + 1_000).contains(&bytes), "{bytes}");
    // Who remembers nothing finds the same.
    let again = hook.anew("eu-1");
    assert_eq!(again.waiting(admin, acme, &hook.sync).await.unwrap(), told);
    assert_eq!(leave(&again, &hook.token, arrived(&[], "four")).await.unwrap().sequence, 4);
    assert!(!contains(&world.bytes().await, "paid"));
}

#[tokio::test]
async fn what_a_destination_has_committed_is_forgotten_and_never_read_again() {
    let world = World::new();
    let hook = world.hook(PLAIN, EndpointOptions::default()).await;
    let (_, acme) = hook.works.by();
    for number in 1..=40 {
        hook.leave(&number.to_string(), &format!("m{number}")).await.unwrap();
    }
    hook.endpoints.committed(acme, &hook.sync, 37).await.unwrap();
    assert_eq!(hook.waiting().await, 3);
    assert_eq!(hook.bodies(37).await.first().unwrap(), &(38, "m38".to_owned()));
    assert_eq!(hook.bodies(0).await.len(), 3);
    hook.endpoints.committed(acme, &hook.sync, 40).await.unwrap();
    assert_eq!((hook.waiting().await, hook.bodies(0).await.len()), (0, 0));
    // Numbers go on.
    assert_eq!(hook.leave("x", "").await.unwrap().sequence, 41);
}

#[tokio::test]
async fn a_message_that_comes_again_within_the_window_is_queued_once() {
    let world = World::new();
    let hook = world.hook(PLAIN, EndpointOptions::default()).await;
    let (_, acme) = hook.works.by();
    hook.leave("a", "one").await.unwrap();
    let again = hook.leave("a", "one").await.unwrap();
    assert_eq!((again.sequence, again.is_known), (1, true));
    // Also when it was moved already, and by who remembers nothing.
    hook.endpoints.committed(acme, &hook.sync, 1).await.unwrap();
    world.clock.pass(10 * MINUTE_MS - 1);
    let other = hook.anew("eu-1");
    let message = || arrived(&[("x-id", "a")], "one");
    assert!(leave(&other, &hook.token, message()).await.unwrap().is_known);
    world.clock.pass(1);
    let late = leave(&other, &hook.token, message()).await.unwrap();
    assert_eq!((late.sequence, late.is_known), (2, false));
    // Without an id, or with two, nobody knows whether it is the same.
    for headers in [&[][..], &[("x-id", "")], &[("x-id", "b"), ("x-id", "b")]] {
        let first = leave(&other, &hook.token, arrived(headers, "")).await.unwrap();
        let second = leave(&other, &hook.token, arrived(headers, "")).await.unwrap();
        assert_eq!((first.is_known, second.sequence), (false, first.sequence + 1), "{headers:?}");
    }
}

#[tokio::test]
async fn two_that_come_at_once_with_one_id_are_one() {
    let world = World::over(Dying::new(false));
    let hook = world.hook(PLAIN, EndpointOptions::default()).await;
    let told = join_all((0..20).map(|_| hook.leave("a", "one"))).await;
    let told: Vec<_> = told.into_iter().map(Result::unwrap).collect();
    assert!(told.iter().all(|one| one.sequence == 1), "{told:?}");
    assert_eq!(told.iter().filter(|one| !one.is_known).count(), 1);
    assert_eq!(hook.waiting().await, 1);
}

#[tokio::test]
async fn a_full_queue_takes_nothing_more_until_something_was_moved() {
    let world = World::new();
    let hook = world.hook(PLAIN, EndpointOptions { messages_max: 3, bytes_max: 10_000 }).await;
    let (_, acme) = hook.works.by();
    let told = join_all(["1", "2", "3", "4"].map(|id| hook.leave(id, "x"))).await;
    let told: Vec<&str> = told.into_iter().map(code).collect();
    assert_eq!(told.iter().filter(|one| **one == "done").count(), 3, "{told:?}");
    assert_eq!(told.iter().filter(|one| **one == "CD1272").count(), 1, "{told:?}");
    // What is known is known also then.
    let known = hook.leave("1", "x").await;
    assert!(known.is_ok_and(|known| known.is_known));
    hook.endpoints.committed(acme, &hook.sync, 3).await.unwrap();
    assert_eq!(code(hook.leave("5", &"x".repeat(10_000)).await), "CD1272");
    assert_eq!(code(hook.leave("6", &"x".repeat(9_000)).await), "done");
    assert_eq!(code(hook.leave("7", &"x".repeat(1_000)).await), "CD1272");
    // What was refused is not known: it may come again.
    hook.endpoints.committed(acme, &hook.sync, 4).await.unwrap();
    assert!(!hook.leave("7", &"x".repeat(1_000)).await.unwrap().is_known);
}

#[tokio::test]
async fn a_message_that_nobody_came_for_is_gone_within_a_day() {
    let world = World::new();
    let hook = world.hook(PLAIN, EndpointOptions::default()).await;
    world.clock.pass(30 * MINUTE_MS);
    hook.leave("1", "one").await.unwrap();
    world.clock.pass(HOUR_MS);
    hook.leave("2", "two").await.unwrap();
    // What ends in one hour ends together: at its beginning.
    world.clock.pass(DAY_MS - HOUR_MS - 30 * MINUTE_MS - 1);
    assert_eq!((hook.waiting().await, hook.bodies(0).await.len()), (2, 2));
    world.clock.pass(1);
    assert_eq!(hook.waiting().await, 1);
    assert_eq!(hook.bodies(0).await, [(2, "two".to_owned())]);
    let other = hook.anew("eu-1");
    let (admin, acme) = hook.works.by();
    assert_eq!(other.waiting(admin, acme, &hook.sync).await.unwrap().waiting, 1);
    world.clock.pass(DAY_MS);
    assert_eq!((hook.waiting().await, hook.bodies(0).await.len()), (0, 0));
    assert_eq!(hook.leave("3", "").await.unwrap().sequence, 3);
}

#[tokio::test]
async fn a_queue_is_cleared_by_who_may_and_that_is_in_the_log() {
    let world = World::new();
    let hook = world.hook(PLAIN, EndpointOptions::default()).await;
    let (admin, acme) = hook.works.by();
    for id in ["1", "2", "3"] {
        hook.leave(id, "x").await.unwrap();
    }
    hook.endpoints.committed(acme, &hook.sync, 1).await.unwrap();
    assert_eq!(hook.endpoints.clear(admin, acme, &hook.sync).await.unwrap(), 2);
    assert_eq!((hook.waiting().await, hook.bodies(0).await.len()), (0, 0));
    assert_eq!(hook.endpoints.clear(admin, acme, &hook.sync).await.unwrap(), 0);
    assert_eq!(hook.leave("4", "x").await.unwrap().sequence, 4);
    assert!(hook.works.shop.acts().await.contains(&"events_cleared".to_owned()));
}

#[tokio::test]
async fn messages_ask_for_one_run_and_those_behind_it_for_another() {
    let world = World::new();
    let hook = world.hook(PLAIN, EndpointOptions::default()).await;
    let (admin, acme) = hook.works.by();
    assert!(hook.take().await.is_none());
    for id in ["1", "2", "3"] {
        hook.leave(id, "x").await.unwrap();
    }
    assert_eq!(hook.works.queue.list(admin, acme).await.unwrap().len(), 1);
    let taken = hook.take().await.unwrap();
    assert_eq!((&taken.order.cause, &taken.order.sync), (&Cause::Event, &hook.sync));
    hook.leave("4", "x").await.unwrap();
    assert!(hook.take().await.is_none());
    hook.works.queue.finish(taken, &RunOutcome::Done).await.unwrap();
    let scheduler = crate::Scheduler::new(Arc::clone(&hook.works.queue));
    scheduler.pass().await.unwrap();
    assert!(hook.take().await.is_some());
}

#[tokio::test]
async fn what_comes_to_a_sync_that_is_stopped_waits_for_it() {
    let world = World::new();
    let hook = world.hook(PLAIN, EndpointOptions::default()).await;
    let (admin, acme) = hook.works.by();
    hook.works.syncs.stop(admin, acme, &hook.sync).await.unwrap();
    hook.leave("1", "x").await.unwrap();
    let scheduler = crate::Scheduler::new(Arc::clone(&hook.works.queue));
    scheduler.pass().await.unwrap();
    assert!(hook.take().await.is_none());
    hook.works.syncs.start(admin, acme, &hook.sync).await.unwrap();
    scheduler.pass().await.unwrap();
    assert_eq!(hook.take().await.unwrap().order.cause, Cause::Event);
}

#[tokio::test]
async fn what_a_run_that_was_ended_has_left_is_moved_as_soon_as_the_sync_goes_on() {
    let world = World::new();
    let hook = world.hook(PLAIN, EndpointOptions::default()).await;
    let (admin, acme) = hook.works.by();
    let scheduler = crate::Scheduler::new(Arc::clone(&hook.works.queue));
    for id in ["1", "2"] {
        hook.leave(id, "x").await.unwrap();
        let taken = hook.take().await.unwrap();
        if id == "1" {
            hook.works.syncs.stop(admin, acme, &hook.sync).await.unwrap();
        } else {
            hook.works.syncs.pause(admin, acme, &hook.sync).await.unwrap();
        }
        hook.works.queue.finish(taken, &RunOutcome::Cancelled).await.unwrap();
        scheduler.pass().await.unwrap();
        assert!(hook.take().await.is_none());
        hook.works.syncs.start(admin, acme, &hook.sync).await.unwrap();
        scheduler.pass().await.unwrap();
        let taken = hook.take().await.unwrap();
        assert_eq!(taken.order.cause, Cause::Event);
        hook.endpoints.committed(acme, &hook.sync, id.parse().unwrap()).await.unwrap();
        hook.works.queue.finish(taken, &RunOutcome::Done).await.unwrap();
    }
    // Where nothing waits nobody comes.
    hook.works.syncs.stop(admin, acme, &hook.sync).await.unwrap();
    hook.works.syncs.start(admin, acme, &hook.sync).await.unwrap();
    scheduler.pass().await.unwrap();
    assert!(hook.take().await.is_none());
}

#[tokio::test]
async fn many_senders_share_a_commit() {
    let engine = Dying::new(false);
    let world = World::over(engine.clone());
    let hook = world.hook(SIGNED, EndpointOptions::default()).await;
    // So many commits are there for 64 messages and for the run that is asked for.
    engine.die_after(10);
    let told = join_all((0..64).map(|number| {
        let id = number.to_string();
        let hook = &hook;
        async move { leave(&hook.endpoints, &hook.token, arrived(&[("webhook-id", &id)], &id)).await }
    }))
    .await;
    let numbers: BTreeSet<u64> = told.into_iter().map(|one| one.unwrap().sequence).collect();
    assert_eq!(numbers, (1..=64).collect());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_of_64_senders_finds_its_messages_in_its_order_and_no_number_is_left_out() {
    let world = World::new();
    let hook = Arc::new(world.hook(PLAIN, EndpointOptions::default()).await);
    let senders = (0..64).map(|sender| {
        let hook = Arc::clone(&hook);
        tokio::spawn(async move {
            let mut numbers = Vec::new();
            for number in 0..10 {
                let body = format!("{sender}-{number}");
                numbers.push((hook.leave(&body, &body).await.unwrap().sequence, body));
            }
            numbers
        })
    });
    let mut all = Vec::new();
    for sender in join_all(senders).await {
        let numbers = sender.unwrap();
        assert!(numbers.is_sorted(), "{numbers:?}");
        all.extend(numbers);
    }
    all.sort();
    assert_eq!(all.iter().map(|(number, _)| *number).collect::<Vec<_>>(), (1..=640).collect::<Vec<u64>>());
    assert_eq!(hook.bodies(0).await, all);
}
