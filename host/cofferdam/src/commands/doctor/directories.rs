//! The directories that a server's file of settings offers: whether they may be offered, and whether this user reads and writes
//! there what they are offered for.

use std::error::Error as _;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::PathBuf;

use control::OfferedDirectory;
use manifest::Access;
use rustix::fs::{Access as Rights, AtFlags, CWD, accessat};
use rustix::process::geteuid;

use super::finding::{Finding, Topic::Directories};
use crate::arguments::{Data, Serve};
use crate::serve::{Tables, tables_of};
use crate::units::counted;

/// Folders of organizations that are looked at in one directory. One that is wrong is seldom alone.
const FOLDERS_MAX: usize = 1_000;
/// How the id of an organization begins, by which its folder is called.
const ORGANIZATION: &str = "org_";

/// A directory, or an organization's folder in it.
struct Place {
    /// As the settings name the directory.
    name: String,
    path: PathBuf,
    access: Access,
}

/// Where the settings are in no file there is nothing to look at.
pub(super) fn findings(config: Option<PathBuf>, data: Option<PathBuf>) -> Vec<Finding> {
    let data = Data { data, ..Data::default() };
    match tables_of(&Serve { config, data, ..Serve::default() }) {
        Ok(tables) => tables.as_ref().map(of_tables).unwrap_or_default(),
        Err(error) => {
            let cause = error.source().map_or_else(String::new, |cause| format!(": {cause}"));
            vec![unread(&format!("{error}{cause}"))]
        }
    }
}

fn of_tables(Tables { file, judged, faults }: &Tables) -> Vec<Finding> {
    let mut findings: Vec<Finding> = faults.iter().map(|fault| unread(fault)).collect();
    for (index, table) in judged.iter().enumerate() {
        let refused = |why: &str, fix: &str, seen| Finding::fault(Directories, seen, why, fix);
        let why = "the server does not start while it is offered like this (CD0862)";
        findings.extend(table.faults.iter().map(|fault| refused(why, &fault.fix, fault.text(file, index))));
        if let (Some(offered), true) = (&table.offered, table.faults.is_empty()) {
            findings.extend(look(offered));
        }
    }
    findings
}

fn unread(seen: &str) -> Finding {
    let why = "the server does not start with it";
    Finding::fault(Directories, seen, why, "name a file of settings that this user may read, as TOML")
}

/// Looks at one that may be offered, and at the folders that organizations have there.
fn look(offered: &OfferedDirectory) -> Vec<Finding> {
    let OfferedDirectory { name, root, access, .. } = offered;
    let place = |path: PathBuf| Place { name: name.clone(), path, access: *access };
    if let Some(fault) = judge(&place(root.clone())) {
        return vec![fault];
    }
    let folders = folders(offered);
    let mut findings: Vec<Finding> =
        folders.iter().filter_map(|folder| judge(&place(folder.clone()))).collect();
    if findings.is_empty() {
        let may = if *access == Access::Write { "written" } else { "read" };
        let beside = match folders.len() {
            0 => String::new(),
            count => format!(", and {} in it", counted(count as u64, "folder", "folders")),
        };
        findings
            .push(Finding::ok(Directories, format!("`{name}`: `{}` can be {may}{beside}", root.display())));
    }
    findings
}

/// Those that are there, and those that nobody makes although an organization is to read there.
fn folders(offered: &OfferedDirectory) -> Vec<PathBuf> {
    if offered.shared {
        return Vec::new();
    }
    if let (Access::Read, Some(ids)) = (offered.access, &offered.organizations) {
        return ids.iter().map(|id| offered.root.join(id)).collect();
    }
    let of_organization = |entry: &fs::DirEntry| {
        let (name, kind) = (entry.file_name(), entry.file_type());
        let is_id = name.to_str().is_some_and(|name| name.starts_with(ORGANIZATION));
        is_id && kind.is_ok_and(|kind| kind.is_dir())
    };
    let entries = fs::read_dir(&offered.root).into_iter().flatten().flatten();
    entries.filter(of_organization).take(FOLDERS_MAX).map(|entry| entry.path()).collect()
}

/// None: all that it is offered for can be done there.
fn judge(place: &Place) -> Option<Finding> {
    let tried = accessat(CWD, &place.path, Rights::READ_OK | Rights::EXEC_OK, AtFlags::EACCESS);
    let read = tried.map_err(io::Error::from).and_then(|()| fs::read_dir(&place.path).map(drop));
    if let Err(error) = read {
        return Some(cannot(place, "read", &error));
    }
    // A file without a name, which is gone when it is closed.
    let written = match place.access {
        Access::Read => Ok(()),
        Access::Write => tempfile::tempfile_in(&place.path).map(drop),
    };
    written.err().map(|error| cannot(place, "written", &error))
}

fn cannot(place: &Place, done: &str, error: &io::Error) -> Finding {
    let (user, path) = (geteuid().as_raw(), place.path.display());
    let may = if done == "read" { "rx" } else { "rwx" };
    let fix = match error.kind() {
        ErrorKind::NotFound => {
            format!(
                "make it, and put there what is to be read: `install -d -m 700 -o {user} {path}`, as root"
            )
        }
        ErrorKind::NotADirectory => format!("move away what is called `{path}`, and make a directory there"),
        ErrorKind::PermissionDenied => {
            format!("let this user in: `setfacl -m u:{user}:{may} {path}`, as root")
        }
        ErrorKind::ReadOnlyFilesystem => format!(
            "mount it for writing, or name it in `ReadWritePaths=` of the unit; `findmnt -T {path}` shows it"
        ),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "make room there".to_owned(),
        _ => "look into the system's log; the disk may be broken".to_owned(),
    };
    let seen = format!("`{}`: `{path}` cannot be {done}: {error}", place.name);
    let why = "runs of connections that were granted it fail (CD0865)";
    match error.kind() {
        // Perhaps nobody of that organization is to read there yet.
        ErrorKind::NotFound => Finding::warning(Directories, seen, why, fix),
        _ => Finding::fault(Directories, seen, why, fix),
    }
}

#[cfg(test)]
mod tests;
