//! Files as they come: damaged, cut off, with a field of ten megabytes. What can be read arrives, what cannot is told row by
//! row or as one error, the counters add up, and when the file has been put right the next run brings the rest.

use serde_json::{Value, json};

use crate::counted::{counted, failed_with};
use crate::packed::pack;
use crate::world::{Ran, World, target};

/// From one file to JSON lines.
pub(crate) fn reading(file: &str, more: &str) -> World {
    let world = World::with(&format!(
        r#"
sync = 1
name = "bad"

[source]
connector = "components/files.wasm"
config = {{ path = "/data/{file}"{more} }}
grants = {{ directories = {{ data = {{ path = "data" }} }} }}

[destination]
connector = "components/files.wasm"
config = {{ directory = "/out" }}
grants = {{ directories = {{ out = {{ path = "out", access = "write" }} }} }}

[run]
attempts = 1
commit_bytes = "64 KiB"
"#
    ));
    world.folder("data");
    world.folder("out");
    world
}

pub(crate) fn run(world: &World) -> Ran {
    world.run(&["run", "sync.toml", "--json"])
}

/// The `id` of each row at the destination, sorted.
pub(crate) fn ids(world: &World) -> Vec<u64> {
    let rows = crate::rows::rows(&world.path("out")).into_values().flatten();
    let mut ids: Vec<u64> =
        rows.map(|line| serde_json::from_str::<Value>(&line).unwrap()["id"].as_u64().unwrap()).collect();
    ids.sort_unstable();
    ids
}

/// What is kept of the rejected rows: for each its code and its row.
fn kept(world: &World) -> Vec<(String, Value)> {
    let exported = world.run(&["errors", "export"]).succeeded();
    let rows = exported.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    rows.map(|row| (row["code"].as_str().unwrap().to_owned(), row["row"].clone())).collect()
}

/// Runs over a file of which some rows are bad: these ids arrive, so many rows are rejected with this code and kept. When
/// `more` was added to the file, the next run brings it and nothing else.
#[track_caller]
fn bad_rows(file: &str, content: &[u8], good: &[u64], (code, bad): (&str, u64), more: &[u8]) -> World {
    let world = reading(file, "");
    let path = format!("data/{file}");
    world.file(&path, content);
    let (stream, _) = file.split_once('.').unwrap();
    let first = run(&world).succeeded();
    let of_first = counted(&first, stream);
    assert_eq!((of_first.accepted, of_first.filtered), (good.len() as u64, 0), "{}", first.report());
    assert_eq!(of_first.codes, [(code.to_owned(), bad)].into(), "{}", first.report());
    assert_eq!(ids(&world), good);
    let codes: Vec<String> = kept(&world).into_iter().map(|(code, _)| code).collect();
    assert_eq!(codes, vec![code; usize::try_from(bad).unwrap()]);

    world.file(&path, [content, more].concat());
    let second = run(&world).succeeded();
    let of_second = counted(&second, stream);
    assert_eq!((of_second.read, of_second.accepted), (1, 1), "{}", second.report());
    assert_eq!(ids(&world), [good, &[99]].concat());
    world
}

#[test]
fn ragged_rows_are_rejected_one_by_one() {
    let content = b"id,name,note\n1,a,x\n2,b\n3,c,y,z\n4,d,w\n";
    let world = bad_rows("ragged.csv", content, &[1, 4], ("wrong_field_count", 2), b"99,e,v\n");
    let rows: Vec<Value> = kept(&world).into_iter().map(|(_, row)| row).collect();
    assert_eq!(rows, [json!("2,b\n"), json!("3,c,y,z\n")]);
}

#[test]
fn a_row_with_a_nul_byte_is_rejected() {
    bad_rows("nul.csv", b"id,name\n1,a\n2,b\0c\n3,d\n", &[1, 3], ("nul_byte", 1), b"99,e\n");
}

#[test]
fn a_row_that_is_not_utf_8_is_rejected() {
    bad_rows("latin.csv", b"id,name\n1,a\n2,Z\xfcrich\n3,d\n", &[1, 3], ("not_utf8", 1), b"99,e\n");
}

