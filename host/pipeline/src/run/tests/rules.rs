//! The rules of a run that goes well, and of rows that do not.

use super::faults::lock;
use super::sweep::{finish, jumping};
use super::world::{Script, ScriptPage, World, page};
use crate::model::{Layout, Layouts, Mode, Operations};
use crate::records::{RejectedBy, RowCopy, RunRecords};
use crate::report::{Delivery, Outcome, RunReport};
use crate::run::{Options, RejectPolicy, Rejects};
use std::sync::Arc;
use tokio::time::Instant;

async fn completed(world: &Arc<World>) -> RunReport {
    let report = world.run(None).await.unwrap();
    assert_eq!(report.outcome, Outcome::Completed, "{report:#?}");
    report
}

fn commits(world: &World) -> u64 {
    lock(&world.units).values().map(|unit| unit.commits).sum()
}

#[test]
fn rows_arrive_in_every_pair_of_layouts_with_and_without_a_transform() {
    let only = |columns| Layouts { columns, json_lines: !columns };
    for layout in [Layout::Columns, Layout::JsonLines] {
        for layouts in [only(true), only(false)] {
            for transform in [false, true] {
                jumping(async {
                    let script = Script::of(vec![page("a", 0..50), page("b", 50..99)]);
                    let world = World::new(Script { layout, layouts, transform, ..script });
                    let report = completed(&world).await;
                    world.assert_exact().await;
                    let written: u64 = report.written.values().sum();
                    assert_eq!(written, world.rows().len() as u64);
                });
            }
        }
    }
}

#[test]
fn a_row_error_says_everything() {
    jumping(async {
        let script = Script::of(vec![ScriptPage { raw: vec![9], ..page("a", [0, 3, 4, 5, 2]) }]);
        let world = World::new(Script {
            source_rejects: true,
            write_rejects: true,
            late_rejects: true,
            transform: true,
            ..script
        });
        completed(&world).await;
        let chunks = world.records.row_errors("sync", 1, 0, 9).await.unwrap();
        let errors: Vec<_> = chunks.iter().flat_map(|chunk| &chunk.errors).collect();
        let seen: Vec<_> = errors.iter().map(|error| (error.index, error.code.as_str(), error.by)).collect();
        assert_eq!(
            seen,
            [
                (1, "bad_line", RejectedBy::Source),
                (2, "write", RejectedBy::Destination),
                (4, "no", RejectedBy::Transform(0)),
                (5, "bad_line", RejectedBy::Source),
                (3, "late", RejectedBy::Destination),
            ]
        );
        assert_eq!(chunks[0].schema.stream, "a");
        assert_eq!(errors[0].operation, Some(crate::model::Operation::Insert));
        assert_eq!((errors[1].retryable, errors[1].attempt), (true, 1));
        assert_eq!(errors[3].row, RowCopy::Raw(b"9".to_vec()));
        world.assert_exact().await;
    });
}

#[test]
fn a_commit_stands_where_a_checkpoint_covers_what_was_written() {
    jumping(async {
        let uncovered = |ids| ScriptPage { checkpoint: false, ..page("a", ids) };
        let pages = vec![uncovered(0..2), uncovered(2..4), page("a", 4..6), uncovered(6..8), page("a", 8..9)];
        let world = World::new(Script::of(pages));
        completed(&world).await;
        assert_eq!(commits(&world), 2);
        assert_eq!(lock(&world.told).last(), Some(&5));
        world.assert_exact().await;
    });
}

#[test]
fn a_source_without_checkpoints_is_committed_at_its_end() {
    jumping(async {
        let pages = (0..9).map(|n| ScriptPage { checkpoint: false, ..page("a", n * 5..n * 5 + 5) }).collect();
        let world = World::new(Script { write_rejects: true, ..Script::of(pages) });
        completed(&world).await;
        assert_eq!(commits(&world), 1);
        world.assert_exact().await;
    });
}

#[test]
fn transactions_are_committed_whole_where_the_destination_can() {
    let marked = |ids, mark| ScriptPage { mark, ..page("a", ids) };
    let pages = || vec![marked(0..2, false), marked(2..4, true), marked(4..6, false), marked(6..8, true)];
    for (transactions, expected) in [(true, 2), (false, 4)] {
        jumping(async {
            let world = World::new(Script { marks: true, transactions, ..Script::of(pages()) });
            completed(&world).await;
            assert_eq!(commits(&world), expected);
            world.assert_exact().await;
        });
    }
}

