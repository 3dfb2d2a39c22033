//! Pages and the other answers of `next`: empty pages, waits, changed schemas, rejects, checkpoints, the end.

use super::{next_page, scripted};
use crate::harness::budget;
use pipeline::model::{Page, PageBudget, RejectedRow, SourceReject, Step};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_page_is_legal() {
    let proof = scripted(json!([{"page": {}}])).await;
    assert_eq!(next_page(&mut proof.reader("values", &["values"]).await).await, Page::default());
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_wait_the_reader_goes_on_where_it_was() {
    let proof = scripted(json!([{"wait": 1500}, {"wait": 0}, {"page": {"checkpoint": "1"}}, "end"])).await;
    let mut reader = proof.reader("values", &["values"]).await;
    assert_eq!(reader.next(budget()).await.unwrap(), Step::Wait(1500));
    assert_eq!(reader.next(budget()).await.unwrap(), Step::Wait(0));
    assert_eq!(next_page(&mut reader).await.checkpoint.as_deref(), Some("1"));
    assert_eq!(reader.next(budget()).await.unwrap(), Step::End);
    assert_eq!(proof.said_of("open").len(), 1, "it was opened once");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_budget_reaches_the_source() {
    let proof = scripted(json!([])).await;
    let mut reader = proof.reader("values", &["values"]).await;
    reader.next(PageBudget { max_rows: 7, max_bytes: 4_096, deadline_ms: 20_000 }).await.unwrap();
    assert_eq!(proof.said_of("next"), ["next rows 7 bytes 4096 seconds 20"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_over_its_budget_is_refused() {
    let rows = json!({"batches": [{"stream": "values", "rows": ["ordinary", "least"]}]});
    for (max_rows, max_bytes, words) in
        [(1, 1 << 20, "a page of 2 rows"), (10, 100, "asked for were at most 100")]
    {
        let proof = scripted(json!([{"page": rows}])).await;
        let mut reader = proof.reader("values", &["values"]).await;
        let failure = reader.next(PageBudget { max_rows, max_bytes, deadline_ms: 1000 }).await.unwrap_err();
        assert!(failure.to_string().contains(words), "{failure}");
        assert_eq!(failure.code(), "CD0611");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_row_alone_may_be_over_the_bytes_of_the_budget() {
    let rows = json!({"batches": [{"stream": "values", "rows": ["ordinary"]}]});
    let proof = scripted(json!([{"page": rows}])).await;
    let mut reader = proof.reader("values", &["values"]).await;
    let step = reader.next(PageBudget { max_rows: 1, max_bytes: 10, deadline_ms: 1000 }).await.unwrap();
    assert!(matches!(step, Step::Page(page) if page.batches[0].row_count() == 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_schema_holds_from_the_next_page_on() {
    let batch = json!({"batches": [{"stream": "values", "rows": ["ordinary"]}]});
    let proof = scripted(json!([{"page": batch}, {"schema-changed": 2}, {"page": batch}])).await;
    let mut reader = proof.reader("values", &["values"]).await;
    assert_eq!(next_page(&mut reader).await.batches[0].schema_version, 1);
    let Step::SchemaChanged(changed) = reader.next(budget()).await.unwrap() else { panic!("no change") };
    assert_eq!((changed.len(), changed[0].stream.as_str(), changed[0].version), (1, "values", 2));
    let added = changed[0].schema.fields.last().unwrap();
    assert_eq!((changed[0].schema.fields.len(), added.name.as_str()), (14, "added"));
    let page = next_page(&mut reader).await;
    assert_eq!(page.batches[0].schema_version, 2);
    let pipeline::model::Rows::Columns(columns) = &page.batches[0].rows else { panic!("no columns") };
    assert_eq!(columns.columns.len(), 14);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_rejects_bytes_that_never_became_a_row() {
    let reject = json!({"stream": "orders", "raw": "1;\"cut", "code": "ragged-line_1.x", "message": "2 of 3 fields",
        "retryable": false});
    let proof = scripted(json!([{"page": {"rejects": [reject]}}])).await;
    let page = next_page(&mut proof.reader("log", &["orders"]).await).await;
    let expect = SourceReject {
        stream: "orders".into(),
        row: RejectedRow::Raw(b"1;\"cut".to_vec()),
        code: "ragged-line_1.x".into(),
        message: "2 of 3 fields".into(),
        retryable: false,
    };
    assert_eq!(page.rejects, [expect]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_rejects_rows_that_stand_in_its_page_by_batch_and_row() {
    let batches = json!([
        {"stream": "orders", "rows": ["{}"]},
        {"stream": "items", "rows": ["{}", "{}", "{}"]},
    ]);
    let reject =
        json!({"stream": "items", "at": [1, 2], "code": "locked", "message": "try later", "retryable": true});
    let proof = scripted(json!([{"page": {"batches": batches, "rejects": [reject]}}])).await;
    let page = next_page(&mut proof.reader("log", &["orders", "items"]).await).await;
    assert_eq!(page.rejects[0].row, RejectedRow::At { batch: 1, row: 2 });
    assert!(page.rejects[0].retryable);
    assert_eq!(page.batches[1].row_count(), 3, "the host takes it out, the page still has it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reject_of_another_stream_than_its_batch_is_refused() {
    let batches = json!([{"stream": "orders", "rows": ["{}"]}]);
    let reject = json!({"stream": "items", "at": [0, 0], "code": "x", "message": "", "retryable": false});
    let proof = scripted(json!([{"page": {"batches": batches, "rejects": [reject]}}])).await;
    let mut reader = proof.reader("log", &["orders", "items"]).await;
    let failure = reader.next(budget()).await.unwrap_err();
    assert!(failure.to_string().contains("batch 0 is of `orders`, the reject says `items`"), "{failure}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_committed_checkpoint_is_told_to_the_source() {
    let proof = scripted(json!([{"page": {"checkpoint": "{\"at\":5}"}}, {"page": {}}])).await;
    let mut reader = proof.reader("values", &["values"]).await;
    let checkpoint = next_page(&mut reader).await.checkpoint.unwrap();
    reader.committed(checkpoint).await.unwrap();
    assert_eq!(proof.said_of("committed"), ["committed {\"at\":5}"]);
    next_page(&mut reader).await;
}
