//! Failures that time heals, and those that it does not.

use super::faults::{Fault, lock};
use super::sweep::jumping;
use super::world::{Script, ScriptPage, World, page};
use crate::connector::{Reader, Source};
use crate::failure::Failure;
use crate::model::{Catalog, OpenRead};
use crate::report::Outcome;
use crate::run::{Options, Phase};
use async_trait::async_trait;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::time::Instant;

fn pages() -> Script {
    Script::of((0..4).map(|number| page("a", number * 10..number * 10 + 10)).collect())
}

/// The number of the call of this name after so many others of it.
async fn nth(script: &Script, name: &str, skip: usize) -> u64 {
    let twin = World::new(script.clone());
    twin.run(None).await.unwrap();
    let names = twin.faults.names();
    names.iter().enumerate().filter(|(_, one)| **one == name).nth(skip).unwrap().0 as u64
}

/// A source that cannot be opened so many times.
struct Unreachable {
    source: Arc<dyn Source>,
    left: AtomicU32,
    failure: Failure,
}

#[async_trait]
impl Source for Unreachable {
    async fn check(&self) -> Result<(), Failure> {
        self.source.check().await
    }

    async fn discover(&self) -> Result<Catalog, Failure> {
        self.source.discover().await
    }

    async fn open(&self, read: OpenRead) -> Result<Box<dyn Reader>, Failure> {
        if self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
            return Err(self.failure.clone());
        }
        self.source.open(read).await
    }
}

fn unreachable(world: &Arc<World>, times: u32, failure: Failure) -> crate::run::RunSpec {
    let mut spec = world.spec();
    spec.source = Arc::new(Unreachable { source: spec.source, left: times.into(), failure });
    spec
}

#[test]
fn a_transient_failure_is_tried_again_with_longer_and_longer_waits() {
    jumping(async {
        let world = World::new(pages());
        let began = Instant::now();
        let spec = unreachable(&world, 4, super::faults::transient("source.open"));
        let report = world.run_spec(spec, None).await.unwrap();
        assert_eq!((report.outcome, report.groups[0].attempts), (Outcome::Completed, 5));
        let waited = began.elapsed().as_millis();
        assert!((7_500..=15_000).contains(&waited), "{waited}");
        assert_eq!(report.groups[0].retried.len(), 4);
        assert_eq!(report.groups[0].retried[0].code, "CD0605");
        let retrying = |phase: &Phase| matches!(phase, Phase::Retrying { .. });
        assert_eq!(lock(&world.watched).0.iter().filter(|seen| retrying(&seen.phase)).count(), 4);
        world.assert_exact().await;
    });
}

#[test]
fn attempts_run_out_and_the_last_failure_is_the_error() {
    jumping(async {
        let world = World::new(pages());
        let spec = unreachable(&world, 5, super::faults::transient("source.open"));
        let report = world.run_spec(spec, None).await.unwrap();
        assert_eq!(report.outcome, Outcome::Failed);
        let error = report.error.unwrap();
        assert_eq!((error.code.as_str(), error.attempt), ("CD0605", Some(5)));
        assert_eq!(report.groups[0].position, Some(crate::records::Position::default()));
    });
}

#[test]
fn a_rate_limit_is_waited_for_as_asked_and_costs_no_attempt() {
    jumping(async {
        let world = World::new(Script { options: Options { attempts: 1, ..pages().options }, ..pages() });
        let began = Instant::now();
        let call = nth(&world.script, "reader.next", 2).await;
        let report = world.run(Some((call, Fault::RateLimited(90_000)))).await.unwrap();
        assert!(world.faults.fired());
        assert_eq!(report.outcome, Outcome::Completed, "{report:#?}");
        assert_eq!(began.elapsed().as_secs(), 90);
        world.assert_exact().await;
    });
}

