//! Every fault at every call: whatever happens wherever, the next run makes the whole exact.

use super::faults::Fault;
use super::world::{Script, ScriptPage, World, page};
use crate::model::{Layout, Layouts, Mode};
use crate::report::{Outcome, RunReport};
use std::sync::Arc;

/// Runs a test under a clock that jumps over every sleep.
pub(super) fn jumping<T>(test: impl Future<Output = T>) -> T {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(test)
}

/// Runs without faults until a run completes; at most three are needed.
pub(super) async fn finish(world: &Arc<World>) -> RunReport {
    for _ in 0..3 {
        let report = world.run(None).await.expect("no crash");
        if report.outcome == Outcome::Completed {
            return report;
        }
    }
    panic!("no run completes");
}

/// Puts the fault at each call in turn, until a run ends before it gets there.
fn sweep(script: &Script, fault: Fault, fires_min: u64) {
    for call in 0.. {
        let fired = jumping(async {
            let world = World::new(script.clone());
            let report = world.run(Some((call, fault))).await;
            let fired = world.faults.fired();
            if !fired {
                assert_eq!(report.expect("no crash").outcome, Outcome::Completed);
            } else if let Some(report) = report {
                check_report(&report, fault);
            }
            finish(&world).await;
            world.assert_exact().await;
            fired
        });
        if !fired {
            assert!(call >= fires_min, "only {call} calls");
            return;
        }
    }
}

fn check_report(report: &RunReport, fault: Fault) {
    let retries = matches!(fault, Fault::Transient { .. } | Fault::RateLimited(_));
    let fails = matches!(fault, Fault::Trap | Fault::Panic);
    let stops = matches!(fault, Fault::Cancel | Fault::CancelAndHang { .. });
    match report.outcome {
        Outcome::Completed => {}
        Outcome::Cancelled => assert!(stops, "{report:#?}"),
        Outcome::Failed => assert!(fails && !retries, "{report:#?}"),
    }
    let total = report.total();
    assert_eq!(total.read, total.settled());
}

/// Two streams in one group, pages with and without checkpoints, a source that rejects, waits and changes its schema.
fn busy_pages() -> Vec<ScriptPage> {
    vec![
        page("a", 0..5),
        ScriptPage { checkpoint: false, ..page("b", 5..9) },
        ScriptPage { raw: vec![100, 101], wait_ms: Some(10), ..page("a", 10..12) },
        ScriptPage { checkpoint: true, ..ScriptPage::default() },
        ScriptPage {
            batches: vec![("a", vec![20, 21]), ("b", vec![22, 23, 24])],
            checkpoint: false,
            ..ScriptPage::default()
        },
        ScriptPage { schema_changes: true, ..page("b", 30..33) },
        page("a", 40..44),
    ]
}

fn busy() -> Script {
    Script { source_rejects: true, write_rejects: true, ..Script::of(busy_pages()) }
}

const CRASHES: [Fault; 2] = [Fault::Crash { after: false }, Fault::Crash { after: true }];

#[test]
fn a_crash_at_any_call_loses_and_doubles_nothing() {
    for fault in CRASHES {
        sweep(&busy(), fault, 30);
    }
}

#[test]
fn a_crash_at_any_call_with_a_transform_and_another_layout_loses_and_doubles_nothing() {
    let script = Script {
        transform: true,
        layout: Layout::JsonLines,
        layouts: Layouts { columns: false, json_lines: true },
        ..busy()
    };
    let pages =
        script.groups["g"].iter().map(|page| ScriptPage { schema_changes: false, ..page.clone() }).collect();
    let script = Script { groups: [("g", pages)].into(), ..script };
    for fault in CRASHES {
        sweep(&script, fault, 30);
    }
}

#[test]
fn late_rejects_of_a_commit_whose_answer_was_lost_are_counted_and_kept() {
    for fault in CRASHES.into_iter().chain([Fault::CancelAndHang { after: true }]) {
        sweep(&Script { late_rejects: true, ..busy() }, fault, 30);
        sweep(&Script { late_rejects: true, transform: true, ..busy() }, fault, 30);
    }
}

#[test]
fn a_crash_at_any_call_of_a_refill_leaves_the_old_rows_or_all_new_ones() {
    let script = Script {
        mode: Mode::Replace,
        incremental: false,
        ..Script::of(vec![page("a", 0..3), page("a", 3..6)])
    };
    for fault in CRASHES {
        for call in 0..40 {
            jumping(async {
                let world = World::new(script.clone());
                world.run(Some((call, fault))).await;
                let rows = world.rows();
                assert!(rows.is_empty() || rows == [0, 1, 2, 3, 4, 5], "{rows:?}");
                finish(&world).await;
                assert_eq!(world.rows(), [0, 1, 2, 3, 4, 5]);
            });
        }
    }
}

#[test]
fn a_failure_for_now_at_any_call_is_healed_in_the_same_run() {
    for after in [false, true] {
        let script = Script { late_rejects: true, ..busy() };
        for call in 0.. {
            let fired = jumping(async {
                let world = World::new(script.clone());
                let report = world.run(Some((call, Fault::Transient { after }))).await.unwrap();
                assert_eq!(report.outcome, Outcome::Completed, "{report:#?}");
                world.assert_exact().await;
                world.faults.fired()
            });
            if !fired {
                break;
            }
        }
    }
}

#[test]
fn a_trap_at_any_call_leaves_what_was_committed() {
    sweep(&Script { late_rejects: true, ..busy() }, Fault::Trap, 30);
    sweep(&Script { late_rejects: true, transform: true, ..busy() }, Fault::Trap, 30);
}

#[test]
fn a_bug_at_any_call_is_caught_at_the_boundary_of_the_run() {
    let script = busy();
    sweep(&script, Fault::Panic, 30);
    sweep(&Script { transform: true, ..script }, Fault::Panic, 30);
}

#[test]
fn a_wish_to_stop_at_any_call_loses_and_doubles_nothing() {
    sweep(&Script { late_rejects: true, ..busy() }, Fault::Cancel, 30);
    sweep(&Script { late_rejects: true, transform: true, ..busy() }, Fault::Cancel, 30);
}

#[test]
fn a_call_that_hangs_after_a_wish_to_stop_is_abandoned_wherever_it_is() {
    for after in [false, true] {
        sweep(&busy(), Fault::CancelAndHang { after }, 30);
        sweep(&Script { transform: true, ..busy() }, Fault::CancelAndHang { after }, 30);
    }
}

#[test]
fn without_exactly_once_a_crash_may_double_rows_but_loses_none() {
    let script = Script { exactly_once: false, ..busy() };
    for fault in CRASHES {
        for call in 0.. {
            let fired = jumping(async {
                let world = World::new(script.clone());
                world.run(Some((call, fault))).await;
                let fired = world.faults.fired();
                finish(&world).await;
                let expected = world.script.expected();
                let mut rows = world.rows();
                rows.dedup();
                assert_eq!(rows, expected.rows);
                assert_eq!(world.totals().await, expected.counters);
                fired
            });
            if !fired {
                break;
            }
        }
    }
}
