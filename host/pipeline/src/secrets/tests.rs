//! Which rows hold a secret.

use super::{ROW_CODE, rejects};
use crate::fixtures::{column, columns_batch, lines_batch, texts};
use crate::model::{Batch, ColumnData};
use scrub::Watch;

const SECRET: &str = "tok_4eC39HqLyjWDarjtT1";

fn watch() -> Watch {
    let watch = Watch::new();
    watch.add("api", SECRET.as_bytes());
    watch
}

fn rows(batch: &Batch) -> Vec<u32> {
    rejects(&watch(), batch).iter().map(|reject| reject.row).collect()
}

fn batch(columns: &[&[&str]]) -> Batch {
    let rows = u32::try_from(columns[0].len()).unwrap();
    columns_batch("s", rows, columns.iter().map(|values| column(ColumnData::Text(texts(values)))).collect())
}

#[test]
fn the_row_of_a_secret_is_found_in_a_column() {
    let within = format!("a {SECRET}.");
    assert_eq!(rows(&batch(&[&["a", "b", "c"]])), Vec::<u32>::new());
    assert_eq!(rows(&batch(&[&[SECRET, "b", "c"]])), [0]);
    assert_eq!(rows(&batch(&[&["a", "", &within, "", "c"]])), [2]);
    assert_eq!(rows(&batch(&[&["", "", SECRET]])), [2]);
    assert_eq!(rows(&batch(&[&["", SECRET, "", SECRET]])), [1, 3]);
    assert_eq!(rows(&batch(&[&["a", "b", SECRET], &[SECRET, "b", SECRET]])), [0, 2]);
}

#[test]
fn a_secret_in_parts_that_lie_one_behind_the_other_is_in_both_rows() {
    let (head, tail) = SECRET.split_at(9);
    assert_eq!(rows(&batch(&[&["a", head, tail, "b"]])), [1, 2]);
    assert_eq!(rows(&batch(&[&["a", head, "", tail]])), [1, 2, 3]);
    assert_eq!(rows(&batch(&[&["a", head, "x", tail]])), Vec::<u32>::new());
}

#[test]
fn bytes_and_json_are_searched_like_text() {
    let data = || texts(&["{}", &format!("{{\"a\":\"{SECRET}\"}}")]);
    for data in [ColumnData::Bytes(data()), ColumnData::Json(data()), ColumnData::Text(data())] {
        assert_eq!(rows(&columns_batch("s", 2, vec![column(data)])), [1]);
    }
}

#[test]
fn the_row_of_a_secret_is_found_in_json_lines_also_where_it_is_escaped() {
    let escaped = format!("{{\"a\":\"\\u0074{}\"}}", &SECRET[1..]);
    let plain = format!("{{\"a\":\"{SECRET}\"}}");
    assert_eq!(rows(&lines_batch("s", &["{}", &escaped, "{}", &plain])), [1, 3]);
    assert_eq!(rows(&lines_batch("s", &[&plain, "{}"])), [0]);
    assert_eq!(rows(&lines_batch("s", &[&plain, &escaped, &plain, "{}", &plain])), [0, 1, 2, 4]);
}

#[test]
fn a_reject_names_the_credential_and_never_the_secret() {
    let watch = watch();
    let rejects = rejects(&watch, &batch(&[&[SECRET]]));
    assert_eq!((rejects[0].code.as_str(), rejects[0].retryable), (ROW_CODE, false));
    assert_eq!(rejects[0].message, "the row holds the secret of the credential `api` (plain)");
    assert_eq!(watch.hits()[0].count, 1);
}
