//! The boundary alone: pages that a guest made in advance, to a sink that does not look at them, beside two copies of the
//! same bytes, which is what must happen: out of one sandbox, into the other.

use std::hint::black_box;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use pipeline::model::Step;
use serde_json::{Value, json};

use crate::clock::{Took, Watch};
use crate::house::{House, Lines, budget, grants, told};
use crate::measured::Pair;
use crate::report::{Goal, Report};
use crate::tax::pump;

const REPETITIONS: usize = 9;
const ROWS: u32 = 400_000;
const GIB: f64 = (1_u64 << 30) as f64;

pub(crate) fn run(house: &House, report: &mut Report) -> Result<()> {
    for json_lines in [false, true] {
        for (rows, goal) in [(1_000, 0.35), (10_000, 0.5)] {
            measure(house, json_lines, rows, goal, report)?;
        }
    }
    Ok(())
}

fn measure(house: &House, json_lines: bool, rows: u32, goal: f64, report: &mut Report) -> Result<()> {
    let pages = ROWS / rows;
    let config = json!({ "rows": rows, "pages": pages, "json_lines": json_lines });
    let page_bytes = page_bytes(house, &config, rows)?;
    let ours = || across(house, &config, rows, pages);
    let pair = Pair::of(REPETITIONS, ours, || two_copies(page_bytes, pages))?;
    let layout = if json_lines { "JSON lines" } else { "columns" };
    let what = format!("boundary alone beside two copies, {layout}, {rows} rows a page");
    let amount = page_bytes as f64 * f64::from(pages) / GIB;
    report.add(pair.row(&what, amount, "GiB/s", Goal::RatioAtLeast(goal)));
    let took_us = pair.ours_seconds() * 1e6 / f64::from(pages);
    report.note(format!("{what}: {page_bytes} bytes a page, {took_us:.0} µs a page."));
    Ok(())
}

fn page_bytes(house: &House, config: &Value, rows: u32) -> Result<usize> {
    let component = house.component(&house.components, "measured")?;
    let (source, schema) = house.source(component, config, grants(Arc::default()))?;
    let mut reader = house.reader(&source, &schema)?;
    let Step::Page(page) = house.tokio.block_on(reader.next(budget(rows))).map_err(told)? else {
        anyhow::bail!("the source has no page");
    };
    let batch = page.batches.first().context("the page is empty")?;
    ensure!(batch.row_count() == rows, "a page of {} rows instead of {rows}", batch.row_count());
    Ok(batch.byte_count())
}

fn across(house: &House, config: &Value, rows: u32, pages: u32) -> Result<Took> {
    let lines = Arc::new(Lines::default());
    let component = house.component(&house.components, "measured")?;
    let (source, schema) = house.source(component, config, grants(Arc::default()))?;
    let mut reader = house.reader(&source, &schema)?;
    let null = house.component(&house.components, "null")?;
    let mut writer = house.writer(null, &json!({ "touch": false }), &schema, lines.clone())?;
    let watch = Watch::start()?;
    let moved = house.tokio.block_on(pump(&mut *reader, &mut *writer, rows))?;
    let took = watch.stop()?;
    house.tokio.block_on(writer.commit("token".into(), true)).map_err(told)?;
    ensure!(moved == u64::from(pages), "{moved} batches instead of {pages}");
    ensure!(lines.contain(&format!("`pages`: {} rows", rows * pages)), "the sink lacks rows");
    Ok(took)
}

/// From as many pages in memory into a fresh buffer, as the host needs one, and from there into a place that stays.
fn two_copies(page_bytes: usize, pages: u32) -> Result<Took> {
    let sources: Vec<Vec<u8>> = (0..pages).map(|page| vec![page as u8; page_bytes]).collect();
    let mut target = vec![0_u8; page_bytes];
    let watch = Watch::start()?;
    for source in &sources {
        let between = black_box(source.clone());
        target.copy_from_slice(&between);
        black_box(&mut target);
    }
    let took = watch.stop()?;
    ensure!(target.last() == sources.last().and_then(|source| source.last()), "the copy is no copy");
    Ok(took)
}
