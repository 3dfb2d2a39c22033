//! The engine: one per process. Its configuration, its instance pool with a probe, its clock and the threads of guests.

use crate::cache::Cache;
use crate::descriptors;
use crate::error::Error;
use crate::executor::Executor;
use crate::heap;
use crate::limits::Limits;
use crate::long::LongThreads;
use crate::ticker::Ticker;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use wasmtime::{Config, Enabled, InstanceAllocationStrategy, PoolingAllocationConfig, WasmBacktraceDetails};

/// What a guest's frames may take of a stack; the engine's default, written down because it is advertised. A Rust guest has
/// its large values on a stack of its own inside its memory.
pub(crate) const STACK_BYTES: usize = 512 << 10;
/// The whole stack: what is left above the guest's frames is for the host functions that it calls.
const STACK_BYTES_WITH_HOST: usize = 2 << 20;
/// What the engine may keep of one instance beside its memories and tables. The JavaScript engine's has 0.3 MiB.
pub(crate) const INSTANCE_BYTES: usize = 2 << 20;
/// Without a pool a memory is moved when it outgrows this and what is kept free behind it. The engine's defaults reserve
/// 6 GiB of addresses for each memory, which is more than a process has whose address space is limited.
const UNPOOLED_RESERVATION_BYTES: u64 = 4 << 20;
/// Addresses behind a memory that stay empty: all that compiled code needs where it checks each access.
const UNPOOLED_GUARD_BYTES: u64 = 64 << 10;

/// Memory maps that one live instance takes in the pool, measured: two for its stack slot, four for the instance.
const MAPS_PER_INSTANCE: usize = 6;
/// Of the maps that the system allows, this share is left to everything else in the process.
const MAPS_RESERVED: usize = 8_000;
/// Tables for each live instance, and what an element of one takes in the pool: a pointer. Tables lie on pages of their own.
const TABLES_EACH: usize = 8;
const ELEMENT_BYTES: usize = size_of::<usize>();
const PAGE_BYTES: usize = 4096;
/// What Linux allows when nothing else is set, and when it cannot be read.
const MAPS_DEFAULT: usize = 65_530;

/// How the host runs connectors.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where compiled components are kept; none: nowhere, as in a process that is given them.
    pub cache_directory: Option<PathBuf>,
    /// Whether instances are to come from a pool. Code that was compiled for one does not fit an engine without.
    pub pooled: bool,
    /// How many instances may live at once.
    pub live_instances: usize,
    /// Threads on which guests run: so many for short calls, and as many for long ones.
    pub guest_threads: usize,
    /// How long one component may compile.
    pub compile_timeout: Duration,
    /// The most that any connector gets.
    pub ceilings: Limits,
}

impl Settings {
    /// Settings for one process that runs a few syncs: 256 live instances, one guest thread a core.
    pub fn new(cache_directory: PathBuf) -> Self {
        let guest_threads = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            cache_directory: Some(cache_directory),
            pooled: true,
            live_instances: 256,
            guest_threads,
            compile_timeout: Duration::from_secs(120),
            ceilings: Limits::ceilings(),
        }
    }
}

/// Runs connectors. Cheap to clone; all clones are one engine.
#[derive(Clone)]
pub struct Runtime {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) settings: Settings,
    pub(crate) engine: wasmtime::Engine,
    /// Of the engines that compile, one for each component: what one of them makes, `engine` loads.
    pub(crate) compiling: Config,
    pub(crate) cache: Option<Cache>,
    pub(crate) executor: Executor,
    /// A permit for each live instance, so that the pool and the system's memory maps never run out under us.
    pub(crate) live: Arc<Semaphore>,
    /// Whether instances come from the pool.
    pooled: bool,
    _ticker: Ticker,
}

