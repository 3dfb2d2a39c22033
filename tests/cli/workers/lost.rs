//! Workers that die (H59): the run goes on in another, and each row is there once.

use std::process::Child;

use rustix::process::Signal;

use super::SYNC;
use super::found::{begun, signal, workers};
use crate::canary::CANARY;
use crate::guest_memory::Held;
use crate::placed_low_code::{Api, KINDS};
use crate::rows::{counts, rows};
use crate::stopped::{SLOW, until};
use crate::world::{Ran, World, ran};

/// An API that holds its last page back, and a sync that reads it with a credential.
pub(super) fn held() -> (World, Held) {
    let held = Held::start();
    let origin = format!("http://{}", held.address);
    let [(authenticator, ask, fields, _), ..] = KINDS;
    let world = Api { authenticator, ask, origin: &origin, ..Api::default() }.world();
    world.edit("attempts = 1", "attempts = 5");
    world.secret("secret", CANARY);
    world.run(&[&["connect", "sync.toml"], fields].concat()).succeeded();
    (world, held)
}

fn ended(world: &World, child: Child) -> Ran {
    let ran = ran(child.wait_with_output().unwrap());
    world.heard(&ran);
    ran
}

/// As a crash of the engine, an instruction that is none, an abort and the system's memory killer end a process.
#[test]
fn a_worker_that_is_ended_in_the_middle_is_followed_by_another() {
    for how in [Signal::SEGV, Signal::ILL, Signal::ABORT, Signal::KILL] {
        let (world, held) = held();
        let child = begun(&world);
        let (_, go) = held.waits();
        let first = workers(child.id());
        assert_eq!(first.len(), 1, "one worker has all connectors: {first:?}");
        // The engine takes the first of those that a guest can cause for a guest's, and goes on where there is none to blame.
        until("the worker to be gone", || {
            signal(first[0], how);
            !workers(child.id()).contains(&first[0])
        });
        drop(go);
        let (asked, go) = held.waits();
        assert!(asked.contains("authorization: Bearer "), "{asked}");
        drop(go);
        let ran = ended(&world, child).succeeded();
        assert_eq!(counts(&rows(&world.path("out"))).get("movies"), Some(&2), "{how:?}: {}", ran.report());
    }
}

/// Three losses, of which the first might have been another's.
#[test]
fn a_connector_that_takes_three_workers_with_it_is_quarantined() {
    let (world, held) = held();
    let child = begun(&world);
    for _ in 0..3 {
        let (_, go) = held.waits();
        // Whoever was not being called is in a worker that lives.
        let asking = workers(child.id());
        asking.into_iter().for_each(|process| signal(process, Signal::KILL));
        drop(go);
    }
    let ran = ended(&world, child);
    assert_eq!(ran.status, Some(1), "{}", ran.report());
    assert!(ran.stderr.contains("error[CD1402]: "), "{}", ran.report());
    assert!(ran.stderr.contains("took 3 worker processes with it"), "{}", ran.report());
}

/// The other way round: what a worker does without its parent.
#[test]
fn workers_end_with_the_process_that_started_them() {
    let (world, held) = held();
    let mut child = begun(&world);
    let (_, _go) = held.waits();
    let started = workers(child.id());
    child.kill().unwrap();
    child.wait().unwrap();
    let is_there = |process: &u32| std::fs::metadata(format!("/proc/{process}")).is_ok();
    until("the workers to end", || !started.iter().any(is_there));
}

#[test]
fn a_run_in_workers_stops_in_order() {
    let world = World::with(SLOW);
    world.folder("out");
    let child = begun(&world);
    until("a commit", || world.path("out").read_dir().unwrap().next().is_some());
    signal(child.id(), Signal::INT);
    let stopped = ended(&world, child);
    assert!(stopped.stderr.contains("stopped"), "{}", stopped.report());
    world.run(&["run", "sync.toml", "--worker"]).succeeded();
    assert_eq!(counts(&rows(&world.path("out"))).get("people"), Some(&2_000));
}

/// As often as one likes: no row is lost and none comes twice.
#[test]
fn a_run_whose_workers_are_killed_at_random_has_the_rows_of_one_whose_are_not() {
    let (whole, world) = (World::with(SYNC), World::with(SYNC));
    for world in [&whole, &world] {
        world.folder("out");
    }
    whole.run(&["run", "sync.toml"]).succeeded();
    // What is quarantined is forgotten with the process, so that the next run goes on.
    for _ in 0..20 {
        let mut child = begun(&world);
        until("an end, or a worker", || {
            child.try_wait().unwrap().is_some() || !workers(child.id()).is_empty()
        });
        workers(child.id()).into_iter().for_each(|process| signal(process, Signal::KILL));
        let ran = ended(&world, child);
        if ran.status == Some(0) {
            break;
        }
    }
    world.run(&["run", "sync.toml", "--worker"]).succeeded();
    assert!(rows(&world.path("out")) == rows(&whole.path("out")), "other rows than without a kill");
}
