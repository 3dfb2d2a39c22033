//! Row errors that are sent through once more: whatever happens wherever, each row arrives once or stays an error, and the
//! sync goes on from where it stood.

use super::faults::{Fault, lock};
use super::replay::ReplaySource;
use super::sweep::{finish, jumping};
use super::world::{Script, ScriptPage, World, page};
use crate::model::{Comparison, Condition, Mode};
use crate::records::{Position, Prepared, Purpose, RunRecords, UnitRecord};
use crate::report::{Outcome, RunReport};
use crate::run::{RejectPolicy, RunSpec};
use std::sync::Arc;
use std::sync::atomic::Ordering;

impl World {
    /// A reprocess leaves the position alone.
    pub(super) fn must_stay(&self, prepared: &Prepared, unit: UnitRecord) {
        let stays = prepared.purpose == Purpose::Sync || prepared.position == unit.position;
        self.must(stays, || format!("{:?} became {:?}", unit.position, prepared.position));
    }

    fn reprocess_spec(self: &Arc<Self>) -> RunSpec {
        let source = Arc::new(ReplaySource::new(self));
        RunSpec { source, purpose: Purpose::Reprocess, ..self.spec() }
    }

    async fn reprocess(self: &Arc<Self>, fault: Option<(u64, Fault)>) -> Option<RunReport> {
        self.run_spec(self.reprocess_spec(), fault).await
    }

    async fn position(&self) -> Position {
        let ticket = self.records.begin("sync").await.unwrap();
        let unit = self.records.unit(&ticket, "sync/g").await.unwrap();
        self.records.release(&ticket);
        unit.position
    }
}

/// A sync that has run; the destination takes most of what it rejected. The ids that it does not take, and the others.
async fn rejected_before(script: Script) -> (Arc<World>, Vec<i64>, Vec<i64>) {
    let world = World::new(script);
    finish(&world).await;
    world.store_row_errors().await;
    world.mended.store(true, Ordering::SeqCst);
    let stored = lock(&world.replay).errors();
    let (stay, go) = stored.into_iter().partition(|id| stays_rejected(*id));
    (world, stay, go)
}

/// After its repair the destination rejects these still.
pub(super) fn stays_rejected(id: i64) -> bool {
    id % 2 == 0
}

fn rejecting() -> Script {
    Script {
        write_rejects: true,
        late_rejects: true,
        ..Script::of(vec![
            page("a", 0..30),
            ScriptPage {
                batches: vec![("b", (30..50).collect()), ("a", (50..60).collect())],
                ..page("a", [])
            },
        ])
    }
}

async fn reprocessed(world: &Arc<World>) -> RunReport {
    let report = world.reprocess(None).await.expect("no crash");
    assert_eq!(report.outcome, Outcome::Completed, "{report:#?}");
    report
}

/// Everything that was accepted at any time is there once, everything else is an error still.
fn assert_each_once(world: &World, before: &[i64], stay: &[i64], go: &[i64]) {
    let mut rows = [before, go].concat();
    rows.sort_unstable();
    assert_eq!(world.rows(), rows);
    assert_eq!(lock(&world.replay).errors(), stay);
}

#[test]
fn what_the_destination_takes_now_arrives_and_the_rest_stays_an_error() {
    jumping(async {
        let (world, stay, go) = rejected_before(rejecting()).await;
        assert!(stay.len() > 2 && go.len() > 2, "{stay:?} {go:?}");
        let (before, position) = (world.rows(), world.position().await);
        let report = reprocessed(&world).await;
        assert_eq!(report.purpose, Purpose::Reprocess);
        let total = report.total();
        assert_eq!((total.accepted, total.rejected), (go.len() as u64, stay.len() as u64));
        assert_each_once(&world, &before, &stay, &go);
        assert_eq!(world.position().await, position);
        assert_eq!(
            report.groups[0].position.as_ref(),
            Some(&position),
            "the report tells where the sync stands"
        );
        let next = finish(&world).await;
        assert_eq!(next.total().read, 0, "the sync goes on from where it stood");
    });
}

/// A fault at each call of a reprocess, a run of the sync after it or not, and a second reprocess.
fn sweep(script: &Script, fault: Fault, sync_between: bool) {
    for call in 0.. {
        let fired = jumping(async {
            let (world, stay, go) = rejected_before(script.clone()).await;
            let (before, position) = (world.rows(), world.position().await);
            world.reprocess(Some((call, fault))).await;
            let fired = world.faults.fired();
            if sync_between {
                assert_eq!(finish(&world).await.total().read, 0);
            }
            reprocessed(&world).await;
            assert_each_once(&world, &before, &stay, &go);
            assert_eq!(world.position().await, position);
            fired
        });
        if !fired {
            assert!(call >= 40, "only {call} calls");
            return;
        }
    }
}

#[test]
fn a_crash_at_any_call_of_a_reprocess_loses_and_doubles_nothing() {
    for fault in [Fault::Crash { after: false }, Fault::Crash { after: true }] {
        sweep(&rejecting(), fault, false);
        sweep(&rejecting(), fault, true);
    }
}

