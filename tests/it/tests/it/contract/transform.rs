//! A transform: a plan before rows flow, 0 to many rows for one, other streams, origins, rejects, and no memory.

use super::{Proof, destination::rows};
use pipeline::connector::{Transform as _, Transformer};
use pipeline::model::{
    Batch, DataType, Field, Layout, Layouts, Operations, RowOperations, Rows, Schema, StreamSchema,
};
use runtime::Grants;
use serde_json::json;
use std::sync::Arc;

/// The transform that makes a row of each element of `tags`.
async fn explode() -> Proof {
    Proof::of("example-transform", json!({"field": "tags"}), Grants::none()).await
}

fn posts() -> StreamSchema {
    let tags = Field {
        name: "tags".into(),
        data_type: DataType::Text,
        nullable: true,
        logical_type: None,
        description: None,
    };
    StreamSchema {
        stream: "posts".into(),
        version: 1,
        schema: Schema { fields: vec![tags], additional_fields: true },
        keys: Vec::new(),
        operations: Operations { insert: true, delete: true, ..Operations::default() },
        layout: Layout::JsonLines,
    }
}

fn text(batch: &Batch) -> &str {
    let Rows::JsonLines(lines) = &batch.rows else { panic!("no lines") };
    std::str::from_utf8(&lines.data).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_plan_says_what_comes_out_of_what_comes_in() {
    let plan = explode().await.transform().plan(vec![posts()]).await.unwrap();
    assert_eq!(plan.input_layouts, Layouts { columns: false, json_lines: true });
    let outputs: Vec<_> = plan.outputs.iter().map(|output| output.stream.as_str()).collect();
    assert_eq!(outputs, ["posts", "posts_without"]);
    assert_eq!(plan.outputs[0].schema.fields[0].data_type, DataType::Json);
    assert_eq!(plan.outputs[1], StreamSchema { stream: "posts_without".into(), ..posts() });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_becomes_none_one_or_many_here_or_elsewhere_or_is_rejected() {
    let mut transformer = explode().await.transformer(vec![posts()]).await;
    let batch = rows(
        "posts",
        &[
            r#"{"id":0,"tags":["a","b"]}"#,
            r#"{"id":1}"#,
            r#"{"id":2,"tags":[]}"#,
            r#"{"id":3,"tags":7}"#,
            r#"{"id":4,"tags":[null]}"#,
        ],
    );
    let outcome = transformer.apply(batch).await.unwrap();
    let [exploded, others] = &outcome.outputs[..] else { panic!("{outcome:?}") };
    assert_eq!((exploded.batch.stream.as_str(), &exploded.origin[..]), ("posts", &[0, 0, 4][..]));
    let lines = "{\"id\":0,\"tags\":\"a\"}\n{\"id\":0,\"tags\":\"b\"}\n{\"id\":4,\"tags\":null}\n";
    assert_eq!(text(&exploded.batch), lines);
    assert_eq!((others.batch.stream.as_str(), &others.origin[..]), ("posts_without", &[1][..]));
    assert_eq!(text(&others.batch), "{\"id\":1}\n");
    let rejected: Vec<_> = outcome.rejected.iter().map(|reject| (reject.row, reject.code.as_str())).collect();
    // Row 2 is neither an origin nor rejected: it was filtered.
    assert_eq!(rejected, [(3, "not_an_array")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operation_of_a_row_follows_it() {
    let mut transformer = explode().await.transformer(vec![posts()]).await;
    let batch = Batch {
        operations: RowOperations::Each(vec![3, 0]),
        ..Arc::unwrap_or_clone(rows("posts", &[r#"{"tags":[1,2]}"#, r#"{"tags":[3]}"#]))
    };
    let outcome = transformer.apply(Arc::new(batch)).await.unwrap();
    assert_eq!(outcome.outputs[0].batch.operations, RowOperations::Each(vec![3, 3, 0]));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_may_be_opened_anew_at_any_batch() {
    let proof = explode().await;
    let batches = [rows("posts", &[r#"{"tags":[1]}"#]), rows("posts", &[r#"{"tags":[2,3]}"#, "{}"])];
    let mut one = proof.transformer(vec![posts()]).await;
    for batch in &batches {
        let mut fresh: Box<dyn Transformer> = proof.transformer(vec![posts()]).await;
        assert_eq!(one.apply(batch.clone()).await.unwrap(), fresh.apply(batch.clone()).await.unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_knows_the_streams_for_which_it_was_opened() {
    let proof = Proof::new(json!({})).await;
    let changed = StreamSchema { stream: "orders".into(), version: 4, ..posts() };
    let mut transformer = proof.transformer(vec![posts(), changed]).await;
    assert_eq!(proof.said_of("open"), [r#"open for [("posts", 1), ("orders", 4)]"#]);
    let stale = rows("orders", &["{}"]);
    let failure = transformer.apply(stale).await.unwrap_err();
    assert!(failure.to_string().contains("a batch of `orders` version 1 was not announced"), "{failure}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_was_not_planned_may_not_come_out() {
    let proof = Proof::new(json!({})).await;
    // The host holds the outcome against the plan with which it opened, and that one has no outputs.
    let mut transformer = proof.transform().open(vec![posts()], Vec::new()).await.unwrap();
    let failure = transformer.apply(rows("posts", &["{}"])).await.unwrap_err();
    assert!(failure.to_string().contains("the output stream `posts` was not planned"), "{failure}");
}
