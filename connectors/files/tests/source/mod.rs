//! Runs a source over the steps of a case.

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use cofferdam_sdk::{
    Budget, Cell, Checkpoint, ColumnsView, Error, OpenRead, Page, Reader, RejectedRow, RowView, Rows, Source,
    Step, StreamSchema, parse_config,
};
use files::{FilesSource, SourceConfig};
use serde_json::{Map, Value, json};

use crate::{overlay, read_json};

/// What one run brought of one stream.
#[derive(Debug, Default, Clone, PartialEq)]
struct Brought {
    rows: Vec<Value>,
    rejects: Vec<Value>,
    schemas: Vec<Value>,
    error: Option<String>,
}

/// All steps of a case, as JSON.
pub(crate) fn run(case: &Path) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let config =
        fs::read_to_string(case.join("config.json")).unwrap().replace("\"/data", &format!("\"{data}"));
    let mut checkpoints = BTreeMap::new();
    let mut steps = Vec::new();
    for step in 1.. {
        let files = case.join(step.to_string());
        if !files.exists() {
            break;
        }
        overlay(&files, folder.path());
        let brought = run_step(&config, &mut checkpoints, case);
        let text = brought.unwrap_or_else(|error| json!({ "error": error.to_string() })).to_string();
        steps.push(serde_json::from_str(&text.replace(data, "/data")).unwrap());
    }
    let _ = read_json(&case.join("config.json"));
    Value::Array(steps)
}

/// The schema and all rows of one file.
pub(crate) fn rows_of(path: &Path) -> Value {
    let config: SourceConfig = parse_config(&json!({ "path": path }).to_string()).unwrap();
    let schema = FilesSource::discover(&config).unwrap().streams.remove(0).schema;
    let reader = FilesSource::open(config, OpenRead::group(&schema.stream)).unwrap();
    let brought = read_all(reader, &schema, 10_000, &mut Vec::new());
    assert_eq!((brought.error, brought.rejects), (None, Vec::new()));
    json!({ "fields": fields(&schema), "rows": brought.rows })
}

fn run_step(
    config: &str,
    checkpoints: &mut BTreeMap<String, Checkpoint>,
    case: &Path,
) -> Result<Value, Error> {
    let parse = || parse_config::<SourceConfig>(config);
    let catalog = FilesSource::discover(&parse()?)?;
    let mut streams = Map::new();
    for info in catalog.streams {
        let name = info.schema.stream.clone();
        let open = |checkpoint: Option<&Checkpoint>| {
            FilesSource::open(
                parse()?,
                OpenRead { checkpoint: checkpoint.cloned(), ..OpenRead::group(&name) },
            )
        };
        let before = checkpoints.get(&name).cloned();
        let mut marks = Vec::new();
        let whole = read_all(open(before.as_ref())?, &info.schema, 10_000, &mut marks);
        if let Some((checkpoint, _)) = marks.pop() {
            checkpoints.insert(name.clone(), checkpoint);
        }
        // Small pages bring the same, and each of their checkpoints is a place to go on from.
        let mut marks = Vec::new();
        let pages = read_all(open(before.as_ref())?, &info.schema, 2, &mut marks);
        // A file that breaks off breaks the page; small pages bring more of it.
        let whole = if whole.error.is_some() { pages.clone() } else { whole };
        assert_eq!(pages, whole, "{}: small pages", case.display());
        for (checkpoint, so_far) in marks {
            let rest = read_all(open(Some(&checkpoint))?, &info.schema, 1, &mut Vec::new());
            assert_eq!(rest.error, whole.error);
            let rows: Vec<&Value> = so_far.rows.iter().chain(&rest.rows).collect();
            assert_eq!(rows, whole.rows.iter().collect::<Vec<_>>(), "{}: {checkpoint:?}", case.display());
            let rejects: Vec<&Value> = so_far.rejects.iter().chain(&rest.rejects).collect();
            assert_eq!(
                rejects,
                whole.rejects.iter().collect::<Vec<_>>(),
                "{}: {checkpoint:?}",
                case.display()
            );
        }
        streams.insert(name, said(whole));
    }
    Ok(Value::Object(streams))
}

fn said(brought: Brought) -> Value {
    let mut said = Map::new();
    said.insert("schemas".to_owned(), brought.schemas.into());
    said.insert("rows".to_owned(), brought.rows.into());
    said.insert("rejects".to_owned(), brought.rejects.into());
    said.extend(brought.error.map(|error| ("error".to_owned(), error.into())));
    Value::Object(said)
}

/// Read to the end. `marks` gets each checkpoint with what had been brought by then.
fn read_all(
    mut reader: impl Reader,
    schema: &StreamSchema,
    rows_max: usize,
    marks: &mut Vec<(Checkpoint, Brought)>,
) -> Brought {
    let mut schema = schema.clone();
    let mut brought = Brought { schemas: vec![fields(&schema)], ..Brought::default() };
    loop {
        match reader.next(&Budget::new(rows_max, 8 << 20, Duration::from_secs(60))) {
            Err(error) => return Brought { error: Some(error.to_string()), ..brought },
            Ok(step) => match step {
                Step::End => return brought,
                Step::Wait(_) => panic!("files never make wait"),
                Step::SchemaChanged(mut changed) => {
                    schema = changed.pop().unwrap();
                    brought.schemas.push(fields(&schema));
                }
                Step::Page(page) => {
                    take(&page, &schema, &mut brought);
                    if let Some(json) = page.checkpoint {
                        marks.push((Checkpoint::from_json(json), brought.clone()));
                    }
                }
            },
        }
    }
}

fn take(page: &Page, schema: &StreamSchema, brought: &mut Brought) {
    for batch in &page.batches {
        assert_eq!(batch.schema_version, schema.version);
        match &batch.rows {
            Rows::Columns(columns) => {
                let view = ColumnsView::new(&schema.schema.fields, columns).unwrap();
                brought.rows.extend((0..view.row_count()).map(|row| object(view.row(row))));
            }
            Rows::JsonLines(lines) => brought.rows.extend(lines.parse::<Value>().map(Result::unwrap)),
        }
    }
    for reject in &page.rejects {
        let RejectedRow::Raw(raw) = &reject.row else { panic!("rejects of files are raw") };
        let text = String::from_utf8_lossy(raw);
        let shown = if text.len() > 200 { format!("{} bytes", raw.len()) } else { text.into_owned() };
        brought.rejects.push(json!({ "code": reject.code, "message": reject.message, "raw": shown }));
    }
}

/// JSON has no words for some floats; here they are strings.
fn object(row: RowView<'_>) -> Value {
    let present = row.cells().filter(|(_, cell)| *cell != Cell::Absent);
    let members = present.map(|(name, cell)| {
        let value = match cell {
            Cell::Float64(value) if !value.is_finite() => value.to_string().into(),
            cell => serde_json::to_value(cell).unwrap(),
        };
        (name.to_owned(), value)
    });
    Value::Object(members.collect())
}

fn fields(schema: &StreamSchema) -> Value {
    let fields =
        schema.schema.fields.iter().map(|field| format!("{}: {}", field.name, field.data_type.name()));
    fields.collect()
}
