//! Copies files through a source and a destination, as a run would, and tells what was written.

use std::{fs, io::Read, path::Path, time::Duration};

use cofferdam_sdk::{
    Batch, Budget, Destination, Error, Incoming, Mode, OpenRead, OpenWrite, Reader, Source, Step, StreamPlan,
    StreamSchema, Writer, parse_config,
};
use files::{DestinationConfig, FilesDestination, FilesSource, FilesWriter, SourceConfig};
use serde_json::{Map, Value, json};

use crate::{read_json, source};

/// Rows of one page: small, so that every case has several batches and commits.
const PAGE_ROWS: usize = 4;

/// What was written by all runs of a case, as JSON.
pub(crate) fn run(case: &Path) -> Value {
    let out = tempfile::tempdir().unwrap();
    let configs = read_json(&case.join("config.json")).to_string();
    let configs = configs.replace("\"/data", &format!("\"{}", case.join("data").display()));
    let configs = configs.replace("\"/out", &format!("\"{}", out.path().display()));
    let configs: Value = serde_json::from_str(&configs).unwrap();
    let mut told = Map::new();
    for fence in 1..=configs["runs"].as_u64().unwrap_or(1) {
        if let Err(error) = run_once(&configs, fence, &mut told) {
            told.insert(
                "error".to_owned(),
                error.to_string().replace(out.path().to_str().unwrap(), "/out").into(),
            );
        }
    }
    told.insert("files".to_owned(), written(out.path()));
    Value::Object(told)
}

fn run_once(configs: &Value, fence: u64, told: &mut Map<String, Value>) -> Result<(), Error> {
    let source = || parse_config::<SourceConfig>(&configs["source"].to_string());
    let destination = parse_config::<DestinationConfig>(&configs["destination"].to_string())?;
    let mode = if configs["mode"] == "replace" { Mode::Replace } else { Mode::Append };
    FilesDestination::check(&destination)?;
    let mut writer =
        FilesDestination::open(destination, OpenWrite { unit: "copy".to_owned(), fence: Some(fence) })?;
    let catalog = FilesSource::discover(&source()?)?;
    let plan = |schema: &StreamSchema| StreamPlan { schema: schema.clone(), mode, generation: fence };
    let plans: Vec<StreamPlan> = catalog.streams.iter().map(|info| plan(&info.schema)).collect();
    prepare(&mut writer, &plans, told)?;
    let mut commits = 0;
    let mut commit = |writer: &mut FilesWriter, last: bool| {
        commits += 1;
        writer.commit(&format!("{fence}-{commits}"), last)
    };
    for info in &catalog.streams {
        let mut schema = info.schema.clone();
        let mut reader = FilesSource::open(source()?, OpenRead::group(&schema.stream))?;
        let mut number = 0;
        loop {
            match reader.next(&Budget::new(PAGE_ROWS, 8 << 20, Duration::from_secs(60)))? {
                Step::End => break,
                Step::Wait(_) => panic!("files never make wait"),
                Step::SchemaChanged(mut changed) => {
                    schema = changed.pop().unwrap();
                    prepare(&mut writer, &[plan(&schema)], told)?;
                }
                Step::Page(page) => {
                    for batch in page.batches {
                        write(&mut writer, number, &schema, batch, told)?;
                        number += 1;
                    }
                    // Two pages to a commit.
                    if number % 2 == 0 && number > 0 {
                        commit(&mut writer, false)?;
                        number = 0;
                    }
                }
            }
        }
    }
    commit(&mut writer, true)?;
    assert_eq!(writer.committed()?.map(|last| last.token), Some(format!("{fence}-{commits}")));
    Ok(())
}

fn prepare(
    writer: &mut FilesWriter,
    plans: &[StreamPlan],
    told: &mut Map<String, Value>,
) -> Result<(), Error> {
    for verdict in writer.prepare(plans, false)? {
        let fields =
            verdict.fields.into_iter().map(|field| (field.field, format!("{:?}", field.fate).into()));
        told.insert(format!("verdict {}", verdict.stream), Value::Object(fields.collect()));
    }
    Ok(())
}

fn write(
    writer: &mut FilesWriter,
    number: u64,
    schema: &StreamSchema,
    batch: Batch,
    told: &mut Map<String, Value>,
) -> Result<(), Error> {
    for reject in writer.write(number, Incoming { schema, batch })?.rejected {
        let rejects = told.entry("rejected").or_insert(json!([])).as_array_mut().unwrap();
        rejects.push(json!({ "code": reject.code, "message": reject.message, "row": reject.row }));
    }
    Ok(())
}

/// Text by its lines, packed text unpacked, Parquet by its rows. Hidden files but the state are faults.
fn written(out: &Path) -> Value {
    let mut files = Map::new();
    for entry in fs::read_dir(out).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if name.starts_with('.') {
            assert!(name.ends_with(".json"), "`{name}` was left over");
        } else if name.ends_with(".parquet") {
            files.insert(name, source::rows_of(&path));
        } else {
            let bytes = fs::read(&path).unwrap();
            let mut text = String::new();
            if name.ends_with(".gz") {
                flate2::read::MultiGzDecoder::new(bytes.as_slice()).read_to_string(&mut text).unwrap();
            } else {
                text = String::from_utf8(bytes).unwrap();
            }
            files.insert(name, text.split_inclusive('\n').collect());
        }
    }
    files.sort_keys();
    Value::Object(files)
}
