//! Row errors that are sent through once more: whatever happens wherever, each row arrives once or stays an error, and the
//! sync goes on from where it stood.

use super::faults::{Fault, lock};
use super::replay::ReplaySource;
use super::sweep::{finish, jumping};
use super::world::{Script, ScriptPage, Transformed, World, late_rejects, page, transformed, write_rejects};
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
        let source = Arc::new(ReplaySource(Arc::clone(self)));
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

/// A sync that has run; the destination takes most of what it rejected from now on.
struct Before {
    world: Arc<World>,
    position: Position,
    /// Row errors that stay.
    stay: Vec<i64>,
    /// Row errors that are none after a reprocess.
    go: Vec<i64>,
    /// What is at the destination then.
    rows: Vec<i64>,
}

impl Before {
    async fn of(script: Script) -> Self {
        let world = World::new(script);
        finish(&world).await;
        world.store_row_errors().await;
        world.mended.store(true, Ordering::SeqCst);
        let position = world.position().await;
        let mut before = Self { rows: world.rows(), world, position, stay: Vec::new(), go: Vec::new() };
        let stored = lock(&before.world.replay).errors();
        stored.into_iter().for_each(|id| before.expect(id));
        before.rows.sort_unstable();
        before
    }

    /// Of a row of which one output is rejected the others arrive, and arrived when it was first read.
    fn expect(&mut self, id: i64) {
        let script = &self.world.script;
        let outputs = match (script.transform, transformed(id)) {
            (true, Transformed::Made(outputs)) => outputs,
            (true, _) => Vec::new(),
            (false, _) => vec![id],
        };
        let rejected = |id: i64| {
            let before =
                (script.write_rejects && write_rejects(id)) || (script.late_rejects && late_rejects(id));
            before && stays_rejected(id)
        };
        let taken: Vec<i64> = outputs.iter().copied().filter(|id| !rejected(*id)).collect();
        let whole = !outputs.is_empty() && taken.len() == outputs.len();
        if whole {
            self.go.push(id)
        } else {
            self.stay.push(id)
        }
        self.rows.extend(taken);
    }

