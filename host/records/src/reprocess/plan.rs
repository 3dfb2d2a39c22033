//! Which row errors are sent through again, in which order, and how far a run has come with them.

use crate::error::Error;
use crate::settlement::Settled;
use crate::superseded::ErrorRef;
use pipeline::records::{self as port, Prepared};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The row errors of each stream, in the order in which the source gives their rows. The pipeline counts the rows of a
/// stream in this order, over all attempts, by what is committed; so a rejected row's index leads back to its row error.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    streams: Mutex<BTreeMap<String, Share>>,
}

/// One stream's part.
#[derive(Debug, Default)]
struct Share {
    /// How many rows commits of this run have dealt with: the index of the first of the places.
    dealt: u64,
    /// Row errors whose rows the source has given since.
    given: VecDeque<ErrorRef>,
}

impl Plan {
    fn streams(&self) -> MutexGuard<'_, BTreeMap<String, Share>> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The source is opened for a stream: what it gave and no commit has dealt with, it gives again.
    pub(crate) fn open(&self, stream: &str) {
        self.streams().entry(stream.to_owned()).or_default().given.clear();
    }

    /// The source gives a row.
    pub(crate) fn give(&self, stream: &str, at: ErrorRef) {
        self.streams().entry(stream.to_owned()).or_default().given.push_back(at);
    }

    /// The row errors whose rows a commit has, by stream, with the index of the first.
    pub(crate) fn of_commit(&self, prepared: &Prepared) -> Result<OfCommit, Error> {
        let streams = self.streams();
        let mut of_commit = BTreeMap::new();
        for (stream, counters) in &prepared.effect.streams {
            let nothing = Share::default();
            let share = streams.get(stream).unwrap_or(&nothing);
            let rows = usize::try_from(counters.read).unwrap_or(usize::MAX);
            if rows > share.given.len() {
                let given = share.given.len();
                return Err(disorder(stream, &format!("{rows} rows came back of {given}")));
            }
            of_commit.insert(stream.clone(), (share.dealt, share.given.iter().take(rows).copied().collect()));
        }
        Ok(of_commit)
    }

    /// What is rejected must be known row by row: else a rejected row would be taken for one that was accepted.
    pub(crate) fn check_rejects<'a>(
        prepared: &Prepared,
        rejected: impl Iterator<Item = &'a (String, u64)>,
    ) -> Result<(), Error> {
        let mut told: BTreeMap<&str, u64> = BTreeMap::new();
        rejected.for_each(|(stream, _)| *told.entry(stream).or_default() += 1);
        for (stream, counters) in &prepared.effect.streams {
            let told = told.get(stream.as_str()).copied().unwrap_or_default();
            if told != counters.rejected {
                return Err(disorder(
                    stream,
                    &format!("{} rows are rejected and {told} are named", counters.rejected),
                ));
            }
        }
        Ok(())
    }

    /// A commit is true; those of an earlier run say nothing of this one's rows.
    pub(crate) fn count(&self, settled: &Settled, run: u64) {
        if settled.run != run {
            return;
        }
        let mut streams = self.streams();
        for (stream, rows) in &settled.sent {
            let share = streams.entry(stream.clone()).or_default();
            share.dealt += rows;
            let rows = usize::try_from(*rows).unwrap_or(usize::MAX).min(share.given.len());
            share.given.drain(..rows);
        }
    }
}

/// By stream: the index of the first row, and the row errors in the order of their rows.
pub(crate) type OfCommit = BTreeMap<String, (u64, Vec<ErrorRef>)>;

fn disorder(stream: &str, message: &str) -> Error {
    let message = format!("sending row errors of the stream `{stream}` through again: {message}");
    port::Error::Disorder { unit: stream.to_owned(), message }.into()
}
