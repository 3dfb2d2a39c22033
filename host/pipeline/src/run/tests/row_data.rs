//! `row_data = "off"`: no value of a rejected row, and nothing that a connector says, is kept or told.

use super::faults::{Fault, GUEST_TEXT};
use super::sweep::{finish, jumping};
use super::world::{Script, ScriptPage, World, id_of, page};
use crate::model::Layout;
use crate::records::{RowCopy, RowError, RowErrorChunk, RunRecords};
use crate::report::{Outcome, RunReport};
use crate::run::{RejectPolicy, RowData, RunSpec};
use std::sync::Arc;

/// Every way in which a row can be rejected.
fn rejecting(layout: Layout) -> Script {
    Script {
        layout,
        transform: true,
        source_rejects: true,
        write_rejects: true,
        late_rejects: true,
        ..Script::of(vec![
            page("a", 0..30),
            ScriptPage { raw: vec![100, 101], ..page("a", 30..40) },
            page("b", 40..60),
        ])
    }
}

fn spec(world: &Arc<World>, row_data: RowData) -> RunSpec {
    let mut spec = world.spec();
    spec.rejects.row_data = row_data;
    spec
}

async fn chunks(world: &World) -> Vec<RowErrorChunk> {
    let mut chunks = Vec::new();
    for run in 1..5 {
        chunks.extend(world.records.row_errors("sync", run, 0, usize::MAX).await.unwrap());
    }
    chunks
}

/// What was kept and told, in whole.
fn text(chunks: &[RowErrorChunk], report: &RunReport) -> String {
    format!("{} {}", serde_json::to_string(chunks).unwrap(), serde_json::to_string(report).unwrap())
}

/// A name such as `row 7` is in each row.
fn tells(text: &str) -> bool {
    [GUEST_TEXT, "cannot be read", "row 1", "row 2", "row 3", "row 4", "row 5"]
        .iter()
        .any(|canary| text.contains(canary))
}

#[test]
fn nothing_of_a_rejected_row_is_kept_or_told() {
    for layout in [Layout::Columns, Layout::JsonLines] {
        jumping(async {
            let world = World::new(rejecting(layout));
            let report = world.run_spec(spec(&world, RowData::Off), None).await.unwrap();
            assert_eq!(report.outcome, Outcome::Completed, "{report:#?}");
            world.assert_exact().await;
            let chunks = chunks(&world).await;
            assert!(!tells(&text(&chunks, &report)), "{chunks:#?} {report:#?}");
            for error in chunks.iter().flat_map(|chunk| &chunk.errors) {
                assert_eq!(error.row, RowCopy::Withheld);
                let is_row = error.operation.is_some();
                assert_eq!(error.fields, if is_row { vec!["id", "name"] } else { vec![] });
            }
        });
    }
}

#[test]
fn a_row_that_may_be_kept_is_kept() {
    for row_data in [RowData::Stored, RowData::Local] {
        jumping(async {
            let world = World::new(rejecting(Layout::JsonLines));
            let report = world.run_spec(spec(&world, row_data), None).await.unwrap();
            let chunks = chunks(&world).await;
            assert!(tells(&text(&chunks, &report)));
            let copies = || chunks.iter().flat_map(|chunk| &chunk.errors);
            assert!(copies().all(|error| matches!(error.row, RowCopy::Row(_) | RowCopy::Raw(_))));
            assert!(copies().all(|error| error.fields.is_empty()));
        });
    }
}

#[test]
fn a_rejected_row_is_told_with_its_key_and_the_key_is_not_given_back() {
    for (row_data, layout) in [(RowData::Off, Layout::JsonLines), (RowData::Stored, Layout::Columns)] {
        jumping(async {
            let world = World::new(rejecting(layout));
            world.run_spec(spec(&world, row_data), None).await.unwrap();
            let effects = super::faults::lock(&world.effects).clone();
            let mut rows = 0;
            for chunk in effects.iter().flat_map(|prepared| &prepared.effect.row_errors) {
                let ids = world.script.ids_of(&chunk.schema.stream);
                for RowError { index, key, operation, .. } in &chunk.errors {
                    let id = key.as_ref().map(|key| id_of(key));
                    let expected = operation.map(|_| ids[usize::try_from(*index).unwrap()]);
                    assert_eq!(id, expected, "bytes that never became a row have no key");
                    rows += 1;
                }
            }
            assert!(rows > 10, "{rows}");
            assert!(chunks(&world).await.iter().flat_map(|chunk| &chunk.errors).all(|one| one.key.is_none()));
        });
    }
}

#[test]
fn the_row_at_which_a_run_fails_is_not_told() {
    jumping(async {
        let world = World::new(Script { checked: false, ..rejecting(Layout::Columns) });
        let mut spec = spec(&world, RowData::Off);
        spec.rejects.policy = RejectPolicy::Fail;
        let report = world.run_spec(spec, None).await.unwrap();
        let error = report.error.clone().unwrap();
        assert_eq!(error.message, "row 2 of the stream `a` was rejected: no");
        let crate::Error::RowRejected { row, message, .. } = &error.error else { panic!("{error:?}") };
        assert_eq!((row, message.as_str()), (&None, ""));
    });
}

#[test]
fn what_a_connector_says_when_it_fails_is_not_told() {
    for fault in [Fault::Transient { after: false }, Fault::RateLimited(7), Fault::Trap, Fault::Panic] {
        for (row_data, told) in [(RowData::Off, false), (RowData::Stored, true)] {
            let mut any = false;
            for call in 0..20 {
                let report = jumping(async {
                    let world = World::new(Script { checked: false, ..rejecting(Layout::Columns) });
                    world.run_spec(spec(&world, row_data), Some((call, fault))).await.unwrap()
                });
                let failed =
                    report.error.is_some() || report.groups.iter().any(|one| !one.retried.is_empty());
                let text = serde_json::to_string(&report).unwrap();
                let tells = text.contains(GUEST_TEXT) || text.contains("a bug in");
                assert!(told || !tells, "{report:#?}");
                any |= failed && (tells == told);
            }
            assert!(any, "{fault:?} {row_data:?}");
        }
    }
}

#[test]
fn late_rejects_that_came_to_light_after_a_crash_are_not_told_either() {
    for call in 0.. {
        let fired = jumping(async {
            let world = World::new(Script { checked: false, ..rejecting(Layout::Columns) });
            let crash = Some((call, Fault::Crash { after: true }));
            world.run_spec(spec(&world, RowData::Off), crash).await;
            let fired = world.faults.fired();
            let report = world.run_spec(spec(&world, RowData::Off), None).await.unwrap();
            assert!(!world.faults.names().contains(&"records.keep"), "rows are kept");
            let chunks = chunks(&world).await;
            assert!(!tells(&text(&chunks, &report)), "{chunks:#?} {report:#?}");
            let errors = chunks.iter().flat_map(|chunk| &chunk.errors);
            assert_eq!(errors.count(), world.script.expected().rejected.len());
            fired
        });
        if !fired {
            assert!(call > 20, "only {call} calls");
            return;
        }
    }
}

#[test]
fn a_change_of_the_setting_leaves_the_counters_exact() {
    jumping(async {
        let world = World::new(Script { checked: false, ..rejecting(Layout::Columns) });
        world.run_spec(spec(&world, RowData::Off), Some((25, Fault::Cancel))).await.unwrap();
        finish(&world).await;
        assert_eq!(world.totals().await, world.script.expected().counters);
    });
}
