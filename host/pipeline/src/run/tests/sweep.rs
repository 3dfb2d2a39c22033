//! Every fault at every call: whatever happens wherever, the next run makes the whole exact.

use super::faults::Fault;
use super::world::{Script, ScriptPage, World, page};
use crate::model::{Layout, Layouts, Mode};
use crate::records::{KEEP_CALLS_MAX, RowCopy, RunRecords};
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

/// Puts the fault at each call in turn, until a run ends before it gets there. Every row that was rejected, however late, is
/// there with its row.
fn sweep(script: &Script, fault: Fault, fires_min: u64) {
    assert_eq!(sweep_and_count_lost(script, fault, fires_min), 0, "row errors without their rows");
}

/// Answers how many row errors of all runs have lost their row.
fn sweep_and_count_lost(script: &Script, fault: Fault, fires_min: u64) -> usize {
    let mut lost = 0;
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
            lost += rows_lost(&world).await;
            fired
        });
        if !fired {
            assert!(call >= fires_min, "only {call} calls");
            break;
        }
    }
    lost
}

async fn rows_lost(world: &World) -> usize {
    let mut lost = 0;
    for run in 1..5 {
        let chunks = world.records.row_errors("sync", run, 0, usize::MAX).await.unwrap();
        let errors = chunks.iter().flat_map(|chunk| &chunk.errors);
        lost += errors.filter(|error| error.row == RowCopy::GivenUp).count();
    }
    lost
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
fn late_rejects_of_a_commit_whose_answer_was_lost_are_counted_and_kept_with_their_rows() {
    for fault in CRASHES.into_iter().chain([Fault::CancelAndHang { after: true }]) {
        sweep(&Script { late_rejects: true, ..busy() }, fault, 30);
        sweep(&Script { late_rejects: true, transform: true, ..busy() }, fault, 30);
        let script = Script { late_rejects: true, layout: Layout::JsonLines, ..busy() };
        let pages = busy_pages().into_iter().map(|page| ScriptPage { schema_changes: false, ..page });
        sweep(&Script { groups: [("g", pages.collect())].into(), ..script }, fault, 30);
    }
}

/// One commit of many pages, whose rows are kept with many calls while they are written.
#[test]
fn rows_are_kept_while_they_flow_wherever_the_process_ends() {
    let pages = (0..12).map(|number| page("a", number * 10..number * 10 + 6));
    let mut script = Script { late_rejects: true, ..Script::of(pages.collect()) };
    script.options.commit_bytes = u64::MAX;
    script.options.late_rows_bytes = 4_000;
    jumping(async {
        let world = World::new(script.clone());
        world.run(None).await.unwrap();
        let names = world.faults.names();
        let calls = |name: &str| names.iter().filter(|one| **one == name).count();
        assert_eq!((calls("writer.commit"), calls("records.prepare")), (1, 1));
        assert!((4..=KEEP_CALLS_MAX).contains(&calls("records.keep")), "{names:?}");
    });
    for fault in CRASHES {
        sweep(&script, fault, 30);
    }
}

#[test]
fn rows_beyond_the_limit_are_not_kept_and_their_rejects_are_counted_all_the_same() {
    let mut script = Script { late_rejects: true, ..busy() };
    script.options.late_rows_bytes = 0;
    let [before, after] = CRASHES.map(|fault| sweep_and_count_lost(&script, fault, 30));
    assert!(before > 0 && after > 0, "no crash came between the two commits");
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
