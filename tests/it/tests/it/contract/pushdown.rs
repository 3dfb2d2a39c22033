//! What is asked of a stream reaches the source: fields, filter, limit.

use super::{Proof, all_of, scripted};
use crate::harness::budget;
use pipeline::connector::{Reader, Source as _};
use pipeline::model::{Column, ColumnData, Comparison, Condition, OpenRead, Rows, Selection, Step};
use serde_json::json;

async fn open(proof: &Proof, selection: Selection) -> Box<dyn Reader> {
    let mut schema = proof.schema(&selection.stream).await;
    if let Some(fields) = &selection.fields {
        schema = pipeline::rows::project_schema(&schema, fields).unwrap();
    }
    let read = OpenRead { selections: vec![selection], ..all_of("group", vec![schema]) };
    proof.source().open(read).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn selected_fields_come_in_the_order_of_the_selection() {
    let proof = scripted(json!([{"page": {"batches": [{"stream": "values", "rows": ["ordinary"]}]}}])).await;
    let fields = Some(vec!["int64".to_owned(), "boolean".to_owned()]);
    let mut reader =
        open(&proof, Selection { stream: "values".into(), fields, ..Selection::default() }).await;
    let Step::Page(page) = reader.next(budget()).await.unwrap() else { panic!("no page") };
    let Rows::Columns(columns) = &page.batches[0].rows else { panic!("no columns") };
    let column = |data| Column { validity: None, presence: None, data };
    let expect = [column(ColumnData::Int64(vec![42])), column(ColumnData::Boolean(vec![1]))];
    assert_eq!(columns.columns, expect);
    let said = r#"select `values` fields Some(["int64", "boolean"]) limit None"#;
    assert_eq!(proof.said_of("select"), [said]);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_fields_is_not_all_fields() {
    let proof = scripted(json!([])).await;
    open(&proof, Selection { stream: "values".into(), fields: Some(Vec::new()), ..Selection::default() })
        .await;
    assert_eq!(proof.said_of("select"), ["select `values` fields Some([]) limit None"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_ends_the_rows() {
    let rows = ["ordinary", "least", "most"];
    let proof = scripted(json!([{"page": {"batches": [{"stream": "values", "rows": rows}]}}])).await;
    let selection = Selection { stream: "values".into(), limit: Some(2), ..Selection::default() };
    let Step::Page(page) = open(&proof, selection).await.next(budget()).await.unwrap() else {
        panic!("no page")
    };
    assert_eq!(page.batches[0].row_count(), 2);
    let most = Selection { stream: "values".into(), limit: Some(u64::MAX), ..Selection::default() };
    open(&proof, most).await;
    assert_eq!(proof.said_of("select")[1], "select `values` fields None limit Some(18446744073709551615)");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_comparison_of_a_filter_reaches_the_source() {
    let proof = scripted(json!([])).await;
    let all = [
        (Comparison::Equal, "1", "Equal"),
        (Comparison::NotEqual, "\"a b\"", "NotEqual"),
        (Comparison::Less, "1.50", "Less"),
        (Comparison::LessOrEqual, "-9223372036854775808", "LessOrEqual"),
        (Comparison::Greater, "true", "Greater"),
        (Comparison::GreaterOrEqual, "\"2026-07-01\"", "GreaterOrEqual"),
        (Comparison::IsNull, "null", "IsNull"),
        (Comparison::IsNotNull, "null", "IsNotNull"),
    ];
    let condition = |(comparison, value, _): &(Comparison, &str, &str)| Condition {
        field: "id".into(),
        comparison: *comparison,
        value: (*value).to_owned(),
    };
    let filter = all.iter().map(condition).collect();
    open(&proof, Selection { stream: "orders".into(), filter, ..Selection::default() }).await;
    let expect: Vec<_> =
        all.iter().map(|(_, value, name)| format!("where id Comparison::{name} {value}")).collect();
    assert_eq!(proof.said_of("where"), expect);
}
