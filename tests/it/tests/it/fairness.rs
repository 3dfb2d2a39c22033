//! A neighbour's runs beside hostile guests, one for each two cores: all of them are whole. How fast they are is told, and not
//! asserted: a timed test fails for reasons that are none.

use crate::harness::{runtime, tight};
use crate::oracle::{Attack, World};
use runtime::{Component, Grants};
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// What keeps the processor, the memory and the host busy. The long round has every attack of the list.
const ORDINARY: [&str; 3] = ["h14_loops", "h07_fills_memory_in_a_loop", "h15_loops_with_host_calls"];
const RUNS: usize = 20;
const RUNS_LONG: usize = 200;

/// The middle and the 99th percentile of so many runs.
async fn ten_rows(world: &World, runs: usize) -> (Duration, Duration) {
    let mut took = Vec::new();
    for _ in 0..runs {
        took.push(world.ten_rows().await);
    }
    took.sort();
    (took[runs / 2], took[(runs * 99).div_ceil(100) - 1])
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
                let grants = Grants { limits: tight(), ..Grants::none() };
                world.fall(&attack, component.clone(), grants).await;
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
    let chosen = listed.filter(|attack| is_long || ORDINARY.contains(&attack.test));
    ten_rows(&world, runs).await;
    let mut ratios = Vec::new();
    for attack in chosen {
        let attack = Arc::new(attack);
        let component = world.component(&attack).await;
        let (middle_alone, alone) = ten_rows(&world, runs).await;
        let start = |_| Attacker::start(world.clone(), attack.clone(), component.clone());
        let attacking: Vec<Attacker> = (0..attackers).map(start).collect();
        let (middle, beside) = ten_rows(&world, runs).await;
        for attacker in attacking {
            assert!(attacker.end().await > 0, "it never ended");
        }
        let ratio = |beside: Duration, alone: Duration| beside.as_secs_f64() / alone.as_secs_f64();
        ratios.push((ratio(beside, alone), ratio(middle, middle_alone), attack.test, alone, beside));
    }
    ratios.sort_by(|one, other| other.0.total_cmp(&one.0));
    let within = ratios.iter().filter(|(p99, ..)| *p99 <= 2.0).count();
    let mut told = format!("p99 within 2x of itself beside {within} of {} attacks\n", ratios.len());
    for (p99, middle, test, alone, beside) in &ratios {
        told += &format!("{p99:.2} (middle {middle:.2}) beside `{test}`: {beside:.1?} after {alone:.1?}\n");
    }
    let _ = std::io::stderr().write_all(told.as_bytes());
}
