//! Cancel: the page at hand is finished and committed, and the report says where the next run resumes.

use super::faults::{Fault, lock};
use super::sweep::{finish, jumping};
use super::world::{Script, ScriptPage, World, page};
use crate::report::Outcome;
use crate::run::Phase;
use tokio::time::{Duration, Instant};

fn pages() -> Vec<ScriptPage> {
    (0..6).map(|number| page("a", number * 10..number * 10 + 10)).collect()
}

/// Cancels at the first call of this name after `skip` others of it.
fn at(script: &Script, name: &str, skip: usize) -> u64 {
    jumping(async {
        let world = World::new(script.clone());
        world.run(None).await.unwrap();
        let names = world.faults.names();
        let place = names.iter().enumerate().filter(|(_, one)| **one == name).nth(skip).expect(name).0;
        place as u64
    })
}

#[test]
fn a_cancelled_run_commits_the_page_at_hand_and_says_where_it_resumes() {
    let script = Script::of(pages());
    for name in ["reader.next", "writer.write", "writer.commit"] {
        let call = at(&script, name, 2);
        jumping(async {
            let world = World::new(script.clone());
            let report = world.run(Some((call, Fault::Cancel))).await.unwrap();
            assert_eq!(report.outcome, Outcome::Cancelled, "{name}");
            let position = report.groups[0].position.clone().unwrap();
            let resumes: usize = position.checkpoint.unwrap().parse().unwrap();
            assert!((1..6).contains(&resumes), "{name}: {resumes}");
            assert_eq!(world.rows().len(), resumes * 10, "{name}");
            assert_eq!(report.total().accepted, resumes as u64 * 10);
            finish(&world).await;
            assert_eq!(*lock(&world.opened), [None, Some(resumes)], "{name}");
            world.assert_exact().await;
        });
    }
}

#[test]
fn a_run_that_is_cancelled_while_it_waits_ends_at_once() {
    let mut waiting = pages();
    waiting[3].wait_ms = Some(3_600_000);
    jumping(async {
        let world = World::new(Script::of(waiting));
        let began = Instant::now();
        let stopping = async {
            tokio::time::sleep(Duration::from_secs(60)).await;
            world.faults.cancel();
        };
        let (report, ()) = tokio::join!(world.run(None), stopping);
        let report = report.unwrap();
        assert_eq!((report.outcome, report.total().accepted), (Outcome::Cancelled, 30));
        assert_eq!(began.elapsed().as_secs(), 60);
        assert!(lock(&world.watched).0.iter().any(|seen| seen.phase == Phase::Waiting { ms: 3_600_000 }));
    });
}

#[test]
fn a_call_that_never_comes_back_is_abandoned_after_the_grace() {
    let script = Script::of(pages());
    let call = at(&script, "reader.next", 3);
    jumping(async {
        let world = World::new(script.clone());
        let began = Instant::now();
        let report = world.run(Some((call, Fault::CancelAndHang { after: false }))).await.unwrap();
        assert_eq!(report.outcome, Outcome::Cancelled);
        assert_eq!(began.elapsed().as_millis(), 5_000);
        assert_eq!(report.total().accepted, 30, "what was written before is committed");
    });
}

#[test]
fn where_it_resumes_is_not_said_when_a_commit_was_abandoned_in_doubt() {
    let script = Script::of(pages());
    let call = at(&script, "writer.commit", 1);
    for after in [false, true] {
        jumping(async {
            let world = World::new(script.clone());
            let report = world.run(Some((call, Fault::CancelAndHang { after }))).await.unwrap();
            assert_eq!(report.groups[0].position, None);
            assert_eq!(report.total().accepted, 10);
            let second = finish(&world).await;
            let recovered = second.recovered.get("a").map_or(0, |counters| counters.accepted);
            assert_eq!(recovered, if after { 10 } else { 0 });
            world.assert_exact().await;
        });
    }
}

#[test]
fn rows_after_the_last_checkpoint_are_left_for_the_next_run() {
    let mut pages = pages();
    pages[1].checkpoint = false;
    pages[2].checkpoint = false;
    let script = Script::of(pages);
    let call = at(&script, "writer.write", 1);
    jumping(async {
        let world = World::new(script.clone());
        let report = world.run(Some((call, Fault::CancelAndHang { after: true }))).await.unwrap();
        assert_eq!(report.groups[0].position.clone().unwrap().checkpoint.as_deref(), Some("1"));
        assert_eq!(world.rows().len(), 10);
        finish(&world).await;
        world.assert_exact().await;
    });
}

#[test]
fn a_run_that_was_cancelled_before_it_began_moves_nothing() {
    jumping(async {
        let world = World::new(Script::of(pages()));
        let report = world.run(Some((0, Fault::Cancel))).await.unwrap();
        assert_eq!((report.outcome, report.groups.len(), report.total().read), (Outcome::Cancelled, 0, 0));
    });
}
