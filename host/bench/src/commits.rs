//! Durable commits a second, by so many writers at a time: beside one bare `fdatasync` for all of them, and beside PostgreSQL.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use tokio::runtime::Runtime;

use crate::clock::{Took, Watch};
use crate::group;
use crate::measured::Pair;
use crate::postgres::Server;
use crate::report::{Goal, Report, Row};
use crate::sealed::{Home, Open};

pub(crate) const VALUE_BYTES: usize = 100;
/// With the key, which is not sealed.
const COMMIT_BYTES: usize = VALUE_BYTES + 16;
const REPETITIONS: usize = 5;
/// Beside PostgreSQL, which takes its time.
const FEWER_REPETITIONS: usize = 3;
const BARE_FILE_BYTES: usize = 16 << 20;

/// So many writers, how often each writes in a repetition (about a second), and what is asked beside `fdatasync`.
const CASES: [(usize, usize, f64); 4] = [(1, 1_500, 0.8), (16, 400, 0.8), (64, 200, 0.5), (256, 100, 0.5)];

pub(crate) fn run(
    tokio: &Runtime,
    directory: &Path,
    postgres: Option<&Path>,
    report: &mut Report,
) -> Result<()> {
    let home = Home::new_in(directory)?;
    let mut writing = Writing { tokio, directory, open: tokio.block_on(home.open())?, round: 0 };
    let mut bare = Bare::new_in(directory)?;
    for (writers, changes, least) in CASES {
        let pair =
            Pair::of(REPETITIONS, || writing.round(writers, changes), || bare.round(writers, changes))?;
        let what =
            format!("durable commits of {VALUE_BYTES} B by {}, beside bare `fdatasync`", told(writers));
        let goal = Goal::RatioAtLeast(least);
        report.add(pair.row(&what, amount(writers, changes), "k commits/s", goal));
        let (low, high) = pair.spread();
        let cpu_us = pair.ours_cpu_seconds() * 1e6 / (writers * changes) as f64;
        report.note(format!(
            "{what}: {cpu_us:.0} µs of processor time a commit; repetitions between {low:.2} and {high:.2}."
        ));
    }
    beside_group(&mut writing, &mut bare, report)?;
    beside_postgres(&mut writing, directory, postgres, report)?;
    tokio.block_on(writing.open.close())
}

/// How much of its goal a group commit reaches on this machine that does nothing else, and how much of that is left to ours.
fn beside_group(writing: &mut Writing<'_>, bare: &mut Bare, report: &mut Report) -> Result<()> {
    let mut other = Bare::new_in(writing.directory)?;
    let bytes = [7; COMMIT_BYTES];
    for (writers, changes, _) in CASES {
        let tokio = writing.tokio;
        let mut least = || group::round(tokio, &mut other, writers, changes, &bytes);
        let pair = Pair::of(REPETITIONS, &mut least, || bare.round(writers, changes))?;
        let what = format!(
            "a group commit of {VALUE_BYTES} B by {} that does nothing else, beside bare `fdatasync`",
            told(writers)
        );
        report.add(pair.row(&what, amount(writers, changes), "k commits/s", Goal::None));
        let cpu_us = pair.ours_cpu_seconds() * 1e6 / (writers * changes) as f64;
        report.note(format!("{what}: {cpu_us:.1} µs of processor time a commit."));
        let pair = Pair::of(REPETITIONS, || writing.round(writers, changes), least)?;
        let what =
            format!("durable commits of {VALUE_BYTES} B by {}, beside such a group commit", told(writers));
        report.add(pair.row(&what, amount(writers, changes), "k commits/s", Goal::None));
    }
    Ok(())
}

/// Without PostgreSQL the rows are there all the same, and say so.
fn beside_postgres(
    writing: &mut Writing<'_>,
    directory: &Path,
    programs: Option<&Path>,
    report: &mut Report,
) -> Result<()> {
    let server = programs.context("no programs of it were given").and_then(|programs| {
        Server::start(programs, directory, VALUE_BYTES).context("it could not be started")
    });
    for (writers, changes, _) in CASES {
        let what = format!("durable commits of {VALUE_BYTES} B by {}, beside PostgreSQL", told(writers));
        let goal = Goal::RatioAtLeast(1.0);
        let row = match &server {
            Ok(server) => {
                let (ours, theirs) =
                    (|| writing.round(writers, changes), || server.commits(writers, changes));
                Pair::of(FEWER_REPETITIONS, ours, theirs)?.row(
                    what,
                    amount(writers, changes),
                    "k commits/s",
                    goal,
                )
            }
            Err(_) => {
                let rate = amount(writers, changes) / writing.round(writers, changes)?.wall.as_secs_f64();
                Row { what, unit: "k commits/s", ours: rate, reference: None, ratio: None, goal }
            }
        };
        report.add(row);
    }
    report.note(match server {
        Ok(server) => format!(
            "PostgreSQL: {}, `synchronous_commit = on` and everything else by default, one `INSERT` a transaction by \
             `pgbench` with prepared statements over a socket.",
            server.version()
        ),
        Err(error) => format!("**Nothing was measured beside PostgreSQL**: {error:#}."),
    });
    Ok(())
}

fn told(writers: usize) -> String {
    if writers == 1 { "1 writer".to_owned() } else { format!("{writers} writers") }
}

/// Thousands of commits in one repetition.
fn amount(writers: usize, changes: usize) -> f64 {
    (writers * changes) as f64 / 1e3
}

/// Storage that is written to.
struct Writing<'a> {
    tokio: &'a Runtime,
    directory: &'a Path,
    open: Open,
    round: usize,
}

impl Writing<'_> {
    fn round(&mut self, writers: usize, changes: usize) -> Result<Took> {
        self.round += 1;
        let watch = Watch::start()?;
        let writing = self.open.write(self.round, writers, changes, &[7; VALUE_BYTES]);
        self.tokio.block_on(writing)?;
        watch.stop()
    }
}

/// A file that has all its bytes already: writing to it changes no length and no place on the disk, so that a sync is of the
/// data alone.
pub(crate) struct Bare {
    file: File,
    offset: usize,
}

impl Bare {
    pub(crate) fn new_in(directory: &Path) -> Result<Self> {
        let file = tempfile::tempfile_in(directory)?;
        file.write_all_at(&vec![1; BARE_FILE_BYTES], 0)?;
        file.sync_all()?;
        Ok(Self { file, offset: 0 })
    }

    /// What all writers commit at a time is written at once and synced once.
    pub(crate) fn round(&mut self, writers: usize, changes: usize) -> Result<Took> {
        let bytes = vec![7; writers * COMMIT_BYTES];
        let watch = Watch::start()?;
        for _ in 0..changes {
            self.append(&bytes)?;
        }
        watch.stop()
    }

    /// Writes and syncs.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<()> {
        if self.offset + bytes.len() > BARE_FILE_BYTES {
            self.offset = 0;
        }
        self.file.write_all_at(bytes, u64::try_from(self.offset)?)?;
        self.file.sync_data()?;
        self.offset += bytes.len();
        Ok(())
    }
}
