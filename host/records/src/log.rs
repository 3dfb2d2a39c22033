//! The log of a run: lines of its guests, which may quote rows, and so are sealed and expire.

use crate::codec;
use crate::error::Error;
use crate::records::SealedRecords;
use crate::tables::{Key, LOGS};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use storage::Life;

/// Lines are written when so many bytes of them wait.
const CHUNK_BYTES: u64 = 64 << 10;
/// What a line costs beside its text.
const LINE_BYTES: u64 = 32;

/// How grave a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum LogLevel {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
    Critical,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// When, in milliseconds since 1970.
    pub at_ms: u64,
    /// Who said it: `source`, `transform 0`, `destination`.
    pub connector: String,
    /// How grave it is.
    pub level: LogLevel,
    /// What was said, cut and freed of control characters by whoever took it from the guest.
    pub text: String,
}

/// Lines that are kept of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunLines {
    /// In the order in which they were said.
    pub lines: Vec<LogLine>,
    /// How many were said beyond what is kept.
    pub dropped: u64,
}

/// Takes the lines of one run. Taking one costs a lock and a push, never a wait; what waits is written by the run's commits
/// and at its end. A crash loses what was not written.
pub struct RunLog {
    records: Arc<SealedRecords>,
    state: Mutex<State>,
    /// One at a time writes.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    run: Option<(String, u64)>,
    waiting: Vec<LogLine>,
    waiting_bytes: u64,
    lines: u64,
    bytes: u64,
    dropped: u64,
    /// How many of those dropped are told in what was written.
    dropped_told: u64,
    chunks: u64,
}

impl RunLog {
    /// A log for a run that has not begun yet.
    #[must_use]
    pub fn new(records: Arc<SealedRecords>) -> Self {
        Self { records, state: Mutex::default(), turn: tokio::sync::Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a line; one too many is counted only.
    pub fn push(&self, line: LogLine) {
        let settings = &self.records.settings;
        let bytes = line.text.len() as u64 + LINE_BYTES;
        let mut state = self.state();
        if state.lines >= settings.log_lines_max || state.bytes + bytes > settings.log_bytes_max {
            state.dropped += 1;
            return;
        }
        state.lines += 1;
        state.bytes += bytes;
        state.waiting_bytes += bytes;
        state.waiting.push(line);
    }

    /// The run to which the lines belong.
    pub(crate) fn bind(&self, sync: &str, run: u64) {
        self.state().run = Some((sync.to_owned(), run));
    }

    /// Writes what waits, if it is much.
    pub(crate) async fn write_if_much(&self) -> Result<(), Error> {
        let much = self.state().waiting_bytes >= CHUNK_BYTES;
        if much { self.write().await } else { Ok(()) }
    }

    /// Writes what waits. Lines of a run that never began are not kept. To be called at the run's end, also by who drops
    /// the run.
    ///
    /// # Errors
    /// When storage refuses; then they still wait.
    pub async fn write(&self) -> Result<(), Error> {
        let _turn = self.turn.lock().await;
        loop {
            let Some(next) = self.next_chunk() else { return Ok(()) };
            let Next { sync, run, chunk, lines } = next;
            let until =
                self.records.storage.now_ms().saturating_add(self.records.retention().await?.run_logs_ms);
            let value = codec::to_json(LOGS, &lines)?;
            let key = Key::of(&sync).number(run).number(chunk);
            self.records
                .storage
                .commit(self.records.change().put(LOGS, key, Life::Until(until), value))
                .await?;
            self.written(&lines);
        }
    }

    /// As much as fits one chunk; stays waiting until it is written.
    fn next_chunk(&self) -> Option<Next> {
        let state = self.state();
        let (sync, run) = state.run.clone()?;
        if state.waiting.is_empty() && state.dropped == state.dropped_told {
            return None;
        }
        let mut bytes = 0;
        let fits = |line: &&LogLine| {
            bytes += line.text.len() as u64 + LINE_BYTES;
            bytes <= 4 * CHUNK_BYTES
        };
        let mut lines: Vec<LogLine> = state.waiting.iter().take_while(fits).cloned().collect();
        if lines.is_empty() {
            lines.extend(state.waiting.first().cloned());
        }
        let dropped = state.dropped - state.dropped_told;
        Some(Next { sync, run, chunk: state.chunks, lines: RunLines { lines, dropped } })
    }

    fn written(&self, written: &RunLines) {
        let mut state = self.state();
        let count = written.lines.len().min(state.waiting.len());
        state.waiting.drain(..count);
        state.waiting_bytes = state.waiting.iter().map(|line| line.text.len() as u64 + LINE_BYTES).sum();
        state.dropped_told += written.dropped;
        state.chunks += 1;
    }
}

/// Names a line of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LogPlace {
    /// As lines were written, in chunks.
    pub chunk: u64,
    /// The line in its chunk.
    pub line: u32,
}

/// Some lines of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogPage {
    /// In the order in which they were said.
    pub lines: Vec<LogLine>,
    /// How many were said beyond what is kept, between these lines.
    pub dropped: u64,
    /// There are more behind this one.
    pub next: Option<LogPlace>,
}

struct Next {
    sync: String,
    run: u64,
    chunk: u64,
    lines: RunLines,
}

impl SealedRecords {
    /// The lines of a run.
    ///
    /// # Errors
    /// [`Error::UnknownSync`], [`Error::UnknownRun`], or when storage cannot be read.
    pub async fn log(&self, sync: &str, run: u64) -> Result<RunLines, Error> {
        self.run(sync, Some(run)).await?;
        let mut all = RunLines::default();
        for (_, found) in self.scan_all(LOGS, &Key::of(sync).number(run)).await? {
            let RunLines { lines, dropped } = codec::from_json(LOGS, found.value.expose())?;
            all.lines.extend(lines);
            all.dropped += dropped;
        }
        Ok(all)
    }

    /// Some lines of a run: those behind `after`, at most `limit`.
    ///
    /// # Errors
    /// [`Error::UnknownSync`], [`Error::UnknownRun`], or when storage cannot be read.
    pub async fn log_page(
        &self,
        sync: &str,
        run: u64,
        after: Option<LogPlace>,
        limit: usize,
    ) -> Result<LogPage, Error> {
        self.run(sync, Some(run)).await?;
        let prefix = Key::of(sync).number(run);
        let (mut page, mut last) = (LogPage::default(), None);
        // The chunk of the last line may have more of them.
        let before = after.and_then(|after| after.chunk.checked_sub(1));
        let mut behind = before.map(|chunk| prefix.clone().number(chunk).bytes());
        loop {
            let found = self.scan_page(LOGS, &prefix, behind.as_deref()).await?;
            let Some((key, _)) = found.last() else { return Ok(page) };
            behind = Some(key.clone());
            for (key, found) in found {
                let chunk = key.last_chunk().copied().map_or(0, u64::from_be_bytes);
                let RunLines { lines, dropped } = codec::from_json(LOGS, found.value.expose())?;
                let end = u32::try_from(lines.len()).unwrap_or(u32::MAX).saturating_sub(1);
                let is_told = after.is_some_and(|after| after >= LogPlace { chunk, line: end });
                for (line, text) in (0..).zip(lines) {
                    let place = LogPlace { chunk, line };
                    if after.is_some_and(|after| place <= after) {
                        continue;
                    }
                    if page.lines.len() == limit {
                        page.next = last;
                        return Ok(page);
                    }
                    page.lines.push(text);
                    last = Some(place);
                }
                page.dropped += if is_told { 0 } else { dropped };
            }
        }
    }
}
