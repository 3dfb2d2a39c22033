//! Rows as JSON lines: their bytes are theirs, a missing key is not null, and no fixed shape is asked of them.

use super::{Proof, append, next_batch, scripted};
use pipeline::model::{Batch, JsonLines, Layout, Operation, RowOperations, Rows};
use serde_json::json;
use std::sync::Arc;

/// Rows that a parser would spell in another way: order of keys, white space, escapes, digits that no float holds.
const ROWS: [&str; 7] = [
    r#"{"id":1,"b":2,"a":1}"#,
    r#"{ "id" : 2 , "text" : "\u00e4" }"#,
    r#"{"id":3,"text":"ä 🌍 \u0000"}"#,
    r#"{"id":4,"big":123456789012345678901234567890.123456789}"#,
    r#"{"id":5,"null":null}"#,
    r#"{"id":6,"":"","deep":{"a":[{},[],""]}}"#,
    "{}",
];

fn lines() -> Batch {
    let data = ROWS.iter().flat_map(|row| [row.as_bytes(), b"\n"].concat()).collect();
    let operations = RowOperations::Each(vec![0, 1, 2, 3, 0, 1, 2]);
    let rows = Rows::JsonLines(JsonLines { row_count: 7, data });
    Batch { stream: "orders".into(), schema_version: 1, operations, rows }
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_come_out_of_a_source_byte_by_byte() {
    let batch = json!({"stream": "orders", "rows": ROWS, "each": [0, 1, 2, 3, 0, 1, 2]});
    let proof = scripted(json!([{"page": {"batches": [batch]}}])).await;
    let found = next_batch(&mut proof.reader("log", &["orders"]).await).await;
    assert_eq!(found, lines());
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_go_into_a_destination_byte_by_byte() {
    let proof = Proof::new(json!({})).await;
    let mut writer = proof.writer(Some(1)).await;
    writer.prepare(vec![append(proof.schema("orders").await)], false).await.unwrap();
    writer.write(0, Arc::new(lines())).await.unwrap();
    let expect: Vec<_> = ROWS.iter().map(|row| format!("row {row:?}")).collect();
    assert_eq!(proof.said_of("row "), expect);
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_pass_a_transform_byte_by_byte() {
    let proof = Proof::new(json!({})).await;
    let mut transformer = proof.transformer(vec![proof.schema("orders").await]).await;
    let outcome = transformer.apply(Arc::new(lines())).await.unwrap();
    assert_eq!(outcome.outputs[0].batch, lines());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_of_no_lines_is_legal() {
    let proof = scripted(json!([{"page": {"batches": [{"stream": "orders", "rows": []}]}}])).await;
    let found = next_batch(&mut proof.reader("log", &["orders"]).await).await;
    assert_eq!(found.rows, Rows::JsonLines(JsonLines { row_count: 0, data: Vec::new() }));
    let mut writer = proof.writer(Some(1)).await;
    writer.prepare(vec![append(proof.schema("orders").await)], false).await.unwrap();
    writer.write(0, Arc::new(found)).await.unwrap();
    assert_eq!(proof.said_of("write"), ["write 0 `orders` version 1 RowOperations::All(Operation::Insert)"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_says_whether_other_fields_may_come_and_what_a_field_means() {
    let schema = Proof::new(json!({})).await.schema("orders").await;
    assert!(schema.schema.additional_fields);
    let id = &schema.schema.fields[0];
    assert_eq!((id.name.as_str(), id.nullable), ("id", false));
    assert_eq!((id.logical_type.as_deref(), id.description.as_deref()), (Some("serial"), Some("the key")));
    assert_eq!((schema.keys, schema.layout), (vec!["id".to_owned()], Layout::JsonLines));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_is_no_json_passes_the_boundary_as_a_matter_of_who_reads_it() {
    let proof = scripted(json!([{"page": {"batches": [{"stream": "orders", "rows": ["{\"id\":"]}]}}])).await;
    let found = next_batch(&mut proof.reader("log", &["orders"]).await).await;
    let converted = pipeline::rows::to_columns(&found, &proof.schema("orders").await);
    let codes: Vec<_> = converted.rejected.iter().map(|reject| (reject.row, reject.code.as_str())).collect();
    assert_eq!(codes, [(0, pipeline::rows::codes::NOT_JSON)]);
    assert_eq!(found.operations, RowOperations::All(Operation::Insert));
}
