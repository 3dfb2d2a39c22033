//! Runs the cases in `cases/`: a new case needs no Rust.
//!
//! `source-*`: the folders `1`, `2`, … are copied one after the other into one directory that the configuration
//! calls `/data`; after each of them the source is run with the checkpoint of the run before. What it brings must be
//! what `expected.json` says, whatever the size of its pages and wherever it is stopped and resumed.
//!
//! `copy-*`: the files in `data` are copied by a source and a destination; what is written must be what
//! `expected.json` says.
//!
//! With `BLESS=1` in the environment `expected.json` is written instead.

#![cfg(test)]

mod copy;
mod source;

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

/// The folders of the cases of one kind.
fn cases(kind: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<PathBuf> =
        entries.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with(kind)).collect();
    found.sort();
    assert!(!found.is_empty(), "there are no cases of the kind {kind}");
    found
}

fn read_json(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap_or_else(|fault| panic!("{}: {fault}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|fault| panic!("{}: {fault}", path.display()))
}

/// Compares with what is expected, or writes it.
fn expect(case: &Path, found: &Value, faults: &mut Vec<String>) {
    let path = case.join("expected.json");
    if std::env::var_os("BLESS").is_some() {
        fs::write(path, format!("{found:#}\n")).unwrap();
        return;
    }
    let expected = read_json(&path);
    if expected != *found {
        faults.push(format!("{}\nexpected {expected:#}\nfound {found:#}", case.display()));
    }
}

/// Copies a folder over another one; files that are the same keep their times.
fn overlay(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let source = entry.unwrap().path();
        let target = to.join(source.file_name().unwrap());
        if source.is_dir() {
            fs::create_dir_all(&target).unwrap();
            overlay(&source, &target);
        } else {
            fs::copy(&source, &target).unwrap();
        }
    }
}

#[test]
fn copies_are_what_is_expected() {
    let mut faults = Vec::new();
    for case in cases("copy-") {
        expect(&case, &copy::run(&case), &mut faults);
    }
    assert!(faults.is_empty(), "{} cases differ:\n{}", faults.len(), faults.join("\n\n"));
}

#[test]
fn sources_bring_what_is_expected() {
    let mut faults = Vec::new();
    for case in cases("source-") {
        expect(&case, &source::run(&case), &mut faults);
    }
    assert!(faults.is_empty(), "{} cases differ:\n{}", faults.len(), faults.join("\n\n"));
}
