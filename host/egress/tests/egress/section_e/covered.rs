//! Every case of the section has rows or a test with its number in its name. The list of those that have not may only shrink.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{addresses, spellings};

const CASES: u32 = 68;
/// Where tests of this section are, seen from this crate.
const PLACES: [&str; 4] = ["src", "tests", "../grants/src", "../manifest/src/host"];
/// Shown where credentials are placed, refreshed and kept, which is more than this crate.
const OF_CREDENTIALS: [u32; 14] = [40, 41, 46, 48, 50, 51, 52, 53, 54, 55, 56, 66, 67, 68];

#[test]
fn every_case_has_rows_or_a_test() {
    let mut found: BTreeSet<u32> = OF_CREDENTIALS.into();
    found.extend(
        addresses::rows().iter().chain(&spellings::rows()).map(|row| row.case[1..].parse::<u32>().unwrap()),
    );
    for place in PLACES {
        for file in files(&Path::new(env!("CARGO_MANIFEST_DIR")).join(place)) {
            let text = std::fs::read_to_string(&file).unwrap();
            let names =
                text.lines().filter_map(|line| line.trim().trim_start_matches("async ").strip_prefix("fn "));
            found.extend(names.flat_map(numbers));
        }
    }
    let missing: Vec<u32> = (1..=CASES).filter(|case| !found.contains(case)).collect();
    assert_eq!(missing, [0; 0], "cases of section E without a row or a test");
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (folders, files): (Vec<PathBuf>, Vec<PathBuf>) = entries.partition(|path| path.is_dir());
    let sources = files.into_iter().filter(|path| path.extension().is_some_and(|end| end == "rs"));
    sources.chain(folders.iter().flat_map(|folder| self::files(folder))).collect()
}

/// The cases in a test's name: `e07_e18_…` and `e01_to_e16_…`.
fn numbers(name: &str) -> Vec<u32> {
    let mut numbers = Vec::new();
    let mut is_range = false;
    for word in name.split('_') {
        if word == "to" && !numbers.is_empty() {
            is_range = true;
            continue;
        }
        let digits = word.strip_prefix('e').filter(|digits| digits.len() == 2);
        let Some(number) = digits.and_then(|digits| digits.parse::<u32>().ok()) else { break };
        let from = if is_range { numbers.last().unwrap() + 1 } else { number };
        numbers.extend(from..=number);
        is_range = false;
    }
    numbers
}

#[test]
fn names_of_tests_are_read_with_their_ranges() {
    assert_eq!(numbers("e07_e18_e28_zones(x)"), [7, 18, 28]);
    assert_eq!(numbers("e01_to_e04_x"), [1, 2, 3, 4]);
    assert_eq!(numbers("eventually()"), [0; 0]);
    assert_eq!(numbers("each_e01"), [0; 0]);
}
