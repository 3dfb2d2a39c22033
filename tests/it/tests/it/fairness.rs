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
use tokio::sync::RwLock;
use tokio::task::JoinHandle;

/// What keeps the processor, the memory and the host busy. The long round has every attack of the list.
const ORDINARY: [&str; 3] = ["h14_loops", "h07_fills_memory_in_a_loop", "h15_loops_with_host_calls"];
/// What is promised: not slower than by this factor.
const FACTOR: f64 = 2.0;
/// Rows of the table that is kept: the attacks that cost most.
const WORST: usize = 20;
/// Where this names a file, what is told is kept there.
const TOLD: &str = "COFFERDAM_NEIGHBOUR";

/// Runs alone, beside threads that only count and beside the attack take turns, so that all see the same machine: it is slower at one
/// time than at another.
#[derive(Clone, Copy)]
struct Turns {
    count: usize,
    /// Of each kind in each turn, at least.
    runs: usize,
}

impl Turns {
    fn chosen() -> Self {
        let is_set = |name| std::env::var_os(name).is_some();
        match (is_set(TOLD), is_set("COFFERDAM_TEST_LONG")) {
            (true, _) => Self { count: 5, runs: 100 },
            (false, true) => Self { count: 4, runs: 50 },
            (false, false) => Self { count: 2, runs: 10 },
        }
    }
}

/// Seconds of the runs of one turn, from the shortest to the longest.
struct Turn(Vec<f64>);

impl Turn {
    fn new(took: &[Duration]) -> Self {
        let mut seconds: Vec<f64> = took.iter().map(Duration::as_secs_f64).collect();
        seconds.sort_by(f64::total_cmp);
        Self(seconds)
    }

    /// So many of a hundred runs took no longer.
    fn percentile(&self, percent: usize) -> f64 {
        self.0[(self.0.len() * percent).div_ceil(100) - 1]
    }
}

/// That of the turn in the middle. A machine that stands still now and then spoils some turns; what costs a run in a hundred whenever
/// there is an attack is in most of them.
fn percentile<'a>(turns: impl IntoIterator<Item = &'a Turn>, percent: usize) -> f64 {
    let mut each: Vec<f64> = turns.into_iter().map(|turn| turn.percentile(percent)).collect();
    each.sort_by(f64::total_cmp);
    each[each.len() / 2]
}

/// A neighbour beside one attack.
struct Beside {
    test: &'static str,
    alone: Vec<Turn>,
    /// Beside threads that take as many processors as the attackers, and nothing else of the host.
    counting: Vec<Turn>,
    beside: Vec<Turn>,
    /// The share of the processors that other processes had meanwhile.
    others: f64,
}

impl Beside {
    fn p99(&self) -> f64 {
        percentile(&self.beside, 99) / percentile(&self.alone, 99)
    }

    fn middle(&self) -> f64 {
        percentile(&self.beside, 50) / percentile(&self.alone, 50)
    }

    /// What a busy processor costs on this machine, whoever keeps it busy.
    fn p99_counting(&self) -> f64 {
        percentile(&self.counting, 99) / percentile(&self.alone, 99)
    }

    /// What the attack costs beyond that.
    fn p99_against_counting(&self) -> f64 {
        percentile(&self.beside, 99) / percentile(&self.counting, 99)
    }

    /// What a factor comes to without anything beside: of each second turn against the others.
    fn noise(&self) -> f64 {
        let [one, other] = [0, 1].map(|first| percentile(self.alone.iter().skip(first).step_by(2), 99));
        one / other
    }
}

/// One for each two processors.
fn attackers() -> usize {
    std::thread::available_parallelism().map_or(2, usize::from).div_ceil(2)
}

/// Threads that count, as many as there are attackers, until this is dropped.
struct Counting(Arc<AtomicBool>);

impl Counting {
    fn start() -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        for _ in 0..attackers() {
            let is_over = is_over.clone();
            std::thread::spawn(move || while !is_over.load(Ordering::Relaxed) {});
        }
        Self(is_over)
    }
}

impl Drop for Counting {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Attack again and again, whenever nobody writes that all is over or not yet.
struct Attackers {
    are_over: Arc<RwLock<bool>>,
    falls: Vec<Arc<AtomicUsize>>,
    tasks: Vec<JoinHandle<()>>,
}

impl Attackers {
    fn start(world: &Arc<World>, attack: &Arc<Attack>, component: &Component) -> Self {
        let are_over = Arc::new(RwLock::new(false));
        let falls: Vec<Arc<AtomicUsize>> = (0..attackers()).map(|_| Arc::default()).collect();
        let start = |falls: &Arc<AtomicUsize>| {
            let (world, attack, component) = (world.clone(), attack.clone(), component.clone());
            let (are_over, falls) = (are_over.clone(), falls.clone());
            tokio::spawn(async move {
                loop {
                    let are_over = are_over.read().await;
                    if *are_over {
                        break;
                    }
                    world.fall(&attack, component.clone(), tight()).await;
                    falls.fetch_add(1, Ordering::Relaxed);
                }
            })
        };
        let tasks = falls.iter().map(start).collect();
        Self { are_over, falls, tasks }
    }

