//! The sandbox tax: the same source and sink, as libraries and as components behind the runtime's ports.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use cofferdam_sdk::{
    Budget, Destination as _, Incoming, Mode, OpenRead, OpenWrite, Reader as _, Source as _, Step,
    StreamPlan, Writer as _,
};
use pipeline::connector::{Reader, Writer};
use pipeline::model;
use serde_json::{Value, json};

use crate::clock::{Took, Watch};
use crate::house::{House, Lines, budget, grants, told};
use crate::measured::Pair;
use crate::report::{Goal, Report};

const STREAM: &str = "bench";
const REPETITIONS: usize = 9;
const MILLION: f64 = 1e6;

/// One way to lay out and cut the rows.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Shape {
    /// JSON lines instead of columns.
    #[arg(long)]
    pub(crate) json_lines: bool,
    /// Rows of one page.
    #[arg(long, default_value_t = 1000)]
    pub(crate) page_rows: u32,
    /// Rows of one repetition.
    #[arg(long, default_value_t = 1_000_000)]
    pub(crate) rows: u64,
}

impl Shape {
    /// Both layouts, 1,000 and 10,000 rows a page; about a quarter of a second each.
    pub(crate) fn all() -> [Self; 4] {
        let shape = |json_lines, page_rows, rows| Self { json_lines, page_rows, rows };
        [
            shape(false, 1_000, 600_000),
            shape(false, 10_000, 600_000),
            shape(true, 1_000, 150_000),
            shape(true, 10_000, 150_000),
        ]
    }

    pub(crate) fn config(self) -> Value {
        let layout = if self.json_lines { "json-lines" } else { "columns" };
        json!({
            "layout": layout,
            "streams": [{ "name": STREAM, "rows": self.rows, "columns": "bench10" }],
        })
    }

    pub(crate) fn name(self) -> String {
        let layout = if self.json_lines { "JSON lines" } else { "columns" };
        format!("{layout}, {} rows a page", self.page_rows)
    }

    fn goal(self) -> Goal {
        Goal::RatioAtLeast(if self.json_lines { 0.5 } else { 0.6 })
    }
}

pub(crate) fn run(house: &House, simd: Option<&Path>, report: &mut Report) -> Result<()> {
    for shape in Shape::all() {
        let pair = Pair::of(REPETITIONS, || sandboxed(house, &house.components, shape), || native(shape))?;
        let what = format!("sandbox tax, {}", shape.name());
        report.add(pair.row(&what, shape.rows as f64 / MILLION, "M rows/s", shape.goal()));
        let (low, high) = pair.spread();
        let cpu = pair.cpu_ratio();
        report.note(format!(
            "{what}: ratio by processor time {cpu:.2}; repetitions between {low:.2} and {high:.2}."
        ));
    }
    let Some(simd) = simd else { return Ok(()) };
    for shape in Shape::all() {
        let (ours, plain) = (|| sandboxed(house, simd, shape), || sandboxed(house, &house.components, shape));
        let pair = Pair::of(REPETITIONS, ours, plain)?;
        let what = format!("guests with `+simd128` beside guests without, {}", shape.name());
        report.add(pair.row(what, shape.rows as f64 / MILLION, "M rows/s", Goal::None));
    }
    Ok(())
}

/// The libraries, without any host between them.
fn native(shape: Shape) -> Result<Took> {
    let mut source = NativeSource::open(shape)?;
    let mut sink = NativeSink::open(&source.schema)?;
    let watch = Watch::start()?;
    let mut number = 0;
    while let Some(batches) = source.next()? {
        for batch in batches {
            sink.write(number, batch)?;
            number += 1;
        }
    }
    let took = watch.stop()?;
    ensure!(sink.rows() == shape.rows, "the native sink has {} rows of {}", sink.rows(), shape.rows);
    Ok(took)
}

/// The source as a library.
pub(crate) struct NativeSource {
    reader: faker::FakerReader,
    shape: Shape,
    pub(crate) schema: cofferdam_sdk::StreamSchema,
}

