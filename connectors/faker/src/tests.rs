//! The cases of `cases/`, and rules that hold for all rows.

use std::{fmt::Write as _, fs, path::Path, time::Duration};

use cofferdam_sdk::{
    Batch, Budget, Error, OpenRead, Page, Reader, RejectedRow, Rows, Schema, Selection, Source, Step,
    StreamSchema,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{Config, Faker};

/// `cases/<name>/case.json`; the steps that follow stand in `expected.txt` beside it, which is written anew when the
/// environment has `BLESS`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    config: Value,
    group: String,
    #[serde(default)]
    fields: Option<Vec<String>>,
    #[serde(default)]
    checkpoint: Option<Value>,
    max_rows: usize,
}

fn config(value: Value) -> Config {
    cofferdam_sdk::parse_config(&value.to_string()).unwrap()
}

fn budget(rows: usize, bytes: usize) -> Budget {
    Budget::new(rows, bytes, Duration::from_secs(60))
}

fn schema_of(config: &Config, stream: &str, fields: Option<&[String]>) -> StreamSchema {
    let catalog = Faker::discover(config).unwrap();
    let info = catalog.streams.into_iter().find(|info| info.schema.stream == stream).unwrap();
    let mut schema = info.schema;
    if let Some(fields) = fields {
        let find =
            |name: &String| schema.schema.fields.iter().find(|field| field.name == *name).cloned().unwrap();
        schema.schema = Schema::new(fields.iter().map(find).collect::<Vec<_>>());
    }
    schema
}

/// Each row as JSON text, to the last digit the same in both layouts.
fn rows_of(config: &Config, batch: &Batch, fields: Option<&[String]>) -> Vec<String> {
    match &batch.rows {
        Rows::JsonLines(lines) => {
            lines.lines().map(|line| String::from_utf8(line.to_vec()).unwrap()).collect()
        }
        Rows::Columns(columns) => {
            let schema = schema_of(config, &batch.stream, fields);
            let view = cofferdam_sdk::ColumnsView::new(&schema.schema.fields, columns).unwrap();
            (0..view.row_count()).map(|row| serde_json::to_string(&view.row(row)).unwrap()).collect()
        }
    }
}

fn steps(config: &Config, read: OpenRead, max_rows: usize) -> Vec<Step> {
    let mut reader = Faker::open(config.clone(), read).unwrap();
    let mut steps = Vec::new();
    while steps.last() != Some(&Step::End) {
        steps.push(reader.next(&budget(max_rows, 1 << 20)).unwrap());
    }
    steps
}

fn transcript(case: &Case) -> Result<String, Error> {
    let config: Config = cofferdam_sdk::parse_config(&case.config.to_string())?;
    Faker::check(&config)?;
    let mut read = OpenRead::group(&case.group);
    if let Some(checkpoint) = &case.checkpoint {
        read = read.from_checkpoint(checkpoint)?;
    }
    if case.fields.is_some() {
        let stream = config.streams[0].name.clone();
        read.selections.push(Selection {
            stream,
            fields: case.fields.clone(),
            filter: Vec::new(),
            limit: None,
        });
    }
    let mut text = String::new();
    for step in steps(&config, read, case.max_rows) {
        match step {
            Step::Page(page) => describe(&config, &page, case.fields.as_deref(), &mut text),
            step => writeln!(text, "{step:?}").unwrap(),
        }
    }
    Ok(text)
}

fn describe(config: &Config, page: &Page, fields: Option<&[String]>, text: &mut String) {
    writeln!(text, "page").unwrap();
    for batch in &page.batches {
        writeln!(text, "  {} {:?}", batch.stream, batch.operations).unwrap();
        for row in rows_of(config, batch, fields) {
            writeln!(text, "    {row}").unwrap();
        }
    }
    for reject in &page.rejects {
        let row = match &reject.row {
            RejectedRow::Raw(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            RejectedRow::At(place) => format!("{place:?}"),
        };
        writeln!(text, "  reject {} {row}: {} {}", reject.stream, reject.code, reject.message).unwrap();
    }
    if let Some(checkpoint) = &page.checkpoint {
        writeln!(text, "  checkpoint {checkpoint}").unwrap();
    }
    if page.transaction_end {
        writeln!(text, "  end of a transaction").unwrap();
    }
}

#[test]
fn cases_give_the_steps_that_stand_beside_them() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let mut count = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let folder = entry.unwrap().path();
        let case: Case = serde_json::from_slice(&fs::read(folder.join("case.json")).unwrap()).unwrap();
        let found = transcript(&case).unwrap_or_else(|error| format!("{error}\n"));
        let expected = folder.join("expected.txt");
        if std::env::var_os("BLESS").is_some() {
            fs::write(&expected, &found).unwrap();
        }
        assert_eq!(found, fs::read_to_string(expected).unwrap(), "{}", folder.display());
        count += 1;
    }
    assert!(count >= 10, "only {count} cases were found");
}

