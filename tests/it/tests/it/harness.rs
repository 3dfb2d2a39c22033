//! What the tests are made of: one engine a process, guests by name, connections that are granted nothing.

use pipeline::connector::{Reader, Source as _};
use pipeline::failure::Failure;
use pipeline::model::{OpenRead, PageBudget, Selection, Step, StreamSchema};
use runtime::{Component, Connection, Grants, Level, Limits, LogSink, Runtime, Settings, Source};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

/// The engine of this process.
pub(crate) fn runtime() -> Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    let start = || Runtime::new(Settings::new(target().join("it-cache"))).expect("the engine starts");
    RUNTIME.get_or_init(start).clone()
}

pub(crate) fn target() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target")
}

/// The bytes of a guest that `cargo xtask guests` built.
pub(crate) fn guest_bytes(name: &str) -> Vec<u8> {
    let path = target().join("components").join(format!("{name}.wasm"));
    std::fs::read(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; run `cargo xtask guests`", path.display()))
}

pub(crate) async fn guest(name: &str) -> Component {
    runtime().load(guest_bytes(name)).await.unwrap_or_else(|error| panic!("{name}: {error}"))
}

pub(crate) fn name_of_thread() -> String {
    std::thread::current().name().unwrap_or_default().to_owned()
}

/// Log lines in memory.
#[derive(Default)]
pub(crate) struct Lines(Mutex<Vec<String>>);

impl LogSink for Lines {
    fn line(&self, _connector: &str, level: Level, _target: &str, text: &str) {
        self.0.lock().unwrap().push(format!("{level:?} {text}"));
    }
}

impl Lines {
    pub(crate) fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

/// The hostile guest with one attack, and everything that is seen of it.
pub(crate) struct Hostile {
    pub(crate) connection: Connection,
    pub(crate) source: Source,
    pub(crate) lines: Arc<Lines>,
}

pub(crate) async fn hostile(attack: &str, at: &str, limits: Limits) -> Hostile {
    hostile_with(attack, at, Grants { limits, ..Grants::none() }).await
}

pub(crate) async fn hostile_with(attack: &str, at: &str, grants: Grants) -> Hostile {
    let lines = Arc::new(Lines::default());
    let grants = Grants { logs: lines.clone(), ..grants };
    let config = json!({ "attack": attack, "at": at });
    let connection = Connection::new(guest("hostile").await, &config, grants).unwrap();
    let source = Source::new(connection.clone()).unwrap();
    Hostile { connection, source, lines }
}

impl Hostile {
    /// Open the one stream and call `next` until the end, at most `calls` times.
    pub(crate) async fn read(&self, calls: usize) -> Result<Vec<Step>, Failure> {
        let mut reader = open(&self.source).await?;
        let mut steps = Vec::new();
        for _ in 0..calls {
            let step = reader.next(budget()).await?;
            let end = step == Step::End;
            steps.push(step);
            if end {
                break;
            }
        }
        Ok(steps)
    }
}

/// A call that waits, so that long ones have another one to make room for, until this is dropped.
pub(crate) struct Waiting(tokio::task::JoinHandle<()>);

impl Waiting {
    pub(crate) async fn begin() -> Self {
        let guest = hostile("sleep", "next", Limits::defaults()).await;
        Self(tokio::spawn(async move { drop(guest.read(1).await) }))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.abort();
    }
}

pub(crate) async fn open(source: &Source) -> Result<Box<dyn Reader>, Failure> {
    source.open(read_of(schema_of("rows"))).await
}

/// Read all of one stream from its start.
pub(crate) fn read_of(schema: StreamSchema) -> OpenRead {
    let selection = Selection { stream: schema.stream.clone(), ..Selection::default() };
    OpenRead {
        group: schema.stream.clone(),
        selections: vec![selection],
        schemas: vec![schema],
        checkpoint: None,
    }
}

/// The schema of the hostile guest's stream.
pub(crate) fn schema_of(stream: &str) -> StreamSchema {
    use pipeline::model::{DataType, Field, Layout, Operations, Schema};
    let field = |name: &str, data_type| Field {
        name: name.into(),
        data_type,
        nullable: true,
        logical_type: None,
        description: None,
    };
    let fields = vec![field("number", DataType::Int64), field("text", DataType::Text)];
    StreamSchema {
        stream: stream.into(),
        version: 1,
        schema: Schema { fields, additional_fields: false },
        keys: Vec::new(),
        operations: Operations { insert: true, ..Operations::default() },
        layout: Layout::Columns,
    }
}

pub(crate) fn budget() -> PageBudget {
    PageBudget { max_rows: 1_000, max_bytes: 1 << 20, deadline_ms: 30_000 }
}

/// Tight limits, so that an attack ends soon.
pub(crate) fn tight() -> Limits {
    Limits {
        memory_bytes: 128 << 20,
        cpu_ms: 1_000,
        call_ms: 60_000,
        host_call_ms: 200,
        log_lines: 100,
        log_bytes: 1 << 20,
        handles: 100,
        ..Limits::defaults()
    }
}

/// Ten rows come out of a fresh instance in the same process: the oracle of each attack.
pub(crate) async fn neighbour_works() {
    let neighbour = hostile("behave", "next", Limits::defaults()).await;
    let steps = neighbour.read(10).await.expect("the neighbour reads");
    let rows: u32 = steps.iter().map(rows_of).sum();
    assert_eq!(rows, 10);
}

fn rows_of(step: &Step) -> u32 {
    match step {
        Step::Page(page) => page.batches.iter().map(pipeline::model::Batch::row_count).sum(),
        _ => 0,
    }
}

/// Look again and again until it holds, for at most a minute.
pub(crate) async fn eventually(what: &str, holds: impl Fn() -> bool) {
    assert!(within(std::time::Duration::from_secs(60), holds).await, "never came true: {what}");
}

/// Look again and again until it holds, for at most so long.
pub(crate) async fn within(bound: std::time::Duration, holds: impl Fn() -> bool) -> bool {
    let wait = async {
        while !holds() {
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(bound, wait).await.is_ok()
}
