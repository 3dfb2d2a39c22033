//! Every case of the list of hostile connectors has a test with its number in its name, and a row in the documentation that says
//! what comes of it.

use crate::hostile_wat::build::text;
use crate::oracle::{Attack, By};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};

const CASES: u32 = 64;
/// Crashing and lying worker processes: guests run in this process so far.
const OF_WORKERS: [u32; 2] = [59, 60];
/// Shown in other crates, without an engine: case, file and test.
const ELSEWHERE: [(u32, &str, &str); 3] = [
    (29, "host/runtime/src/logs.rs", "a_secret_is_blanked_before_a_line_goes_anywhere"),
    (39, "host/egress/tests/egress/capped.rs", "e42_request_heads_and_urls_are_capped"),
    (47, "host/runtime/src/logs.rs", "a_secret_that_would_be_cut_is_blanked_first"),
];
/// How many different hostile guests the list has at least.
const ATTACKS_MIN: usize = 150;

fn attacks() -> Vec<Attack> {
    crate::hostile::attacks().into_iter().chain(crate::hostile_wat::attacks()).collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn every_case_has_a_test() {
    let mut found: BTreeSet<u32> = OF_WORKERS.into();
    for file in files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")) {
        let text = std::fs::read_to_string(&file).unwrap();
        found.extend(text.lines().flat_map(|line| {
            let line = line.trim();
            let function = line.strip_prefix("async fn ").or(line.strip_prefix("fn "));
            numbers(function.unwrap_or(line))
        }));
    }
    for (case, file, test) in ELSEWHERE {
        let text = std::fs::read_to_string(root().join(file)).unwrap();
        assert!(text.contains(&format!("fn {test}()")), "`{test}` is gone from {file}");
        found.insert(case);
    }
    let missing: Vec<u32> = (1..=CASES).filter(|case| !found.contains(case)).collect();
    assert_eq!(missing, [0; 0], "cases without a test");
}

#[test]
fn no_two_attacks_of_the_list_are_one() {
    let (mut tests, mut guests) = (HashSet::new(), HashSet::new());
    for attack in attacks() {
        assert!(tests.insert(attack.test), "`{}` is there twice", attack.test);
        let guest = match attack.by {
            By::Configured(name, at) => format!("{name} at {at}"),
            By::HandMade(guest) => format!("{:?} {}", guest.encoding, text(&guest)),
        };
        assert!(guests.insert(guest), "`{}` does what another one does", attack.test);
    }
    assert!(guests.len() >= ATTACKS_MIN, "{} attacks", guests.len());
}

/// The row of a case names each code and each limit in which its attacks end.
#[test]
fn the_documentation_has_a_row_for_each_case_with_all_that_comes_of_it() {
    let text = std::fs::read_to_string(root().join("host/docs/hostile.md")).unwrap();
    let mut rows: BTreeMap<u32, &str> = BTreeMap::new();
    for line in text.lines().filter(|line| line.starts_with("| H")) {
        let case = line[3..5].parse().unwrap();
        assert!(rows.insert(case, line).is_none(), "H{case:02} has two rows");
    }
    assert_eq!(rows.keys().copied().collect::<Vec<_>>(), Vec::from_iter(1..=CASES));
    for attack in attacks() {
        for case in numbers(attack.test) {
            for word in [Some(attack.expect.code()), attack.expect.limit()].into_iter().flatten() {
                let word = format!("`{word}`");
                assert!(rows[&case].contains(&word), "`{}` ends in {word}: {}", attack.test, rows[&case]);
            }
        }
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (folders, files): (Vec<PathBuf>, Vec<PathBuf>) = entries.partition(|path| path.is_dir());
    let sources = files.into_iter().filter(|path| path.extension().is_some_and(|end| end == "rs"));
    sources.chain(folders.iter().flat_map(|folder| self::files(folder))).collect()
}

/// The cases in a test's name: `h30_h31_…`.
fn numbers(name: &str) -> Vec<u32> {
    let number = |word: &str| word.strip_prefix('h').filter(|digits| digits.len() == 2)?.parse().ok();
    name.split('_').map_while(number).collect()
}

#[test]
fn names_of_tests_are_read() {
    assert_eq!(numbers("h07_h18_loops: \"loop\""), [7, 18]);
    assert_eq!(numbers("hostile(x)"), [0; 0]);
    assert_eq!(numbers("each_h01"), [0; 0]);
}
