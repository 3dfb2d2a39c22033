//! Rows through three connectors in the sandbox and back: packed CSV in folders, through transforms, into Parquet, and out of
//! it as JSON lines. What arrives is held against what this test makes of the same file by itself.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::counted::counted;
use crate::packed::{pack, unpack};
use crate::world::World;

/// From days of weather in packed CSV files, a folder for each year, to Parquet.
const TO_PARQUET: &str = r#"
sync = 1
name = "days"

[source]
connector = "components/files.wasm"
config = { path = "/data/**/*.csv.gz", streams = "one", stream = "days", partitions = true }
grants = { directories = { data = { path = "data" } } }

[[transforms]]
name = "names"
connector = "components/transform.wasm"
config = { steps = [{ rename = { date = "day", weather = "sky" } }, { drop = ["wind"] }] }

[[transforms]]
name = "values"
connector = "components/transform.wasm"
[transforms.config]
steps = [
  { cast = { field = "precipitation", to = "decimal(6, 1)" } },
  { cast = { field = "year", to = "text" } },
  { compute = { field = "span", expression = "temp_max - temp_min", type = "float64" } },
  { compute = { field = "label", expression = "day + ' ' + sky.upperAscii()", type = "text" } },
  { filter = "sky != 'sun'" },
]

[destination]
connector = "components/files.wasm"
config = { directory = "/out", format = "parquet" }
grants = { directories = { out = { path = "parquet", access = "write" } } }
"#;

/// From there to one packed file of JSON lines.
const BACK: &str = r#"
sync = 1
name = "back"

[source]
connector = "components/files.wasm"
config = { path = "/data/*.parquet", streams = "one", stream = "days" }
grants = { directories = { data = { path = "parquet" } } }

[destination]
connector = "components/files.wasm"
config = { directory = "/out", single_file = true, compression = "gzip" }
grants = { directories = { out = { path = "out", access = "write" } } }
"#;

type Record = BTreeMap<String, String>;

fn weather() -> Vec<Record> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/data/csv/seattle-weather.csv");
    let records = csv::Reader::from_path(file).unwrap().into_deserialize();
    records.map(Result::unwrap).collect()
}

/// Writes the days of one year as a packed file in the folder of that year.
fn write_year(world: &World, records: &[Record], year: &str) {
    let mut days = records.iter().filter(|record| record["date"].starts_with(year)).peekable();
    let columns: Vec<String> = days.peek().unwrap().keys().cloned().collect();
    let lines = days.map(|day| day.values().cloned().collect::<Vec<_>>().join(",") + "\n");
    world.file("plain.csv", format!("{}\n{}", columns.join(","), lines.collect::<String>()));
    world.file(&format!("data/year={year}/days.csv.gz"), pack(&world.path("plain.csv")));
}

/// What the transforms should make of a day; nothing where it is left out.
fn transformed(day: &Record) -> Option<Value> {
    let number = |name: &str| day[name].parse::<f64>().unwrap();
    let (date, sky) = (&day["date"], &day["weather"]);
    (sky != "sun").then(|| {
        json!({
            "day": date,
            "precipitation": format!("{:.1}", number("precipitation")),
            "temp_max": number("temp_max"),
            "temp_min": number("temp_min"),
            "sky": sky,
            "year": date[..4],
            "span": number("temp_max") - number("temp_min"),
            "label": format!("{date} {}", sky.to_uppercase()),
        })
    })
}

fn sorted(mut rows: Vec<Value>) -> Vec<Value> {
    rows.sort_by_key(|row| row["day"].as_str().unwrap().to_owned());
    rows
}

fn parquet_files(world: &World) -> Vec<PathBuf> {
    let paths = fs::read_dir(world.path("parquet")).unwrap().map(|entry| entry.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|end| end == "parquet")).collect()
}

