//! What it costs that connectors run in a worker: the same rows and requests through the same ports, in this process and over
//! the socket to another one; and the same run of the program, with and without a worker.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use pipeline::connector::{Destination, Source};
use pipeline::model::{Mode, Step, StreamPlan, StreamSchema};
use runtime::Grants;
use serde_json::{Value, json};
use worker::{Compiler, Crew, Loaded, Passing, Program};

use crate::child::usage_of;
use crate::clock::{Took, Watch};
use crate::house::{House, Lines, budget, grants, read_of, told};
use crate::http_out::{self, REQUESTS};
use crate::measured::Pair;
use crate::report::{Goal, Report};
use crate::small_run::run_line;
use crate::tax::{Shape, pump};
use crate::upstream::Upstream;

const REPETITIONS: usize = 7;
const MILLION: f64 = 1e6;
/// By which this program becomes a worker.
pub(crate) const WORKER: &str = "worker";

/// Of whole runs, which begin with processes and engines.
const RUN_ROWS: u64 = 3_000_000;
const RUN_REPETITIONS: usize = 3;

/// Where connectors run.
enum Place<'a> {
    Here,
    There(&'a Crew),
}

pub(crate) fn run(house: &House, program: &Path, report: &mut Report) -> Result<()> {
    // A worker's connection begins with tasks.
    let _entered = house.tokio.enter();
    let own = Program { file: PathBuf::from("/proc/self/exe"), arguments: vec![WORKER.into()] };
    let compiler = Compiler::new(house.runtime.clone(), own, Compiler::MEMORY_BYTES);
    let crew = Crew::new(compiler, Arc::<Passing>::default())?;
    for json_lines in [false, true] {
        for page_rows in [1_000, 10_000] {
            let rows = if json_lines { 150_000 } else { 600_000 };
            let shape = Shape { json_lines, page_rows, rows };
            rows_across(house, &crew, shape, report)?;
        }
    }
    let server = Upstream::answering(http_out::BODY)?;
    for in_flight in [1, 16] {
        let (here, there) = (
            Getter::open(house, &Place::Here, &server, in_flight)?,
            Getter::open(house, &Place::There(&crew), &server, in_flight)?,
        );
        let pair = Pair::of(REPETITIONS, || there.send(house, &server), || here.send(house, &server))?;
        let what = format!("GETs of 2 kB from a worker beside in process, {in_flight} in flight");
        report.add(pair.row(what, REQUESTS as f64 / 1e3, "k requests/s", Goal::None));
    }
    for page_rows in [1_000, 10_000] {
        whole_run(house, program, page_rows, report)?;
    }
    Ok(())
}

fn rows_across(house: &House, crew: &Crew, shape: Shape, report: &mut Report) -> Result<()> {
    let pair = Pair::of(
        REPETITIONS,
        || moved(house, &Place::There(crew), shape),
        || moved(house, &Place::Here, shape),
    )?;
    let what = format!("rows through a worker beside in process, one page after the other, {}", shape.name());
    report.add(pair.row(&what, shape.rows as f64 / MILLION, "M rows/s", Goal::None));
    let (low, high) = pair.spread();
    report.note(format!("{what}: repetitions between {low:.2} and {high:.2}."));
    Ok(())
}

impl Place<'_> {
    fn source(&self, house: &House, name: &str, config: &Value, grants: Grants) -> Result<Arc<dyn Source>> {
        Ok(match self {
            Self::Here => {
                let component = house.component(&house.components, name)?;
                Arc::new(runtime::Source::new(runtime::Connection::new(component, config, grants)?)?)
            }
            Self::There(crew) => Arc::new(worker::Source::new(worker::Connection::new(
                crew,
                loaded(house, name)?,
                config,
                grants,
            ))?),
        })
    }

    fn destination(
        &self,
        house: &House,
        name: &str,
        config: &Value,
        grants: Grants,
    ) -> Result<Arc<dyn Destination>> {
        Ok(match self {
            Self::Here => {
                let component = house.component(&house.components, name)?;
                Arc::new(runtime::Destination::new(runtime::Connection::new(component, config, grants)?)?)
            }
            Self::There(crew) => Arc::new(worker::Destination::new(worker::Connection::new(
                crew,
                loaded(house, name)?,
                config,
                grants,
            ))?),
        })
    }
}

fn loaded(house: &House, name: &str) -> Result<Loaded> {
    let bytes = std::fs::read(house.components.join(format!("{name}.wasm")))?;
    Ok(Loaded::new(runtime::Inspection::of(&bytes)?, bytes))
}

