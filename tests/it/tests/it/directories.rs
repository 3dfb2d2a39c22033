//! Directories that were granted: whatever a connector tries, and whatever lies in them, it reaches nothing else. One file a
//! family: where paths lead, what may be changed, what is no file, and races.
//!
//! The guest `paths` makes the calls of WASI one by one and tells what each answered.

mod changes;
mod paths;
mod special;
mod swapped;

use crate::contract::Proof;
use crate::harness::{budget, open};
use pipeline::failure::Failure;
use pipeline::model::Step;
use runtime::{Directory, Grants, Limits, Stop};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// What stands outside and must never be seen.
const CANARY: &str = "outside-canary";

/// A granted directory with a file in it, and beside it one that was not granted, with the canary in it.
pub(crate) struct Granted {
    around: TempDir,
    writable: bool,
    limits: Limits,
}

impl Granted {
    pub(crate) fn new(writable: bool) -> Self {
        let around = tempfile::tempdir().unwrap();
        for name in ["data", "beside"] {
            std::fs::create_dir(around.path().join(name)).unwrap();
        }
        std::fs::write(around.path().join("beside/secret"), CANARY).unwrap();
        std::fs::write(around.path().join("data/file"), "inside").unwrap();
        Self { around, writable, limits: Limits::defaults() }
    }

    pub(crate) fn limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// A place in the granted directory.
    pub(crate) fn at(&self, path: &str) -> PathBuf {
        self.around.path().join("data").join(path)
    }

    /// A place outside of it.
    pub(crate) fn beside(&self, path: &str) -> PathBuf {
        self.around.path().join("beside").join(path)
    }

    /// Let the guest do these steps, and give what it told of each.
    pub(crate) async fn steps(&self, steps: Value) -> Result<Vec<String>, Failure> {
        self.steps_until(Stop::never(), steps).await
    }

    /// The same for as long as it is not taken back.
    pub(crate) async fn steps_until(&self, cut_off: Stop, steps: Value) -> Result<Vec<String>, Failure> {
        let data = Directory { name: "data".into(), path: self.at(""), writable: self.writable, root: None };
        let limits = self.limits.clone();
        let grants = Grants { directories: vec![data], limits, cut_off, ..Grants::none() };
        let proof = Proof::of("paths", json!({ "steps": steps }), grants).await;
        let step = open(&proof.source()).await?.next(budget()).await?;
        assert_eq!(step, Step::End);
        Ok(proof.said())
    }

    /// Each is a call, its path, its other path and its answer.
    pub(crate) async fn expect(&self, table: &[(&str, &str, &str, &str)]) {
        let step =
            |(call, path, to, _): &(&str, &str, &str, &str)| json!({ "do": call, "path": path, "to": to });
        let said = self.steps(table.iter().map(step).collect()).await.unwrap();
        // A log line has no control characters.
        let shown = |path: &str| path.replace('\0', "\\u{0}");
        let told =
            |(call, path, _, answer): &(&str, &str, &str, &str)| format!("{call} {}: {answer}", shown(path));
        let expect: Vec<String> = table.iter().map(told).collect();
        assert_eq!(said, expect);
        self.nothing_outside_was_touched();
    }

    pub(crate) fn nothing_outside_was_touched(&self) {
        assert_eq!(std::fs::read_to_string(self.beside("secret")).unwrap(), CANARY);
        assert_eq!(names(&self.beside("")), ["secret"]);
        assert_eq!(names(self.around.path()), ["beside", "data"]);
    }
}

/// What a directory holds.
pub(crate) fn names(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}
