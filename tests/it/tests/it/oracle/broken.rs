//! Each oracle can fail: a host that is broken in just what it watches is refused, and the same host without the breakage is not.

use super::{Attack, Fallen, World, held, recorded, room, whole};
use crate::harness::{open, runtime, target, tight};
use pipeline::report::{Outcome, RunReport};
use runtime::{Connection, Grants, Runtime, Settings, Source};
use serde_json::json;
use std::fs::File;
use std::mem::forget;
use std::time::Duration;

/// How long one waits here for what does not come.
const SHORT: Duration = Duration::from_millis(200);
const LONG: Duration = Duration::from_secs(60);

/// What a broken host keeps of each round.
const KEPT: [(&str, fn()); 4] = [
    ("descriptors", || forget(File::open("/dev/null").unwrap())),
    ("threads", || {
        forget(std::thread::spawn(|| {
            loop {
                std::thread::park()
            }
        }))
    }),
    ("tasks", || forget(tokio::spawn(std::future::pending::<()>()))),
    ("memory", || forget(vec![1_u8; 1 << 20])),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_keeps_something_of_each_round_is_refused() {
    for (what, keep) in KEPT {
        let fault = held::comes_back(2, 0, async || keep()).await.expect_err(what);
        assert!(fault.starts_with(what), "{what} stay, and it is told: {fault}");
    }
    held::comes_back(2, 4, async || {
        let _file = File::open("/dev/null").unwrap();
        let _memory = vec![1_u8; 1 << 20];
        std::thread::spawn(|| {}).join().unwrap();
        tokio::spawn(async {}).await.unwrap();
    })
    .await
    .unwrap();
}

/// As a leak of one attack of all: only in the rounds of the middle.
#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_kept_one_descriptor_in_one_of_many_rounds_is_refused() {
    let rounds = std::cell::Cell::new(0);
    let round = async || {
        rounds.set(rounds.get() + 1);
        if rounds.get() == 8 {
            forget(File::open("/dev/null").unwrap());
        }
    };
    let fault = held::comes_back(2, 4, round).await.expect_err("one stays");
    assert!(fault.starts_with("descriptors"), "{fault}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_does_not_give_back_a_slot_is_refused() {
    let mut settings = Settings::new(target().join("it-cache"));
    settings.live_instances = 3;
    let narrow = Runtime::new(settings).unwrap();
    let world = World::new(narrow.clone()).await;
    let connection =
        Connection::new(world.hostile(), &json!({ "attack": "behave" }), Grants::none()).unwrap();
    let source = Source::new(connection).unwrap();
    let held = open(&source).await.unwrap();
    let fault = room::slots_come_back(&narrow, &source, SHORT).await.expect_err("one is held");
    assert_eq!(fault, "2 of 3 slots are free");
    drop(held);
    room::slots_come_back(&narrow, &source, LONG).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_host_whose_task_stays_is_refused() {
    let stays = tokio::spawn(std::future::pending::<()>());
    let fault = room::tasks_come_back(0, LONG).await.expect_err("one is alive");
    assert_eq!(fault, "1 tasks are alive after 0");
    stays.abort();
    room::tasks_come_back(0, LONG).await.unwrap();
}

/// What a broken host does to what it tells of an attack, and how it is refused.
type Breakage = (&'static str, fn(&mut Fallen), &'static str);
type OfReport = (&'static str, fn(&mut RunReport));

const OF_ANY: [Breakage; 5] = [
    ("another code", |fallen| fallen.code = "CD0610".into(), "the code is CD0610"),
    ("a failure without words", |fallen| fallen.message.clear(), "unexpected failure"),
    ("all that a guest said", |fallen| fallen.message.push_str(&"x".repeat(16 << 10)), "a failure of 16"),
    ("escapes", |fallen| fallen.message.push('\u{1b}'), "escapes"),
    ("a budget of nothing", |fallen| fallen.budget.clear(), "is not in the budget"),
];

const OF_LIMITS: [Breakage; 2] = [
    (
        "another limit",
        |fallen| fallen.message = fallen.message.replace("(134217728 ", "(1 "),
        "another `memory_bytes`",
    ),
    ("a denial of nobody", |fallen| fallen.ledger.push(denied("CD0201")), "a denial is entered: true"),
];

const OF_LEDGERS: [Breakage; 10] = [
    ("one denial is not entered", |fallen| fallen.ledger.truncate(begun(fallen) - 1), "requests began"),
    ("no denial is entered", |fallen| fallen.ledger.clear(), "0 are in the ledger"),
    (
        "denials are entered as what was given up",
        |fallen| fallen.ledger.iter_mut().for_each(|entry| entry.outcome = egress::Outcome::Abandoned),
        "a denial is entered: false",
    ),
    ("another reason", |fallen| fallen.ledger[1] = denied("CD0202"), "another outcome"),
    (
        "a request is answered",
        |fallen| fallen.ledger[1].outcome = egress::Outcome::Completed,
        "another outcome",
    ),
    (
        "a connection is made",
        |fallen| fallen.ledger[1].address = Some(([203, 0, 113, 1], 443).into()),
        "left the machine",
    ),
    ("a status is there", |fallen| fallen.ledger[1].status = Some(200), "left the machine"),
    ("a byte is sent", |fallen| fallen.ledger[1].bytes_out = 1, "left the machine"),
    ("a byte is received", |fallen| fallen.ledger[1].bytes_in = 1, "left the machine"),
    ("a rule allows it", |fallen| fallen.ledger[1].rule = Some("https://*".into()), "allowed, or of nobody"),
];

fn begun(fallen: &Fallen) -> usize {
    usize::try_from(fallen.requests).unwrap()
}

fn denied(code: &'static str) -> egress::Entry {
    let outcome = egress::Outcome::Denied { code, reason: String::new(), line_to_add: None };
    egress::Entry { host: "host-1.example.com".into(), outcome, ..egress::Entry::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_tells_an_attack_wrongly_is_refused() {
    let world = World::new(runtime()).await;
    let attacks = crate::hostile::attacks();
    let named = |test: &str| attacks.iter().find(|attack| attack.test == test).unwrap();
    let breakages: [(&Attack, Vec<Breakage>); 2] = [
        (named("h01_grows_to_the_maximum_at_once"), OF_ANY.into_iter().chain(OF_LIMITS).collect()),
        (named("h37_asks_ten_thousand_hosts"), OF_ANY.into_iter().chain(OF_LEDGERS).collect()),
    ];
    for (attack, breakages) in breakages {
        let fallen = world.fall(attack, world.hostile(), tight()).await;
        fallen.judge(attack).unwrap();
        for (what, breaks, words) in breakages {
            let mut broken = fallen.clone();
            breaks(&mut broken);
            let fault = broken.judge(attack).expect_err(what);
            assert!(fault.contains(words), "{what} of `{}`: {fault}", attack.test);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_neighbour_that_is_not_whole_and_a_run_that_is_not_recorded_are_refused() {
    let world = World::new(runtime()).await;
    let report = world.neighbour("behave").await;
    whole(&report).unwrap();
    let breakages: [OfReport; 4] = [
        ("it failed", |report| report.outcome = Outcome::Failed),
        ("a row is missing", |report| first(report).accepted -= 1),
        ("a row came twice", |report| first(report).accepted += 1),
        ("a row is rejected as well", |report| first(report).rejected += 1),
    ];
    for (what, breaks) in breakages {
        let mut broken = report.clone();
        breaks(&mut broken);
        whole(&broken).expect_err(what);
        recorded(Some(broken), &report).expect_err(what);
    }
    whole(&world.neighbour("behave-then-panic").await).expect_err("it panics in the middle");
    recorded(None, &report).expect_err("no run is recorded");
    recorded(Some(report.clone()), &report).unwrap();
}

fn first(report: &mut RunReport) -> &mut pipeline::records::Counters {
    &mut report.streams.get_mut("rows").unwrap().counters
}
