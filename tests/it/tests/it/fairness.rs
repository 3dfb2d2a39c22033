//! A neighbour's runs beside hostile guests, one for each two cores: all of them are whole. How fast they are is told, and not
//! asserted: a timed test fails for reasons that are none. `cargo xtask neighbour` keeps what is told. `COFFERDAM_ATTACKS` is a part
//! of the names of those that are to be looked at.

mod processors;

use crate::harness::{runtime, tight};
use crate::oracle::{Attack, World};
use processors::Processors;
use runtime::Component;
use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// What keeps the processor, the memory and the host busy. The long round has every attack of the list.
const ORDINARY: [&str; 3] = ["h14_loops", "h07_fills_memory_in_a_loop", "h15_loops_with_host_calls"];
const RUNS: usize = 20;
const RUNS_LONG: usize = 200;
/// What is promised: not slower than by this factor.
const FACTOR: f64 = 2.0;
/// Rows of the table that is kept: the attacks that cost most.
const WORST: usize = 20;

/// So many runs: how long the one in the middle took, and the 99th of a hundred.
#[derive(Clone, Copy)]
struct Took {
    middle: Duration,
    p99: Duration,
}

impl Took {
    async fn by(world: &World, runs: usize) -> Self {
        let mut took = Vec::new();
        for _ in 0..runs {
            took.push(world.ten_rows().await);
        }
        took.sort();
        Self { middle: took[runs / 2], p99: took[(runs * 99).div_ceil(100) - 1] }
    }
}

/// A neighbour beside one attack.
struct Beside {
    test: &'static str,
    alone: Took,
    beside: Took,
    /// Alone once more: what a factor comes to without any attacker.
    again: Took,
    /// The share of the processors that other processes had meanwhile.
    others: f64,
}

impl Beside {
    fn p99(&self) -> f64 {
        self.beside.p99.as_secs_f64() / self.alone.p99.as_secs_f64()
    }

    fn noise(&self) -> f64 {
        self.again.p99.as_secs_f64() / self.alone.p99.as_secs_f64()
    }

    fn middle(&self) -> f64 {
        self.beside.middle.as_secs_f64() / self.alone.middle.as_secs_f64()
    }
}

/// Attacks again and again.
struct Attacker {
    stop: Arc<AtomicBool>,
    falls: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

impl Attacker {
    fn start(world: Arc<World>, attack: Arc<Attack>, component: Component) -> Self {
        let (stop, falls) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let (stopped, count) = (stop.clone(), falls.clone());
        let task = tokio::spawn(async move {
            while !stopped.load(Ordering::Relaxed) {
                world.fall(&attack, component.clone(), tight()).await;
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
        Self { stop, falls, task }
    }

    /// How often it fell meanwhile.
    async fn end(self) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        self.task.await.unwrap();
        self.falls.load(Ordering::Relaxed)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn h64_a_neighbours_runs_finish_beside_one_hostile_guest_for_each_two_cores() {
    let is_long = std::env::var_os("COFFERDAM_TEST_LONG").is_some();
    let runs = if is_long { RUNS_LONG } else { RUNS };
    let world = Arc::new(World::new(runtime()).await);
    let attackers = std::thread::available_parallelism().map_or(2, usize::from).div_ceil(2);
    let listed = crate::hostile::attacks().into_iter().chain(crate::hostile_wat::attacks());
    let named = std::env::var("COFFERDAM_ATTACKS").ok();
    let chosen = listed.filter(|attack| match &named {
        Some(part) => attack.test.contains(part),
        None => is_long || ORDINARY.contains(&attack.test),
    });
    Took::by(&world, runs).await;
    let mut all = Vec::new();
    for attack in chosen {
        let attack = Arc::new(attack);
        let component = world.component(&attack).await;
        let before = Processors::now();
        let alone = Took::by(&world, runs).await;
        let start = |_| Attacker::start(world.clone(), attack.clone(), component.clone());
        let attacking: Vec<Attacker> = (0..attackers).map(start).collect();
        let beside = Took::by(&world, runs).await;
        let others = Processors::now().had_by_others_since(before);
        for attacker in attacking {
            assert!(attacker.end().await > 0, "it never ended");
        }
        let again = Took::by(&world, runs).await;
        all.push(Beside { test: attack.test, alone, beside, again, others });
    }
    assert!(!all.is_empty(), "no attack has {named:?} in its name");
    let told = told(&mut all, runs);
    let _ = std::io::stderr().write_all(told.as_bytes());
    if let Some(path) = std::env::var_os("COFFERDAM_NEIGHBOUR") {
        std::fs::write(path, told).unwrap();
    }
}

/// As the page of hostile guests has it.
fn told(all: &mut [Beside], runs: usize) -> String {
    all.sort_by(|one, other| other.p99().total_cmp(&one.p99()));
    let within = |factor: fn(&Beside) -> f64| all.iter().filter(|beside| factor(beside) <= FACTOR).count();
    let others = all.iter().map(|beside| beside.others).sum::<f64>() / all.len() as f64;
    let mut told = format!(
        "Beside {} of {} attacks the 99th percentile of {runs} runs stayed within {FACTOR} times itself, beside {} the run in the \
         middle. Alone once more it did so {} times. Other processes had {:.0} % of the processors.\n\n\
         | beside | 99th percentile | alone | factor | of the middle |\n|---|---|---|---|---|\n",
        within(Beside::p99),
        all.len(),
        within(Beside::middle),
        within(Beside::noise),
        others * 100.0
    );
    for one in all.iter().take(WORST) {
        let (beside, alone, p99, middle) = (one.beside.p99, one.alone.p99, one.p99(), one.middle());
        // Writing to a string cannot fail.
        let _ = writeln!(told, "| `{}` | {beside:.1?} | {alone:.1?} | {p99:.2} | {middle:.2} |", one.test);
    }
    told
}
