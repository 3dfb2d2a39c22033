//! `kill -9` of a server at random moments while everything is under way at once: syncs, events, and row errors that are sent
//! through again. Every accepted event is moved, no row is there twice after its commit, and nothing stays held.

use std::collections::BTreeSet;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::senders::{Accepted, Senders};
use super::story::Story;
use crate::killed::{Random, random_seed};
use crate::serving::text;
use crate::stopped::{until_or, until_within};
use crate::world::World;

const KILLS: usize = 20;
const EVENTS_PER_SECOND: u64 = 200;
/// Of each sync whose row errors are sent through again; half of them are rejected first.
const REJECTED_ROWS: u64 = 60;
/// A run that is taken over without a commit between waits at last.
const PATIENCE: Duration = Duration::from_secs(240);

/// How much is under way.
struct Amount {
    /// Syncs that run because somebody asked, and because they are due.
    syncs: usize,
    rows: u64,
    /// For how long a server lives at most, from when it listens.
    life: Duration,
}

fn amount() -> Amount {
    if std::env::var_os("COFFERDAM_TEST_LONG").is_some() {
        Amount { syncs: 50, rows: 2_400, life: Duration::from_secs(4) }
    } else {
        Amount { syncs: 16, rows: 600, life: Duration::from_millis(1_500) }
    }
}

/// What goes on in the server while it is killed.
struct Busy {
    story: Story,
    amount: Amount,
    /// With the run that was asked for.
    asked: Vec<(String, String)>,
    scheduled: Vec<String>,
    /// Each has row errors.
    rejected: Vec<String>,
    hook: String,
    senders: Senders,
    /// How many runs the kills have met, all together.
    met: usize,
}

impl Busy {
    fn begin(amount: Amount) -> Self {
        // Two instances each, of the 64 that live in the worker of an organization.
        let story = Story::begin_with(&["--runs-of-organization", "24", "--runs-at-once", "24"]);
        let destination = story.destination();
        let rejected = rejected(&story, &destination);
        let hook = story.sync(&story.webhook(), &destination, &json!({ "name": "events" }));
        story.post(&format!("/syncs/{hook}/start"), json!({}));
        let path = text(&story.post(&format!("/syncs/{hook}/endpoint"), json!({})), "/url");
        let slow = json!({ "streams": [{ "name": "people", "rows": amount.rows }], "page_rows": 20,
            "wait_every": 1, "wait_ms": 100 });
        let source = story.source(&slow);
        let (mut asked, mut scheduled) = (Vec::new(), Vec::new());
        for number in 0..amount.syncs {
            if number % 4 == 0 {
                // Each minute, at moments of their own.
                let when = json!({ "every": { "interval_ms": 60_000, "from_ms": number * 2_500 } });
                let schedule = json!({ "when": when });
                scheduled.push(story.sync(&source, &destination, &json!({ "schedule": schedule })));
            } else {
                let sync = story.sync(&source, &destination, &json!({}));
                let run = story.run(&sync);
                asked.push((sync, run));
            }
        }
        for sync in &scheduled {
            story.post(&format!("/syncs/{sync}/start"), json!({}));
        }
        let senders = Senders::begin(&story.server().address, &path, EVENTS_PER_SECOND);
        Self { story, amount, asked, scheduled, rejected, hook, senders, met: 0 }
    }

    /// At some moment of its life the server ends, and another one begins.
    fn kill(&mut self, random: &mut Random, round: usize) {
        let life = self.amount.life.mul_f64(random.share());
        let begins = life.mul_f64(random.share());
        sleep(begins);
        self.story.post(&format!("/syncs/{}/reprocess", self.rejected[round]), json!({ "run": 1 }));
        sleep(life - begins);
        self.met += self.story.get("/queue")["items"].as_array().unwrap().len();
        self.story.kill();
        self.story.start_again();
        self.senders.moved(&self.story.server().address);
    }

    /// Every run comes to its end; answers what was accepted.
    fn drain(self) -> (Story, Accepted) {
        let Self { story, amount, asked, scheduled, rejected, hook, senders, met: _ } = self;
        let accepted = senders.end();
        for sync in &scheduled {
            story.post(&format!("/syncs/{sync}/pause"), json!({}));
        }
        let waits = || story.get(&format!("/syncs/{hook}/endpoint/queue"))["waiting"].clone();
        until_or(
            PATIENCE,
            || waits() == 0,
            || {
                let sync = story.get(&format!("/syncs/{hook}"));
                format!("{} events are not moved: {sync}; workers were lost: {:?}", waits(), losses(&story))
            },
        );
        story.post(&format!("/syncs/{hook}/pause"), json!({}));
        let all: Vec<&String> =
            asked.iter().map(|(sync, _)| sync).chain(&scheduled).chain(&rejected).chain([&hook]).collect();
        for sync in &all {
            until_within(PATIENCE, "every run to end", || {
                story.get(&format!("/syncs/{sync}"))["run"].is_null()
            });
        }
        for (sync, run) in &asked {
            let last = story.get(&format!("/syncs/{sync}"))["last"].clone();
            assert_eq!(
                (last["outcome"].as_str(), last["run"].as_str()),
                (Some("done"), Some(&**run)),
                "{last}"
            );
        }
        // What was still to come of those that were paused.
        for sync in &scheduled {
            story.run(sync);
            assert_eq!(story.ended(sync)["outcome"], "done");
        }
        for sync in asked.iter().map(|(sync, _)| sync).chain(&scheduled) {
            has_once(&story, sync, amount.rows);
        }
        for sync in &rejected {
            has_once(&story, sync, REJECTED_ROWS);
        }
        moved_once(&story, &hook, &accepted);
        // Whoever deletes a sync holds all that a run of it would.
        for sync in all {
            story.delete(&format!("/syncs/{sync}"));
        }
        (story, accepted)
    }
}