#[test]
fn a_failure_or_a_wish_to_stop_at_any_call_of_a_reprocess_loses_and_doubles_nothing() {
    let stops = [Fault::Cancel, Fault::CancelAndHang { after: true }, Fault::CancelAndHang { after: false }];
    let fails =
        [Fault::Trap, Fault::Panic, Fault::Transient { after: false }, Fault::Transient { after: true }];
    for fault in stops.into_iter().chain(fails) {
        sweep(&rejecting(), fault, false);
    }
    sweep(&Script { transform: true, ..rejecting() }, Fault::CancelAndHang { after: true }, true);
}

#[test]
fn a_commit_of_the_sync_whose_answer_was_lost_is_settled_by_a_reprocess() {
    for call in 0.. {
        let fired = jumping(async {
            let world = World::new(rejecting());
            world.run(Some((call, Fault::Crash { after: true }))).await;
            let fired = world.faults.fired();
            reprocessed(&world).await;
            finish(&world).await;
            world.assert_exact().await;
            fired
        });
        if !fired {
            assert!(call >= 15, "only {call} calls");
            return;
        }
    }
}

#[test]
fn a_row_that_is_rejected_again_is_kept_whatever_the_policy() {
    for policy in [RejectPolicy::Fail, RejectPolicy::Skip, RejectPolicy::Quarantine] {
        jumping(async {
            let (world, stay, go) = rejected_before(rejecting()).await;
            let before = world.rows();
            let mut spec = world.reprocess_spec();
            spec.rejects.policy = policy;
            spec.rejects.max_count = Some(0);
            let report = world.run_spec(spec, None).await.unwrap();
            assert_eq!(report.outcome, Outcome::Completed, "{report:#?}");
            assert_each_once(&world, &before, &stay, &go);
        });
    }
}

#[test]
fn a_reprocess_settles_no_newer_errors_of_the_same_key() {
    jumping(async {
        let (world, ..) = rejected_before(rejecting()).await;
        lock(&world.effects).clear();
        reprocessed(&world).await;
        let effects = lock(&world.effects);
        assert!(!effects.is_empty() && effects.iter().all(|prepared| prepared.effect.settled.is_empty()));
    });
}

#[test]
fn rows_are_added_to_a_complete_refill_and_refused_while_one_is_under_way() {
    let script = || Script { mode: Mode::Replace, late_rejects: false, checked: false, ..rejecting() };
    jumping(async {
        let (world, stay, go) = rejected_before(script()).await;
        let (before, position) = (world.rows(), world.position().await);
        lock(&world.prepared).clear();
        reprocessed(&world).await;
        let modes: Vec<Mode> = lock(&world.prepared).iter().map(|plan| plan.mode).collect();
        assert!(modes.iter().all(|mode| *mode == Mode::Upsert), "{modes:?}: the rows have keys");
        assert_each_once(&world, &before, &stay, &go);
        assert_eq!(world.position().await, position);
    });
    for call in 0..40 {
        jumping(async {
            let (world, ..) = rejected_before(script()).await;
            world.run(Some((call, Fault::Cancel))).await;
            let position = world.position().await;
            let report = world.reprocess(None).await.unwrap();
            if position.complete {
                assert_eq!(report.outcome, Outcome::Completed);
            } else {
                assert_eq!(report.error.unwrap().code, "CD0714", "at call {call}");
            }
            assert_eq!(world.position().await, position);
        });
    }
}

#[test]
fn the_choice_of_the_sync_applies_to_stored_rows_and_its_limit_does_not() {
    jumping(async {
        let (world, _, go) = rejected_before(rejecting()).await;
        let before = world.rows();
        let mut spec = world.reprocess_spec();
        for stream in spec.streams.as_mut().unwrap() {
            stream.limit = Some(1);
            stream.fields = Some(vec!["id".into(), "left out by the source".into()]);
            let condition = |field: &str, value: &str| Condition {
                field: field.into(),
                comparison: Comparison::Less,
                value: value.into(),
            };
            stream.filter = vec![condition("id", "40"), condition("known to the source", "1")];
        }
        let report = world.run_spec(spec, None).await.unwrap();
        assert_eq!(report.outcome, Outcome::Completed, "{report:#?}");
        let go: Vec<i64> = go.into_iter().filter(|id| *id < 40).collect();
        let mut rows = [before, go].concat();
        rows.sort_unstable();
        assert_eq!(world.rows(), rows);
        let plans = lock(&world.prepared);
        assert_eq!(plans.last().unwrap().schema.schema.fields.len(), 1);
    });
}

#[test]
fn streams_without_row_errors_and_those_that_are_not_chosen_are_left_alone() {
    jumping(async {
        let (world, ..) = rejected_before(rejecting()).await;
        let mut spec = world.reprocess_spec();
        let streams = spec.streams.as_mut().unwrap();
        streams.retain(|stream| stream.stream == "b");
        streams.push(crate::run::ChosenStream { stream: "z".into(), ..streams[0].clone() });
        let report = world.run_spec(spec, None).await.unwrap();
        assert_eq!(report.outcome, Outcome::Completed, "{report:#?}");
        assert_eq!(report.streams.keys().collect::<Vec<_>>(), ["b"]);
    });
}
