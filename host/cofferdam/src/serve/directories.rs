//! The directories of this machine that the operator lets admins grant, as the file of settings names them. None of them may
//! hold, or lie in, what this process keeps: who writes there would write our keys, our code or our settings.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf, absolute};

use control::OfferedDirectory;
use manifest::Access;
use rustix::process::geteuid;
use serde::Deserialize;

use super::sources::{DIRECTORIES, Sources, config};
use crate::arguments::Serve;
use crate::data;
use crate::places;
use crate::problem::Own;

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

/// What one of the tables offers, if anything, and what is wrong with it.
pub(crate) struct Judged {
    pub(crate) offered: Option<OfferedDirectory>,
    pub(crate) faults: Vec<Fault>,
}

/// What is wrong with one of the tables.
pub(crate) struct Fault {
    /// Of which part of it; none: of the whole.
    key: &'static str,
    what: String,
    /// What the operator is to do.
    pub(crate) fix: String,
}

impl Fault {
    fn new(key: &'static str, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { key, what: what.into(), fix: fix.into() }
    }

    /// With its place, in the table of this index.
    pub(crate) fn text(&self, file: &Path, index: usize) -> String {
        let Self { key, what, .. } = self;
        format!("`{DIRECTORIES}[{index}]{key}` in `{}`: {what}", file.display())
    }
}

/// What a file of settings says of directories.
pub(crate) struct Tables {
    pub(crate) file: PathBuf,
    pub(crate) judged: Vec<Judged>,
    /// What is wrong with the file, so that nothing else of it is known.
    pub(crate) faults: Vec<String>,
}

/// What the file of settings of a server that is started like this says of directories; none: it has no such file.
///
/// # Errors
/// When the file cannot be read.
pub(crate) fn tables_of(command: &Serve) -> Result<Option<Tables>, Own> {
    let mut sources = Sources::gather(command, |name| env::var_os(name))?;
    let away = away(command, &sources);
    let Some(file) = config(command, |name| env::var_os(name)) else { return Ok(None) };
    let is_read = sources.file.is_some();
    let judged = tables(&mut sources, &away);
    // What is wrong with other settings is told when the server starts.
    let faults = match (is_read, &judged) {
        (true, Some(_)) => Vec::new(),
        _ => sources.faults,
    };
    Ok(Some(Tables { file, judged: judged.unwrap_or_default(), faults }))
}

/// What is wrong is among the faults of the sources.
pub(super) fn judged(sources: &mut Sources, away: &[Away]) -> Vec<OfferedDirectory> {
    let judged = tables(sources, away).unwrap_or_default();
    let file = sources.file.as_ref().map(|(file, _)| file.clone()).unwrap_or_default();
    for (index, table) in judged.iter().enumerate() {
        sources.faults.extend(table.faults.iter().map(|fault| fault.text(&file, index)));
    }
    judged.into_iter().filter_map(|table| table.offered).collect()
}

/// None: there are no tables, and what stands in their place is among the faults of the sources.
fn tables(sources: &mut Sources, away: &[Away]) -> Option<Vec<Judged>> {
    let (file, tables) = sources.file.clone()?;
    let tables = match tables {
        None => Vec::new(),
        Some(toml::Value::Array(tables)) => tables,
        Some(_) => {
            let what = format!("`{DIRECTORIES}` in `{}`: each is a table `[[directories]]`", file.display());
            sources.faults.push(what);
            return None;
        }
    };
    let mut judged: Vec<Judged> = Vec::new();
    for table in tables {
        if judged.len() == DIRECTORIES_MAX {
            let what = format!("there are more than {DIRECTORIES_MAX}");
            let fault =
                Fault::new("", what, "offer those above them as one, and let admins name parts of them");
            judged.push(Judged { offered: None, faults: vec![fault] });
            break;
        }
        let next = judge(table, away, &judged);
        judged.push(next);
    }
    Some(judged)
}