impl Runtime {
    /// Start the engine. Falls back to allocating instances one by one where the system does not give the pool its address
    /// space (a container with a limit on virtual memory), which [`Self::is_pooled`] tells.
    ///
    /// # Errors
    /// [`Error::Engine`] when no engine can be had here, [`Error::File`] when the cache directory cannot be made.
    pub fn new(mut settings: Settings) -> Result<Self, Error> {
        heap::let_large_blocks_go();
        descriptors::use_all_that_are_allowed();
        settings.live_instances = settings.live_instances.min(instances_allowed());
        let mut compiling = code();
        let pool = settings.pooled.then(|| wasmtime::Engine::new(&pooled(&settings)));
        if let Some(Err(error)) = &pool {
            tracing::warn!(
                error = format!("{error:#}"),
                "no instance pool; instances are allocated one by one"
            );
        }
        let (engine, pooled) = match pool {
            Some(Ok(engine)) => (engine, true),
            _ => {
                compiling = unpooled();
                let engine = wasmtime::Engine::new(&compiling);
                (engine.map_err(|error| Error::Engine { message: format!("{error:#}") })?, false)
            }
        };
        let directory = settings.cache_directory.as_ref();
        let cache = directory.map(|directory| Cache::open(directory, &engine)).transpose()?;
        let long_threads = LongThreads::default();
        let ticker = Ticker::start(&engine, long_threads.clone())?;
        let executor = Executor::new(settings.guest_threads, ticker.calls(), long_threads)?;
        let live = Arc::new(Semaphore::new(settings.live_instances));
        Ok(Self {
            inner: Arc::new(Inner {
                settings,
                engine,
                compiling,
                cache,
                executor,
                live,
                pooled,
                _ticker: ticker,
            }),
        })
    }

    /// Whether instances come from the pool.
    pub fn is_pooled(&self) -> bool {
        self.inner.pooled
    }

    /// The most that any connector gets.
    pub fn ceilings(&self) -> &Limits {
        &self.inner.settings.ceilings
    }

    /// On how many threads guests run.
    pub fn guest_threads(&self) -> usize {
        self.inner.settings.guest_threads
    }

    /// How many instances may live at once, after the system's limit on memory maps was looked at.
    pub fn live_instances(&self) -> usize {
        self.inner.settings.live_instances
    }

    /// Bytes that the pool's tables and stacks may come to. Unlike memories they can be written from the beginning, so that Linux
    /// counts them as data of the process (`RLIMIT_DATA`) before a page of them is there.
    pub fn reserved_data_bytes(&self) -> u64 {
        let Settings { live_instances, ceilings, .. } = &self.inner.settings;
        if !self.inner.pooled {
            return 0;
        }
        let elements = usize::try_from(ceilings.table_elements).unwrap_or(usize::MAX);
        let each = elements.saturating_mul(ELEMENT_BYTES).div_ceil(PAGE_BYTES).saturating_mul(PAGE_BYTES);
        let tables =
            live_instances.saturating_mul(TABLES_EACH).max(most_of_one(ceilings)).saturating_mul(each);
        let stacks = live_instances.saturating_mul(STACK_BYTES_WITH_HOST);
        u64::try_from(tables.saturating_add(stacks)).unwrap_or(u64::MAX)
    }
}

/// So many core instances, memories and tables one component may have.
fn most_of_one(ceilings: &Limits) -> usize {
    usize::try_from(ceilings.instances).unwrap_or(usize::MAX)
}

/// Of an engine that compiles for others.
pub(crate) fn code_config(for_pool: bool) -> Config {
    if for_pool { code() } else { unpooled() }
}

/// All that shapes compiled code, and nothing that holds instances.
fn code() -> Config {
    let mut config = Config::new();
    config.epoch_interruption(true).wasm_backtrace_details(WasmBacktraceDetails::Enable);
    config.max_wasm_stack(STACK_BYTES).async_stack_size(STACK_BYTES_WITH_HOST);
    // Guests call each other never and the host always: async functions of component model 0.3 are not in contract 0.1.
    config.concurrency_support(false);
    config
}

