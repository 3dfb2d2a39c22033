//! `cases/<name>/case.json` holds a configuration, streams and batches; what follows from them stands in `expected.txt`
//! beside it, which is written anew when the environment has `BLESS`.

use std::{fmt::Write as _, fs, path::Path};

use cofferdam_sdk::{ColumnsView, Operation, Result, Transform as _, TransformPlan};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{apply, batch, config, stream};
use crate::Transform;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    config: Value,
    streams: Vec<Stream>,
    #[serde(default)]
    batches: Vec<Rows>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stream {
    name: String,
    fields: Vec<String>,
    #[serde(default)]
    keys: Vec<String>,
    #[serde(default = "one")]
    version: u32,
}

fn one() -> u32 {
    1
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rows {
    stream: String,
    #[serde(default)]
    operations: Vec<String>,
    rows: Vec<Map<String, Value>>,
}

fn operation(name: &str) -> Operation {
    match name {
        "insert" => Operation::Insert,
        "update" => Operation::Update,
        "upsert" => Operation::Upsert,
        "delete" => Operation::Delete,
        _ => panic!("{name}"),
    }
}

fn transcript(case: &Case) -> Result<String> {
    let strs = |names: &[String]| names.iter().map(String::as_str).collect::<Vec<&str>>().join("\n");
    let config = config(&case.config)?;
    Transform::check(&config)?;
    let mut inputs = Vec::new();
    for one in &case.streams {
        let (fields, keys) = (strs(&one.fields), strs(&one.keys));
        let mut schema =
            stream(&one.name, &fields.lines().collect::<Vec<_>>(), &keys.lines().collect::<Vec<_>>());
        schema.version = one.version;
        inputs.push(schema);
    }
    let plan = Transform::plan(&config, &inputs)?;
    let mut text = String::new();
    describe_plan(&plan, &mut text);
    for rows in &case.batches {
        let schema = inputs.iter().find(|schema| schema.stream == rows.stream).unwrap();
        let operations = match rows.operations.as_slice() {
            [] => cofferdam_sdk::RowOperations::All(Operation::Insert),
            names => names.iter().map(|name| operation(name)).collect(),
        };
        describe_rows(&plan, &apply(&config, schema, batch(schema, operations, &rows.rows))?, &mut text);
    }
    Ok(text)
}

fn describe_plan(plan: &TransformPlan, text: &mut String) {
    for output in &plan.outputs {
        writeln!(text, "{} version {}, keys {:?}", output.stream, output.version, output.keys).unwrap();
        for field in &output.schema.fields {
            let nullable = if field.nullable { ", null" } else { "" };
            writeln!(text, "  {}: {}{nullable}", field.name, field.data_type.name()).unwrap();
        }
    }
}

fn describe_rows(plan: &TransformPlan, transformed: &cofferdam_sdk::Transformed, text: &mut String) {
    writeln!(text, "batch").unwrap();
    for output in &transformed.outputs {
        let schema = plan.outputs.iter().find(|schema| schema.stream == output.batch.stream).unwrap();
        assert_eq!(output.batch.schema_version, schema.version);
        let cofferdam_sdk::Rows::Columns(columns) = &output.batch.rows else { panic!("{:?}", output.batch) };
        let view = ColumnsView::new(&schema.schema.fields, columns).unwrap();
        assert_eq!(output.origin.len(), view.row_count());
        for (row, origin) in output.origin.iter().enumerate() {
            let operation = output.batch.operations.get(row as u32).unwrap();
            let row = serde_json::to_string(&view.row(row)).unwrap();
            writeln!(text, "  {origin} {operation:?} {row}").unwrap();
        }
    }
    for reject in &transformed.rejected {
        writeln!(text, "  rejected {} {}: {}", reject.row, reject.code, reject.message).unwrap();
    }
}

#[test]
fn cases_give_what_stands_beside_them() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let mut count = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let folder = entry.unwrap().path();
        let case: Case = serde_json::from_slice(&fs::read(folder.join("case.json")).unwrap()).unwrap();
        let found = transcript(&case).unwrap_or_else(|error| match error {
            cofferdam_sdk::Error::Config(faults) => {
                faults.iter().map(|fault| format!("{}\n  {}\n", fault.path, fault.message)).collect()
            }
            error => format!("{error}\n"),
        });
        let expected = folder.join("expected.txt");
        if std::env::var_os("BLESS").is_some() {
            fs::write(&expected, &found).unwrap();
        }
        assert_eq!(found, fs::read_to_string(expected).unwrap(), "{}", folder.display());
        count += 1;
    }
    assert!(count >= 25, "only {count} cases were found");
}
