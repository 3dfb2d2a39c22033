//! What is chosen, and what cannot be.

use super::sweep::jumping;
use super::world::{Script, ScriptPage, World, page};
use crate::error::Error;
use crate::model::{Comparison, Condition, DataType, Layout, Layouts, Mode, Pushdown, StreamInfo};
use crate::report::Outcome;
use crate::run::plan::{Shape, StreamIn};
use crate::run::{ChosenStream, Rejects, RunSpec};
use std::sync::Arc;

fn chosen(stream: &str) -> ChosenStream {
    ChosenStream { stream: stream.into(), ..ChosenStream::default() }
}

fn condition(field: &str, comparison: Comparison, value: &str) -> Condition {
    Condition { field: field.into(), comparison, value: value.into() }
}

fn script() -> Script {
    Script::of(vec![page("flights", 0..10), page("flights", 10..20)])
}

fn error_of(world: &Arc<World>, change: impl FnOnce(&mut RunSpec)) -> Error {
    jumping(async {
        let mut spec = world.spec();
        change(&mut spec);
        let report = world.run_spec(spec, None).await.unwrap();
        assert_eq!(report.outcome, Outcome::Failed);
        report.error.unwrap().error
    })
}

#[test]
fn a_misspelt_stream_or_field_is_answered_with_what_was_meant() {
    let world = World::new(script());
    let error = error_of(&world, |spec| spec.streams = Some(vec![chosen("Flihgts")]));
    assert_eq!(error.to_string(), "the source has no stream `Flihgts`, did you mean `flights`?");
    let fields = ChosenStream { fields: Some(vec!["nmae".into()]), ..chosen("flights") };
    let error = error_of(&world, |spec| spec.streams = Some(vec![fields]));
    assert_eq!(error.to_string(), "the stream `flights` has no field `nmae`, did you mean `name`?");
    let filter =
        ChosenStream { filter: vec![condition("zzz", Comparison::IsNull, "null")], ..chosen("flights") };
    let error = error_of(&world, |spec| spec.streams = Some(vec![filter]));
    assert_eq!(error.to_string(), "the stream `flights` has no field `zzz`");
    let wrong =
        ChosenStream { filter: vec![condition("id", Comparison::Less, "\"x\"")], ..chosen("flights") };
    assert_eq!(error_of(&world, |spec| spec.streams = Some(vec![wrong])).code(), "CD0704");
    let twice = error_of(&world, |spec| spec.streams = Some(vec![chosen("flights"), chosen("flights")]));
    assert_eq!(twice.code(), "CD0702");
}

#[test]
fn what_the_destination_cannot_do_is_said_before_a_row_moves() {
    let world = World::new(script());
    let with_mode = |mode| ChosenStream { mode, ..chosen("flights") };
    let error = error_of(&world, |spec| spec.streams = Some(vec![with_mode(Mode::Mirror)]));
    assert_eq!(error, Error::ModeNotSupported { stream: "flights".into(), mode: Mode::Mirror });
    let keyless = ChosenStream { fields: Some(vec!["name".into()]), ..with_mode(Mode::Upsert) };
    let error = error_of(&world, |spec| spec.streams = Some(vec![keyless]));
    assert_eq!(error, Error::KeyMissing { stream: "flights".into(), mode: Mode::Upsert });
    assert_eq!(world.rows(), Vec::<i64>::new());
}

#[test]
fn a_group_is_refilled_whole_or_not_at_all() {
    let world = World::new(Script::of(vec![page("a", 0..1), page("b", 1..2)]));
    let error = error_of(&world, |spec| {
        spec.streams = Some(vec![ChosenStream { mode: Mode::Replace, ..chosen("a") }, chosen("b")]);
    });
    assert_eq!(error.code(), "CD0709");
}

#[test]
fn settings_without_sense_are_refused() {
    let world = World::new(script());
    let refused = |change: fn(&mut RunSpec)| assert_eq!(error_of(&world, change).code(), "CD0712");
    refused(|spec| spec.options.attempts = 0);
    refused(|spec| spec.options.parallel_groups = 0);
    refused(|spec| spec.options.commit_bytes = 0);
    refused(|spec| spec.options.page.max_rows = 0);
    refused(|spec| spec.rejects = Rejects { max_rate: Some(1.5), ..Rejects::default() });
    refused(|spec| spec.sync.clear());
}

#[test]
fn filter_limit_and_fields_are_done_by_the_host_where_the_source_does_not() {
    for layout in [Layout::Columns, Layout::JsonLines] {
        jumping(async {
            let layouts = Layouts { columns: true, json_lines: true };
            let world = World::new(Script { layout, layouts, checked: false, ..script() });
            let mut spec = world.spec();
            spec.streams = Some(vec![ChosenStream {
                fields: Some(vec!["id".into()]),
                filter: vec![
                    condition("id", Comparison::GreaterOrEqual, "5"),
                    condition("name", Comparison::NotEqual, "\"row 7\""),
                ],
                limit: Some(6),
                ..chosen("flights")
            }]);
            let report = world.run_spec(spec, None).await.unwrap();
            assert_eq!(report.outcome, Outcome::Completed, "{report:#?}");
            assert_eq!(world.rows(), [5, 6, 8, 9, 10, 11]);
            let total = report.total();
            assert_eq!((total.read, total.accepted, total.filtered, total.rejected), (20, 6, 14, 0));
            let prepared = super::faults::lock(&world.prepared);
            assert_eq!(prepared[0].schema.schema.fields.len(), 1);
        });
    }
}