/// No instance is there to say so.
#[test]
fn what_a_connector_used_is_told_though_its_call_failed_before_anything_was_open() {
    jumping(async {
        let script = Script { transform: true, ..pages() };
        for (name, role) in [
            ("discover", "source"),
            ("source.open", "source"),
            ("destination.open", "destination"),
            ("transform.plan", "transform 0"),
            ("transform.open", "transform 0"),
        ] {
            let call = nth(&script, name, 0).await;
            let report = World::new(script.clone()).run(Some((call, Fault::Trap))).await.unwrap();
            assert_eq!(report.outcome, Outcome::Failed, "{name}");
            let used = report.budgets.get(role).and_then(|budget| budget.first()).map(|usage| usage.used);
            assert_eq!(used, Some(call + 1), "{name}: {:?}", report.budgets);
        }
    });
}

#[test]
fn pages_before_a_failure_are_committed_and_not_read_again() {
    jumping(async {
        let mut script = pages();
        // Nothing is due before the end.
        script.options = Options::default();
        let world = World::new(script);
        // Nothing of it is read.
        let fourth = nth(&world.script, "reader.next", 3).await;
        let report = world.run(Some((fourth, Fault::Trap))).await.unwrap();
        assert_eq!((report.outcome, report.total().accepted), (Outcome::Failed, 30));
        let group = &report.groups[0];
        assert_eq!(group.position.clone().unwrap().checkpoint.as_deref(), Some("3"));
        let error = group.error.clone().unwrap();
        assert_eq!((error.code.as_str(), error.attempt), ("CD0610", Some(1)));
        assert!(error.message.contains("reader.next"), "{}", error.message);
    });
}

#[test]
fn a_lost_answer_to_a_commit_is_asked_for_and_counted_once() {
    jumping(async {
        let world = World::new(pages());
        let names = {
            let twin = World::new(world.script.clone());
            twin.run(None).await.unwrap();
            twin.faults.names()
        };
        for (call, name) in names.iter().enumerate().filter(|(_, name)| **name == "writer.commit") {
            let world = World::new(pages());
            let report = world.run(Some((call as u64, Fault::Transient { after: true }))).await.unwrap();
            assert_eq!(report.outcome, Outcome::Completed, "{name}");
            assert_eq!(report.total().accepted, 40);
            assert_eq!(report.written["a"], 40);
            assert!(report.recovered.is_empty());
            world.assert_exact().await;
        }
    });
}

#[test]
fn an_error_of_the_source_when_told_of_a_commit_fails_nothing_and_a_crash_reopens() {
    jumping(async {
        let names = {
            let twin = World::new(pages());
            twin.run(None).await.unwrap();
            twin.faults.names()
        };
        let told = names.iter().position(|name| *name == "reader.committed").unwrap() as u64;
        let world = World::new(pages());
        let report = world.run(Some((told, Fault::Transient { after: false }))).await.unwrap();
        assert_eq!((report.outcome, report.groups[0].attempts), (Outcome::Completed, 1));
        world.assert_exact().await;
        let world = World::new(pages());
        let report = world.run(Some((told, Fault::Trap))).await.unwrap();
        assert_eq!((report.outcome, report.groups[0].attempts), (Outcome::Completed, 2));
        world.assert_exact().await;
    });
}

#[test]
fn each_run_has_a_higher_fence() {
    jumping(async {
        let world = World::new(pages());
        for run in 1..4 {
            assert_eq!(world.run(None).await.unwrap().run, run);
            assert_eq!(lock(&world.units)["sync/g"].fence, run);
        }
    });
}

#[test]
fn rows_that_are_read_again_are_counted_once_against_the_policy() {
    jumping(async {
        // The page with the rejected row has no checkpoint, so that each attempt reads it again.
        let uncovered = ScriptPage { checkpoint: false, ..page("a", 0..10) };
        let script =
            || Script { write_rejects: true, ..Script::of(vec![uncovered.clone(), page("a", 10..14)]) };
        let call = nth(&script(), "reader.next", 1).await;
        let world = World::new(script());
        let mut spec = world.spec();
        spec.rejects.max_count = Some(1);
        let report = world.run_spec(spec, Some((call, Fault::Transient { after: false }))).await.unwrap();
        assert_eq!((report.outcome, report.groups[0].attempts), (Outcome::Completed, 2), "{report:#?}");
        world.assert_exact().await;
    });
}
