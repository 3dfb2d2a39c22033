//! Real, messy data from servers and files that others wrote: json-server over the data sets of vega-datasets.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Map, Value, json};

use crate::world::{World, target};

/// The server on a port of its own choice, which it prints. It reads its database once.
const SERVER: &str = r#"
const jsonServer = require("json-server");
const server = jsonServer.create();
server.use(jsonServer.router(process.argv[1]));
const listener = server.listen(0, "127.0.0.1", () => console.log(listener.address().port));
"#;

/// Pages by number, by offset with a date as the cursor, by links in headers, and an answer in one piece.
pub(crate) const MANIFEST: &str = r##"
version: 1.0.0
type: DeclarativeSource
check: {type: CheckStream, stream_names: [weather]}
definitions:
  requester: {type: HttpRequester, url_base: "{{ config['base_url'] }}"}
  rows: {type: RecordSelector, extractor: {type: DpathExtractor, field_path: []}}
  any: {type: InlineSchemaLoader, schema: {type: object, additionalProperties: true, properties: {}}}
streams:
  - type: DeclarativeStream
    name: movies
    retriever:
      type: SimpleRetriever
      requester: {$ref: "#/definitions/requester", path: /movies}
      record_selector: {$ref: "#/definitions/rows"}
      paginator:
        type: DefaultPaginator
        pagination_strategy: {type: PageIncrement, page_size: 500, start_from_page: 1}
        page_size_option: {type: RequestOption, inject_into: request_parameter, field_name: _limit}
        page_token_option: {type: RequestOption, inject_into: request_parameter, field_name: _page}
    schema_loader: {$ref: "#/definitions/any"}
  - type: DeclarativeStream
    name: flights
    retriever:
      type: SimpleRetriever
      requester:
        $ref: "#/definitions/requester"
        path: /flights
        request_parameters: {_sort: date}
      record_selector: {$ref: "#/definitions/rows"}
      paginator:
        type: DefaultPaginator
        pagination_strategy: {type: OffsetIncrement, page_size: 300}
        page_size_option: {type: RequestOption, inject_into: request_parameter, field_name: _limit}
        page_token_option: {type: RequestOption, inject_into: request_parameter, field_name: _start}
    incremental_sync:
      type: DatetimeBasedCursor
      cursor_field: date
      datetime_format: "%Y/%m/%d %H:%M"
      start_datetime: "2001/01/01 00:00"
      start_time_option: {type: RequestOption, inject_into: request_parameter, field_name: date_gte}
    schema_loader: {$ref: "#/definitions/any"}
  - type: DeclarativeStream
    name: weather
    retriever:
      type: SimpleRetriever
      requester:
        $ref: "#/definitions/requester"
        path: /weather
        request_parameters: {_page: "1", _limit: "700"}
      record_selector: {$ref: "#/definitions/rows"}
      paginator:
        type: DefaultPaginator
        pagination_strategy:
          type: CursorPagination
          cursor_value: "{{ headers['link']['next']['url'] }}"
          stop_condition: "{{ 'next' not in headers['link'] }}"
        page_token_option: {type: RequestPath}
    schema_loader: {$ref: "#/definitions/any"}
  - type: DeclarativeStream
    name: earthquakes
    retriever:
      type: SimpleRetriever
      requester: {$ref: "#/definitions/requester", path: /earthquakes}
      record_selector: {type: RecordSelector, extractor: {type: DpathExtractor, field_path: [features]}}
    schema_loader: {$ref: "#/definitions/any"}
spec:
  type: Spec
  connection_specification:
    type: object
    required: [base_url]
    properties: {base_url: {type: string}}
"##;

fn modules() -> PathBuf {
    let modules = target().join("test-deps/node_modules");
    assert!(modules.join("json-server").exists(), "there are no upstreams: run `cargo xtask test-deps`");
    modules
}

fn data(name: &str) -> PathBuf {
    modules().join("vega-datasets/data").join(name)
}

pub(crate) fn read(name: &str) -> Value {
    serde_json::from_slice(&fs::read(data(name)).unwrap()).unwrap()
}

/// A CSV file as records of texts.
fn read_csv(path: &Path) -> Vec<Value> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    let records = reader.deserialize::<BTreeMap<String, String>>();
    records.map(|record| json!(record.unwrap())).collect()
}

pub(crate) struct Server {
    process: Child,
    pub(crate) url: String,
}

impl Server {
    pub(crate) fn start(world: &World, database: &Value) -> Self {
        world.file("database.json", database.to_string());
        let mut process = Command::new("node")
            .args(["-e", SERVER, "--"])
            .arg(world.path("database.json"))
            .env("NODE_PATH", modules())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node is there: run `cargo xtask test-deps`");
        let mut port = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut port).unwrap();
        let port: u16 = port.trim().parse().expect("json-server says its port");
        Self { process, url: format!("http://127.0.0.1:{port}") }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// The rows of each stream, as values.
fn arrived(world: &World) -> BTreeMap<String, Vec<Value>> {
    let streams = crate::rows::rows(&world.path("out")).into_iter();
    let values = |lines: Vec<String>| lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    streams.map(|(stream, lines)| (stream, values(lines))).collect()
}

#[track_caller]
fn same_rows(stream: &str, mut found: Vec<Value>, mut expected: Vec<Value>) {
    assert_eq!(found.len(), expected.len(), "rows of `{stream}`");
    found.sort_by_key(ToString::to_string);
    expected.sort_by_key(ToString::to_string);
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(found, expected, "a row of `{stream}`");
    }
}

