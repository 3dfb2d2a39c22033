//! A sync's document: read, and every configuration in it held against the schema of its connector, with places.

use std::fs;
use std::path::{Path, PathBuf};

use manifest::{ConfigFault, Fault, Faults, SyncFile};

use crate::places::folder_of;
use crate::problem::{Own, Problem, Problems};

/// What a person writes is smaller; more is some other file.
const DOCUMENT_BYTES_MAX: u64 = 4 << 20;

/// A sync's document.
pub(crate) struct Document {
    /// Its name as it was given.
    pub(crate) file: String,
    /// None where nobody wrote it as a text.
    text: Option<String>,
    /// What it says, with paths that hold from here.
    pub(crate) sync: SyncFile,
}

/// Where a connection stands in the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Source,
    Transform(usize),
    Destination,
}

impl Place {
    /// What stands there, in words.
    fn name(self) -> String {
        match self {
            Self::Source => "source".into(),
            Self::Transform(index) => format!("transform-{}", index + 1),
            Self::Destination => "destination".into(),
        }
    }

    /// The path of its configuration as a JSON Pointer.
    fn config(self) -> String {
        match self {
            Self::Source => "/source/config".into(),
            Self::Transform(index) => format!("/transforms/{index}/config"),
            Self::Destination => "/destination/config".into(),
        }
    }
}

impl Document {
    pub(crate) fn read(path: &Path) -> Result<Self, Problems> {
        let file = path.display().to_string();
        let text = text_of("the sync's document", path)?;
        let mut sync = SyncFile::parse(&file, &text)?;
        sync.rebase(&folder_of(path));
        Ok(Self { file, text: Some(text), sync })
    }

    /// What a document would say, of a sync that has none.
    pub(crate) fn of(sync: SyncFile) -> Self {
        Self { file: sync.name.clone(), text: None, sync }
    }

    /// The faults of configurations at their places, in the order of the document; none where there are none.
    pub(crate) fn config_faults(&self, faults: &[(Place, Vec<ConfigFault>)]) -> Option<Problem> {
        let Some(text) = &self.text else {
            let found = faults.iter().filter(|(_, faults)| !faults.is_empty());
            let problems = found.map(|(place, faults)| config_problem(&place.name(), faults.clone()));
            return problems.reduce(|mut first, next| {
                first.details.push(format!("{}:", next.message));
                first.details.extend(next.details);
                first
            });
        };
        let mut all: Vec<Fault> = Vec::new();
        let mut left_out = 0;
        for (place, faults) in faults.iter().filter(|(_, faults)| !faults.is_empty()) {
            let located = SyncFile::locate(&self.file, text, &place.config(), faults);
            all.extend(located.faults);
            left_out += located.left_out;
        }
        all.sort_by_key(|fault| (fault.line, fault.column));
        (!all.is_empty()).then(|| Faults { file: self.file.clone(), faults: all, left_out }.into())
    }
}

/// A document's text, with a bound on its size.
pub(crate) fn text_of(what: &'static str, path: &Path) -> Result<String, Problems> {
    let bytes = bytes_of(what, path, DOCUMENT_BYTES_MAX)?;
    String::from_utf8(bytes).map_err(|error| {
        let reason = format!("it is not UTF-8 at byte {}", error.utf8_error().valid_up_to());
        Own::WrongFile { what, path: path.to_owned(), reason }.into()
    })
}

/// A file's bytes, with a bound on their number.
pub(crate) fn bytes_of(what: &'static str, path: &Path, bytes_max: u64) -> Result<Vec<u8>, Problems> {
    let failed = |source| Own::Read { what, path: path.to_owned(), source };
    let wrong = |reason: String| Own::WrongFile { what, path: path.to_owned(), reason };
    let metadata = fs::metadata(path).map_err(failed)?;
    // A pipe or a device never ends.
    if !metadata.is_file() {
        return Err(wrong("it is not a file".into()).into());
    }
    if metadata.len() > bytes_max {
        return Err(
            wrong(format!("it has {} bytes, and at most {bytes_max} are read", metadata.len())).into()
        );
    }
    Ok(fs::read(path).map_err(failed)?)
}

/// A component's bytes. The bound is above the host's own, which says more.
pub(crate) fn component_bytes(path: &Path) -> Result<Vec<u8>, Problems> {
    const COMPONENT_BYTES_MAX: u64 = 256 << 20;
    bytes_of("the component", path, COMPONENT_BYTES_MAX)
}

/// A configuration in a file of its own, TOML or JSON.
pub(crate) fn config_of(path: Option<&PathBuf>) -> Result<serde_json::Value, Problems> {
    const WHAT: &str = "the configuration";
    let Some(path) = path else { return Ok(serde_json::json!({})) };
    let text = text_of(WHAT, path)?;
    let is_json = path.extension().is_some_and(|end| end == "json");
    let read = if is_json {
        serde_json::from_str(&text).map_err(|error| error.to_string())
    } else {
        toml::from_str::<serde_json::Value>(&text).map_err(|error| error.to_string())
    };
    read.map_err(|reason| Own::WrongFile { what: WHAT, path: path.clone(), reason }.into())
}

/// Whether a file is a component, or says so by its name.
pub(crate) fn is_component(path: &Path) -> Result<bool, Problems> {
    use std::io::Read as _;
    let failed = |source| Own::Read { what: "the file", path: path.to_owned(), source };
    let mut start = Vec::new();
    fs::File::open(path).map_err(failed)?.take(4).read_to_end(&mut start).map_err(failed)?;
    Ok(start == b"\0asm" || path.extension().is_some_and(|end| end == "wasm"))
}

/// A configuration without a document to point into.
pub(crate) fn config_problem(name: &str, faults: Vec<ConfigFault>) -> Problem {
    let mut problem =
        Problem::new("CD0110", format!("the configuration of `{name}` breaks its connector's schema"));
    problem.details = faults
        .into_iter()
        .map(|fault| {
            format!("at `{}`: {}", if fault.path.is_empty() { "/" } else { &fault.path }, fault.message)
        })
        .collect();
    problem
}
