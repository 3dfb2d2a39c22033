//! A destination's calls: what it can do, what becomes of fields, rejects of a batch and at the commit, the last commit.

use super::{Proof, append};
use crate::harness::budget;
use pipeline::connector::Writer;
use pipeline::failure::Cause;
use pipeline::model::{
    Batch, Capabilities, FieldFate, JsonLines, LateReject, Layout, Layouts, Mode, Modes, Operation,
    Operations, Reject, RowOperations, Rows, StreamPlan,
};
use serde_json::{Value, json};
use std::sync::Arc;

pub(super) fn rows(stream: &str, lines: &[&str]) -> Arc<Batch> {
    let data = lines.iter().flat_map(|line| [line.as_bytes(), b"\n"].concat()).collect();
    let rows = Rows::JsonLines(JsonLines { row_count: u32::try_from(lines.len()).unwrap(), data });
    let operations = RowOperations::All(Operation::Insert);
    Arc::new(Batch { stream: stream.into(), schema_version: 1, operations, rows })
}

/// A writer that expects rows of `orders`.
async fn prepared(config: Value) -> (Proof, Box<dyn Writer>) {
    let proof = Proof::new(config).await;
    let mut writer = proof.writer(Some(1)).await;
    writer.prepare(vec![append(proof.schema("orders").await)], false).await.unwrap();
    (proof, writer)
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_opened_for_a_unit_with_a_fence_or_without() {
    let proof = Proof::new(json!({})).await;
    proof.writer(Some(u64::MAX)).await;
    proof.writer(None).await;
    let expect = ["open `unit` fence Some(18446744073709551615)", "open `unit` fence None"];
    assert_eq!(proof.said_of("open"), expect);
}

/// Sets one capability.
type Set = fn(&mut Capabilities);

#[tokio::test(flavor = "multi_thread")]
async fn each_capability_is_told_apart() {
    let all: [(&str, Set); 14] = [
        ("exactly-once", |can| can.exactly_once = true),
        ("transactions", |can| can.transactions = true),
        ("fences", |can| can.fences = true),
        ("late-rejects", |can| can.late_rejects = true),
        ("columns", |can| can.layouts.columns = true),
        ("json-lines", |can| can.layouts.json_lines = true),
        ("append", |can| can.modes.append = true),
        ("upsert", |can| can.modes.upsert = true),
        ("mirror", |can| can.modes.mirror = true),
        ("replace", |can| can.modes.replace = true),
        ("insert", |can| can.operations.insert = true),
        ("update", |can| can.operations.update = true),
        ("upsert-rows", |can| can.operations.upsert = true),
        ("delete", |can| can.operations.delete = true),
    ];
    // The least that any destination has is added to each.
    let least = ["json-lines", "append", "insert"];
    for (ability, set) in all {
        let mut abilities = least.to_vec();
        abilities.push(ability);
        let proof = Proof::new(json!({ "abilities": abilities })).await;
        let mut expect = Capabilities {
            layouts: Layouts { json_lines: true, ..Layouts::default() },
            modes: Modes { append: true, ..Modes::default() },
            operations: Operations { insert: true, ..Operations::default() },
            ..Capabilities::default()
        };
        set(&mut expect);
        assert_eq!(proof.writer(None).await.capabilities().await.unwrap(), expect, "{ability}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destination_without_any_layout_is_refused() {
    let proof = Proof::new(json!({"abilities": ["append", "insert"]})).await;
    let failure = proof.writer(None).await.capabilities().await.unwrap_err();
    assert!(failure.to_string().contains("a destination without any layout"), "{failure}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_plan_reaches_it_and_each_field_gets_its_verdict() {
    let proof = Proof::new(json!({})).await;
    let mut writer = proof.writer(Some(1)).await;
    let values = StreamPlan { mode: Mode::Upsert, generation: 3, ..append(proof.schema("values").await) };
    let orders =
        StreamPlan { mode: Mode::Replace, generation: u64::MAX, ..append(proof.schema("orders").await) };
    let verdicts = writer.prepare(vec![values, orders], true).await.unwrap();
    let said = [
        r#"prepare `values` version 1 keys ["int64"] Mode::Upsert generation 3 dry true"#,
        r#"prepare `orders` version 1 keys ["id"] Mode::Replace generation 18446744073709551615 dry true"#,
    ];
    assert_eq!(proof.said_of("prepare"), said);
    let layouts: Vec<_> = verdicts.iter().map(|verdict| (verdict.stream.as_str(), verdict.layout)).collect();
    assert_eq!(layouts, [("values", Layout::Columns), ("orders", Layout::JsonLines)]);
    let fate = |name: &str| {
        let fields = &verdicts[0].fields;
        fields.iter().find(|verdict| verdict.field == name).expect("a verdict on the field").fate.clone()
    };
    assert_eq!(fate("int64"), FieldFate::Stored);
    assert_eq!(fate("boolean"), FieldFate::Converted("0 or 1".into()));
    assert_eq!(fate("money"), FieldFate::Narrowed("float".into()));
    assert_eq!(fate("bytes"), FieldFate::Dropped("no bytes here".into()));
    assert_eq!(fate("json"), FieldFate::Refused("no JSON here".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_mode_is_told_apart() {
    let proof = Proof::new(json!({})).await;
    let mut writer = proof.writer(None).await;
    let schema = proof.schema("orders").await;
    for mode in [Mode::Append, Mode::Upsert, Mode::Mirror, Mode::Replace] {
        writer.prepare(vec![StreamPlan { mode, ..append(schema.clone()) }], true).await.unwrap();
    }
    let said = proof.said_of("prepare");
    let modes: Vec<_> =
        said.iter().filter_map(|line| line.split("Mode::").nth(1)?.split(' ').next()).collect();
    assert_eq!(modes, ["Append", "Upsert", "Mirror", "Replace"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_asked_again_when_a_schema_changes() {
    let steps =
        json!([{"schema-changed": 2}, {"page": {"batches": [{"stream": "values", "rows": ["ordinary"]}]}}]);
    let proof = super::scripted(steps).await;
    let mut reader = proof.reader("values", &["values"]).await;
    let mut writer = proof.writer(Some(1)).await;
    writer.prepare(vec![append(proof.schema("values").await)], false).await.unwrap();
    let pipeline::model::Step::SchemaChanged(changed) = reader.next(budget()).await.unwrap() else {
        panic!()
    };
    let verdicts = writer.prepare(vec![append(changed[0].clone())], false).await.unwrap();
    assert_eq!(verdicts[0].fields.len(), 14);
    let batch = super::next_batch(&mut reader).await;
    writer.write(0, Arc::new(batch)).await.unwrap();
    let said = proof.said_of("row ");
    assert!(said[0].ends_with("added=Text(\"new\")"), "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_a_batch_are_rejected_by_index_and_the_others_stay() {
    let (_, mut writer) = prepared(json!({"reject": [0, 2]})).await;
    let report = writer.write(0, rows("orders", &["{}", "{}", "{}"])).await.unwrap();
    let reject =
        |row: u32| Reject { row, code: "not_wanted".into(), message: format!("row {row}"), retryable: false };
    assert_eq!(report.rejected, [reject(0), reject(2)]);
    let report = writer.write(1, rows("orders", &["{}"])).await.unwrap();
    assert_eq!(report.rejected, [reject(0)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_rejects_late_by_batch_and_row() {
    let (proof, mut writer) = prepared(json!({"reject_late": [[0, 1], [1, 0]]})).await;
    writer.write(0, rows("orders", &["{}", "{}"])).await.unwrap();
    writer.write(1, rows("orders", &["{}"])).await.unwrap();
    let report = writer.commit("token 1".into(), false).await.unwrap();
    let late = |batch, row| {
        let (code, message) = ("came_before".into(), "only seen at the commit".into());
        LateReject { batch, reject: Reject { row, code, message, retryable: true } }
    };
    assert_eq!(report.rejected, [late(0, 1), late(1, 0)]);
    // Numbers begin anew after each commit.
    writer.write(0, rows("orders", &["{}", "{}"])).await.unwrap();
    let report = writer.commit("token 2".into(), true).await.unwrap();
    assert_eq!(report.rejected, [late(0, 1)]);
    assert_eq!(proof.said_of("commit"), ["commit `token 1` last false", "commit `token 2` last true"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_reject_of_who_did_not_say_that_it_does_so_is_refused() {
    let abilities = ["json-lines", "append", "insert"];
    let (_, mut writer) = prepared(json!({"reject_late": [[0, 0]], "abilities": abilities})).await;
    writer.write(0, rows("orders", &["{}"])).await.unwrap();
    let failure = writer.commit("token".into(), false).await.unwrap_err();
    assert!(matches!(failure.cause, Cause::Contract(_)), "{failure}");
    assert!(failure.to_string().contains("the capabilities do not have `late-rejects`"), "{failure}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_reject_of_a_row_that_was_never_written_is_refused() {
    let (_, mut writer) = prepared(json!({"reject_late": [[0, 7]]})).await;
    writer.write(0, rows("orders", &["{}"])).await.unwrap();
    let failure = writer.commit("token".into(), false).await.unwrap_err();
    assert!(failure.to_string().contains("row 7 of batch 0 is named, but it has 1 rows"), "{failure}");
}