    async fn end(self) {
        *self.are_over.write().await = true;
        for task in self.tasks {
            task.await.unwrap();
        }
        let is_one_idle = self.falls.iter().any(|falls| falls.load(Ordering::Relaxed) == 0);
        assert!(!is_one_idle, "one of them never fell, and something else was measured");
    }
}

async fn measured(world: &Arc<World>, attack: Attack, turns: Turns) -> Beside {
    let component = world.component(&attack).await;
    let test = attack.test;
    let (mut alone, mut counting, mut beside) = (Vec::new(), Vec::new(), Vec::new());
    let before = Processors::now();
    let attackers = Attackers::start(world, &Arc::new(attack), &component);
    for _ in 0..turns.count {
        let quiet = attackers.are_over.write().await;
        // The first ones find what the attack left in the processors' caches.
        ten_rows(world, turns.runs / 10).await;
        alone.push(Turn::new(&ten_rows(world, turns.runs).await));
        let counts = Counting::start();
        counting.push(Turn::new(&ten_rows(world, turns.runs).await));
        drop((counts, quiet));
        let mut took = ten_rows(world, turns.runs).await;
        // An attack that takes longer is looked at until its end, and no other begins.
        let are_over = attackers.are_over.clone();
        let ends = tokio::spawn(async move { drop(are_over.write().await) });
        while !ends.is_finished() {
            took.push(world.ten_rows().await);
        }
        beside.push(Turn::new(&took));
    }
    attackers.end().await;
    let others = Processors::now().had_by_others_since(before);
    Beside { test, alone, counting, beside, others }
}

async fn ten_rows(world: &World, runs: usize) -> Vec<Duration> {
    let mut took = Vec::new();
    for _ in 0..runs {
        took.push(world.ten_rows().await);
    }
    took
}

#[tokio::test(flavor = "multi_thread")]
async fn h64_a_neighbours_runs_finish_beside_one_hostile_guest_for_each_two_cores() {
    let is_long = std::env::var_os("COFFERDAM_TEST_LONG").is_some();
    let turns = Turns::chosen();
    let world = Arc::new(World::new(runtime()).await);
    let listed = crate::hostile::attacks().into_iter().chain(crate::hostile_wat::attacks());
    let named = std::env::var("COFFERDAM_ATTACKS").ok();
    let chosen = listed.filter(|attack| match &named {
        Some(part) => attack.test.contains(part),
        None => is_long || ORDINARY.contains(&attack.test),
    });
    ten_rows(&world, turns.runs).await;
    let mut all = Vec::new();
    for attack in chosen {
        let beside = measured(&world, attack, turns).await;
        let _ = writeln!(std::io::stderr(), "{}: {:.2}", beside.test, beside.p99());
        all.push(beside);
    }
    assert!(!all.is_empty(), "no attack has {named:?} in its name");
    let told = told(&mut all);
    let _ = std::io::stderr().write_all(told.as_bytes());
    if let Some(path) = std::env::var_os(TOLD) {
        std::fs::write(path, told).unwrap();
    }
}

/// As the page of hostile guests has it.
fn told(all: &mut [Beside]) -> String {
    all.sort_by(|one, other| other.p99().total_cmp(&one.p99()));
    let within = |factor: fn(&Beside) -> f64| all.iter().filter(|beside| factor(beside) <= FACTOR).count();
    let others = all.iter().map(|beside| beside.others).sum::<f64>() / all.len() as f64;
    let mut told = format!(
        "Beside {} of {} attacks the 99th percentile of a neighbour's runs stayed within {FACTOR} times itself, beside {} the run in \
         the middle. Beside threads that only count, in place of the attackers, it did so {} times; within {FACTOR} times what it was \
         beside those it stayed beside {} attacks. Alone it was within {FACTOR} times itself {} times. Other processes had {:.0} % of \
         the processors.\n\n\
         | beside | 99th percentile | beside counting | alone | factor | of the middle |\n|---|---|---|---|---|---|\n",
        within(Beside::p99),
        all.len(),
        within(Beside::middle),
        within(Beside::p99_counting),
        within(Beside::p99_against_counting),
        within(Beside::noise),
        others * 100.0
    );
    for one in all.iter().take(WORST) {
        let [beside, counting, alone] =
            [&one.beside, &one.counting, &one.alone].map(|turns| percentile(turns, 99) * 1_000.0);
        let (test, p99, middle) = (one.test, one.p99(), one.middle());
        // Writing to a string cannot fail.
        let _ = writeln!(
            told,
            "| `{test}` | {beside:.1} ms | {counting:.1} ms | {alone:.1} ms | {p99:.2} | {middle:.2} |"
        );
    }
    told
}