async fn only_stream(source: &dyn Source) -> Result<StreamSchema> {
    let catalog = source.discover().await.map_err(told)?;
    Ok(catalog.streams.into_iter().next().context("the source has no stream")?.schema)
}

/// As the sandbox tax is measured: nothing is read while something is written.
fn moved(house: &House, place: &Place<'_>, shape: Shape) -> Result<Took> {
    let lines = Arc::new(Lines::default());
    let source = place.source(house, "faker", &shape.config(), grants(Arc::default()))?;
    let sink = place.destination(house, "null", &json!({}), grants(lines.clone()))?;
    house.tokio.block_on(async {
        let schema = only_stream(&*source).await?;
        let mut reader = source.open(read_of(&schema)).await.map_err(told)?;
        let mut writer = sink.open("bench".into(), Some(1)).await.map_err(told)?;
        let stream = schema.stream.clone();
        let plan = StreamPlan { schema, mode: Mode::Append, generation: 1 };
        writer.prepare(vec![plan], false).await.map_err(told)?;
        let watch = Watch::start()?;
        pump(&mut *reader, &mut *writer, shape.page_rows).await?;
        let took = watch.stop()?;
        writer.commit("token".into(), true).await.map_err(told)?;
        ensure!(lines.contain(&format!("`{stream}`: {} rows", shape.rows)), "the sink lacks rows");
        Ok(took)
    })
}

/// A guest that sends requests, in either place.
struct Getter {
    source: Arc<dyn Source>,
    schema: StreamSchema,
}

impl Getter {
    fn open(house: &House, place: &Place<'_>, server: &Upstream, in_flight: usize) -> Result<Self> {
        let grants = http_out::grants(server, Arc::default())?;
        let source = place.source(house, "measured", &http_out::config(server, in_flight), grants)?;
        let schema = house.tokio.block_on(only_stream(&*source))?;
        Ok(Self { source, schema })
    }

    fn send(&self, house: &House, server: &Upstream) -> Result<Took> {
        let mut reader = house.tokio.block_on(self.source.open(read_of(&self.schema))).map_err(told)?;
        server.expecting(REQUESTS, || {
            let watch = Watch::start()?;
            let step = house.tokio.block_on(reader.next(budget(1_000))).map_err(told)?;
            let took = watch.stop()?;
            ensure!(matches!(step, Step::Page(_)), "the guest gave no page");
            Ok(took)
        })
    }
}

/// As people run it: reading and writing go on at one time.
fn whole_run(house: &House, program: &Path, page_rows: u32, report: &mut Report) -> Result<()> {
    let directory = tempfile::tempdir()?;
    let sync = directory.path().join("sync.toml");
    let components = std::fs::canonicalize(&house.components)?;
    let text = format!(
        "sync = 1\nname = \"hop\"\n[source]\nconnector = \"{0}/faker.wasm\"\n[source.config]\n\
         page_rows = {page_rows}\nstreams = [{{ name = \"bench\", rows = {RUN_ROWS}, columns = \"bench10\" }}]\n\
         [destination]\nconnector = \"{0}/null.wasm\"\n",
        components.display()
    );
    std::fs::write(&sync, text)?;
    let mut number = 0;
    let mut once = |more: Option<&str>| -> Result<Took> {
        number += 1;
        let data = directory.path().join(number.to_string());
        let mut line = run_line(program, &sync, &data, &directory.path().join("cache"));
        line.extend(more.map(Into::into));
        let usage = usage_of(&line)?;
        let time = |ms: f64| Duration::from_secs_f64(ms / 1e3);
        Ok(Took { wall: time(usage.wall_ms), cpu: time(usage.cpu_ms) })
    };
    let mut there = Vec::new();
    let mut here = Vec::new();
    for repetition in 0..=RUN_REPETITIONS {
        let both = (once(Some("--worker"))?, once(None)?);
        // The first compiles.
        if repetition > 0 {
            there.push(both.0);
            here.push(both.1);
        }
    }
    let pair = Pair::from((there, here));
    let what = format!("a whole `run --worker` beside `run`, columns, {page_rows} rows a page");
    report.add(pair.row(&what, RUN_ROWS as f64 / MILLION, "M rows/s", Goal::None));
    report.note(format!(
        "{what}: ratio by processor time, that of the worker included, {:.2}.",
        pair.cpu_ratio()
    ));
    Ok(())
}