fn judge(table: toml::Value, away: &[Away], before: &[Judged]) -> Judged {
    let said = match table.try_into::<Said>() {
        Ok(said) => said,
        Err(error) => {
            let fix = "write it as `cofferdam explain CD1116` shows";
            return Judged { offered: None, faults: vec![Fault::new("", error.message(), fix)] };
        }
    };
    let offered: Vec<&OfferedDirectory> = before.iter().filter_map(|table| table.offered.as_ref()).collect();
    let mut faults = faults_of(&said, &offered);
    match root(&said.path, away, &offered) {
        Ok(root) => {
            let Said { name, access, organizations, shared, .. } = said;
            Judged { offered: Some(OfferedDirectory { name, root, access, organizations, shared }), faults }
        }
        Err(fault) => {
            faults.push(fault);
            Judged { offered: None, faults }
        }
    }
}

/// What is wrong with all but its path.
fn faults_of(said: &Said, offered: &[&OfferedDirectory]) -> Vec<Fault> {
    let mut faults = Vec::new();
    if !OfferedDirectory::is_name(&said.name) {
        let what = "expected at most 63 of `a` to `z`, `0` to `9` and `-`, with a letter first";
        faults.push(Fault::new(".name", what, "give it such a name"));
    }
    if offered.iter().any(|other| other.name == said.name) {
        faults.push(Fault::new(".name", "there are two of this name", "give one of them another name"));
    }
    let is_id = |id: &String| {
        id.strip_prefix("org_").is_some_and(|rest| !rest.is_empty() && rest.bytes().all(is_of_id))
    };
    if said.organizations.as_ref().is_some_and(|ids| ids.is_empty() || !ids.iter().all(is_id)) {
        let what =
            "expected ids of organizations, such as `org_…`; names change, and their own admins change them";
        let fix = "`cofferdam organizations list` shows the ids; without this line it is for all of them";
        faults.push(Fault::new(".organizations", what, fix));
    }
    faults
}

fn is_of_id(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

/// Where it is, without links.
fn root(path: &Path, away: &[Away], offered: &[&OfferedDirectory]) -> Result<PathBuf, Fault> {
    let fault = |what: String, fix: &str| Err(Fault::new(".path", what, fix));
    if !path.is_absolute() {
        return fault("expected a path that begins with `/`".to_owned(), "write the whole path");
    }
    let opened = fs::canonicalize(path).map_err(|error| ("it cannot be opened", error));
    let listed = opened.and_then(|root| match fs::read_dir(&root) {
        Ok(_) => Ok(root),
        Err(error) => Err(("it cannot be listed", error)),
    });
    let root = match listed {
        Ok(root) => root,
        Err((what, error)) => return fault(format!("{what}: {error}"), &fix_of(path, &error)),
    };
    let elsewhere = "name a directory that is for files of connectors alone";
    if let Some(kernel) = KERNEL.into_iter().find(|kernel| root.starts_with(kernel)) {
        return fault(format!("it lies in `{kernel}`"), elsewhere);
    }
    if let Some(Away { what, path }) = away.iter().find(|away| is_one_in_other(&away.path, &root)) {
        return fault(format!("it holds or lies in {what}: `{}`", path.display()), elsewhere);
    }
    match offered.iter().find(|other| is_one_in_other(&other.root, &root)) {
        Some(other) => {
            let what = format!("it holds or lies in the one that is called `{}`", other.name);
            fault(what, "offer one of the two, or directories beside each other")
        }
        None => Ok(root),
    }
}

/// What lets somebody list it.
fn fix_of(path: &Path, error: &io::Error) -> String {
    let (user, path) = (geteuid().as_raw(), path.display());
    match error.kind() {
        ErrorKind::NotFound => format!("make it: `install -d -m 700 -o {user} {path}`, as root"),
        ErrorKind::NotADirectory => "name a directory, and not a file".to_owned(),
        ErrorKind::PermissionDenied => {
            format!("let user {user} in, all the way there: `namei -l {path}` shows where it ends")
        }
        _ => "look into the system's log; the disk may be broken".to_owned(),
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
