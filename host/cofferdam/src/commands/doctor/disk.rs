//! Disks: whether there is room, and whether something can be written. Tried with a file without a name, which is gone when
//! it is closed, however that comes about.

use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{statfs, statvfs};
use rustix::process::geteuid;

use super::file_system;
use super::finding::{Finding, Topic::Disk};
use crate::units;

/// A run over a gigabyte of rows, whose journal stays for a day, or until the next backup.
const DATA_BYTES_WANTED: u64 = 1 << 30;
/// A compiled component has up to ten megabytes.
const CACHE_BYTES_WANTED: u64 = 256 << 20;
/// Each file of a directory, database and journal takes one; a file system of millions is about to have none.
const FILES_WANTED: u64 = 1_000;

/// As large as what is written for most commits.
const BLOCK_BYTES: usize = 4096;
/// An odd number has a middle.
const BLOCKS: usize = 5;

/// What lies there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    Data,
    Cache,
}

/// A directory, or where it will be made.
#[derive(Debug)]
struct Reading {
    place: Place,
    free_bytes: u64,
    /// None: the file system makes as many as there is room for.
    free_files: Option<u64>,
    /// How long it takes to have a block on the disk.
    tried: io::Result<Duration>,
}

#[derive(Debug)]
struct Place {
    holds: Holds,
    wanted: PathBuf,
    /// The same, or what there is above it.
    existing: PathBuf,
    user: u32,
}

/// The data directory, and where compiled code is kept, if there is a place for it.
pub(super) fn findings(data: &Path, cache: Option<&Path>) -> Vec<Finding> {
    let mut findings = look(Holds::Data, data);
    findings.extend(cache.map_or_else(no_cache, |cache| look(Holds::Cache, cache)));
    findings
}

fn look(holds: Holds, path: &Path) -> Vec<Finding> {
    let existing = existing(path);
    let place = Place { holds, wanted: path.to_owned(), existing, user: geteuid().as_raw() };
    let (room, kind) = match (statvfs(&place.existing), statfs(&place.existing)) {
        (Ok(room), Ok(kind)) => (room, kind),
        (Err(error), _) | (_, Err(error)) => return vec![cannot(&place, &error.into())],
    };
    let reading = Reading {
        free_bytes: room.f_bavail.saturating_mul(room.f_frsize),
        free_files: (room.f_files > 0).then_some(room.f_favail),
        tried: tried(&place.existing),
        place,
    };
    let mut findings = vec![judge(&reading)];
    // Compiled code that is lost is compiled again.
    if let (Holds::Data, Ok(sync)) = (holds, reading.tried) {
        findings.push(file_system::judge(&reading.place.existing, kind.f_type as u64, sync));
    }
    findings
}

/// The path, or what there is above it.
fn existing(path: &Path) -> PathBuf {
    let here = |path: &Path| if path.as_os_str().is_empty() { PathBuf::from(".") } else { path.to_owned() };
    path.ancestors().map(here).find(|path| path.is_dir()).unwrap_or_else(|| PathBuf::from("."))
}

/// The middle of a few times that a block took, written over what is there already, as commits are.
fn tried(directory: &Path) -> io::Result<Duration> {
    let file = tempfile::tempfile_in(directory)?;
    file.write_all_at(&[0; BLOCK_BYTES * BLOCKS], 0)?;
    file.sync_all()?;
    let mut times = [Duration::ZERO; BLOCKS];
    for (block, time) in (0_u64..).zip(&mut times) {
        let begun = Instant::now();
        file.write_all_at(&[1; BLOCK_BYTES], block * BLOCK_BYTES as u64)?;
        file.sync_data()?;
        *time = begun.elapsed();
    }
    times.sort_unstable();
    Ok(times.get(BLOCKS / 2).copied().unwrap_or_default())
}

fn judge(reading: &Reading) -> Finding {
    let (what, wanted) = match reading.place.holds {
        Holds::Data => ("the data directory", DATA_BYTES_WANTED),
        Holds::Cache => ("compiled code", CACHE_BYTES_WANTED),
    };
    if let Err(error) = &reading.tried {
        return cannot(&reading.place, error);
    }
    let place = format!("`{}`, for {what}", reading.place.existing.display());
    let free = units::bytes(reading.free_bytes);
    let more = format!("make room there: {} are enough for most", units::bytes(wanted));
    if reading.place.holds == Holds::Data && reading.free_bytes < storage::sled::FREE_BYTES_MIN {
        let least = units::bytes(storage::sled::FREE_BYTES_MIN);
        return Finding::fault(
            Disk,
            format!("{free} are free in {place}"),
            &format!("storage commits nothing where less than {least} are free"),
            more,
        );
    }
    if reading.free_bytes < wanted {
        let why = "a run that finds the disk full ends, and goes on from its last commit when there is room";
        return Finding::warning(Disk, format!("{free} are free in {place}"), why, more);
    }
    if let Some(files @ ..FILES_WANTED) = reading.free_files {
        return Finding::warning(
            Disk,
            format!("{files} more files can be made in {place}"),
            "the file system has room and no names: nothing new can be written",
            "delete files that nobody needs; `df -i` shows how many there are",
        );
    }
    Finding::ok(Disk, format!("{free} are free in {place}"))
}

