//! Many live instances, in a process of their own so that nothing else counts: what memory and maps they take, and what
//! one more than the system can hold is told.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use clap::ValueEnum;
use pipeline::connector::Source as _;
use serde::{Deserialize, Serialize};

use crate::house::{House, grants, read_of, told};
use crate::instance::{engine, pre, store, told_by_engine};
use crate::report::{Goal, Report, Row};
use crate::tax::Shape;

const LIVE: u32 = 10_000;

/// What the child process does.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    kind: Kind,
    count: u32,
    components: PathBuf,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    /// Instantiated by the engine with the runtime's settings, and never called.
    Idle,
    /// Opened through the runtime's port, which is one call each.
    Called,
}

/// What it found.
#[derive(Serialize, Deserialize)]
struct Held {
    live: u32,
    /// Resident memory before and with the instances, in MiB.
    before_mib: f64,
    with_mib: f64,
    maps_before: usize,
    maps: usize,
    /// Whether they come from the pool, not one by one.
    pooled: bool,
    /// What one more was told.
    refusal: Option<String>,
}

pub(crate) fn run(components: &Path, report: &mut Report) -> Result<()> {
    for (kind, what, mib) in [("idle", "idle", 350.0), ("called", "called once each", 900.0)] {
        let mut child = Command::new(std::env::current_exe()?);
        child.args(["live", kind, &LIVE.to_string()]).arg(components);
        let output = child.output()?;
        if !output.status.success() {
            bail!("holding instances failed: {}", String::from_utf8_lossy(&output.stderr));
        }
        let held: Held = serde_json::from_slice(&output.stdout)?;
        let Held { live, before_mib, with_mib, maps_before, maps, pooled, .. } = held;
        ensure!(pooled, "this system does not give the pool its address space");
        report.add(Row {
            what: format!("resident memory of a process with {live} live instances, {what}"),
            unit: "MiB",
            ours: with_mib,
            reference: None,
            ratio: None,
            goal: Goal::AtMost(mib),
        });
        let each_kib = (with_mib - before_mib) * 1024.0 / f64::from(live);
        report.note(format!(
            "{live} instances, {what}: {each_kib:.0} KiB each over {before_mib:.0} MiB before them; \
             {maps} memory maps, {maps_before} of them there before the first instance."
        ));
        if let Some(refusal) = held.refusal {
            report.note(format!("One instance more is told: {refusal}"));
        }
    }
    Ok(())
}

/// The child's part.
pub(crate) fn hold(arguments: &Arguments) -> Result<()> {
    let held = match arguments.kind {
        Kind::Idle => idle(arguments)?,
        Kind::Called => called(arguments)?,
    };
    println!("{}", serde_json::to_string(&held)?);
    Ok(())
}

fn idle(arguments: &Arguments) -> Result<Held> {
    let engine = engine(arguments.count)?;
    let pre = pre(&engine, &arguments.components.join("faker.wasm"))?;
    let (before_mib, maps_before) = (resident_mib()?, maps()?);
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut stores = Vec::new();
    tokio.block_on(async {
        for _ in 0..arguments.count {
            let mut store = store(&engine);
            pre.instantiate_async(&mut store).await.map_err(told_by_engine)?;
            stores.push(store);
        }
        anyhow::Ok(())
    })?;
    let live = u32::try_from(stores.len())?;
    Ok(Held {
        live,
        before_mib,
        with_mib: resident_mib()?,
        maps_before,
        maps: maps()?,
        pooled: true,
        refusal: None,
    })
}

fn called(arguments: &Arguments) -> Result<Held> {
    let house =
        House::with(&arguments.components, |settings| settings.live_instances = arguments.count as usize)?;
    let shape = Shape { json_lines: false, page_rows: 1, rows: 1 };
    let faker = house.component(&house.components, "faker")?;
    let (source, schema) = house.source(faker, &shape.config(), grants(Arc::default()))?;
    let (before_mib, maps_before) = (resident_mib()?, maps()?);
    let allowed = house.runtime.live_instances();
    let (mut readers, mut refusal) = (Vec::new(), None);
    house.tokio.block_on(async {
        for _ in 0..allowed {
            readers.push(source.open(read_of(&schema)).await.map_err(told)?);
        }
        // One more than may live.
        refusal = source
            .open(read_of(&schema))
            .await
            .err()
            .map(|failure| format!("`{}` {failure}", failure.code()));
        anyhow::Ok(())
    })?;
    ensure!(refusal.is_some(), "one more than {allowed} instances was let in");
    let live = u32::try_from(readers.len())?;
    Ok(Held {
        live,
        before_mib,
        with_mib: resident_mib()?,
        maps_before,
        maps: maps()?,
        pooled: house.runtime.is_pooled(),
        refusal,
    })
}

fn resident_mib() -> Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    let kib: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kib / 1024.0)
}

fn maps() -> Result<usize> {
    Ok(std::fs::read_to_string("/proc/self/maps")?.lines().count())
}
