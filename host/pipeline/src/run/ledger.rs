//! What became of all rows of a run: what is committed, and what is under way and may be rolled back.

use super::spec::{RejectPolicy, Rejects};
use crate::error::Error;
use crate::records::{Counters, Effect};
use crate::report::StreamReport;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The rate of rejects says nothing before so many rows.
const RATE_ROWS_MIN: u64 = 100;
/// Codes are a connector's words: no more than this many are counted apart.
const CODES_MAX: usize = 64;
const OTHER_CODES: &str = "…";

/// Shared by the groups of a run. Locked for a moment for each batch and commit, never across an await.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    books: Mutex<Books>,
}

#[derive(Debug, Default)]
struct Books {
    streams: BTreeMap<String, Account>,
    written: BTreeMap<String, u64>,
    recovered: BTreeMap<String, Counters>,
}

/// One source stream. A stream belongs to one group, so that only that group's attempts change it.
#[derive(Debug, Clone, Default)]
pub(super) struct Account {
    pub(super) committed: StreamReport,
    /// Rows of the committed ones that the stream's limit counts.
    pub(super) committed_selected: u64,
    pub(super) pending: Tally,
}

/// What an attempt adds to one stream.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    pub(super) counters: Counters,
    pub(super) bytes: u64,
    pub(super) selected: u64,
    pub(super) codes: BTreeMap<String, u64>,
}

impl Tally {
    pub(super) fn add(&mut self, other: &Self) {
        self.counters.add(other.counters);
        self.bytes += other.bytes;
        self.selected += other.selected;
        for (code, count) in &other.codes {
            self.code(code, *count);
        }
    }

    pub(super) fn code(&mut self, code: &str, count: u64) {
        add_code(&mut self.codes, code, count);
    }
}

fn add_code(codes: &mut BTreeMap<String, u64>, code: &str, count: u64) {
    if let Some(known) = codes.get_mut(code) {
        *known += count;
    } else {
        let name = if codes.len() < CODES_MAX { code } else { OTHER_CODES };
        *codes.entry(name.to_owned()).or_default() += count;
    }
}

impl Ledger {
    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// More of a stream is under way.
    pub(super) fn pend(&self, stream: &str, tally: &Tally) {
        self.books().streams.entry(stream.to_owned()).or_default().pending.add(tally);
    }

    /// What is under way of these streams will be read again.
    pub(super) fn roll_back<'a>(&self, streams: impl Iterator<Item = &'a str>) {
        let mut books = self.books();
        for stream in streams {
            books.streams.entry(stream.to_owned()).or_default().pending = Tally::default();
        }
    }

    /// All that is under way of these streams is durable. `settled` is what the commit says of them, in which late rejects
    /// may have changed what was pending.
    pub(super) fn commit(&self, settled: &BTreeMap<String, Tally>, written: &BTreeMap<String, u64>) {
        let mut books = self.books();
        for (stream, tally) in settled {
            let account = books.streams.entry(stream.clone()).or_default();
            account.pending = Tally::default();
            account.committed_selected += tally.selected;
            account.committed.counters.add(tally.counters);
            account.committed.bytes += tally.bytes;
            for (code, count) in &tally.codes {
                add_code(&mut account.committed.reject_codes, code, *count);
            }
        }
        for (stream, rows) in written {
            *books.written.entry(stream.clone()).or_default() += rows;
        }
    }

    /// A commit of an earlier run had taken effect.
    pub(super) fn recover(&self, effect: &Effect) {
        let mut books = self.books();
        for (stream, counters) in &effect.streams {
            books.recovered.entry(stream.clone()).or_default().add(*counters);
        }
    }

    pub(super) fn account(&self, stream: &str) -> Account {
        self.books().streams.get(stream).cloned().unwrap_or_default()
    }

    /// Whether the run has more rejects than it bears.
    pub(super) fn judge(&self, rejects: &Rejects) -> Result<(), Error> {
        if rejects.policy == RejectPolicy::Fail || (rejects.max_count.is_none() && rejects.max_rate.is_none())
        {
            return Ok(());
        }
        let mut total = Counters::default();
        for account in self.books().streams.values() {
            total.add(account.committed.counters);
            total.add(account.pending.counters);
        }
        let Counters { read, rejected, .. } = total;
        if let Some(allowed) = rejects.max_count.filter(|allowed| rejected > *allowed) {
            return Err(Error::TooManyRejects { rejected, allowed });
        }
        #[expect(clippy::cast_precision_loss, reason = "a rate needs no more digits than a float has")]
        let over = |allowed: &f64| read >= RATE_ROWS_MIN && rejected as f64 > allowed * read as f64;
        if let Some(allowed) = rejects.max_rate.filter(over) {
            return Err(Error::RejectRateTooHigh { rejected, read, allowed });
        }
        Ok(())
    }

    /// The proof that nothing was lost: read = accepted + rejected + filtered in each stream.
    pub(super) fn prove(&self) -> Result<(), Error> {
        for (stream, account) in &self.books().streams {
            balance(stream, account.committed.counters)?;
        }
        Ok(())
    }

    pub(super) fn streams(&self) -> BTreeMap<String, StreamReport> {
        let books = self.books();
        books.streams.iter().map(|(stream, account)| (stream.clone(), account.committed.clone())).collect()
    }

    pub(super) fn written(&self) -> BTreeMap<String, u64> {
        self.books().written.clone()
    }

    pub(super) fn recovered(&self) -> BTreeMap<String, Counters> {
        self.books().recovered.clone()
    }
}

/// The counters of a stream say what became of each row.
pub(super) fn balance(stream: &str, counters: Counters) -> Result<(), Error> {
    if counters.read == counters.settled() {
        return Ok(());
    }
    Err(Error::CountersUnbalanced {
        stream: stream.to_owned(),
        read: counters.read,
        settled: counters.settled(),
    })
}
