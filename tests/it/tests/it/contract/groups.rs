//! Read groups: streams that are read together share a reader, its pages and its checkpoint.

use super::{Proof, all_of, next_page, scripted};
use pipeline::connector::Source as _;
use pipeline::model::{Pushdown, ReadGroup};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_in_a_group_of_its_own_unless_it_names_one() {
    let catalog = Proof::new(json!({})).await.source().discover().await.unwrap();
    let groups: Vec<_> =
        catalog.streams.iter().map(|info| (info.schema.stream.as_str(), info.group_name())).collect();
    assert_eq!(groups, [("values", "values"), ("orders", "log"), ("items", "log")]);
    assert_eq!(catalog.groups, [ReadGroup { name: "log".into(), marks_transactions: true }]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_says_how_far_it_can_be_read_on_and_what_it_does_with_a_selection() {
    let catalog = Proof::new(json!({})).await.source().discover().await.unwrap();
    let [values, orders, items] = &catalog.streams[..] else { panic!("{catalog:?}") };
    assert!(values.incremental && !orders.incremental);
    assert_eq!(values.cursor_fields, ["int64", "text"]);
    assert_eq!((values.estimated_rows, orders.estimated_rows), (Some(7), None));
    assert_eq!((values.description.as_deref(), items.description.as_deref()), (Some("every type"), None));
    assert_eq!(values.pushdown, Pushdown { fields: true, filter: false, limit: true });
    assert_eq!(orders.pushdown, Pushdown { fields: false, filter: true, limit: false });
    assert_eq!(items.pushdown, Pushdown::default());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_page_brings_rows_of_several_streams_and_one_checkpoint_for_them() {
    let batches = json!([
        {"stream": "orders", "rows": [r#"{"id":1}"#]},
        {"stream": "items", "rows": [r#"{"id":10}"#, r#"{"id":11}"#]},
        {"stream": "orders", "rows": [r#"{"id":2}"#], "each": [3]},
    ]);
    let page = json!({"batches": batches, "checkpoint": r#"{"lsn":7}"#, "transaction_end": true});
    let proof = scripted(json!([{"page": page}, {"page": {"checkpoint": "8"}}])).await;
    let mut reader = proof.reader("log", &["orders", "items"]).await;
    let page = next_page(&mut reader).await;
    let shape: Vec<_> = page.batches.iter().map(|batch| (batch.stream.as_str(), batch.row_count())).collect();
    assert_eq!(shape, [("orders", 1), ("items", 2), ("orders", 1)]);
    assert_eq!((page.checkpoint.as_deref(), page.transaction_end), (Some(r#"{"lsn":7}"#), true));
    let page = next_page(&mut reader).await;
    assert_eq!((page.checkpoint.as_deref(), page.transaction_end), (Some("8"), false));
    assert_eq!(proof.said_of("open"), ["open `log` at None"]);
    let selected = ["select `orders` fields None limit None", "select `items` fields None limit None"];
    assert_eq!(proof.said_of("select"), selected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_the_group_that_was_not_selected_may_not_come() {
    let batches = json!([{"stream": "items", "rows": [r#"{"id":1}"#]}]);
    let proof = scripted(json!([{"page": {"batches": batches}}])).await;
    let mut reader = proof.reader("log", &["orders"]).await;
    let failure = reader.next(crate::harness::budget()).await.unwrap_err();
    assert!(failure.to_string().contains("the stream `items` was not asked for"), "{failure}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_is_opened_at_the_checkpoint_that_an_earlier_one_gave() {
    // The host gives back the very text: white space and the order of keys are the source's own business.
    let checkpoint = r#"{ "b": [1, 2.50], "a": "\u00e4" }"#;
    let proof = scripted(json!([{"page": {"checkpoint": checkpoint}}])).await;
    let given = next_page(&mut proof.reader("log", &["orders"]).await).await.checkpoint;
    let schemas = vec![proof.schema("orders").await];
    let mut read = all_of("log", schemas);
    read.checkpoint = given;
    proof.source().open(read).await.unwrap();
    assert_eq!(proof.said_of("open")[1], format!("open `log` at {:?}", Some(checkpoint)));
}
