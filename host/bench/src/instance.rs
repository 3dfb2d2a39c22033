//! A fresh instance: by the engine alone with all that the runtime sets on a store, and through the runtime's ports.

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, anyhow};
use pipeline::connector::Source as _;
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, InstancePre, Linker, ResourceTable};
use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store, StoreLimits,
    StoreLimitsBuilder, UpdateDeadline,
};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use crate::clock::percentile;
use crate::house::{House, grants, read_of, told};
use crate::report::{Goal, Report, Row};
use crate::tax::Shape;

const INSTANCES: usize = 5_000;
const MICRO: f64 = 1e6;

/// What a store holds here: as in the runtime, but for its own imports, which no instantiation calls.
pub(crate) struct State {
    table: ResourceTable,
    wasi: WasiCtx,
    limits: StoreLimits,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

pub(crate) fn run(house: &House, report: &mut Report) -> Result<()> {
    by_the_engine(house, report)?;
    through_the_port(house, report)
}

fn by_the_engine(house: &House, report: &mut Report) -> Result<()> {
    let engine = engine(256)?;
    let pre = pre(&engine, &house.components.join("faker.wasm"))?;
    let (mut fresh, mut whole) = (Vec::new(), Vec::new());
    house.tokio.block_on(async {
        for _ in 0..INSTANCES {
            let began = Instant::now();
            let mut store = store(&engine);
            black_box(pre.instantiate_async(&mut store).await.map_err(told_by_engine)?);
            fresh.push(began.elapsed().as_secs_f64() * MICRO);
            drop(store);
            whole.push(began.elapsed().as_secs_f64() * MICRO);
        }
        anyhow::Ok(())
    })?;
    report.add(row(
        "fresh instance from the pool, p50",
        percentile(fresh.iter().copied(), 50),
        Goal::AtMost(15.0),
    ));
    report.add(row("fresh instance from the pool, p99", percentile(fresh, 99), Goal::None));
    report.add(row("fresh instance from the pool and its end, p50", percentile(whole, 50), Goal::None));
    Ok(())
}

/// A reader: a fresh instance, its first call with a configuration to parse, two trips to a guest's thread.
fn through_the_port(house: &House, report: &mut Report) -> Result<()> {
    let shape = Shape { json_lines: false, page_rows: 1, rows: 1 };
    let faker = house.component(&house.components, "faker")?;
    let (source, schema) = house.source(faker, &shape.config(), grants(Arc::default()))?;
    let mut took = Vec::new();
    house.tokio.block_on(async {
        for _ in 0..INSTANCES {
            let began = Instant::now();
            let reader = source.open(read_of(&schema)).await.map_err(told)?;
            took.push(began.elapsed().as_secs_f64() * MICRO);
            drop(reader);
        }
        anyhow::Ok(())
    })?;
    report.add(row(
        "`source.open` through the port (instance and first call), p50",
        percentile(took, 50),
        Goal::None,
    ));
    Ok(())
}

fn row(what: &str, ours: f64, goal: Goal) -> Row {
    Row { what: what.to_owned(), unit: "µs", ours, reference: None, ratio: None, goal }
}

/// An engine set up as the runtime's.
pub(crate) fn engine(live: u32) -> Result<Engine> {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(live)
        .total_core_instances(live * 8)
        .total_memories(live * 2)
        .total_tables(live * 8)
        .total_stacks(live)
        .max_memory_size(1 << 30)
        .max_core_instances_per_component(64)
        .max_memories_per_component(8)
        .max_tables_per_component(64)
        .table_elements(100_000)
        .max_component_instance_size(4 << 20)
        .linear_memory_keep_resident(1 << 20)
        .pagemap_scan(Enabled::Auto);
    let mut config = Config::new();
    config.epoch_interruption(true).concurrency_support(false);
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    Engine::new(&config).map_err(told_by_engine)
}

/// A component that is linked: to WASI, and to traps for whatever else it imports.
pub(crate) fn pre(engine: &Engine, path: &Path) -> Result<InstancePre<State>> {
    let bytes = std::fs::read(path).with_context(|| format!("failed to read `{}`", path.display()))?;
    link(engine, &bytes).map_err(told_by_engine)
}

fn link(engine: &Engine, bytes: &[u8]) -> wasmtime::Result<InstancePre<State>> {
    let component = Component::new(engine, bytes)?;
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    traps(engine, &component, &mut linker)?;
    linker.instantiate_pre(&component)
}

/// Traps for the functions of our own interfaces. The engine's own way would define WASI's a second time, under the newer
/// version that guests name.
fn traps(engine: &Engine, component: &Component, linker: &mut Linker<State>) -> wasmtime::Result<()> {
    for (name, found) in component.component_type().imports(engine) {
        let ComponentItem::ComponentInstance(interface) = found.ty else { continue };
        if name.starts_with("wasi:") {
            continue;
        }
        let mut instance = linker.instance(name)?;
        for (function, found) in interface.exports(engine) {
            if matches!(found.ty, ComponentItem::ComponentFunc(_)) {
                instance.func_new(function, |_, _, _, _| wasmtime::bail!("not in a benchmark"))?;
            }
        }
    }
    Ok(())
}

/// The engine's error is none of the standard library's.
pub(crate) fn told_by_engine(error: wasmtime::Error) -> anyhow::Error {
    anyhow!("{error:#}")
}

/// A store with every limit that the runtime sets.
pub(crate) fn store(engine: &Engine) -> Store<State> {
    let mut table = ResourceTable::new();
    table.set_max_capacity(1_000);
    let wasi = WasiCtx::builder().allow_tcp(false).allow_udp(false).allow_ip_name_lookup(false).build();
    let limits =
        StoreLimitsBuilder::new().memory_size(256 << 20).table_elements(100_000).instances(64).build();
    let mut store = Store::new(engine, State { table, wasi, limits });
    store.limiter(|state| &mut state.limits);
    store.set_hostcall_fuel(32 << 20);
    store.set_max_component_handles(1_000);
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|_| Ok(UpdateDeadline::Yield(1)));
    store.call_hook(|_, _| Ok(()));
    store
}
