//! The short form of the fuzz targets: the kept inputs, and changes of them by a fixed seed. `cargo xtask fuzz` is the long one.
#![expect(
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "helpers of tests stand outside of their functions"
)]

mod changed;

use std::fs;
use std::path::PathBuf;

use fuzz::{TARGETS, Target};

use crate::changed::changed;

/// How many times as many inputs are a long round.
const LONG: usize = 40;

fn folder(target: &Target) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target.name)
}

/// The kept inputs, in the order of their names.
fn kept(target: &Target) -> Vec<(String, Vec<u8>)> {
    let mut kept: Vec<_> = fs::read_dir(folder(target))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap()))
        .collect();
    kept.sort();
    kept
}

/// Shows the input when the target panics.
struct Shown<'a>(&'a str, &'a [u8]);

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the input, from `{}`: {}", self.0, self.1.escape_ascii());
        }
    }
}

/// The kept inputs, and so many changes of them.
fn check(name: &str, rounds: usize) {
    let target = TARGETS.into_iter().find(|target| target.name == name).unwrap();
    let kept = kept(&target);
    assert!(!kept.is_empty(), "`{name}` has no kept inputs");
    for (name, input) in &kept {
        let _shown = Shown(name, input);
        (target.run)(input);
    }
    let is_long = std::env::var_os("COFFERDAM_TEST_LONG").is_some();
    let mut random = fastrand::Rng::with_seed(0xC0FF_E4DA);
    for _ in 0..if is_long { LONG * rounds } else { rounds } {
        let (name, input) = &kept[random.usize(..kept.len())];
        let other = &kept[random.usize(..kept.len())].1;
        let input = changed(&mut random, input, other, target.words);
        let _shown = Shown(name, &input);
        (target.run)(&input);
    }
}

#[test]
fn a_rule_over_hosts_is_read_as_browsers_read_it() {
    check("host-pattern", 4_000);
}

#[test]
fn an_allow_list_never_matches_what_the_authority_is_not() {
    check("allow-list", 2_000);
}

#[test]
fn a_document_means_the_same_when_it_is_written_anew() {
    check("manifest", 400);
}

#[test]
fn one_request_arrives_and_it_is_the_one_that_was_judged() {
    check("request", 3_000);
}

#[test]
fn no_piece_of_a_secret_leaves_in_any_pieces() {
    check("scrubber", 1_500);
}

#[test]
fn the_judge_of_pages_agrees_with_a_slow_one() {
    check("columns", 4_000);
}

/// A target without a test would be fuzzed only by those who think of it.
#[test]
fn each_target_has_a_test_and_a_folder() {
    let source = include_str!("main.rs");
    for target in TARGETS {
        assert!(source.contains(&format!("check(\"{}\", ", target.name)), "{}", target.name);
        assert!(folder(&target).is_dir(), "{}", target.name);
    }
    let folders = fs::read_dir(folder(&TARGETS[0]).parent().unwrap()).unwrap().count();
    assert_eq!(folders, TARGETS.len(), "a folder is left over");
}
