//! Where the time of a page goes: the source alone, the sink alone, an empty call, the judging of a page.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Result, ensure};
use pipeline::connector::{Reader, Writer};
use pipeline::model::{self, Page, Step};
use pipeline::validate::{self, PageContext};
use serde_json::json;

use crate::clock::{Took, Watch, percentile};
use crate::house::{House, budget, grants, told};
use crate::measured::Pair;
use crate::report::{Goal, Report, Row};
use crate::tax::{NativeSink, NativeSource, Shape};

const REPETITIONS: usize = 7;
const CALLS: usize = 5_000;
const MILLION: f64 = 1e6;

pub(crate) fn run(house: &House, report: &mut Report) -> Result<()> {
    empty_call(house, report)?;
    for shape in Shape::all() {
        let rows = shape.rows as f64 / MILLION;
        let source = Pair::of(REPETITIONS, || sandboxed_source(house, shape), || native_source(shape))?;
        report.add(source.row(format!("source alone, {}", shape.name()), rows, "M rows/s", Goal::None));
        let pages = pages(house, shape)?;
        let sink = Pair::of(REPETITIONS, || sandboxed_sink(house, shape, &pages), || native_sink(shape))?;
        report.add(sink.row(format!("sink alone, {}", shape.name()), rows, "M rows/s", Goal::None));
        judging(house, shape, &pages, report)?;
    }
    Ok(())
}

/// A call that does nothing: the way to a guest's thread and back, and all that the host sets up around a call.
fn empty_call(house: &House, report: &mut Report) -> Result<()> {
    let shape = Shape { json_lines: false, page_rows: 1, rows: 1 };
    let faker = house.component(&house.components, "faker")?;
    let (_, schema) = house.source(faker, &shape.config(), grants(Arc::default()))?;
    let null = house.component(&house.components, "null")?;
    let mut writer = house.writer(null, &json!({}), &schema, Arc::default())?;
    let took = house.tokio.block_on(async {
        let mut took = Vec::with_capacity(CALLS);
        for _ in 0..CALLS {
            let began = Instant::now();
            writer.capabilities().await.map_err(told)?;
            took.push(began.elapsed().as_secs_f64() * MILLION);
        }
        anyhow::Ok(took)
    })?;
    for percent in [50, 99] {
        report.add(Row {
            what: format!("empty call through a port, p{percent}"),
            unit: "µs",
            ours: percentile(took.iter().copied(), percent),
            reference: None,
            ratio: None,
            goal: Goal::None,
        });
    }
    Ok(())
}

fn open_reader(house: &House, shape: Shape) -> Result<Box<dyn Reader>> {
    let faker = house.component(&house.components, "faker")?;
    let (source, schema) = house.source(faker, &shape.config(), grants(Arc::default()))?;
    house.reader(&source, &schema)
}

fn sandboxed_source(house: &House, shape: Shape) -> Result<Took> {
    let mut reader = open_reader(house, shape)?;
    let watch = Watch::start()?;
    let rows = house.tokio.block_on(async {
        let mut rows = 0;
        while let Step::Page(page) = reader.next(budget(shape.page_rows)).await.map_err(told)? {
            rows += page.batches.iter().map(|batch| u64::from(batch.row_count())).sum::<u64>();
        }
        anyhow::Ok(rows)
    })?;
    ensure!(rows == shape.rows, "{rows} rows instead of {}", shape.rows);
    watch.stop()
}

fn native_source(shape: Shape) -> Result<Took> {
    let mut source = NativeSource::open(shape)?;
    let watch = Watch::start()?;
    let mut rows = 0;
    while let Some(batches) = source.next()? {
        rows += batches.iter().map(|batch| u64::from(batch.row_count())).sum::<u64>();
    }
    ensure!(rows == shape.rows, "{rows} rows instead of {}", shape.rows);
    watch.stop()
}

/// All pages, read in advance.
fn pages(house: &House, shape: Shape) -> Result<Vec<Page>> {
    let mut reader = open_reader(house, shape)?;
    house.tokio.block_on(async {
        let mut pages = Vec::new();
        while let Step::Page(page) = reader.next(budget(shape.page_rows)).await.map_err(told)? {
            pages.push(page);
        }
        Ok(pages)
    })
}

fn sandboxed_sink(house: &House, shape: Shape, pages: &[Page]) -> Result<Took> {
    let faker = house.component(&house.components, "faker")?;
    let (_, schema) = house.source(faker, &shape.config(), grants(Arc::default()))?;
    let null = house.component(&house.components, "null")?;
    let mut writer = house.writer(null, &json!({}), &schema, Arc::default())?;
    let batches: Vec<Arc<model::Batch>> =
        pages.iter().flat_map(|page| &page.batches).cloned().map(Arc::new).collect();
    let watch = Watch::start()?;
    house.tokio.block_on(write_all(&mut *writer, batches))?;
    watch.stop()
}

async fn write_all(writer: &mut dyn Writer, batches: Vec<Arc<model::Batch>>) -> Result<()> {
    for (number, batch) in (0..).zip(batches) {
        writer.write(number, batch).await.map_err(told)?;
    }
    Ok(())
}

fn native_sink(shape: Shape) -> Result<Took> {
    let mut source = NativeSource::open(shape)?;
    let mut sink = NativeSink::open(&source.schema)?;
    let mut batches = Vec::new();
    while let Some(page) = source.next()? {
        batches.extend(page);
    }
    let watch = Watch::start()?;
    for (number, batch) in (0..).zip(batches) {
        sink.write(number, batch)?;
    }
    let took = watch.stop()?;
    ensure!(sink.rows() == shape.rows, "the native sink has {} rows of {}", sink.rows(), shape.rows);
    Ok(took)
}

/// What the host's look at each page costs.
fn judging(house: &House, shape: Shape, pages: &[Page], report: &mut Report) -> Result<()> {
    let faker = house.component(&house.components, "faker")?;
    let (_, schema) = house.source(faker, &shape.config(), grants(Arc::default()))?;
    let streams = [(schema.stream.clone(), schema)].into();
    let limits = validate::Limits::default();
    let context = PageContext { streams: &streams, budget: budget(shape.page_rows), limits: &limits };
    let mut took = Vec::new();
    for page in pages {
        let began = Instant::now();
        validate::page(black_box(page), &context)?;
        took.push(began.elapsed().as_secs_f64() * MILLION);
    }
    let [ours, whole] = [percentile(took, 50), shape.page_rows.into()];
    report.add(Row {
        what: format!("judging a page, {}", shape.name()),
        unit: "ns a row",
        ours: ours * 1000.0 / whole,
        reference: None,
        ratio: None,
        goal: Goal::None,
    });
    Ok(())
}
