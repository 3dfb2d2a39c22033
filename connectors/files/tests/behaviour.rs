//! What a case cannot say: files that change while they are read, rows of many megabytes, selections.

#![cfg(test)]

use std::{fs, io::Write, path::Path, time::Duration};

use cofferdam_sdk::{
    Budget, Checkpoint, Error, OpenRead, Page, Reader, RejectedRow, Selection, Source, Step, parse_config,
};
use files::{FilesReader, FilesSource, SourceConfig};
use serde_json::{Value, json};

const MIB: usize = 1 << 20;

fn config(path: &Path, more: Value) -> SourceConfig {
    let mut config = more;
    config["path"] = json!(path);
    parse_config(&config.to_string()).unwrap()
}

fn open(path: &Path, more: Value, read: OpenRead) -> FilesReader {
    FilesSource::open(config(path, more), read).unwrap()
}

fn group(path: &Path) -> OpenRead {
    OpenRead::group(path.file_stem().unwrap().to_str().unwrap())
}

fn budget(rows: usize) -> Budget {
    Budget::new(rows, 8 * MIB, Duration::from_secs(60))
}

fn page(reader: &mut FilesReader, rows: usize) -> Page {
    match reader.next(&budget(rows)) {
        Ok(Step::Page(page)) => page,
        other => panic!("{other:?}"),
    }
}

fn rows(page: &Page) -> u32 {
    page.batches.iter().map(|batch| batch.row_count()).sum()
}

fn write_numbers(path: &Path, numbers: std::ops::Range<u32>) {
    let mut text = "n,text\n".to_owned();
    numbers.for_each(|number| text.push_str(&format!("{number},some text of row {number}\n")));
    fs::write(path, text).unwrap();
}

#[test]
fn a_file_that_changes_while_it_is_read_is_an_error_that_time_heals() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.csv");
    for (name, growing, change) in [
        ("appended", false, "append"),
        ("truncated", false, "truncate"),
        ("truncated", true, "truncate"),
        ("removed", true, "remove"),
    ] {
        write_numbers(&path, 0..50_000);
        let mut reader = open(&path, json!({ "growing": growing }), group(&path));
        let first = page(&mut reader, 1000);
        assert_eq!(rows(&first), 1000);
        match change {
            "append" => fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"7,x\n").unwrap(),
            "truncate" => fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(400_000).unwrap(),
            _ => fs::remove_file(&path).unwrap(),
        }
        let fault = loop {
            match reader.next(&budget(10_000)) {
                Ok(Step::Page(_)) => {}
                Ok(other) => panic!("{name}: {other:?}"),
                Err(fault) => break fault,
            }
        };
        assert!(
            matches!(&fault, Error::Transient(hint) if hint.message.contains("a.csv")),
            "{name}: {fault}"
        );
        if change == "append" {
            // Nothing before the checkpoint comes again, and what was added comes too.
            let read = OpenRead { checkpoint: first.checkpoint.map(Checkpoint::from_json), ..group(&path) };
            let mut reader = open(&path, json!({}), read);
            let mut count = 0;
            while let Step::Page(page) = reader.next(&budget(10_000)).unwrap() {
                count += rows(&page);
            }
            assert_eq!(count, 49_001);
        }
    }
}

#[test]
fn a_growing_file_is_read_as_far_as_it_went_when_it_was_opened() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.csv");
    write_numbers(&path, 0..5000);
    let mut reader = open(&path, json!({"growing": true}), group(&path));
    page(&mut reader, 10);
    fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"7,x\n8,y\n").unwrap();
    let last = page(&mut reader, 10_000);
    assert_eq!((rows(&last), reader.next(&budget(10)).unwrap()), (4990, Step::End));
    let read = OpenRead { checkpoint: last.checkpoint.map(Checkpoint::from_json), ..group(&path) };
    assert_eq!(rows(&page(&mut open(&path, json!({"growing": true}), read), 10)), 2);
}

#[test]
fn rows_of_ten_megabytes_travel_alone_and_longer_ones_are_rejected() {
    let folder = tempfile::tempdir().unwrap();
    for (name, quote) in [("plain.csv", ""), ("quoted.csv", "\"")] {
        let path = folder.path().join(name);
        let (ten, seventeen) = ("x".repeat(10 * MIB), "y".repeat(17 * MIB));
        let row = |number: u32, text: &str| format!("{number},{quote}{text}{quote}\n");
        let text = [row(1, "a"), row(2, &ten), row(3, &seventeen), row(4, "b"), row(5, &ten)].concat();
        fs::write(&path, format!("n,text\n{text}")).unwrap();
        let mut reader = open(&path, json!({}), group(&path));
        let mut told = Vec::new();
        let mut rejected = Vec::new();
        while let Step::Page(page) = reader.next(&budget(10_000)).unwrap() {
            told.push(rows(&page));
            rejected.extend(page.rejects);
        }
        assert_eq!(told.iter().sum::<u32>(), 4, "{name}: {told:?}");
        assert_eq!(rejected.len(), 1, "{name}");
        assert_eq!(rejected[0].code, "row_too_large");
        assert!(rejected[0].message.starts_with("line 4:"), "{}", rejected[0].message);
        assert!(
            matches!(&rejected[0].row, RejectedRow::Raw(raw) if raw.len() == 64 << 10 && raw.starts_with(b"3,"))
        );
    }
}