/// Syncs that have run, and of which half of the rows were rejected by the source.
fn rejected(story: &Story, destination: &str) -> Vec<String> {
    let streams = json!([{ "name": "people", "rows": REJECTED_ROWS }]);
    let source = story.source(&json!({ "streams": streams, "page_rows": 30, "reject_every": 2 }));
    let syncs: Vec<String> = (0..KILLS).map(|_| story.sync(&source, destination, &json!({}))).collect();
    for sync in &syncs {
        story.run(sync);
    }
    for sync in &syncs {
        assert_eq!(story.ended(sync)["outcome"], "done");
        assert_eq!(story.remote.rows(sync, "people").len() as u64, REJECTED_ROWS / 2);
    }
    syncs
}

/// Of each connector, how it took workers with it.
fn losses(story: &Story) -> Vec<Value> {
    let connectors = story.get("/connectors")["items"].clone();
    let digests = connectors.as_array().unwrap().iter().map(|connector| text(connector, "/digest"));
    digests.map(|digest| story.get(&format!("/connectors/{digest}"))["losses"].clone()).collect()
}

#[track_caller]
fn has_once(story: &Story, sync: &str, rows: u64) {
    let found = story.remote.rows(sync, "people");
    let ids: BTreeSet<u64> = found.iter().map(|row| row["id"].as_u64().unwrap()).collect();
    assert_eq!((found.len(), ids.len() as u64), (ids.len(), rows), "`{sync}`: rows twice, or too few");
}

/// Every message that was accepted, under the number that its sender was told, once and in the order of these numbers.
#[track_caller]
fn moved_once(story: &Story, hook: &str, accepted: &Accepted) {
    let mut moved = Vec::new();
    for event in ["paid", "sent"] {
        let number = |row: &Value, name: &str| row[name].as_u64().unwrap();
        let rows = story.remote.rows(hook, event);
        let rows: Vec<(u64, u64)> =
            rows.iter().map(|row| (number(row, "sequence"), number(row, "number"))).collect();
        assert!(rows.is_sorted(), "`{event}` is out of order");
        moved.extend(rows);
    }
    moved.sort_unstable();
    assert!(moved == accepted.messages, "{} moved, {} accepted", moved.len(), accepted.messages.len());
}

/// Nothing half written is left in the data directory.
fn has_what_it_is_made_of(world: &World) {
    let parts = ["CURRENT", "db-1", "format", "journal", "keyring", "keyring.lock", "keys.toml", "lock"];
    for path in world.files("data").into_keys() {
        let path = path.strip_prefix(world.path("data")).unwrap();
        let (part, name) = (path.iter().next().unwrap(), path.file_name().unwrap().to_string_lossy());
        let is_known = parts.iter().any(|known| part == *known);
        assert!(is_known && !name.contains("tmp") && !name.contains("generating"), "{}", path.display());
    }
}

#[test]
fn a_server_that_is_killed_again_and_again_under_load_loses_nothing_and_does_nothing_twice() {
    let seed = random_seed();
    println!("seed {seed}");
    let (mut random, began) = (Random(seed), Instant::now());
    let mut busy = Busy::begin(amount());
    println!("begun after {:?}", began.elapsed());
    for round in 0..KILLS {
        busy.kill(&mut random, round);
    }
    let (met, killed) = (busy.met, began.elapsed());
    let (mut story, accepted) = busy.drain();
    let Accepted { messages, resent } = &accepted;
    let (fences, refused) = story.remote.fences();
    println!(
        "{KILLS} kills in {killed:?} met {met} runs, which ended after {:?}; {} events, \
         {resent} sent again; {} commits, {fences} holders, {refused} came too late",
        began.elapsed(),
        messages.len(),
        story.remote.commits(),
    );
    assert!(met >= 3 * KILLS, "the kills have met {met} runs");
    assert!(story.get("/queue")["items"].as_array().unwrap().is_empty());
    let organization = story.organization().to_owned();
    story.terminate().succeeded();
    let world = &story.world;
    for of in [&["--installation"][..], &["--organization", &organization]] {
        world.run(&[&["audit", "verify", "--data", "data"], of].concat()).succeeded();
    }
    has_what_it_is_made_of(world);
}
