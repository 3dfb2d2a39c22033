//! Every case of the section has rows or a test with its number in its name, and a name alone is none: what bears it must be a
//! test, and must assert.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{Way, addresses, spellings};

const CASES: u32 = 68;
/// Where tests of this section are, seen from this crate.
const PLACES: [&str; 4] = ["src", "tests", "../grants/src", "../manifest/src/host"];
#[test]
fn every_case_has_rows_or_a_test() {
    let rows = addresses::rows().into_iter().chain(spellings::rows());
    let mut found: BTreeSet<u32> = rows.map(|row| row.case[1..].parse::<u32>().unwrap()).collect();
    let places = PLACES.map(|place| Path::new(env!("CARGO_MANIFEST_DIR")).join(place));
    for file in places.iter().flat_map(|place| files(place)) {
        let text = std::fs::read_to_string(&file).unwrap();
        for (name, body) in tests(&text) {
            let numbers = numbers(name);
            assert!(
                numbers.is_empty() || asserts(&body, &text),
                "{name} asserts nothing: {}",
                file.display()
            );
            found.extend(numbers);
        }
    }
    let missing: Vec<u32> = (1..=CASES).filter(|case| !found.contains(case)).collect();
    assert_eq!(missing, [0; 0], "cases of section E without a row or a test");
}

/// A case of addresses is one only when every way leads there.
#[test]
fn every_address_is_come_to_in_every_way() {
    let rows = addresses::rows();
    for case in 1..=16 {
        let case = format!("E{case:02}");
        let ways = |way| rows.iter().filter(|row| row.case == case && row.way == way).count();
        let counts = [Way::Literal, Way::Dns, Way::Alias, Way::Redirect].map(ways);
        assert!(counts[0] > 0 && counts.iter().all(|count| *count == counts[0]), "{case}: {counts:?}");
    }
}

/// Does it, or a helper of its file that it calls?
fn asserts(body: &str, text: &str) -> bool {
    // The macro of the tests of patterns panics at what is not refused.
    let asserts = |body: &str| body.contains("assert") || body.contains("refused! {");
    let mut helpers = functions(text).filter(|(_, _, helper)| asserts(helper));
    asserts(body) || helpers.any(|(_, name, _)| body.contains(&format!("{name}(")))
}

/// The tests of a file, by name, with what stands in each.
fn tests(text: &str) -> Vec<(&str, String)> {
    let lines: Vec<&str> = text.lines().collect();
    let is_test = |at: usize| {
        let before = lines[..at].iter().rev().take_while(|line| line.trim().starts_with("#["));
        before.into_iter().any(|line| matches!(line.trim(), "#[test]" | "#[tokio::test]"))
    };
    functions(text).filter(|(at, ..)| is_test(*at)).map(|(_, name, body)| (name, body)).collect()
}

/// The functions of a file: line, name, and what stands in each up to the closing bracket in its column.
fn functions(text: &str) -> impl Iterator<Item = (usize, &str, String)> {
    text.lines().enumerate().filter_map(move |(at, line)| {
        let indent = &line[..line.len() - line.trim_start().len()];
        let rest = line.trim_start().trim_start_matches("async ").strip_prefix("fn ")?;
        let close = format!("{indent}}}");
        let body = text.lines().skip(at + 1).take_while(|line| *line != close);
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_')?;
        Some((at, &rest[..end], body.fold(String::new(), |body, line| body + line + "\n")))
    })
}

#[test]
fn only_what_is_run_counts_as_a_test() {
    let text = "fn e01_no_test() {\n    assert!(true);\n}\n\n    #[test]\n    #[cfg(unix)]\n    fn e02_within() {\n        \
                assert!(true);\n    }\n#[tokio::test]\nasync fn e03_empty() {\n    nothing();\n}\n\
                #[test]\nfn e04_by_a_helper() {\n    holds(1);\n}\nfn holds(x: u8) {\n    assert!(x > 0);\n}\n";
    let found = tests(text);
    let told: Vec<(&str, bool)> = found.iter().map(|(name, body)| (*name, asserts(body, text))).collect();
    assert_eq!(told, [("e02_within", true), ("e03_empty", false), ("e04_by_a_helper", true)]);
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