fn pooled(settings: &Settings) -> Config {
    let mut config = code();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pooling(settings)));
    config
}

fn unpooled() -> Config {
    let mut config = code();
    config
        .memory_reservation(UNPOOLED_RESERVATION_BYTES)
        .memory_reservation_for_growth(UNPOOLED_RESERVATION_BYTES)
        .memory_guard_size(UNPOOLED_GUARD_BYTES);
    config
}

/// A pool in which each limit can be used up to its ceiling: by one instance, as long as the others use what they usually do.
fn pooling(settings: &Settings) -> PoolingAllocationConfig {
    let ceilings = &settings.ceilings;
    let size = |limit: u64| usize::try_from(limit).unwrap_or(usize::MAX);
    let most = u32::try_from(most_of_one(ceilings)).unwrap_or(u32::MAX);
    let count = |each: usize| u32::try_from(settings.live_instances.saturating_mul(each)).unwrap_or(u32::MAX);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(count(1))
        // Rust guests have 4 core instances, componentize-py's 14; most live instances are Rust's.
        .total_core_instances(count(8).max(most))
        .total_memories(count(2).max(most))
        .total_tables(count(TABLES_EACH).max(most))
        .total_stacks(count(1))
        .max_memory_size(size(ceilings.memory_bytes))
        .max_core_instances_per_component(most)
        .max_memories_per_component(most)
        .max_tables_per_component(most)
        .max_memories_per_module(most)
        .max_tables_per_module(most)
        .table_elements(size(ceilings.table_elements))
        .max_core_instance_size(INSTANCE_BYTES)
        .max_component_instance_size(INSTANCE_BYTES)
        // Pages below this stay with the slot and are wiped, which needs the page-map scan to be cheap.
        .linear_memory_keep_resident(1 << 20)
        // Slots that keep pages: without a bound that follows from ours, a process that rarely runs two instances at once
        // would come to keep those of a hundred.
        .max_unused_warm_slots(count(1))
        .pagemap_scan(Enabled::Auto);
    pool
}

/// How many instances may live at one time in one process, by the memory maps that this machine allows it. No settings
/// give more.
#[must_use]
pub fn instances_allowed() -> usize {
    instances_allowed_by_maps(max_map_count())
}

fn max_map_count() -> usize {
    let text = std::fs::read_to_string("/proc/sys/vm/max_map_count").unwrap_or_default();
    text.trim().parse().unwrap_or(MAPS_DEFAULT)
}

fn instances_allowed_by_maps(maps: usize) -> usize {
    (maps.saturating_sub(MAPS_RESERVED) / MAPS_PER_INSTANCE).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn live_instances_stay_below_the_limit_on_memory_maps() {
        let allowed = instances_allowed_by_maps(MAPS_DEFAULT);
        assert!(allowed * MAPS_PER_INSTANCE + MAPS_RESERVED <= MAPS_DEFAULT, "{allowed}");
        assert_eq!(instances_allowed_by_maps(0), 1);
    }

    /// What the system counts as data of this process, in bytes.
    #[cfg(target_os = "linux")]
    fn data_bytes() -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmData:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn tables_and_stacks_of_a_pool_are_what_the_system_counts_of_it() {
        // Stacks of the host's threads, and what the engine has of its own.
        const BESIDE: u64 = 64 << 20;
        // One that is dropped gives its stacks back a while later.
        let mut kept = Vec::new();
        for (pooled, live_instances) in [(true, 64), (true, 16), (false, 64)] {
            let settings =
                Settings { cache_directory: None, pooled, live_instances, ..Settings::new(PathBuf::new()) };
            let before = data_bytes();
            let runtime = Runtime::new(settings).unwrap();
            assert_eq!(runtime.is_pooled(), pooled);
            let (more, told) = (data_bytes() - before, runtime.reserved_data_bytes());
            assert!((told..=told + BESIDE).contains(&more), "{told} of {more}");
            kept.push(runtime);
        }
    }
}