pub(crate) fn sync(server: &Server) -> String {
    let url = &server.url;
    let grants = crate::api::grants(url);
    format!(
        r#"
sync = 1
name = "api"
[source]
connector = "api.wasm"
config = {{ base_url = "{url}" }}
{grants}[destination]
connector = "components/files.wasm"
config = {{ directory = "/out" }}
grants = {{ directories = {{ out = {{ path = "out", access = "write" }} }} }}
"#
    )
}

#[test]
fn an_api_of_messy_records_arrives_as_it_is_and_then_only_what_is_new() {
    let world = crate::build::packaged(MANIFEST);
    let mut database = json!({
        "movies": read("movies.json"),
        "flights": read("flights-2k.json"),
        "weather": read_csv(&data("weather.csv")),
        "earthquakes": read("earthquakes.json"),
    });
    // json-server wants an object's own identifier as a field of it; there is none in these.
    let server = Server::start(&world, &database);
    world.file("sync.toml", sync(&server));
    world.run(&["run", "sync.toml"]).succeeded();

    let mut found = arrived(&world);
    let mut expected: Map<String, Value> = database.as_object().unwrap().clone();
    expected["earthquakes"] = expected["earthquakes"]["features"].take();
    for (stream, records) in expected {
        let Value::Array(records) = records else { panic!("`{stream}` is no list") };
        same_rows(&stream, found.remove(&stream).unwrap_or_default(), records);
    }
    assert!(found.is_empty(), "streams that nobody has: {:?}", found.keys());

    // Of the stream with a cursor only the new record moves; the others have none and come whole.
    let late =
        json!({ "date": "2001/12/31 23:59", "delay": 1, "distance": 2, "origin": "ÄÖÜ", "destination": "" });
    database["flights"].as_array_mut().unwrap().push(late.clone());
    drop(server);
    let server = Server::start(&world, &database);
    world.file("sync.toml", sync(&server));
    world.edit("name = \"api\"", "name = \"api\"\nstreams = [{ name = \"flights\" }]");
    let again = world.run(&["run", "sync.toml"]).succeeded();
    let mut found = arrived(&world);
    let flights = found.remove("flights").unwrap();
    let Value::Array(expected) = database["flights"].take() else { panic!("the flights are a list") };
    assert!(
        again.stdout.lines().any(|line| line.starts_with("flights") && line.contains(" 1 ")),
        "{}",
        again.stdout
    );
    same_rows("flights", flights, expected);
}

#[test]
fn every_real_csv_file_arrives_whole() {
    let world = World::new();
    world.folder("out");
    let folder = data("").canonicalize().unwrap();
    world.file(
        "sync.toml",
        format!(
            r#"
sync = 1
name = "csv"
[source]
connector = "components/files.wasm"
config = {{ path = "/data/*.csv" }}
[source.grants.directories.data]
path = "{}"
[destination]
connector = "components/files.wasm"
config = {{ directory = "/out" }}
grants = {{ directories = {{ out = {{ path = "out", access = "write" }} }} }}
"#,
            folder.display()
        ),
    );
    world.run(&["run", "sync.toml"]).succeeded();
    let mut files = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "csv") {
            continue;
        }
        files += 1;
        let stream = path.file_stem().unwrap().to_str().unwrap();
        let rows = in_order(&world, stream);
        let expected = read_csv(&path);
        assert_eq!(rows.len(), expected.len(), "rows of `{stream}`");
        for (row, expected) in rows.iter().zip(&expected) {
            same_cells(stream, row.as_object().unwrap(), expected.as_object().unwrap());
        }
    }
    assert!(files >= 20, "{files} files");
    assert_eq!(fs::read_dir(world.path("out")).unwrap().filter(is_published).count(), files);
}

fn is_published(entry: &std::io::Result<fs::DirEntry>) -> bool {
    !entry.as_ref().unwrap().file_name().to_str().unwrap().starts_with('.')
}

/// The rows of a stream's one file as they stand in it.
fn in_order(world: &World, stream: &str) -> Vec<Value> {
    let text = world.read(&format!("out/{stream}-000001.jsonl"));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Each cell says what the text said, as the type that was found for its column.
#[track_caller]
fn same_cells(stream: &str, row: &Map<String, Value>, expected: &Map<String, Value>) {
    assert!(row.keys().eq(expected.keys()), "`{stream}`: {row:?} {expected:?}");
    for (name, text) in expected {
        let text = text.as_str().unwrap();
        let same = match &row[name] {
            Value::Null => text.is_empty(),
            Value::Bool(value) => text.eq_ignore_ascii_case(&value.to_string()),
            Value::Number(value) => text.trim().parse().ok() == value.as_f64(),
            // Moments are written in one form only.
            Value::String(value) => {
                value == text || value.starts_with(&text.replace([' ', '/'], "T").replace('Z', ""))
            }
            _ => false,
        };
        assert!(same, "`{stream}`, `{name}`: {} from `{text}`", row[name]);
    }
}