#[test]
fn a_commit_is_due_after_bytes_or_after_time() {
    jumping(async {
        let pages: Vec<_> = (0..10).map(|n| page("a", n * 10..n * 10 + 10)).collect();
        let bytes = Options { commit_bytes: 1_500, ..Options::default() };
        let world = World::new(Script { options: bytes, ..Script::of(pages.clone()) });
        completed(&world).await;
        assert!((3..10).contains(&commits(&world)), "{}", commits(&world));
        let world = World::new(Script { options: Options::default(), ..Script::of(pages.clone()) });
        completed(&world).await;
        assert_eq!(commits(&world), 1);
        let slow: Vec<_> =
            pages.into_iter().map(|page| ScriptPage { wait_ms: Some(20_000), ..page }).collect();
        let world = World::new(Script { options: Options::default(), ..Script::of(slow) });
        let began = Instant::now();
        completed(&world).await;
        assert_eq!(began.elapsed().as_secs(), 200);
        assert_eq!(commits(&world), 4, "three pages a minute, and the end");
    });
}

#[test]
fn positions_move_on_without_the_destination_where_nothing_was_written() {
    jumping(async {
        let empty = || ScriptPage { checkpoint: true, ..ScriptPage::default() };
        let world = World::new(Script::of(vec![page("a", 0..1), empty(), empty()]));
        let report = completed(&world).await;
        assert_eq!(commits(&world), 1);
        let position = report.groups[0].position.clone().unwrap();
        assert_eq!((position.checkpoint.as_deref(), position.complete), (Some("3"), true));
    });
}

#[test]
fn a_source_that_is_not_incremental_is_read_anew_by_each_run() {
    jumping(async {
        let world = World::new(Script { incremental: false, ..Script::of(vec![page("a", 0..3)]) });
        completed(&world).await;
        completed(&world).await;
        assert_eq!(world.rows(), [0, 0, 1, 1, 2, 2]);
        assert_eq!(*lock(&world.opened), [None, None]);
    });
}

#[test]
fn each_refill_has_its_generation_and_shows_at_its_end() {
    jumping(async {
        let world =
            World::new(Script { mode: Mode::Replace, ..Script::of(vec![page("a", 0..2), page("a", 2..4)]) });
        for generation in 1..4 {
            let report = completed(&world).await;
            assert_eq!(report.groups[0].position.clone().unwrap().generation, generation);
            assert_eq!(lock(&world.units)["sync/g"].generation, generation);
            assert_eq!(world.rows(), [0, 1, 2, 3]);
        }
    });
}

#[test]
fn an_empty_refill_empties() {
    jumping(async {
        let world = World::new(Script { mode: Mode::Replace, ..Script::of(vec![page("a", [])]) });
        lock(&world.units).entry("sync/g".into()).or_default().visible.push(7);
        completed(&world).await;
        assert_eq!(world.rows(), Vec::<i64>::new());
    });
}

#[test]
fn a_change_of_schema_reaches_transform_and_destination_before_its_rows() {
    for transform in [false, true] {
        jumping(async {
            let changed = ScriptPage { schema_changes: true, ..page("a", 4..8) };
            let world = World::new(Script {
                transform,
                ..Script::of(vec![page("a", 0..4), changed, page("a", 8..9)])
            });
            completed(&world).await;
            world.assert_exact().await;
            let versions: Vec<u32> = lock(&world.prepared).iter().map(|plan| plan.schema.version).collect();
            assert_eq!(versions, [0, 1]);
        });
    }
}

/// The report, and how many rows were kept as row errors.
fn with_rejects(rejects: Rejects) -> (RunReport, u64) {
    jumping(async {
        let pages = (0..30).map(|n| page("a", n * 10..n * 10 + 10)).collect();
        // Rows that are skipped are passed without being kept.
        let checked = rejects.policy != RejectPolicy::Skip;
        let world = World::new(Script { write_rejects: true, checked, ..Script::of(pages) });
        let mut spec = world.spec();
        spec.rejects = rejects;
        let report = world.run_spec(spec, None).await.unwrap();
        let kept = world.row_errors().await.len() as u64;
        (report, kept)
    })
}

#[test]
fn rejected_rows_are_kept_or_skipped_or_fail_the_run() {
    let policy = |policy| Rejects { policy, ..Rejects::default() };
    let (report, kept) = with_rejects(policy(RejectPolicy::Quarantine));
    assert_eq!((report.outcome, report.total().rejected, kept), (Outcome::Completed, 27, 27));
    assert_eq!(report.streams["a"].reject_codes["write"], 27);
    let (report, kept) = with_rejects(policy(RejectPolicy::Skip));
    assert_eq!((report.outcome, report.total().rejected, kept), (Outcome::Completed, 27, 0));
    let (failed, kept) = with_rejects(policy(RejectPolicy::Fail));
    assert_eq!(
        (failed.outcome, failed.total().rejected, failed.total().accepted, kept),
        (Outcome::Failed, 0, 0, 0)
    );
    let error = failed.error.unwrap();
    assert_eq!(error.code, "CD0720");
    let text = "row 4 of the stream `a` was rejected: write: it does not fit: 4";
    assert_eq!(error.message, text);
    let crate::Error::RowRejected { row, .. } = error.error else { panic!("{error:?}") };
    assert_eq!(row.as_deref(), Some("{\"id\":4,\"name\":\"row 4\"}"));
}

