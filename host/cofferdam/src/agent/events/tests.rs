use super::choose;
use pipeline::model::{Batch, JsonLines, Operation, Page, RejectedRow, RowOperations, Rows, SourceReject};

fn batch(stream: &str) -> Batch {
    let lines = JsonLines { row_count: 1, data: b"{}\n".to_vec() };
    Batch {
        stream: stream.into(),
        schema_version: 0,
        operations: RowOperations::All(Operation::Insert),
        rows: Rows::JsonLines(lines),
    }
}

fn reject(stream: &str, row: RejectedRow) -> SourceReject {
    let (code, message) = ("bad".into(), "bad".into());
    SourceReject { stream: stream.into(), row, code, message, retryable: false }
}

#[test]
fn what_was_not_chosen_goes_and_rejects_name_the_rows_that_they_named() {
    let at = |batch| RejectedRow::At { batch, row: 0 };
    let page = Page {
        batches: vec![batch("a"), batch("b"), batch("a"), batch("c")],
        rejects: vec![
            reject("a", at(2)),
            reject("b", at(1)),
            reject("c", at(3)),
            reject("b", RejectedRow::Raw(vec![1])),
            reject("a", RejectedRow::Raw(vec![2])),
            // A reject of a chosen stream that names a row of another one.
            reject("a", at(1)),
        ],
        checkpoint: Some("7".into()),
        transaction_end: false,
    };
    let chosen = choose(page, &["a".into(), "c".into()]);
    let streams: Vec<&str> = chosen.batches.iter().map(|batch| batch.stream.as_str()).collect();
    assert_eq!(streams, ["a", "a", "c"]);
    let rejects = [reject("a", at(1)), reject("c", at(2)), reject("a", RejectedRow::Raw(vec![2]))];
    assert_eq!((chosen.rejects.as_slice(), chosen.checkpoint.as_deref()), (rejects.as_slice(), Some("7")));
}