    /// Everything that was accepted at any time is there once, everything else is an error still, and the sync stands where
    /// it stood.
    async fn assert_exact(&self) {
        assert_eq!(self.world.rows(), self.rows);
        assert_eq!(lock(&self.world.replay).errors(), self.stay);
        assert_eq!(self.world.position().await, self.position);
    }
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
            page("a", 0..16),
            ScriptPage {
                batches: vec![("b", (16..24).collect()), ("a", (24..34).collect())],
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

#[test]
fn what_the_destination_takes_now_arrives_and_the_rest_stays_an_error() {
    jumping(async {
        let before = Before::of(rejecting()).await;
        let Before { world, position, stay, go, .. } = &before;
        assert!(stay.len() >= 2 && go.len() >= 3, "{stay:?} {go:?}");
        let report = reprocessed(world).await;
        assert_eq!(report.purpose, Purpose::Reprocess);
        let total = report.total();
        assert_eq!((total.accepted, total.rejected), (go.len() as u64, stay.len() as u64));
        before.assert_exact().await;
        assert_eq!(
            report.groups[0].position.as_ref(),
            Some(position),
            "the report tells where the sync stands"
        );
        assert_eq!(finish(world).await.total().read, 0, "the sync goes on from where it stood");
    });
}

/// A fault at each call of a reprocess, a run of the sync after it or not, and a second reprocess.
fn sweep(script: &Script, fault: Fault, sync_between: bool) {
    for call in 0.. {
        let fired = jumping(async {
            let before = Before::of(script.clone()).await;
            let world = &before.world;
            world.reprocess(Some((call, fault))).await;
            let fired = world.faults.fired();
            if sync_between {
                assert_eq!(finish(world).await.total().read, 0);
            }
            reprocessed(world).await;
            before.assert_exact().await;
            fired
        });
        if !fired {
            assert!(call >= 25, "only {call} calls");
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
}

#[test]
fn stored_rows_go_through_the_transforms() {
    jumping(async {
        let before = Before::of(Script { transform: true, ..rejecting() }).await;
        reprocessed(&before.world).await;
        before.assert_exact().await;
        let made = before.rows.iter().filter(|id| **id >= 1_000_000).count();
        assert!(made > 3 && !before.go.is_empty(), "{:?}", before.rows);
    });
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
            let before = Before::of(rejecting()).await;
            let mut spec = before.world.reprocess_spec();
            spec.rejects.policy = policy;
            spec.rejects.max_count = Some(0);
            let report = before.world.run_spec(spec, None).await.unwrap();
            assert_eq!(report.outcome, Outcome::Completed, "{report:#?}");
            before.assert_exact().await;
        });
    }
}

#[test]
fn a_reprocess_settles_no_newer_errors_of_the_same_key() {
    jumping(async {
        let before = Before::of(rejecting()).await;
        lock(&before.world.effects).clear();
        reprocessed(&before.world).await;
        let effects = lock(&before.world.effects);
        assert!(!effects.is_empty() && effects.iter().all(|prepared| prepared.effect.settled.is_empty()));
    });
}

#[test]
fn rows_are_added_to_a_complete_refill_and_refused_while_one_is_under_way() {
    let script = || Script { mode: Mode::Replace, late_rejects: false, checked: false, ..rejecting() };
    jumping(async {
        let before = Before::of(script()).await;
        lock(&before.world.prepared).clear();
        reprocessed(&before.world).await;
        let modes: Vec<Mode> = lock(&before.world.prepared).iter().map(|plan| plan.mode).collect();
        assert!(modes.iter().all(|mode| *mode == Mode::Upsert), "{modes:?}: the rows have keys");
        before.assert_exact().await;
    });
    let mut refused = 0;
    for call in 0..25 {
        jumping(async {
            let world = Before::of(script()).await.world;
            world.run(Some((call, Fault::Cancel))).await;
            let position = world.position().await;
            let report = world.reprocess(None).await.unwrap();
            if position.complete {
                assert_eq!(report.outcome, Outcome::Completed);
            } else {
                assert_eq!(report.error.unwrap().code, "CD0714", "at call {call}");
                refused += 1;
            }
            assert_eq!(world.position().await, position);
        });
    }
    assert!(refused > 2, "{refused}");
}

#[test]
fn the_choice_of_the_sync_applies_to_stored_rows_and_its_limit_does_not() {
    jumping(async {
        let Before { world, go, .. } = Before::of(rejecting()).await;
        let mut rows = world.rows();
        let mut spec = world.reprocess_spec();
        for stream in spec.streams.as_mut().unwrap() {
            stream.limit = Some(1);
            stream.fields = Some(vec!["id".into(), "left out by the source".into()]);
            let condition = |field: &str, value: &str| Condition {
                field: field.into(),
                comparison: Comparison::Less,
                value: value.into(),
            };
            stream.filter = vec![condition("id", "20"), condition("known to the source", "1")];
        }
        let report = world.run_spec(spec, None).await.unwrap();
        assert_eq!(report.outcome, Outcome::Completed, "{report:#?}");
        let chosen: Vec<i64> = go.into_iter().filter(|id| *id < 20).collect();
        assert!(chosen.len() > 1, "{chosen:?}");
        rows.extend(chosen);
        rows.sort_unstable();
        assert_eq!(world.rows(), rows);
        let plans = lock(&world.prepared);
        assert_eq!(plans.last().unwrap().schema.schema.fields.len(), 1);
    });
}

#[test]
fn streams_without_row_errors_and_those_that_are_not_chosen_are_left_alone() {
    jumping(async {
        let world = Before::of(rejecting()).await.world;
        let mut spec = world.reprocess_spec();
        let streams = spec.streams.as_mut().unwrap();
        streams.retain(|stream| stream.stream == "b");
        streams.push(crate::run::ChosenStream { stream: "z".into(), ..streams[0].clone() });
        let report = world.run_spec(spec, None).await.unwrap();
        assert_eq!(report.outcome, Outcome::Completed, "{report:#?}");
        assert_eq!(report.streams.keys().collect::<Vec<_>>(), ["b"]);
    });
}