#[test]
fn a_field_of_ten_megabytes_arrives_and_one_beyond_the_largest_row_is_rejected() {
    let megabytes = |count: usize| "x".repeat(count << 20);
    let content = format!("id,name\n1,a\n2,{}\n3,{}\n4,d\n", megabytes(10), megabytes(17));
    let world = bad_rows("large.csv", content.as_bytes(), &[1, 2, 4], ("row_too_large", 1), b"99,e\n");
    let arrived = crate::rows::rows(&world.path("out")).remove("large").unwrap();
    let longest = arrived.iter().map(String::len).max().unwrap();
    assert_eq!(longest, (10 << 20) + r#"{"id":2,"name":""}"#.len(), "it arrives whole");
}

#[test]
fn of_a_bad_row_of_ten_megabytes_only_its_beginning_is_kept() {
    let content = format!("id,name\n1,a\n2,{},more\n3,c\n", "x".repeat(10 << 20));
    let world = bad_rows("long.csv", content.as_bytes(), &[1, 3], ("wrong_field_count", 1), b"99,e\n");
    let kept = kept(&world)[0].1.as_str().unwrap().to_owned();
    assert!(kept.starts_with("2,xxx") && kept.len() <= 64 << 10, "{} bytes are kept", kept.len());
}

#[test]
fn a_json_line_that_is_cut_off_is_rejected_and_read_again_when_it_is_whole() {
    let content = br#"{"id":1,"name":"a"}
{"id":2,"name":"b"}
{"id":99,"na"#;
    bad_rows("cut.jsonl", content, &[1, 2], ("json_cut", 1), b"me\":\"c\"}\n");
}

/// So many rows that they are several commits.
const MANY: u64 = 20_000;

#[test]
fn what_stands_before_the_end_of_a_gzip_file_that_is_cut_off_arrives_and_the_rest_when_it_is_whole() {
    let world = reading("many.csv.gz", "");
    let rows = (0..MANY).map(|id| format!("{id},name {}\n", id * id));
    world.file("whole.csv", std::iter::once("id,name\n".to_owned()).chain(rows).collect::<String>());
    let whole = pack(&world.path("whole.csv"));
    world.file("data/many.csv.gz", &whole[..whole.len() * 2 / 3]);

    let cut = run(&world);
    assert_eq!(failed_with(&cut), "CD0606");
    assert!(cut.stderr.contains("`/data/many.csv.gz` is cut off"), "{}", cut.report());
    let arrived = ids(&world);
    assert_eq!(counted(&cut, "many").accepted, arrived.len() as u64, "what was acknowledged is there");
    assert!((1..MANY).contains(&(arrived.len() as u64)), "{} rows", arrived.len());
    // It stays so for as long as the file does: nothing comes twice.
    assert_eq!(failed_with(&run(&world)), "CD0606");
    assert_eq!(ids(&world), arrived);

    world.file("data/many.csv.gz", &whole);
    let rest = run(&world).succeeded();
    assert_eq!(counted(&rest, "many").read, MANY - arrived.len() as u64, "{}", rest.report());
    assert!(ids(&world).into_iter().eq(0..MANY), "each row once");
}

#[test]
fn a_file_that_is_no_gzip_is_refused_by_its_name() {
    let world = reading("plain.csv.gz", "");
    world.file("data/plain.csv.gz", "id,name\n1,a\n");
    let refused = run(&world);
    assert_eq!(failed_with(&refused), "CD0606");
    assert!(refused.stderr.contains("`/data/plain.csv.gz` is no sound gzip data"), "{}", refused.report());
}

#[test]
fn a_parquet_file_that_is_cut_off_or_packed_as_is_not_read_is_refused_by_its_name() {
    let path = target().join("test-deps/node_modules/vega-datasets/data/flights-3m.parquet");
    let whole = std::fs::read(path).expect("the data sets are there: run `cargo xtask test-deps`");
    let half = &whole[..whole.len() / 2];
    for (content, reason) in [(&whole[..], "is compressed with zstd"), (half, "is no sound Parquet")] {
        let world = reading("flights.parquet", "");
        world.file("data/flights.parquet", content);
        let refused = run(&world);
        assert_eq!(failed_with(&refused), "CD0606");
        assert!(
            refused.stderr.contains(&format!("`/data/flights.parquet` {reason}")),
            "{}",
            refused.report()
        );
    }
}
