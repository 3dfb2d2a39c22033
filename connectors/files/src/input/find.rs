//! Finds the files of a pattern: `*`, `?`, `[a-z]` within one part of the path, `**` for any number of folders.
//!
//! Names that begin with a point are left out unless the pattern says the point: such are our own unfinished files.
//! Links to folders are not followed by `**`, for they may form circles.

use std::{collections::BTreeMap, fs, path::Path, time::UNIX_EPOCH};

use cofferdam_sdk::{Error, Result};
use glob::{MatchOptions, Pattern};

use super::{explain, names_in};

const MATCHING: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };

/// The files of a pattern.
#[derive(Debug)]
pub(crate) struct Found {
    /// The folder above everything that the pattern can match, without a slash at its end.
    pub(crate) root: String,
    /// In the order of their names.
    pub(crate) files: Vec<FoundFile>,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FoundFile {
    /// Its path below the root.
    pub(crate) name: String,
    pub(crate) size: u64,
    /// Nanoseconds since 1970; 0 where the file system does not know.
    pub(crate) modified: u64,
}

/// All files of a pattern; an error if there are none.
pub(crate) fn find(pattern: &str) -> Result<Found> {
    let parts: Vec<&str> = pattern.split('/').filter(|part| !part.is_empty()).collect();
    let has_sign = |part: &&str| part.contains(['*', '?', '[']);
    let literal = parts.iter().take_while(|part| !has_sign(part)).count().min(parts.len().saturating_sub(1));
    let (root, rest) = parts.split_at(literal);
    if parts.iter().any(|part| matches!(*part, "." | "..")) {
        return Err(Error::config("/path", "must not hold `.` or `..` as a part"));
    }
    let steps = rest.iter().map(|part| Step::new(part)).collect::<Result<Vec<_>>>()?;
    let mut found = Found { root: format!("/{}", root.join("/")), files: Vec::new() };
    if root.is_empty() {
        found.root.clear();
    }
    let mut files = BTreeMap::new();
    walk(&found.root, "", &steps, &mut files)?;
    if files.is_empty() {
        return Err(Error::data(format!("there is no file `{pattern}`")));
    }
    found.files = files.into_values().collect();
    Ok(found)
}

enum Step {
    /// `**`
    AnyDepth,
    /// A part with signs.
    Matching(Pattern),
    /// A part that is a name: looked up rather than listed.
    Named(String),
}

impl Step {
    fn new(part: &str) -> Result<Self> {
        if part == "**" {
            return Ok(Self::AnyDepth);
        }
        if !part.contains(['*', '?', '[']) {
            return Ok(Self::Named(part.to_owned()));
        }
        let pattern =
            Pattern::new(part).map_err(|fault| Error::config("/path", format!("`{part}`: {fault}")))?;
        Ok(Self::Matching(pattern))
    }
}

fn walk(root: &str, below: &str, steps: &[Step], files: &mut BTreeMap<String, FoundFile>) -> Result<()> {
    let Some((step, rest)) = steps.split_first() else { return Ok(()) };
    match step {
        Step::AnyDepth => {
            walk(root, below, rest, files)?;
            for name in list(root, below)? {
                let visible = !name.rsplit('/').next().unwrap_or_default().starts_with('.');
                let own_folder =
                    fs::symlink_metadata(format!("{root}/{name}")).is_ok_and(|found| found.is_dir());
                if visible && own_folder {
                    walk(root, &name, steps, files)?;
                }
            }
            Ok(())
        }
        Step::Named(part) => visit(root, join(below, part), rest, files),
        Step::Matching(pattern) => {
            for name in list(root, below)? {
                let last = name.rsplit('/').next().unwrap_or_default();
                if pattern.matches_with(last, MATCHING) {
                    visit(root, name, rest, files)?;
                }
            }
            Ok(())
        }
    }
}

/// Take a file, or go on in a folder. What is gone or of another kind matches nothing; what cannot be looked at is an
/// error, for a file must not be left out in silence.
fn visit(root: &str, name: String, rest: &[Step], files: &mut BTreeMap<String, FoundFile>) -> Result<()> {
    let path = format!("{root}/{name}");
    let found = match fs::metadata(&path) {
        Ok(found) => found,
        Err(fault) if fault.kind() == std::io::ErrorKind::NotFound && parent_exists(&path) => return Ok(()),
        Err(fault) => return Err(explain("looking at", &path, fault)),
    };
    if rest.is_empty() {
        if found.is_file() {
            let file = FoundFile { name: name.clone(), size: found.len(), modified: modified(&found) };
            files.insert(name, file);
        }
        return Ok(());
    }
    if found.is_dir() { walk(root, &name, rest, files) } else { Ok(()) }
}

fn parent_exists(path: &str) -> bool {
    Path::new(path).parent().is_some_and(|parent| fs::metadata(parent).is_ok())
}

/// What lies in a folder, as paths below the root.
fn list(root: &str, below: &str) -> Result<Vec<String>> {
    let folder = if below.is_empty() { root.to_owned() } else { format!("{root}/{below}") };
    let folder = if folder.is_empty() { "/".to_owned() } else { folder };
    let found = names_in(Path::new(&folder)).map_err(|fault| explain("listing", &folder, fault))?;
    let mut names = Vec::with_capacity(found.len());
    for name in found {
        let Some(name) = name.to_str() else {
            return Err(Error::data(format!(
                "the name `{}` in `{folder}` is not UTF-8",
                name.to_string_lossy()
            )));
        };
        names.push(join(below, name));
    }
    names.sort();
    Ok(names)
}

fn join(below: &str, name: &str) -> String {
    if below.is_empty() { name.to_owned() } else { format!("{below}/{name}") }
}

/// When a file was last changed.
pub(super) fn modified(found: &fs::Metadata) -> u64 {
    let since = found.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    since.and_then(|since| u64::try_from(since.as_nanos()).ok()).unwrap_or_default()
}