#[test]
fn too_many_rejects_by_count_or_by_rate_end_the_run() {
    let (count, kept) = with_rejects(Rejects { max_count: Some(3), ..Rejects::default() });
    assert_eq!(count.error.clone().unwrap().code, "CD0721");
    assert_eq!((count.total().rejected, kept), (3, 3));
    let (enough, _) = with_rejects(Rejects { max_count: Some(27), ..Rejects::default() });
    assert_eq!(enough.outcome, Outcome::Completed);
    let (rate, _) = with_rejects(Rejects { max_rate: Some(0.05), ..Rejects::default() });
    assert_eq!(rate.error.clone().unwrap().code, "CD0722");
    assert_eq!(rate.total().read, 90, "a rate is judged from 100 rows on");
    let (borne, _) = with_rejects(Rejects { max_rate: Some(0.2), ..Rejects::default() });
    assert_eq!(borne.outcome, Outcome::Completed);
}

#[test]
fn a_late_reject_of_a_run_that_fails_at_rejects_is_kept_as_the_cursor_has_passed_it() {
    jumping(async {
        let world =
            World::new(Script { late_rejects: true, ..Script::of(vec![page("a", 0..9), page("a", 9..12)]) });
        let mut spec = world.spec();
        spec.rejects.policy = RejectPolicy::Fail;
        let report = world.run_spec(spec, None).await.unwrap();
        assert_eq!((report.error.clone().unwrap().code.as_str(), report.total().rejected), ("CD0720", 1));
        assert_eq!(world.row_errors().await, [5]);
        finish(&world).await;
        world.assert_exact().await;
    });
}

#[test]
fn operations_that_the_destination_does_not_know_are_row_errors() {
    use crate::model::RowOperations;
    use crate::run::track::{Flow, Origin, Tracked};
    let schema = Arc::new(Script::of(Vec::new()).schema("a", 0));
    let mut batch = super::source::batch("a", &[1, 2, 3], 0, Layout::Columns);
    batch.operations = RowOperations::Each(vec![0, 3, 0]);
    let batch = Arc::new(batch);
    let mut tracked = Tracked::new(Arc::clone(&batch), schema, 1, crate::run::RowData::Stored);
    let inserts = Operations { insert: true, ..Operations::default() };
    let flow = Flow { batch, origin: Origin::Same };
    let kept = crate::run::write::known_operations(flow, &mut tracked, inserts).unwrap().unwrap();
    assert_eq!(super::destination::ids(&kept.batch), [1, 3]);
    let errors = tracked.row_errors();
    assert_eq!((errors.len(), errors[0].index, errors[0].code.as_str()), (1, 1, "operation_not_supported"));
}

#[test]
fn the_report_is_kept_and_tells_delivery_budgets_and_where_it_stands() {
    jumping(async {
        let world = World::new(Script::of(vec![page("a", 0..3)]));
        let report = completed(&world).await;
        assert_eq!(world.records.report("sync", None).await.unwrap(), Some(report.clone()));
        let text = serde_json::to_string(&report).unwrap();
        assert_eq!(serde_json::from_str::<RunReport>(&text).unwrap(), report);
        assert_eq!(report.groups[0].delivery, Some(Delivery::ExactlyOnce));
        assert_eq!((report.groups[0].unit.as_str(), report.groups[0].commits), ("sync/g", 2));
        assert_eq!(report.budgets["source"][0].used, 1);
        assert!(report.budgets.contains_key("destination"));
    });
}

#[test]
fn a_source_that_brings_nothing_for_ever_is_ended() {
    let nothing = ScriptPage::default();
    let other_schema = ScriptPage { schema_changes: true, ..ScriptPage::default() };
    for idle in [nothing, other_schema] {
        jumping(async {
            let mut script = Script::of(vec![page("a", 0..2)]);
            script.groups.get_mut("g").unwrap().extend(vec![idle; 50]);
            script.options.empty_pages_max = 20;
            let world = World::new(script);
            let report = world.run(None).await.unwrap();
            assert_eq!(report.error.clone().unwrap().code, "CD0741");
            assert_eq!(report.total().accepted, 2);
        });
    }
}

#[test]
fn another_run_of_the_sync_is_refused_while_one_is_under_way() {
    jumping(async {
        let world = World::new(Script::of(vec![page("a", 0..2)]));
        let ticket = world.records.begin("sync").await.unwrap();
        let report = world.run(None).await.unwrap();
        assert_eq!(
            (report.outcome, report.run, report.error.unwrap().code.as_str()),
            (Outcome::Failed, 0, "CD0730")
        );
        world.records.release(&ticket);
        completed(&world).await;
    });
}
