//! After every attack of the list, again and again, the process is what it was: memory, descriptors, threads, tasks and room for
//! instances come back.

use crate::harness::{hostile, neighbour_works, runtime, target, tight};
use crate::oracle::{Attack, World, held, room, swift};
use runtime::{Component, Connection, Grants, Runtime, Settings, Source};
use serde_json::json;
use std::process::Command;
use std::time::Duration;

/// A pool of few slots: it keeps the pages of each slot that it has used, and few are soon used. A slot that does not come
/// back is soon missed.
const SLOTS: usize = 4;

/// Rounds until each slot has been used by what uses most of it.
const WARM_UP: usize = 8;

const TEST: &str =
    "baseline::memory_descriptors_threads_tasks_and_slots_return_to_their_baseline_over_every_attack";

/// Set for the process in which the siege is held.
const BESIEGED: &str = "COFFERDAM_TEST_BESIEGED";

/// So that memory that was freed is the system's again, as far as the allocator of the C library can: otherwise each thread
/// keeps some, more or less of it by chance, which would hide what does not come back.
const ALLOCATOR: [(&str, &str); 3] =
    [("MALLOC_ARENA_MAX", "1"), ("MALLOC_MMAP_THRESHOLD_", "65536"), ("MALLOC_TRIM_THRESHOLD_", "65536")];

/// So many attacks in all in the long round.
const LONG_ATTACKS: usize = 10_000;

/// Every attack of the list with its component.
struct Siege {
    runtime: Runtime,
    world: World,
    attacks: Vec<(Attack, Component)>,
}

impl Siege {
    async fn new() -> Self {
        let mut settings = Settings::new(target().join("it-cache"));
        settings.live_instances = SLOTS;
        let runtime = Runtime::new(settings).unwrap();
        let world = World::new(runtime.clone()).await;
        let mut attacks = Vec::new();
        for attack in crate::hostile::attacks().into_iter().chain(crate::hostile_wat::attacks()) {
            let component = world.component(&attack).await;
            attacks.push((attack, component));
        }
        Self { runtime, world, attacks }
    }

    /// Each of them once. The limit that is met first may be another one than where an attack has the time for its own.
    async fn round(&self) {
        for (attack, component) in &self.attacks {
            let fallen = self.world.fall(attack, component.clone(), swift()).await;
            let expect = attack.expect.code();
            assert!(fallen.code == expect || fallen.code == "CD0501", "{}: {}", attack.test, fallen.code);
        }
        self.world.ten_rows().await;
    }

    async fn every_slot_comes_back(&self) -> Result<(), String> {
        let component = self.world.hostile();
        let connection = Connection::new(component, &json!({ "attack": "behave" }), Grants::none()).unwrap();
        let source = Source::new(connection).unwrap();
        room::slots_come_back(&self.runtime, &source, Duration::from_secs(60)).await
    }
}

#[test]
fn memory_descriptors_threads_tasks_and_slots_return_to_their_baseline_over_every_attack() {
    if std::env::var_os(BESIEGED).is_some() {
        return siege();
    }
    let mut besieged = Command::new(std::env::current_exe().unwrap());
    besieged.args(["--exact", TEST, "--nocapture"]).env(BESIEGED, "yes").envs(ALLOCATOR);
    assert!(besieged.status().unwrap().success());
}

#[tokio::main(flavor = "multi_thread")]
async fn siege() {
    let siege = Siege::new().await;
    let is_long = std::env::var_os("COFFERDAM_TEST_LONG").is_some();
    let rounds = if is_long { LONG_ATTACKS.div_ceil(siege.attacks.len()) } else { 0 };
    held::comes_back(WARM_UP, rounds, async || siege.round().await).await.unwrap();
    siege.every_slot_comes_back().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn h58_a_thousand_instances_at_once_are_served_or_refused_and_none_is_lost() {
    let crowd = std::sync::Arc::new(hostile("behave", "next", tight()).await);
    let tasks: Vec<_> = (0..1_000)
        .map(|_| {
            let crowd = crowd.clone();
            tokio::spawn(async move { crowd.read(10).await })
        })
        .collect();
    let mut served = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => served += 1,
            Err(failure) => assert!(failure.to_string().contains("instances are alive"), "{failure}"),
        }
    }
    assert!(served >= runtime().live_instances(), "{served} of 1000 served");
    neighbour_works().await;
}