fn cannot(place: &Place, error: &io::Error) -> Finding {
    let (path, wanted, user) = (place.existing.display(), place.wanted.display(), place.user);
    let fix = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "make room there".to_owned(),
        ErrorKind::PermissionDenied if place.existing == place.wanted => {
            format!("let this user write there: `chown {user} {path}`, as root")
        }
        // What lies above it may be everybody's.
        ErrorKind::PermissionDenied => {
            format!("make it for this user: `install -d -m 700 -o {user} {wanted}`, as root")
        }
        ErrorKind::ReadOnlyFilesystem => {
            format!(
                "mount it for writing, or name it in `ReadWritePaths=` of the unit; `findmnt -T {path}` shows it"
            )
        }
        _ => "look into the system's log; the disk may be broken".to_owned(),
    };
    let seen = format!("nothing can be written in `{path}`: {error}");
    match place.holds {
        Holds::Data => {
            Finding::fault(Disk, seen, "all that a run keeps is written there before it counts", fix)
        }
        Holds::Cache => Finding::fault(Disk, seen, "no component can be loaded without its cache", fix),
    }
}

fn no_cache() -> Vec<Finding> {
    vec![Finding::fault(
        Disk,
        "there is no place for compiled code: neither `XDG_CACHE_HOME` nor `HOME` is set",
        "no component can be loaded without its cache",
        "name a place with `--cache DIR`, or `CacheDirectory=` and `XDG_CACHE_HOME` in the unit",
    )]
}

#[cfg(test)]
mod tests {
    use std::io::{Error, ErrorKind};
    use std::path::Path;
    use std::time::Duration;

    use super::super::finding::State;
    use super::{Holds, Place, Reading, existing, judge, tried};

    const GIB: u64 = 1 << 30;

    fn place(holds: Holds, existing: &str) -> Place {
        Place { holds, wanted: "place".into(), existing: existing.into(), user: 1000 }
    }

    #[test]
    fn room_is_judged_by_what_is_kept_there() {
        let cases = [
            (Holds::Data, 2 * GIB, None, State::Ok),
            (Holds::Data, 2 * GIB, Some(999), State::Warning),
            (Holds::Data, GIB - 1, Some(1_000_000), State::Warning),
            (Holds::Data, 48 << 20, None, State::Warning),
            (Holds::Data, (48 << 20) - 1, None, State::Fault),
            (Holds::Cache, 256 << 20, None, State::Ok),
            (Holds::Cache, 0, None, State::Warning),
        ];
        for (holds, free_bytes, free_files, state) in cases {
            let place = place(holds, "place");
            let reading = Reading { place, free_bytes, free_files, tried: Ok(Duration::ZERO) };
            assert_eq!(judge(&reading).state(), state, "{reading:?}");
        }
    }

    #[test]
    fn what_cannot_be_written_is_a_fault_with_the_fix_for_it() {
        let cases = [
            (ErrorKind::StorageFull, "place", "make room"),
            (ErrorKind::PermissionDenied, "place", "chown 1000 place"),
            (ErrorKind::PermissionDenied, "/", "install -d -m 700 -o 1000 place"),
            (ErrorKind::ReadOnlyFilesystem, "/", "findmnt -T /"),
            (ErrorKind::Other, "place", "the system's log"),
        ];
        for (kind, existing, fix) in cases {
            let place = place(Holds::Data, existing);
            let reading = Reading { place, free_bytes: GIB, free_files: None, tried: Err(Error::from(kind)) };
            let finding = judge(&reading);
            assert_eq!(finding.state(), State::Fault, "{kind}");
            assert!(finding.text().contains(fix), "{}", finding.text());
        }
    }

    #[test]
    fn a_place_that_is_not_there_yet_is_looked_at_where_it_will_be_made() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(existing(&folder.path().join("not/yet")), folder.path());
        assert_eq!(existing(Path::new("not-yet/here")), Path::new("."));
        assert!(tried(folder.path()).unwrap() > Duration::ZERO);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left behind");
    }
}