#[test]
fn packed_csv_in_folders_is_transformed_into_parquet_and_comes_back_as_one_file_of_json_lines() {
    let world = World::with(TO_PARQUET);
    world.file("back.toml", BACK);
    world.folder("parquet");
    world.folder("out");
    let records = weather();
    let expected = |years: &[&str]| -> Vec<Value> {
        let of_years = |day: &&Record| years.contains(&&day["date"][..4]);
        sorted(records.iter().filter(of_years).filter_map(transformed).collect())
    };
    let arrived = || -> Vec<Value> {
        let text = unpack(&world.path("out/days.jsonl.gz"));
        sorted(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
    };

    for (index, years) in [&["2012", "2013", "2014"][..], &["2015"]].into_iter().enumerate() {
        years.iter().for_each(|year| write_year(&world, &records, year));
        let there = counted(&world.run(&["run", "sync.toml", "--json"]).succeeded(), "days");
        let (days, kept) = (
            records.iter().filter(|day| years.contains(&&day["date"][..4])).count() as u64,
            expected(years).len() as u64,
        );
        assert!(kept > 100 && days > kept, "the filter has something to do");
        assert_eq!((there.read, there.accepted, there.filtered), (days, kept, days - kept));
        let files = parquet_files(&world);
        assert_eq!(files.len(), index + 1, "each run publishes one file");
        for file in files {
            let bytes = fs::read(&file).unwrap();
            assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"), "`{}`", file.display());
        }
        let back = counted(&world.run(&["run", "back.toml", "--json"]).succeeded(), "days");
        assert_eq!((back.read, back.accepted), (kept, kept), "only what is new");
    }
    assert_eq!(arrived(), expected(&["2012", "2013", "2014", "2015"]));
    assert_eq!(
        fs::read_dir(world.path("out"))
            .unwrap()
            .filter(|entry| is_published(entry.as_ref().unwrap()))
            .count(),
        1,
        "one file, to which the second run added"
    );
}

fn is_published(entry: &fs::DirEntry) -> bool {
    !entry.file_name().to_str().unwrap().starts_with('.')
}

#[test]
fn decimals_times_and_nulls_are_the_same_after_they_were_columns() {
    let rows = [
        r#"{"id":1,"amount":"12345678901234567890.123","day":"2024-02-29","at":"2024-02-29T23:59:59.123456Z","local":"1999-12-31T23:59:59","time":"23:59:59.999999","raw":"AAEC/w==","list":[1,"zwei",null,{"x":1.5}],"text":"Zürich \"🦀\"\n","on":true}"#,
        r#"{"id":-9223372036854775808,"amount":"-0.001","day":"0001-01-01","at":"1969-12-31T23:59:59.999999Z","local":"0001-01-01T00:00:00","time":"00:00:00","raw":"","list":{},"text":"","on":false}"#,
        r#"{"id":9223372036854775807,"amount":null,"day":null,"at":null,"local":null,"time":null,"raw":null,"list":null,"text":null,"on":null}"#,
    ];
    let types = r#"{ amount = "decimal(38, 3)", day = "date", at = "timestamp", local = "timestamp(local)", time = "time(local)", raw = "bytes", list = "json" }"#;
    let into = format!(r#"path = "/data/rows.jsonl", columns = {types}"#);
    let world = World::with(&copy(("data", &into), ("parquet", r#", format = "parquet""#)));
    world.file("back.toml", copy(("parquet", r#"path = "/data/rows-000001.parquet""#), ("out", "")));
    world.folder("parquet");
    world.folder("out");
    world.file("data/rows.jsonl", rows.join("\n") + "\n");
    world.run(&["run", "sync.toml"]).succeeded();
    world.run(&["run", "back.toml"]).succeeded();
    let back = world.read("out/rows-000001-000001.jsonl");
    let values = |lines: &mut dyn Iterator<Item = &str>| -> Vec<Value> {
        lines.map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    assert_eq!(values(&mut back.lines()), values(&mut rows.into_iter()));
}

/// Files from one folder to another, each with what is to be said of it.
fn copy((from, reading): (&str, &str), (to, writing): (&str, &str)) -> String {
    format!(
        r#"
sync = 1
name = "to-{to}"

[source]
connector = "components/files.wasm"
config = {{ {reading} }}
grants = {{ directories = {{ data = {{ path = "{from}" }} }} }}

[destination]
connector = "components/files.wasm"
config = {{ directory = "/out"{writing} }}
grants = {{ directories = {{ out = {{ path = "{to}", access = "write" }} }} }}
"#
    )
}

/// Rows of which a cast and a computation each reject some, and a filter leaves some out.
const REJECTING: &str = r#"
sync = 1
name = "orders"

[source]
connector = "components/files.wasm"
config = { path = "/data/orders.csv", infer_rows = 0 }
grants = { directories = { data = { path = "data" } } }

[[transforms]]
name = "amounts"
connector = "components/transform.wasm"
[transforms.config]
steps = [
  { cast = { field = "id", to = "int64" } },
  { cast = { field = "amount", to = "int64" } },
  { filter = "id % 10 != 9" },
  { compute = { field = "share", expression = "1000 / amount", type = "int64" } },
]

[destination]
connector = "components/files.wasm"
config = { directory = "/out", format = "parquet" }
grants = { directories = { out = { path = "out", access = "write" } } }
"#;

#[test]
fn rows_that_a_transform_rejects_are_counted_by_code_and_kept_as_they_came() {
    const ROWS: u64 = 5_000;
    let world = World::with(REJECTING);
    world.folder("out");
    let row = |id: u64| match id % 10 {
        3 => format!("{id},many"),
        5 => format!("{id},0"),
        _ => format!("{id},{}", id + 1),
    };
    let rows = (0..ROWS).map(|id| row(id) + "\n").collect::<String>();
    world.file("data/orders.csv", format!("id,amount\n{rows}"));
    let ran = world.run(&["run", "sync.toml", "--json"]).succeeded();
    let counted = counted(&ran, "orders");
    let tenth = ROWS / 10;
    assert_eq!((counted.read, counted.filtered), (ROWS, tenth), "{}", ran.report());
    let codes = [("cast_failed".to_owned(), tenth), ("expression_failed".to_owned(), tenth)];
    assert_eq!(counted.codes, codes.into());

    let exported = world.run(&["errors", "export"]).succeeded();
    let mut kept: Vec<(u64, String)> = exported.stdout.lines().map(code_of).collect();
    kept.sort();
    let expected = (0..ROWS).filter_map(|id| match id % 10 {
        3 => Some((id, format!("cast_failed: {}", row(id)))),
        5 => Some((id, format!("expression_failed: {}", row(id)))),
        _ => None,
    });
    assert_eq!(kept, expected.collect::<Vec<_>>());
    let again = world.run(&["run", "sync.toml"]).succeeded();
    assert!(again.stdout.contains("there was nothing new"), "{}", again.report());
}

/// The id of a kept row, and its code with the row as it stood in the file.
fn code_of(line: &str) -> (u64, String) {
    let kept: Value = serde_json::from_str(line).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let (id, amount) = (text(&kept["row"]["id"]), text(&kept["row"]["amount"]));
    (id.parse().unwrap(), format!("{}: {id},{amount}", text(&kept["code"])))
}
