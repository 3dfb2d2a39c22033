//! Sealed storage as the host has it, in everything that it does to a disk.

use std::collections::BTreeSet;

use crate::campaign::{After, Campaign};
use crate::{shreds, steps};

fn campaign(scenario: &'static str, cuts: usize) -> Campaign {
    Campaign { scenario, cuts, tries_earlier_keyrings: true, judge }
}

#[test]
fn no_cut_breaks_a_new_data_directory() {
    campaign("fresh", 50).run();
}

#[test]
fn no_cut_loses_a_change_under_load() {
    campaign("load", 40).run();
}

#[test]
fn no_cut_brings_back_what_has_ended_or_ends_what_has_not() {
    campaign("purge", 40).run();
}

#[test]
fn no_cut_loses_a_row_while_keys_are_rotated() {
    campaign("keys", 40).run();
}

#[test]
fn no_cut_brings_back_a_deleted_organization_or_harms_another() {
    campaign("shred", 40).run();
}

fn judge(after: &After<'_>) -> Result<(), String> {
    steps::judge(after)?;
    shreds::judge(after)?;
    passing(after)?;
    fading(after)
}

/// Of an organization that is not to go every row is there; of one that has gone none.
fn passing(after: &After<'_>) -> Result<(), String> {
    let count = |lines: &[&str], line: &str| lines.iter().filter(|other| **other == line).count();
    for round in 0..10 {
        let line = format!("passing {round}");
        let (said, found) = (count(&after.marks, &line), count(&after.found, &line));
        let is_doomed = count(&after.marks, &format!("doomed passing-{round}-")) > 0;
        let may_go = count(&after.marks, &format!("doom passing-{round}-")) > 0;
        if (is_doomed && found > 0) || (!may_go && found < said) {
            return Err(format!("{found} of {said} rows of organization {round}, doomed: {is_doomed}"));
        }
    }
    Ok(())
}

/// Rows that end are there until the moment that was said, and not after it.
fn fading(after: &After<'_>) -> Result<(), String> {
    let last = after.marks.iter().rev().find_map(|mark| mark.strip_prefix("clock "));
    let now_ms: u64 = last.map_or(0, |last| last.parse().unwrap());
    let living: BTreeSet<&str> = after.found.iter().filter_map(|line| line.strip_prefix("lives ")).collect();
    for mark in &after.marks {
        let words: Vec<&str> = mark.split(' ').collect();
        let ["fading", name, ends_ms] = words.as_slice() else { continue };
        let is_due = ends_ms.parse::<u64>().unwrap() > now_ms;
        if is_due != living.contains(name) {
            return Err(format!("`{name}` ends at {ends_ms}, it is {now_ms}, and it is there: {}", !is_due));
        }
    }
    Ok(())
}
