//! Which row errors are sent through again, in which order, and how far a run has come with them.

use crate::error::Error;
use crate::settlement::Settled;
use crate::superseded::ErrorRef;
use pipeline::records::{self as port, Prepared};
use std::collections::BTreeMap;
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
    /// How many rows commits of this run have dealt with.
    dealt: u64,
    /// How many they had when the source was last opened: the index of the first of the places.
    base: u64,
    places: Vec<ErrorRef>,
}

impl Plan {
    fn streams(&self) -> MutexGuard<'_, BTreeMap<String, Share>> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The source is opened for a stream: these are the row errors that are left for this run.
    pub(crate) fn open(&self, stream: &str, places: Vec<ErrorRef>) {
        let mut streams = self.streams();
        let share = streams.entry(stream.to_owned()).or_default();
        (share.base, share.places) = (share.dealt, places);
    }

    /// The row errors whose rows a commit has, by stream, with the index of the first.
    pub(crate) fn of_commit(
        &self,
        prepared: &Prepared,
    ) -> Result<BTreeMap<String, (u64, Vec<ErrorRef>)>, Error> {
        let streams = self.streams();
        let mut of_commit = BTreeMap::new();
        for (stream, counters) in &prepared.effect.streams {
            let nothing = Share::default();
            let share = streams.get(stream).unwrap_or(&nothing);
            let first = share.dealt.saturating_sub(share.base);
            let range = usize::try_from(first).ok().zip(usize::try_from(first + counters.read).ok());
            let rows = range.and_then(|(first, end)| share.places.get(first..end));
            let rows = rows.ok_or_else(|| {
                let given = share.places.len();
                disorder(stream, &format!("{} rows behind {first} came back of {given}", counters.read))
            })?;
            of_commit.insert(stream.clone(), (share.dealt, rows.to_vec()));
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
            streams.entry(stream.clone()).or_default().dealt += rows;
        }
    }
}

fn disorder(stream: &str, message: &str) -> Error {
    let message = format!("sending row errors of the stream `{stream}` through again: {message}");
    port::Error::Disorder { unit: stream.to_owned(), message }.into()
}
