//! Opens a data directory: whose it is, who has it, what the journal says, whether the database can be trusted.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use super::database::{Counts, Database, Fault, SEGMENT_BYTES};
use super::disk::sync_tree;
use super::durable;
use super::error::OpenError;
use super::fence::Fence;
use super::frame::{Kind, SegmentHeader};
use super::journal::{self, Journal, Place};
use super::layout::{Layout, create_directory};
use super::lock::{self, Lock};
use super::options::Options;
use super::probe;
use super::rebuild::rebuild;
use super::replay::{self, ReplayError};
use super::segment::{self, Segment};
use super::survey::{Known, Survey};

/// A data directory that is ours and up to date.
pub(super) struct Opened {
    pub(super) layout: Layout,
    pub(super) place: Place,
    pub(super) lock: Lock,
    pub(super) journal: Journal,
    pub(super) segments: Vec<Known>,
    pub(super) database: Database,
    pub(super) counts: Counts,
}

pub(super) fn open(options: &Options) -> Result<Opened, OpenError> {
    let layout = Layout { directory: options.directory.clone() };
    if !layout.check_format(&options.deployment)? {
        create_directory(&*options.disk, &layout.directory)?;
    }
    let (lock, has_run_on) = lock::take(&layout.directory, &layout.lock(), &options.holder)?;
    let place =
        Place { directory: layout.journal(), key: options.journal_key, disk: Arc::clone(&options.disk) };
    // Asked again, because another process may have made it before we had the lock.
    if !layout.check_format(&options.deployment)? {
        create(options, &layout, &place)?;
    }
    let current = layout.read_current()?;
    let survey = Survey::of(&place)?;
    let path = layout.database(current);
    if path.join("db").is_file() {
        durable::cut(&path, SEGMENT_BYTES).map_err(OpenError::file("cut the log of", &path))?;
    }
    let verdict = if !path.join("db").is_file() {
        Err(Fault("it is missing".to_owned()))
    } else if survey.is_closed() {
        Ok(())
    } else {
        let probed = probe::run(options.probe.as_deref(), &path, has_run_on);
        probed.map_err(OpenError::file("start a probe of", &path))?
    };
    let mut journal = Journal::resume(&place, survey.last, &survey.end)?;
    // From here on sled may write, so the next process must know that nobody has closed the database yet.
    let noted = journal.note(Kind::Opened);
    noted.map_err(|error| OpenError::file("write", &place.path(journal.number()))(error.into_source()))?;
    let opened = verdict.and_then(|()| Database::open(&path, current, options.cache_bytes));
    let caught_up = match opened {
        Ok(database) => catch_up(&place, &survey, database)?,
        Err(fault) => Err(fault),
    };
    let (database, counts) = match caught_up {
        Ok(found) => found,
        Err(fault) if fault.is_lock() => {
            return Err(OpenError::file("lock", &path)(io::Error::other(fault.0)));
        }
        Err(fault) => {
            let database = rebuild(options, &layout, &place, &survey, (current, fault))?;
            let counts = database.counts().map_err(|fault| broken(database.path(), fault))?;
            (database, counts)
        }
    };
    options.disk.sync_directory(database.path()).map_err(OpenError::file("sync", database.path()))?;
    for leftover in layout.leftovers(database.number)? {
        fs::remove_dir_all(&leftover).map_err(OpenError::file("remove", &leftover))?;
    }
    let mut segments = survey.segments;
    if journal.number() != survey.last {
        segments.push(Known { number: journal.number(), first: journal.next() });
    }
    Ok(Opened { layout, place, lock, journal, segments, database, counts })
}

/// Brings the database up to the journal's end. The inner error: the database is broken.
fn catch_up(
    place: &Place,
    survey: &Survey,
    database: Database,
) -> Result<Result<(Database, Counts), Fault>, OpenError> {
    let result = compare(place, survey, &database)
        .and_then(|counts| replay::into_database(place, &survey.segments, &database, counts));
    let error = match result {
        Ok(counts) => return Ok(Ok((database, counts))),
        Err(error) => error,
    };
    // What is wrong is known already; closing a broken database may fail too.
    let _ = database.close();
    match error {
        ReplayError::Database(fault) => Ok(Err(fault)),
        ReplayError::Journal(error) => Err(error),
    }
}

/// What is in the database, when that and the journal have a commit in common.
fn compare(place: &Place, survey: &Survey, database: &Database) -> Result<Counts, ReplayError> {
    let counts = database.counts()?;
    let (has, first, newest) = (counts.sequence, survey.first(), survey.newest());
    if has > newest {
        let problem = format!("the journal ends at commit {newest}, but the database has commit {has}");
        return Err(OpenError::damaged(&place.path(survey.last), survey.end.offset, problem).into());
    }
    if has.saturating_add(1) < first {
        return Err(Fault(format!("it ends at commit {has}, and the journal begins at {first}")).into());
    }
    Ok(counts)
}

/// Makes an empty data directory. The format file comes last: without it nothing was ever committed.
fn create(options: &Options, layout: &Layout, place: &Place) -> Result<(), OpenError> {
    refuse_if_used(layout, place)?;
    let disk = &*options.disk;
    create_directory(disk, &place.directory)?;
    for leftover in layout.leftovers(0)? {
        fs::remove_dir_all(&leftover).map_err(OpenError::file("remove", &leftover))?;
    }
    let header = SegmentHeader { number: 1, first: 1, chain: [0; 32] };
    place.create(&header).map_err(OpenError::file("create", &place.path(1)))?;
    let path = layout.database(1);
    let made = Database::open(&path, 1, options.cache_bytes).and_then(|database| {
        database.sync(&mut Fence::default())?;
        database.close()
    });
    made.map_err(|fault| OpenError::file("create", &path)(io::Error::other(fault.0)))?;
    sync_tree(disk, &path).map_err(OpenError::file("sync", &path))?;
    layout.write_current(disk, 1)?;
    layout.write_format(disk, &options.deployment)
}

/// A directory that has lost its format file is not taken for a new one.
fn refuse_if_used(layout: &Layout, place: &Place) -> Result<(), OpenError> {
    let missing = || OpenError::damaged(&layout.format(), 0, "the file is missing, and there are commits");
    if !place.directory.is_dir() {
        return if layout.current().exists() { Err(missing()) } else { Ok(()) };
    }
    let mut commits = 0;
    for number in segment::list(&place.directory)? {
        if number != 1 {
            return Err(missing());
        }
        Segment::read(place.path(number), number, &place.key)?.walk(&place.key, |frame| {
            commits += frame.batches;
            Ok(())
        })?;
    }
    if commits == 0 {
        journal::remove(&place.path(1)).map_err(OpenError::file("remove", &place.path(1)))
    } else {
        Err(missing())
    }
}

fn broken(path: &Path, fault: Fault) -> OpenError {
    OpenError::Broken { path: path.to_owned(), reason: fault.0, missing: "it was only just built".to_owned() }
}
