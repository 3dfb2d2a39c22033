//! The durable engine loses nothing, from its first file on: with writers beside each other, with a journal of which parts
//! go, and when its database is copied.

use std::collections::BTreeMap;

use crate::campaign::{After, Campaign};
use crate::steps;

/// Values of one round, which are written and deleted together.
const VALUES: usize = 16;

#[test]
fn no_cut_loses_a_commit_of_the_engine() {
    campaign("engine", 50, steps::judge).run();
}

#[test]
fn no_cut_loses_a_commit_while_the_journal_is_trimmed() {
    campaign("trimming", 50, rounds).run();
}

#[test]
fn no_cut_loses_a_commit_while_the_database_is_copied() {
    Campaign { from: Some("trimming"), ..campaign("compaction", 20, rounds) }.run();
}

fn campaign(scenario: &'static str, cuts: usize, judge: fn(&After<'_>) -> Result<(), String>) -> Campaign {
    Campaign { scenario, cuts, from: None, tries_earlier_keyrings: false, judge }
}

/// What may be there of a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum May {
    There,
    Gone,
    Either,
}

/// Each round is there whole or not at all, as its last mark says.
fn rounds(after: &After<'_>) -> Result<(), String> {
    let mut expected: BTreeMap<&str, May> = BTreeMap::new();
    for mark in &after.marks {
        let may = match mark.split_once(' ') {
            Some(("fill" | "empty", _)) => May::Either,
            Some(("filled", _)) => May::There,
            Some(("emptied", _)) => May::Gone,
            _ => continue,
        };
        expected.extend(mark.split_once(' ').map(|(_, round)| (round, may)));
    }
    let mut found: BTreeMap<&str, usize> = BTreeMap::new();
    for round in after.found.iter().filter_map(|line| line.strip_prefix("round ")) {
        *found.entry(round).or_default() += 1;
    }
    let is_right = |round: &str, may: May| match found.get(round) {
        Some(count) => may != May::Gone && *count == VALUES,
        None => may != May::There,
    };
    let wrong: Vec<_> = expected.iter().filter(|(round, may)| !is_right(round, **may)).collect();
    let unknown: Vec<_> = found.keys().filter(|round| !expected.contains_key(*round)).collect();
    if wrong.is_empty() && unknown.is_empty() {
        return Ok(());
    }
    Err(format!("rounds {wrong:?} are wrong and {unknown:?} unknown; found: {found:?}"))
}