impl NativeSource {
    pub(crate) fn open(shape: Shape) -> Result<Self> {
        let config: faker::Config = serde_json::from_value(shape.config())?;
        let stream = faker::Faker::discover(&config)?.streams.into_iter().next().context("no stream")?;
        let reader = faker::Faker::open(config, OpenRead::group(STREAM))?;
        Ok(Self { reader, shape, schema: stream.schema })
    }

    pub(crate) fn next(&mut self) -> Result<Option<Vec<cofferdam_sdk::Batch>>> {
        let model::PageBudget { max_rows, max_bytes, deadline_ms } = budget(self.shape.page_rows);
        let time = Duration::from_millis(deadline_ms.into());
        match self.reader.next(&Budget::new(max_rows as usize, max_bytes as usize, time))? {
            Step::Page(page) => Ok(Some(page.batches)),
            Step::End => Ok(None),
            other => bail!("the source answers {other:?}"),
        }
    }
}

/// The sink as a library.
pub(crate) struct NativeSink {
    writer: null::NullWriter,
    schema: cofferdam_sdk::StreamSchema,
}

impl NativeSink {
    pub(crate) fn open(schema: &cofferdam_sdk::StreamSchema) -> Result<Self> {
        let write = OpenWrite { unit: STREAM.to_owned(), fence: Some(1) };
        let mut writer = null::Null::open(null::Config::default(), write)?;
        let plan = StreamPlan { schema: schema.clone(), mode: Mode::Append, generation: 1 };
        writer.prepare(&[plan], false)?;
        Ok(Self { writer, schema: schema.clone() })
    }

    pub(crate) fn write(&mut self, number: u64, batch: cofferdam_sdk::Batch) -> Result<()> {
        self.writer.write(number, Incoming { schema: &self.schema, batch })?;
        Ok(())
    }

    pub(crate) fn rows(&self) -> u64 {
        self.writer.totals().values().map(null::Totals::row_count).sum()
    }
}

/// Two instances, each call through the ports.
fn sandboxed(house: &House, components: &Path, shape: Shape) -> Result<Took> {
    let lines = Arc::new(Lines::default());
    let faker = house.component(components, "faker")?;
    let (source, schema) = house.source(faker, &shape.config(), grants(Arc::default()))?;
    let mut reader = house.reader(&source, &schema)?;
    let null = house.component(components, "null")?;
    let mut writer = house.writer(null, &json!({}), &schema, lines.clone())?;
    let watch = Watch::start()?;
    let pages = house.tokio.block_on(pump(&mut *reader, &mut *writer, shape.page_rows))?;
    let took = watch.stop()?;
    ensure!(
        pages == shape.rows / u64::from(shape.page_rows),
        "{pages} pages: they are not of the size asked for"
    );
    house.tokio.block_on(writer.commit("token".into(), true)).map_err(told)?;
    ensure!(lines.contain(&format!("`{STREAM}`: {} rows", shape.rows)), "the sandboxed sink lacks rows");
    Ok(took)
}

/// Move all pages.
pub(crate) async fn pump(reader: &mut dyn Reader, writer: &mut dyn Writer, rows: u32) -> Result<u64> {
    let mut number = 0;
    loop {
        match reader.next(budget(rows)).await.map_err(told)? {
            model::Step::Page(page) => {
                for batch in page.batches {
                    writer.write(number, Arc::new(batch)).await.map_err(told)?;
                    number += 1;
                }
            }
            model::Step::End => return Ok(number),
            other => bail!("the source answers {other:?}"),
        }
    }
}

/// What a profiler is to look at.
#[derive(clap::Args)]
pub(crate) struct Profile {
    #[arg(long)]
    components: PathBuf,
    #[arg(long, default_value_t = 10)]
    repetitions: u32,
    #[command(flatten)]
    shape: Shape,
}

pub(crate) fn profile(arguments: &Profile) -> Result<()> {
    let house = House::open(&arguments.components)?;
    for _ in 0..arguments.repetitions {
        sandboxed(&house, &arguments.components, arguments.shape)?;
    }
    Ok(())
}
