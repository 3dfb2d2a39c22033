//! Every rule of the contract, proved with a guest in the sandbox and through the runtime's ports: one file a family.
//!
//! The guest `proof` does what its configuration says and tells in log lines what it was asked.

mod destination;
mod documented;
mod durable;
mod errors;
mod groups;
mod lines;
mod pages;
mod pushdown;
mod stop;
mod transform;
mod values;
mod version;
mod webhook;

use crate::harness::{Lines, guest};
use pipeline::connector::{Destination as _, Reader, Source as _, Transform as _, Transformer, Writer};
use pipeline::failure::Failure;
use pipeline::model::{Batch, OpenRead, Page, Selection, Step, StreamPlan, StreamSchema};
use runtime::{Connection, Destination, Directory, Grants, Source, Stop, Transform, Webhook};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;

/// A guest with one configuration, and all that it says.
pub(crate) struct Proof {
    pub(crate) connection: Connection,
    pub(crate) lines: Arc<Lines>,
}

impl Proof {
    pub(crate) async fn new(config: Value) -> Self {
        Self::of("proof", config, Grants::none()).await
    }

    pub(crate) async fn stoppable(config: Value, stop: Stop) -> Self {
        Self::of("proof", config, Grants { stop, ..Grants::none() }).await
    }

    /// It sees this directory as `/data` and may write there.
    pub(crate) async fn in_directory(name: &str, config: Value, path: &Path) -> Self {
        let data = Directory { name: "data".into(), path: path.to_owned(), writable: true, root: None };
        Self::of(name, config, Grants { directories: vec![data], ..Grants::none() }).await
    }

    pub(crate) async fn of(name: &str, config: Value, grants: Grants) -> Self {
        let lines = Arc::new(Lines::default());
        let grants = Grants { logs: lines.clone(), ..grants };
        Self { connection: Connection::new(guest(name).await, &config, grants).unwrap(), lines }
    }

    pub(crate) fn source(&self) -> Source {
        Source::new(self.connection.clone()).unwrap()
    }

    pub(crate) fn destination(&self) -> Destination {
        Destination::new(self.connection.clone()).unwrap()
    }

    pub(crate) fn transform(&self) -> Transform {
        Transform::new(self.connection.clone()).unwrap()
    }

    pub(crate) fn webhook(&self) -> Webhook {
        Webhook::new(self.connection.clone()).unwrap()
    }

    /// What was said since the start, without the level.
    pub(crate) fn said(&self) -> Vec<String> {
        let lines = self.lines.all().into_iter();
        lines.map(|line| line.strip_prefix("Info ").map_or(line.clone(), ToOwned::to_owned)).collect()
    }

    /// What was said and begins with this word.
    pub(crate) fn said_of(&self, word: &str) -> Vec<String> {
        self.said().into_iter().filter(|line| line.starts_with(word)).collect()
    }

    /// The schema of a stream, as `discover` tells it.
    pub(crate) async fn schema(&self, stream: &str) -> StreamSchema {
        let catalog = self.source().discover().await.unwrap();
        let found = catalog.streams.into_iter().find(|info| info.schema.stream == stream);
        found.expect("the stream is in the catalog").schema
    }

    /// A reader of all of these streams.
    pub(crate) async fn reader(&self, group: &str, streams: &[&str]) -> Box<dyn Reader> {
        let mut schemas = Vec::new();
        for stream in streams {
            schemas.push(self.schema(stream).await);
        }
        self.source().open(all_of(group, schemas)).await.unwrap()
    }

    pub(crate) async fn writer(&self, fence: Option<u64>) -> Box<dyn Writer> {
        self.destination().open("unit".into(), fence).await.unwrap()
    }

    pub(crate) async fn transformer(&self, inputs: Vec<StreamSchema>) -> Box<dyn Transformer> {
        let plan = self.transform().plan(inputs.clone()).await.unwrap();
        self.transform().open(inputs, plan.outputs).await.unwrap()
    }
}

/// A source that answers `next` with these steps.
pub(crate) async fn scripted(steps: Value) -> Proof {
    Proof::new(json!({ "steps": steps })).await
}

/// All of these streams, from the start.
pub(crate) fn all_of(group: &str, schemas: Vec<StreamSchema>) -> OpenRead {
    let select = |schema: &StreamSchema| Selection { stream: schema.stream.clone(), ..Selection::default() };
    OpenRead {
        group: group.into(),
        selections: schemas.iter().map(select).collect(),
        schemas,
        checkpoint: None,
    }
}

/// The next step, which must be a page.
pub(crate) async fn next_page(reader: &mut Box<dyn Reader>) -> Page {
    match reader.next(crate::harness::budget()).await.unwrap() {
        Step::Page(page) => page,
        other => panic!("no page: {other:?}"),
    }
}

/// The only batch of the next page.
pub(crate) async fn next_batch(reader: &mut Box<dyn Reader>) -> Batch {
    let mut page = next_page(reader).await;
    assert_eq!(page.batches.len(), 1);
    page.batches.remove(0)
}

/// A plan that appends.
pub(crate) fn append(schema: StreamSchema) -> StreamPlan {
    StreamPlan { schema, mode: pipeline::model::Mode::Append, generation: 0 }
}

/// Every bit of it: the JSON of a batch carries floats by their bits, so that NaN equals NaN.
pub(crate) fn bits(batch: &Batch) -> Value {
    serde_json::to_value(batch).unwrap()
}

/// The failure of what must fail.
pub(crate) fn failed<T>(result: Result<T, Failure>) -> Failure {
    match result {
        Ok(_) => panic!("it succeeded"),
        Err(failure) => failure,
    }
}
