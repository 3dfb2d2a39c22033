//! The durable engine loses nothing, from its first file on, with writers beside each other.

use std::collections::BTreeSet;

use crate::campaign::{After, Campaign};
use crate::steps;

#[test]
fn no_cut_loses_a_commit_of_the_engine() {
    Campaign { scenario: "engine", cuts: 60, from: None, tries_earlier_keyrings: false, judge: steps::judge }
        .run();
}

#[test]
fn no_cut_loses_a_commit_while_the_journal_is_trimmed_and_the_database_copied() {
    let from = Some("trimming");
    Campaign { scenario: "compaction", cuts: 24, from, tries_earlier_keyrings: false, judge: compaction }
        .run();
}

/// All that was filled together is of one round, the last or the one that was begun.
fn compaction(after: &After<'_>) -> Result<(), String> {
    steps::judge(after)?;
    let last = |word: &str| {
        let rounds = after.marks.iter().rev().find_map(|mark| mark.strip_prefix(word));
        rounds.map_or(0, |round| round.parse::<u32>().unwrap())
    };
    let possible = [last("filled "), last("fill ")];
    let found: BTreeSet<&str> = after.found.iter().filter_map(|line| line.strip_prefix("round ")).collect();
    let is_right = |round: &u32| found == BTreeSet::from([round.to_string().as_str()]);
    if possible.iter().any(is_right) {
        Ok(())
    } else {
        Err(format!("{found:?} instead of one of {possible:?}"))
    }
}