#[test]
fn a_limited_stream_is_not_asked_for_rows_that_would_be_lost() {
    jumping(async {
        // The scripted source asserts that no page is larger than asked for.
        let world = World::new(Script::of(vec![page("a", 0..3), page("a", 3..6), page("a", 6..9)]));
        let mut spec = world.spec();
        spec.options.page.max_rows = 3;
        spec.streams = Some(vec![ChosenStream { limit: Some(6), ..chosen("a") }]);
        let report = world.run_spec(spec.clone(), None).await.unwrap();
        assert_eq!((report.total().read, world.rows().len()), (6, 6));
        let second = world.run_spec(spec, None).await.unwrap();
        assert_eq!((second.total().read, world.rows().len()), (3, 9));
    });
}

#[test]
fn a_limit_holds_across_attempts() {
    for call in 0..40 {
        jumping(async {
            let pages = (0..6).map(|n| page("a", n * 2..n * 2 + 2)).collect();
            let world = World::new(Script { checked: false, ..Script::of(pages) });
            let mut spec = world.spec();
            spec.streams = Some(vec![ChosenStream {
                limit: Some(5),
                filter: vec![condition("id", Comparison::NotEqual, "1")],
                ..chosen("a")
            }]);
            let fault = super::faults::Fault::Transient { after: call % 2 == 0 };
            let report = world.run_spec(spec, Some((call / 2, fault))).await.unwrap();
            assert_eq!(report.outcome, Outcome::Completed);
            assert_eq!(world.rows(), [0, 2, 3, 4, 5]);
        });
    }
}

fn stream_in(pushdown: Pushdown, chosen: ChosenStream) -> StreamIn {
    let fields = [("a", DataType::Int64), ("b", DataType::Int64), ("c", DataType::Json)];
    let schema = crate::fixtures::schema("s", &fields, Layout::JsonLines);
    let info = StreamInfo {
        schema,
        group: None,
        cursor_fields: Vec::new(),
        incremental: false,
        pushdown,
        estimated_rows: None,
        description: None,
    };
    StreamIn { info, chosen, replayed: false }
}

#[test]
fn the_source_is_asked_only_for_what_it_declares() {
    let wish = || ChosenStream {
        fields: Some(vec!["b".into()]),
        filter: vec![condition("a", Comparison::Equal, "1")],
        limit: Some(3),
        ..chosen("s")
    };
    let shape = |fields, filter, limit| {
        let stream = stream_in(Pushdown { fields, filter, limit }, wish());
        let schema = stream.info.schema.clone();
        Shape::new(&stream, &schema).unwrap()
    };
    let nothing = shape(false, false, false);
    assert_eq!(
        (nothing.selection.fields, nothing.selection.filter.len(), nothing.selection.limit),
        (None, 0, None)
    );
    let all = shape(true, true, true);
    assert_eq!(
        (all.selection.fields, all.selection.filter.len(), all.selection.limit),
        (Some(vec!["b".into()]), 1, Some(3))
    );
    assert!(all.filter.is_none());
    // The host's filter needs a field that was not chosen, and a limit must come after it.
    let fields = shape(true, false, true);
    assert_eq!((fields.selection.fields, fields.selection.limit), (Some(vec!["b".into(), "a".into()]), None));
    assert_eq!((fields.given.schema.fields.len(), fields.wanted.schema.fields.len()), (2, 1));
}

#[test]
fn a_filter_of_the_source_may_say_more_than_the_host_understands() {
    let pushdown = Pushdown { filter: true, ..Pushdown::default() };
    let json = || ChosenStream { filter: vec![condition("c", Comparison::Equal, "{}")], ..chosen("s") };
    let stream = stream_in(pushdown, json());
    assert!(Shape::new(&stream, &stream.info.schema).is_ok());
    let stream = stream_in(Pushdown::default(), json());
    assert_eq!(Shape::new(&stream, &stream.info.schema).unwrap_err().code(), "CD0704");
    let mut open = stream_in(
        pushdown,
        ChosenStream { filter: vec![condition("x", Comparison::Equal, "1")], ..chosen("s") },
    );
    assert_eq!(Shape::new(&open, &open.info.schema).unwrap_err().code(), "CD0703");
    open.info.schema.schema.additional_fields = true;
    assert!(Shape::new(&open, &open.info.schema).is_ok());
}

#[test]
fn all_streams_are_chosen_when_none_is_named() {
    jumping(async {
        let world = World::new(Script::of(vec![page("a", 0..2), ScriptPage { ..page("b", 2..4) }]));
        let mut spec = world.spec();
        spec.streams = None;
        let report = world.run_spec(spec, None).await.unwrap();
        assert_eq!(report.groups[0].streams, ["a", "b"]);
        world.assert_exact().await;
    });
}

#[test]
fn a_stream_that_is_chosen_late_does_not_begin_in_the_middle() {
    let pages = || vec![page("a", 0..3), page("b", 10..13), page("a", 3..6)];
    let world = World::new(Script { checked: false, ..Script::of(pages()) });
    let choose = |streams: &[&str]| Some(streams.iter().map(|stream| chosen(stream)).collect());
    jumping(async {
        let mut spec = world.spec();
        spec.streams = choose(&["a"]);
        assert_eq!(world.run_spec(spec, None).await.unwrap().outcome, Outcome::Completed);
    });
    let error = error_of(&world, |spec| spec.streams = choose(&["a", "b"]));
    assert_eq!(error, Error::StreamAdded { group: "g".into(), stream: "b".into() });
    // Left out and chosen again is the same: rows have passed meanwhile.
    let world = World::new(Script { checked: false, ..Script::of(pages()) });
    jumping(async {
        for streams in [&["a", "b"][..], &["b"]] {
            let mut spec = world.spec();
            spec.streams = choose(streams);
            assert_eq!(world.run_spec(spec, None).await.unwrap().outcome, Outcome::Completed);
        }
    });
    assert_eq!(error_of(&world, |spec| spec.streams = choose(&["a", "b"])).code(), "CD0713");
}
