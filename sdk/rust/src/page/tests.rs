use std::{collections::VecDeque, time::Duration};

use serde_json::json;

use super::{Budget, PageBuilder, REJECT_BYTES_MAX};
use crate::{Layout, Operation, Page, RejectedRow, Row, Schema, Step, StreamSchema};

crate::row! {
    struct Note { text: String }
}

fn budget(rows_max: usize, bytes_max: usize) -> Budget {
    Budget::new(rows_max, bytes_max, Duration::from_secs(60))
}

fn notes(texts: &[usize]) -> VecDeque<Note> {
    texts.iter().map(|length| Note { text: "x".repeat(*length) }).collect()
}

fn columns() -> StreamSchema {
    StreamSchema::new("notes", Note::schema(), Layout::Columns)
}

fn lines() -> StreamSchema {
    StreamSchema::new("notes", Schema::open(), Layout::JsonLines)
}

fn page(step: Step) -> Page {
    let Step::Page(page) = step else { panic!("{step:?}") };
    page
}

/// The rows of each page, until the queue is empty.
fn pages(budget: Budget, mut queue: VecDeque<Note>) -> Vec<usize> {
    let mut rows = Vec::new();
    while !queue.is_empty() {
        let mut builder = PageBuilder::new(&budget);
        builder.fill_rows(&columns(), Operation::Insert, &mut queue).unwrap();
        let page = page(builder.finish());
        let bytes: usize = page.batches.iter().map(crate::Batch::byte_count).sum();
        assert!(bytes <= budget.bytes_max || page.batches.len() == 1 && page.batches[0].row_count() == 1);
        rows.push(page.batches.iter().map(|batch| batch.row_count() as usize).sum());
    }
    rows
}

#[test]
fn rows_that_do_not_fit_stay_for_the_next_page() {
    assert_eq!(pages(budget(3, 1 << 20), notes(&[1; 7])), [3, 3, 1]);
    // 4 bytes for the first offset, then 4 + 12 for each row.
    assert_eq!(pages(budget(100, 4 + 16 * 2), notes(&[12; 5])), [2, 2, 1]);
    assert_eq!(pages(budget(100, 4 + 16 * 2 + 15), notes(&[12; 4])), [2, 2]);
}

#[test]
fn a_row_over_the_budget_travels_alone() {
    assert_eq!(pages(budget(100, 50), notes(&[1, 100, 1, 1])), [1, 1, 2]);
}

#[test]
fn json_lines_keep_to_the_budget_too() {
    let mut queue: VecDeque<_> = (0..10).map(|id| json!({"id": id})).collect();
    let mut builder = PageBuilder::new(&budget(100, 9 * 4 + 8));
    builder.fill_json(&lines(), Operation::Insert, &mut queue).unwrap();
    assert_eq!((builder.rows_left(), builder.bytes_left(), queue.len()), (96, 8, 6));
    // A second stream of the same page finds what is left.
    builder.fill_json(&lines(), Operation::Delete, &mut queue).unwrap();
    assert_eq!((queue.len(), page(builder.finish()).batches.len()), (6, 1));
}

#[test]
fn a_page_over_one_batch_has_several() {
    let mut queue = notes(&[3 << 20; 5]);
    let mut builder = PageBuilder::new(&budget(100, 64 << 20));
    builder.fill_rows(&columns(), Operation::Insert, &mut queue).unwrap();
    let rows: Vec<_> = page(builder.finish()).batches.iter().map(crate::Batch::row_count).collect();
    assert_eq!(rows, [2, 2, 1]);
}

#[test]
fn a_row_that_no_batch_may_hold_is_rejected() {
    let mut queue: VecDeque<_> =
        [17 << 20, 1].into_iter().map(|length| json!({"x": "x".repeat(length)})).collect();
    let mut builder = PageBuilder::new(&budget(100, 64 << 20));
    builder.fill_json(&lines(), Operation::Insert, &mut queue).unwrap();
    let page = page(builder.finish());
    assert_eq!((page.batches[0].row_count(), page.rejects[0].code.as_str()), (1, "row_too_large"));
    assert!(matches!(&page.rejects[0].row, RejectedRow::Raw(raw) if raw.len() == REJECT_BYTES_MAX));
    let mut queue = notes(&[17 << 20, 1]);
    let mut builder = PageBuilder::unlimited();
    builder.fill_rows(&columns(), Operation::Insert, &mut queue).unwrap();
    assert_eq!(builder.into_page().rejects[0].code, "row_too_large");
}

#[test]
fn past_the_deadline_nothing_is_added() {
    let late = Budget::new(100, 1 << 20, Duration::ZERO);
    let mut queue = notes(&[1]);
    let mut builder = PageBuilder::new(&late);
    builder.fill_rows(&columns(), Operation::Insert, &mut queue).unwrap();
    builder.checkpoint(&json!({"page": 3})).unwrap();
    let page = page(builder.finish());
    assert_eq!((queue.len(), page.batches.len(), page.checkpoint.as_deref()), (1, 0, Some(r#"{"page":3}"#)));
}
