//! Processes that end without a word.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use cofferdam_storage::sled::{OpenError, SledEngine};
use cofferdam_storage::{Batch, Engine};

use super::child::{SelfProbe, command, options, play, play_probe};
use crate::factory::{HASTY_BYTES, everything};

const KILL: &str = "sled::kill::acknowledged_commits_survive_kill_9";
const HOLD: &str = "sled::kill::a_second_process_is_told_who_has_the_directory";

/// Commit n of writer w writes n at (w, 1) and at (w, 2).
fn batch(writer: u8, number: u32) -> Batch {
    let value = number.to_be_bytes().to_vec();
    let large = [value.clone(), vec![writer; 3_000]].concat();
    Batch { put: vec![(vec![writer, 1], value), (vec![writer, 2], large)], ..Batch::default() }
}

fn found(state: &BTreeMap<Vec<u8>, Vec<u8>>, writer: u8) -> u32 {
    let read = |part: u8| {
        state
            .get([writer, part].as_slice())
            .map_or(0, |value| u32::from_be_bytes(*value.first_chunk().unwrap()))
    };
    assert_eq!(read(1), read(2), "a commit of writer {writer} was torn");
    read(1)
}

/// Opens the directory, goes on where the process before it was killed, and says what is acknowledged. What it has
/// acknowledged waits to be applied for up to a second, or is being applied all the time.
fn commit_for_ever(directory: PathBuf, waiting_bytes: usize) -> i32 {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let options = options(&directory).waiting_bytes(waiting_bytes).probe(Arc::new(SelfProbe(KILL)));
        let engine = Arc::new(SledEngine::open(&options).unwrap());
        let state: BTreeMap<_, _> = everything(&*engine).await.unwrap().into_iter().collect();
        let writers: Vec<_> = (0..4_u8)
            .map(|writer| {
                let (engine, last) = (Arc::clone(&engine), found(&state, writer));
                tokio::spawn(async move {
                    for number in last + 1.. {
                        engine.commit(batch(writer, number)).await.unwrap();
                        let mut out = std::io::stdout().lock();
                        writeln!(out, "ack {writer} {number}").unwrap();
                        out.flush().unwrap();
                    }
                })
            })
            .collect();
        for writer in writers {
            writer.await.unwrap();
        }
    });
    0
}

#[test]
fn acknowledged_commits_survive_kill_9() {
    play_probe();
    play("commit", |directory| commit_for_ever(directory, 4 << 20));
    play("commit hastily", |directory| commit_for_ever(directory, HASTY_BYTES));
    let place = tempfile::tempdir().unwrap();
    let directory = place.path().join("data");
    let rounds = if std::env::var_os("COFFERDAM_TEST_LONG").is_some() { 1_000 } else { 50 };
    let mut acknowledged = [0_u32; 4];
    for round in 0..rounds {
        let role = if round % 3 == 2 { "commit hastily" } else { "commit" };
        let mut child = command(KILL, role, &directory).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // Each round ends at another moment: after the opening, in the middle of a group, after many.
        let patience = 1 + (round * 7) % 60;
        let mut count = 0;
        for line in lines.map_while(Result::ok) {
            let Some(says) = line.strip_prefix("ack ") else { continue };
            let (writer, number) = says.split_once(' ').unwrap();
            acknowledged[writer.parse::<usize>().unwrap()] = number.parse().unwrap();
            count += 1;
            if count == patience {
                child.kill().unwrap();
            }
        }
        assert!(count >= patience, "the process of round {round} ended by itself");
        child.wait().unwrap();
        check(&directory, acknowledged, round);
    }
}

fn check(directory: &Path, acknowledged: [u32; 4], round: u32) {
    // Every other round the next child process finds what this one left.
    if round % 2 == 1 {
        return;
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let state: BTreeMap<_, _> = runtime.block_on(async {
        let engine = SledEngine::open(&options(directory).probe(Arc::new(SelfProbe(KILL)))).unwrap();
        let state = everything(&engine).await.unwrap();
        engine.close().await.unwrap();
        state.into_iter().collect()
    });
    for (writer, acknowledged) in (0..).zip(acknowledged) {
        let found = found(&state, writer);
        // In each of the two rounds since the last check one commit may have become durable without anybody having been told.
        assert!(
            (acknowledged..=acknowledged + 2).contains(&found),
            "round {round}: writer {writer} was told {acknowledged} and {found} is there"
        );
    }
}

/// Opens the directory, says so, and keeps it until it is killed.
fn hold(directory: PathBuf) -> i32 {
    let _engine = SledEngine::open(&options(&directory).holder("cofferdam run --sync orders")).unwrap();
    println!("held");
    std::io::stdout().flush().unwrap();
    loop {
        std::thread::park();
    }
}

#[test]
fn a_second_process_is_told_who_has_the_directory() {
    play("hold", hold);
    let place = tempfile::tempdir().unwrap();
    let directory = place.path().join("data");
    let mut child = command(HOLD, "hold", &directory).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap() == "held"));
    match SledEngine::open(&options(&directory)).map(drop) {
        Err(OpenError::InUse { pid, holder, .. }) => {
            assert_eq!((pid, holder.as_str()), (child.id(), "cofferdam run --sync orders"));
        }
        other => panic!("{other:?}"),
    }
    child.kill().unwrap();
    child.wait().unwrap();
    drop(SledEngine::open(&options(&directory)).unwrap());
}