#[test]
fn long_json_lines_are_rejected_and_those_after_them_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.jsonl");
    let line = |number: u32, size: usize| format!("{{\"n\":{number},\"text\":\"{}\"}}\n", "x".repeat(size));
    fs::write(&path, [line(1, 10 * MIB), line(2, 17 * MIB), line(3, 1)].concat()).unwrap();
    let mut reader = open(&path, json!({}), group(&path));
    let (mut count, mut rejected) = (0, Vec::new());
    while let Step::Page(page) = reader.next(&budget(10_000)).unwrap() {
        count += rows(&page);
        rejected.extend(page.rejects);
    }
    assert_eq!((count, rejected.len()), (2, 1));
    assert!(rejected[0].message.starts_with("line 2:"), "{}", rejected[0].message);
}

#[test]
fn pages_keep_their_budget_in_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.csv");
    write_numbers(&path, 0..20_000);
    let mut reader = open(&path, json!({}), group(&path));
    let (mut count, mut pages) = (0, 0);
    loop {
        match reader.next(&Budget::new(10_000, 10_000, Duration::from_secs(60))).unwrap() {
            Step::Page(page) => {
                let bytes: usize = page.batches.iter().map(|batch| batch.byte_count()).sum();
                assert!(bytes <= 10_000, "{bytes}");
                count += rows(&page);
                pages += 1;
            }
            Step::End => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(count, 20_000);
    assert!(pages < 200, "{pages} pages are far more than the budget asks for");
}

#[test]
fn only_the_selected_fields_come_in_their_order_and_no_more_rows_than_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let csv = folder.path().join("a.csv");
    fs::write(&csv, "a,b,c\n1,x,\n2,y,\n3,z,\n").unwrap();
    let jsonl = folder.path().join("b.jsonl");
    fs::write(&jsonl, "{\"a\":1,\"b\":\"x\"}\n{\"a\":2,\"b\":\"y\",\"late\":1}\n{\"a\":3}\n").unwrap();
    for path in [csv, jsonl] {
        let select = |fields: &[&str], limit| Selection {
            stream: group(&path).group,
            fields: Some(fields.iter().map(|field| (*field).to_owned()).collect()),
            filter: Vec::new(),
            limit,
        };
        let read = OpenRead { selections: vec![select(&["b", "a"], Some(2))], ..group(&path) };
        let mut reader = open(&path, json!({"infer_rows": 1}), read);
        let first = page(&mut reader, 10);
        let cofferdam_sdk::Rows::Columns(columns) = &first.batches[0].rows else { panic!() };
        assert_eq!((columns.row_count, columns.columns.len()), (2, 2));
        assert!(matches!(columns.columns[0].data, cofferdam_sdk::ColumnData::Text(_)));
        assert_eq!(reader.next(&budget(10)).unwrap(), Step::End);
        let read = OpenRead { selections: vec![select(&["nothing"], None)], ..group(&path) };
        assert!(FilesSource::open(config(&path, json!({})), read).is_err());
    }
}

#[test]
fn an_unchanged_source_moves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..20 {
        write_numbers(&folder.path().join(format!("part-{number}.csv")), 0..100);
    }
    let pattern = folder.path().join("*.csv");
    let one = json!({"streams": "one", "stream": "all"});
    let mut reader = open(&pattern, one.clone(), OpenRead::group("all"));
    let first = page(&mut reader, 10_000);
    assert_eq!((rows(&first), reader.next(&budget(10)).unwrap()), (2000, Step::End));
    let checkpoint = first.checkpoint.map(Checkpoint::from_json);
    let again = OpenRead { checkpoint, ..OpenRead::group("all") };
    assert_eq!(open(&pattern, one, again).next(&budget(10)).unwrap(), Step::End);
}

#[test]
fn a_checkpoint_of_another_kind_is_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.csv");
    write_numbers(&path, 0..10);
    for checkpoint in ["{}", "7", r#"{"version":9,"files":{}}"#] {
        let read = OpenRead { checkpoint: Some(Checkpoint::from_json(checkpoint)), ..group(&path) };
        assert!(
            matches!(FilesSource::open(config(&path, json!({})), read), Err(Error::Data(_))),
            "{checkpoint}"
        );
    }
}
