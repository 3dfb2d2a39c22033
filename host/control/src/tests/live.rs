//! What those who look on hear of syncs and runs: each change once, after it has become true.

use super::syncs::Works;
use super::world::World;
use crate::{
    Ending, Happened, Heard, Listener, QueueOptions, RunCounts, RunOutcome, SyncState, Taken, Taking, Wish,
};
use serde_json::json;
use std::time::Duration;

impl Works {
    async fn take_one(&self) -> Taken {
        match self.queue.take().await.unwrap() {
            Taking::Run(taken) => taken,
            nothing => panic!("{nothing:?}"),
        }
    }
}

async fn hear(listener: &mut Listener) -> Vec<Happened> {
    let heard = tokio::time::timeout(Duration::from_secs(5), listener.next()).await.unwrap().unwrap();
    let events = heard.into_iter().filter_map(|(_, heard)| match heard {
        Heard::Event(event) => Some(event.what),
        Heard::Here | Heard::Missed => None,
    });
    events.collect()
}

#[tokio::test]
async fn the_life_of_a_sync_and_of_its_runs_is_told_as_it_happens() {
    let world = World::new();
    let works = world.works(QueueOptions::default()).await;
    let (admin, acme) = works.by();
    let mut listener = works.syncs.live().listen(acme, None);
    assert_eq!(hear(&mut listener).await, []);

    let sync = works.sync(&json!({})).await.id;
    let spec = works.spec(&json!({ "name": "Other" }));
    works.syncs.update(admin, acme, (&sync, 1), spec).await.unwrap();
    works.syncs.start(admin, acme, &sync).await.unwrap();
    let changed = |revision| Happened::SyncChanged { sync: sync.clone(), revision };
    let state = Happened::SyncState { sync: sync.clone(), state: SyncState::Running };
    assert_eq!(hear(&mut listener).await, [changed(1), changed(2), state]);

    let run = works.queue.run_now(admin, acme, &sync).await.unwrap().run;
    let (of, by) = (|| sync.clone(), || run.clone());
    let waits = || Happened::RunWaits { run: by(), sync: of(), attempts: 0 };
    let began = || Happened::RunBegan { run: by(), sync: of(), attempts: 1 };
    let taken = works.take_one().await;
    let counts = RunCounts { read: 3, accepted: 2, rejected: 1, filtered: 0 };
    works.syncs.live().progress(acme, 0, (&run, &sync), counts);
    works.queue.finish(taken, &RunOutcome::HandedBack).await.unwrap();
    let progress = Happened::RunProgress { run: by(), sync: of(), counts };
    assert_eq!(hear(&mut listener).await, [waits(), began(), progress, waits()]);

    let taken = works.take_one().await;
    let error = "CD0301".to_owned();
    let outcome = RunOutcome::Failed { error, can_retry: false, retry_after_ms: None };
    works.queue.finish(taken, &outcome).await.unwrap();
    let ended = Happened::RunEnded { run: by(), sync: of(), outcome: Ending::Failed };
    assert_eq!(hear(&mut listener).await, [began(), ended]);

    works.syncs.delete(admin, acme, (&sync, 2)).await.unwrap();
    assert_eq!(hear(&mut listener).await, [Happened::SyncDeleted { sync: of() }]);
}

#[tokio::test]
async fn a_run_that_goes_while_it_waits_is_told_to_have_ended() {
    let world = World::new();
    let works = world.works(QueueOptions::default()).await;
    let (admin, acme) = works.by();
    let (stopped, cancelled) = (works.sync(&json!({})).await.id, works.sync(&json!({})).await.id);
    works.syncs.start(admin, acme, &stopped).await.unwrap();
    let mut listener = works.syncs.live().listen(acme, None);
    hear(&mut listener).await;
    let waits = |run: &str, sync: &str| {
        let (run, sync) = (run.to_owned(), sync.to_owned());
        Happened::RunWaits { run, sync, attempts: 0 }
    };
    let ended = |run: &str, sync: &str| {
        let (run, sync) = (run.to_owned(), sync.to_owned());
        Happened::RunEnded { run, sync, outcome: Ending::Cancelled }
    };
    let run = works.queue.run_now(admin, acme, &stopped).await.unwrap().run;
    works.syncs.stop(admin, acme, &stopped).await.unwrap();
    let state = Happened::SyncState { sync: stopped.clone(), state: SyncState::Stopped };
    assert_eq!(hear(&mut listener).await, [waits(&run, &stopped), ended(&run, &stopped), state]);
    let run = works.queue.run_now(admin, acme, &cancelled).await.unwrap().run;
    works.queue.cancel(admin, acme, &run).await.unwrap();
    assert_eq!(hear(&mut listener).await, [waits(&run, &cancelled), ended(&run, &cancelled)]);
}

#[tokio::test]
async fn whoever_holds_a_run_learns_at_once_that_something_is_wished_of_it() {
    let world = World::new();
    let works = world.works(QueueOptions::default()).await;
    let (admin, acme) = works.by();
    let sync = works.waiting(1).await.remove(0);
    let mut taken = works.take_one().await;
    let mut wishes = works.queue.wishes();
    works.syncs.start(admin, acme, &sync).await.unwrap();
    works.syncs.pause(admin, acme, &sync).await.unwrap();
    assert!(wishes.has_changed().unwrap());
    assert_eq!(works.queue.renew(&mut taken).await.unwrap(), Some(Wish::Pause));
    wishes.mark_unchanged();
    works.queue.cancel(admin, acme, &taken.order.run).await.unwrap();
    assert!(wishes.has_changed().unwrap());
    assert_eq!(works.queue.renew(&mut taken).await.unwrap(), Some(Wish::Cancel));
    wishes.mark_unchanged();
    works.syncs.organization_ended(acme);
    assert!(wishes.has_changed().unwrap());
}
