//! Sealed storage as the host has it, in everything that it does to a disk.

use std::collections::BTreeSet;

use power::script;

use crate::campaign::{After, Campaign};
use crate::{shreds, steps};

fn campaign(scenario: &'static str, cuts: usize) -> Campaign {
    Campaign { scenario, cuts, from: None, tries_earlier_keyrings: true, judge }
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

#[test]
fn no_cut_breaks_a_backup_that_is_done() {
    campaign("backup", 30).run();
}

#[test]
fn no_cut_breaks_a_restore_that_is_done() {
    Campaign { from: Some("lost"), ..campaign("restore", 30) }.run();
}

fn judge(after: &After<'_>) -> Result<(), String> {
    steps::judge(after)?;
    shreds::judge(after)?;
    passing(after)?;
    backups(after)?;
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

/// Every backup that was acknowledged, or that has its name, opens whole; the newest holds what was there.
fn backups(after: &After<'_>) -> Result<(), String> {
    let said: Vec<&str> = after.marks.iter().filter_map(|mark| mark.strip_prefix("backup ")).collect();
    for backup in &said {
        let (name, _) = backup.split_once(' ').unwrap();
        if !after.found.contains(&format!("whole {name}").as_str()) {
            return Err(format!("the backup `{name}` is lost"));
        }
    }
    let Some((_, steps)) = said.last().and_then(|backup| backup.split_once(' ')) else { return Ok(()) };
    let expected: Vec<String> =
        (0..2).flat_map(|writer| script::facts(writer, steps.parse().unwrap())).collect();
    let found = after.found.iter().filter_map(|line| line.strip_prefix("backed up "));
    let found: BTreeSet<&str> = found.collect();
    let is_right = found == expected.iter().map(String::as_str).collect();
    if is_right { Ok(()) } else { Err(format!("the newest backup holds {found:?}, not {expected:?}")) }
}
