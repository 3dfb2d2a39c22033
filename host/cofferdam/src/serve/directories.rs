//! The directories of this machine that the operator lets admins grant, as the file of settings names them. None of them may
//! hold, or lie in, what this process keeps: who writes there would write our keys, our code or our settings.

use std::collections::BTreeSet;
use std::env;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf, absolute};

use control::OfferedDirectory;
use manifest::Access;
use serde::Deserialize;

use super::sources::{DIRECTORIES, Sources};
use crate::arguments::Serve;
use crate::data;
use crate::places;

/// More than anybody reads before naming one.
const DIRECTORIES_MAX: usize = 64;
/// What the kernel shows there is no directory of files.
const KERNEL: [&str; 3] = ["/proc", "/sys", "/dev"];

/// One of the tables.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    name: String,
    path: PathBuf,
    access: Access,
    organizations: Option<BTreeSet<String>>,
    #[serde(default)]
    shared: bool,
}

/// Something of ours from which these directories keep away.
pub(super) struct Away {
    what: &'static str,
    path: PathBuf,
}

/// Everything that is ours, as far as its place is known before it is opened.
pub(super) fn away(command: &Serve, sources: &Sources) -> Vec<Away> {
    let data = places::data_here(command.data.data.as_deref());
    let keys = &command.data.keys;
    let said = |name: &str| sources.find(name).map(|(path, _)| PathBuf::from(path));
    let mut all = vec![
        ("the cache of compiled components", places::cache(said("cache")).ok()),
        ("the user's configuration", places::config()),
        ("the key of TLS", said("tls-key")),
        ("the certificate of TLS", said("tls-certificate")),
        ("a key of ACME", said("acme-key-file")),
        ("authorities of ACME", said("acme-authorities")),
        ("the token for operations", said("operations-token-file")),
        ("the file of settings", sources.file.as_ref().map(|(path, _)| path.clone())),
        ("a key", keys.key_file.clone()),
        ("a key", keys.shred_key.clone()),
        ("a passphrase", keys.passphrase_file.clone()),
        ("a passphrase", env::var_os("COFFERDAM_PASSPHRASE_FILE").map(PathBuf::from)),
        ("credentials of the service manager", env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from)),
    ];
    // What cannot be read there is told when it is opened.
    let known = data::Settings::read(&data).ok().flatten();
    all.extend(known.iter().flat_map(data::Settings::key_files).map(|path| ("a key", Some(path.to_owned()))));
    all.push(("the data directory", Some(data)));
    all.into_iter().filter_map(|(what, path)| Some(Away { what, path: whole(&path?) })).collect()
}

/// What is wrong is among the faults of the sources.
pub(super) fn judged(sources: &mut Sources, away: &[Away]) -> Vec<OfferedDirectory> {
    let Some((file, Some(tables))) = sources.file.clone() else { return Vec::new() };
    let toml::Value::Array(tables) = tables else {
        sources
            .faults
            .push(format!("`{DIRECTORIES}` in `{}`: each is a table `[[directories]]`", file.display()));
        return Vec::new();
    };
    let mut offered: Vec<OfferedDirectory> = Vec::new();
    for (index, table) in tables.into_iter().enumerate() {
        let mut fault = |key: &str, what: &dyn fmt::Display| {
            sources.faults.push(format!("`{DIRECTORIES}[{index}]{key}` in `{}`: {what}", file.display()));
        };
        if index == DIRECTORIES_MAX {
            fault("", &format!("there are more than {DIRECTORIES_MAX}"));
            break;
        }
        let said = match table.try_into::<Said>() {
            Ok(said) => said,
            Err(error) => {
                fault("", &error.message());
                continue;
            }
        };
        faults_of(&said, &offered).into_iter().for_each(|(key, what)| fault(key, &what));
        match root(&said.path, away, &offered) {
            Ok(root) => {
                let Said { name, access, organizations, shared, .. } = said;
                offered.push(OfferedDirectory { name, root, access, organizations, shared });
            }
            Err(what) => fault(".path", &what),
        }
    }
    offered
}

/// What is wrong with all but its path.
fn faults_of(said: &Said, offered: &[OfferedDirectory]) -> Vec<(&'static str, String)> {
    let mut faults = Vec::new();
    if !OfferedDirectory::is_name(&said.name) {
        let what = "expected at most 63 of `a` to `z`, `0` to `9` and `-`, with a letter first";
        faults.push((".name", what.to_owned()));
    }
    if offered.iter().any(|other| other.name == said.name) {
        faults.push((".name", "there are two of this name".to_owned()));
    }
    let is_id = |id: &String| {
        id.strip_prefix("org_").is_some_and(|rest| !rest.is_empty() && rest.bytes().all(is_of_id))
    };
    if said.organizations.as_ref().is_some_and(|ids| ids.is_empty() || !ids.iter().all(is_id)) {
        let what =
            "expected ids of organizations, such as `org_…`; names change, and their own admins change them";
        faults.push((".organizations", what.to_owned()));
    }
    faults
}

fn is_of_id(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

/// Where it is, without links.
fn root(path: &Path, away: &[Away], offered: &[OfferedDirectory]) -> Result<PathBuf, String> {
    if !path.is_absolute() {
        return Err("expected a path that begins with `/`".to_owned());
    }
    let root = fs::canonicalize(path).map_err(|error| format!("it cannot be opened: {error}"))?;
    fs::read_dir(&root).map_err(|error| format!("it cannot be listed: {error}"))?;
    if let Some(kernel) = KERNEL.into_iter().find(|kernel| root.starts_with(kernel)) {
        return Err(format!("it lies in `{kernel}`"));
    }
    if let Some(Away { what, path }) = away.iter().find(|away| is_one_in_other(&away.path, &root)) {
        return Err(format!("it holds or lies in {what}: `{}`", path.display()));
    }
    match offered.iter().find(|other| is_one_in_other(&other.root, &root)) {
        Some(other) => Err(format!("it holds or lies in the one that is called `{}`", other.name)),
        None => Ok(root),
    }
}

fn is_one_in_other(one: &Path, other: &Path) -> bool {
    one.starts_with(other) || other.starts_with(one)
}

/// As the system has it, also where its end is not there yet.
fn whole(path: &Path) -> PathBuf {
    let path = absolute(path).unwrap_or_else(|_| path.to_owned());
    let there = path.ancestors().find_map(|there| Some((there, fs::canonicalize(there).ok()?)));
    match there {
        // Nothing is joined to what is there as a whole: it would end in a slash.
        Some((there, whole)) if there == path => whole,
        Some((there, whole)) => whole.join(path.strip_prefix(there).unwrap_or(Path::new(""))),
        None => path.clone(),
    }
}

#[cfg(test)]
mod tests;
