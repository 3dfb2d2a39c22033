//! One engine for all benchmarks, and connectors opened through the runtime's ports, with every limit on.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, anyhow};
use pipeline::connector::{Destination as _, Reader, Source as _, Writer};
use pipeline::failure::Failure;
use pipeline::model::{Mode, OpenRead, PageBudget, Selection, StreamPlan, StreamSchema};
use runtime::{
    Component, Connection, Destination, Grants, Level, Limits, LogSink, Runtime, Settings, Source,
};
use serde_json::Value;

/// The engine, and the threads of the host.
pub(crate) struct House {
    pub(crate) tokio: tokio::runtime::Runtime,
    pub(crate) runtime: Runtime,
    pub(crate) components: PathBuf,
    /// The cache of compiled code lives here; removed with the house.
    _directory: tempfile::TempDir,
}

impl House {
    pub(crate) fn open(components: &Path) -> Result<Self> {
        Self::with(components, |_| {})
    }

    pub(crate) fn with(components: &Path, change: impl FnOnce(&mut Settings)) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let mut settings = Settings::new(directory.path().join("cache"));
        change(&mut settings);
        let tokio = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let runtime = Runtime::new(settings)?;
        Ok(Self { tokio, runtime, components: components.to_owned(), _directory: directory })
    }

    pub(crate) fn component(&self, directory: &Path, name: &str) -> Result<Component> {
        let path = directory.join(format!("{name}.wasm"));
        let bytes = std::fs::read(&path).with_context(|| format!("failed to read `{}`", path.display()))?;
        Ok(self.tokio.block_on(self.runtime.load(bytes))?)
    }

    /// A source with its one stream.
    pub(crate) fn source(
        &self,
        component: Component,
        config: &Value,
        grants: Grants,
    ) -> Result<(Source, StreamSchema)> {
        self.tokio.block_on(async {
            let source = Source::new(Connection::new(component, config, grants)?)?;
            let catalog = source.discover().await.map_err(told)?;
            let stream = catalog.streams.into_iter().next().context("the source has no stream")?;
            Ok((source, stream.schema))
        })
    }

    /// A fresh reader of that stream.
    pub(crate) fn reader(&self, source: &Source, schema: &StreamSchema) -> Result<Box<dyn Reader>> {
        self.tokio.block_on(async { source.open(read_of(schema)).await.map_err(told) })
    }

    /// A fresh writer that expects that stream.
    pub(crate) fn writer(
        &self,
        component: Component,
        config: &Value,
        schema: &StreamSchema,
        logs: Arc<Lines>,
    ) -> Result<Box<dyn Writer>> {
        self.tokio.block_on(async {
            let destination = Destination::new(Connection::new(component, config, grants(logs))?)?;
            let mut writer = destination.open("bench".into(), Some(1)).await.map_err(told)?;
            let plan = StreamPlan { schema: schema.clone(), mode: Mode::Append, generation: 1 };
            writer.prepare(vec![plan], false).await.map_err(told)?;
            Ok(writer)
        })
    }
}

/// All of one stream from its start.
pub(crate) fn read_of(schema: &StreamSchema) -> OpenRead {
    let selection = Selection { stream: schema.stream.clone(), ..Selection::default() };
    let (selections, schemas) = (vec![selection], vec![schema.clone()]);
    OpenRead { group: schema.stream.clone(), selections, schemas, checkpoint: None }
}

/// The largest page that the default limits allow, of so many rows.
pub(crate) fn budget(rows: u32) -> PageBudget {
    PageBudget { max_rows: rows, max_bytes: 8 << 20, deadline_ms: 30_000 }
}

/// The default limits and nothing else, but memory for the pages that are made in advance.
pub(crate) fn grants(logs: Arc<Lines>) -> Grants {
    let limits = Limits { memory_bytes: 512 << 20, ..Limits::defaults() };
    Grants { logs, limits, ..Grants::none() }
}

/// A failure with all that is known of it.
pub(crate) fn told(failure: Failure) -> anyhow::Error {
    anyhow!("{failure}\n{}", failure.log_tail.join("\n"))
}

/// Log lines in memory: the sink tells its counts there.
#[derive(Default)]
pub(crate) struct Lines(Mutex<Vec<String>>);

impl LogSink for Lines {
    fn line(&self, _connector: &str, _level: Level, _target: &str, text: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(text.to_owned());
    }
}

impl Lines {
    pub(crate) fn contain(&self, text: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().any(|line| line.contains(text))
    }
}
