//! What listeners hear, and what they are told that they have missed.

use super::ring::{EVENTS_MAX, PROGRESS_MAX};
use super::{Happened, Heard, KEPT, Listener, Live, RunCounts};
use crate::queue::Ending;
use std::sync::Arc;
use std::time::Duration;

fn deleted(sync: usize) -> Happened {
    Happened::SyncDeleted { sync: format!("syn_{sync}") }
}

fn ended(run: &str) -> Happened {
    Happened::RunEnded { run: run.into(), sync: "syn".into(), outcome: Ending::Done }
}

/// One line for each thing that is heard, and the name of the last.
async fn hear(listener: &mut Listener) -> (Vec<String>, String) {
    let heard = tokio::time::timeout(Duration::from_secs(1), listener.next()).await.unwrap().unwrap();
    let lines = heard.iter().map(|(_, heard)| match heard {
        Heard::Here => "here".to_owned(),
        Heard::Missed => "missed".to_owned(),
        Heard::Event(event) => match &event.what {
            Happened::SyncDeleted { sync } => sync.clone(),
            Happened::RunProgress { run, counts, .. } => format!("{run} {}", counts.read),
            Happened::RunEnded { run, .. } => format!("{run} ended"),
            other => panic!("{other:?}"),
        },
    });
    (lines.collect(), heard.last().unwrap().0.clone())
}

#[tokio::test(start_paused = true)]
async fn each_listener_hears_everything_of_its_organization_in_order() {
    let live = Arc::new(Live::default());
    live.tell("acme", 0, deleted(0));
    let (mut one, mut other) = (live.listen("acme", None), live.listen("acme", None));
    let mut foreign = live.listen("other", None);
    for listener in [&mut one, &mut other, &mut foreign] {
        assert_eq!(hear(listener).await.0, ["here"]);
    }
    live.tell("acme", 1, deleted(1));
    live.tell("acme", 2, deleted(2));
    assert_eq!(hear(&mut one).await.0, ["syn_1", "syn_2"]);
    live.tell("acme", 3, deleted(3));
    assert_eq!(hear(&mut one).await.0, ["syn_3"]);
    assert_eq!(hear(&mut other).await.0, ["syn_1", "syn_2", "syn_3"]);
    assert!(tokio::time::timeout(KEPT, foreign.next()).await.is_err());
    // Somebody who waits is woken.
    let (heard, ()) = tokio::join!(hear(&mut one), async {
        tokio::task::yield_now().await;
        live.tell("acme", 4, deleted(4));
    });
    assert_eq!(heard.0, ["syn_4"]);
}

#[tokio::test(start_paused = true)]
async fn who_comes_back_hears_what_happened_meanwhile() {
    let live = Arc::new(Live::default());
    let mut listener = live.listen("acme", None);
    let (_, mut name) = hear(&mut listener).await;
    for sync in 0..3 {
        drop(listener);
        live.tell("acme", 1, deleted(sync));
        listener = live.listen("acme", Some(&name));
        let (heard, now) = hear(&mut listener).await;
        assert_eq!(heard, [format!("syn_{sync}")]);
        name = now;
    }
}

#[tokio::test(start_paused = true)]
async fn who_comes_back_too_late_or_reads_too_slowly_is_told_so() {
    let live = Arc::new(Live::default());
    let mut slow = live.listen("acme", None);
    let (_, name) = hear(&mut slow).await;
    (0..EVENTS_MAX).for_each(|sync| live.tell("acme", 1, deleted(sync)));
    // As many as are held are all there.
    assert_eq!(hear(&mut live.listen("acme", Some(&name))).await.0.len(), EVENTS_MAX);
    live.tell("acme", 1, deleted(0));
    assert_eq!(hear(&mut live.listen("acme", Some(&name))).await.0, ["missed"]);
    assert_eq!(hear(&mut slow).await.0, ["missed"]);
    live.tell("acme", 1, deleted(7));
    assert_eq!(hear(&mut slow).await.0, ["syn_7"]);
    for name in ["", "x", "-1", &format!("{name}0"), "0000000000000000-0", "canary-1"] {
        assert_eq!(hear(&mut live.listen("acme", Some(name))).await.0, ["missed"], "{name}");
    }
    // Another process, or another ring of the same organization.
    assert_eq!(hear(&mut Arc::new(Live::default()).listen("acme", Some(&name))).await.0, ["missed"]);
}

#[tokio::test(start_paused = true)]
async fn of_how_far_a_run_is_the_latest_is_told_and_nothing_after_its_end() {
    let live = Arc::new(Live::default());
    let mut listener = live.listen("acme", None);
    let (_, name) = hear(&mut listener).await;
    let tell =
        |run: &str, read| live.progress("acme", 1, (run, "syn"), RunCounts { read, ..RunCounts::default() });
    tell("one", 1);
    tell("two", 1);
    tell("one", 2);
    assert_eq!(hear(&mut listener).await.0, ["two 1", "one 2"]);
    live.tell("acme", 2, ended("one"));
    assert_eq!(hear(&mut live.listen("acme", Some(&name))).await.0, ["two 1", "one ended"]);
    (0..=PROGRESS_MAX).for_each(|run| tell(&run.to_string(), 1));
    assert_eq!(hear(&mut live.listen("acme", Some(&name))).await.0.len(), PROGRESS_MAX + 1);
}

#[tokio::test(start_paused = true)]
async fn what_nobody_listens_to_is_not_held_for_long() {
    let live = Arc::new(Live::default());
    live.tell("acme", 0, deleted(0));
    assert_eq!(live.rings().len(), 0);
    let stays = live.listen("stays", None);
    let (one, other) = (live.listen("acme", None), live.listen("acme", None));
    drop(one);
    tokio::time::advance(KEPT * 2).await;
    live.tell("acme", 0, deleted(0));
    assert_eq!(live.rings().len(), 2);
    drop(other);
    tokio::time::advance(KEPT + Duration::from_secs(1)).await;
    live.tell("stays", 0, deleted(0));
    live.tell("acme", 0, deleted(0));
    assert_eq!(live.rings().keys().collect::<Vec<_>>(), ["stays"]);
    drop(stays);
}

#[tokio::test(start_paused = true)]
async fn listening_ends_with_the_organization() {
    let live = Arc::new(Live::default());
    let (mut waits, mut late) = (live.listen("acme", None), live.listen("acme", None));
    assert_eq!(hear(&mut waits).await.0, ["here"]);
    let (ended, ()) = tokio::join!(waits.next(), async {
        tokio::task::yield_now().await;
        live.end("acme");
    });
    assert_eq!(ended, None);
    // Another one of the same name is not theirs.
    let _new = live.listen("acme", None);
    live.tell("acme", 1, deleted(1));
    assert_eq!(late.next().await, None);
}