fn pages(config: &Config, read: OpenRead, max_rows: usize) -> Vec<Page> {
    let steps = steps(config, read, max_rows).into_iter();
    steps.filter_map(|step| if let Step::Page(page) = step { Some(page) } else { None }).collect()
}

fn all_rows(config: &Config, pages: &[Page]) -> Vec<String> {
    pages.iter().flat_map(|page| &page.batches).flat_map(|batch| rows_of(config, batch, None)).collect()
}

#[test]
fn every_preset_gives_the_same_rows_in_both_layouts_and_from_every_checkpoint() {
    for preset in ["people", "orders", "bench10"] {
        let with = |layout: &str| {
            let streams = json!([{"name": "s", "rows": 200, "columns": preset}]);
            config(json!({"seed": 7, "null_rate": 0.2, "layout": layout, "streams": streams}))
        };
        let (columns, lines) = (with("columns"), with("json-lines"));
        let whole = pages(&columns, OpenRead::group("s"), 23);
        let rows = all_rows(&columns, &whole);
        assert!(rows == all_rows(&lines, &pages(&lines, OpenRead::group("s"), 17)), "{preset}");
        assert_eq!(rows.len(), 200);
        let parsed: Vec<serde_json::Map<String, Value>> =
            rows.iter().map(|row| serde_json::from_str(row).unwrap()).collect();
        let nulls = parsed.iter().flat_map(serde_json::Map::values).filter(|value| value.is_null());
        let expected = parsed[0].len() * 200 / 5;
        assert!(nulls.count().abs_diff(expected) < expected / 4, "about a fifth is null");
        for page in &whole {
            let position: Value = serde_json::from_str(page.checkpoint.as_deref().unwrap()).unwrap();
            let read = OpenRead::group("s").from_checkpoint(&position).unwrap();
            let rest = all_rows(&columns, &pages(&columns, read, 50));
            assert_eq!(rest, rows[position["s"].as_u64().unwrap() as usize..]);
        }
    }
}

#[test]
fn a_stream_that_grew_gives_only_its_new_rows() {
    let with = |rows: u64| config(json!({"streams": [{"name": "s", "rows": rows}]}));
    let before = pages(&with(30), OpenRead::group("s"), 100);
    let checkpoint: Value = serde_json::from_str(before[0].checkpoint.as_deref().unwrap()).unwrap();
    let read = |config: &Config| {
        let read = OpenRead::group("s").from_checkpoint(&checkpoint).unwrap();
        all_rows(config, &pages(config, read, 100))
    };
    assert!(read(&with(30)).is_empty());
    assert!(read(&with(10)).is_empty(), "a stream that shrank gives nothing");
    let all = all_rows(&with(40), &pages(&with(40), OpenRead::group("s"), 100));
    assert_eq!(read(&with(40)), all[30..]);
}

#[test]
fn no_page_is_over_its_budget_unless_it_is_one_row() {
    for layout in ["columns", "json-lines"] {
        for preset in ["people", "orders", "bench10"] {
            let streams = json!([{"name": "s", "rows": 300, "columns": preset}]);
            let config = config(json!({"layout": layout, "null_rate": 0.1, "streams": streams}));
            for (rows, bytes) in [(1, 1 << 20), (64, 1 << 20), (300, 1), (300, 2_000), (300, 20_000)] {
                let mut reader = Faker::open(config.clone(), OpenRead::group("s")).unwrap();
                while let Step::Page(page) = reader.next(&budget(rows, bytes)).unwrap() {
                    let count: usize = page.batches.iter().map(|batch| batch.row_count() as usize).sum();
                    let size: usize = page.batches.iter().map(Batch::byte_count).sum();
                    assert!(
                        count <= rows && (size <= bytes || count == 1),
                        "{layout} {preset} {rows} {bytes}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_row_of_the_benchmarks_has_about_250_bytes() {
    let streams = json!([{"name": "s", "rows": 1000, "columns": "bench10"}]);
    let config = config(json!({"layout": "json-lines", "streams": streams}));
    let pages = pages(&config, OpenRead::group("s"), 1000);
    let bytes = pages[0].batches[0].byte_count() / 1000;
    assert!((230..=270).contains(&bytes), "{bytes} bytes");
}

#[test]
fn what_is_not_there_is_no_silent_end() {
    let config = config(json!({"streams": [{"name": "s", "rows": 1}]}));
    assert!(matches!(Faker::open(config.clone(), OpenRead::group("t")), Err(Error::Bug(_))));
    let selection =
        Selection { stream: "s".into(), fields: Some(vec!["age".into()]), filter: Vec::new(), limit: None };
    let read = OpenRead { selections: vec![selection], ..OpenRead::group("s") };
    assert!(matches!(Faker::open(config, read), Err(Error::Bug(message)) if message.contains("`age`")));
}
