//! The file of one instance's time: a line for each reading that differs from the one before.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::files;
use crate::timeline::{Line, Ready, Timeline};

/// Lines of one tape: an hour in which two clocks are read in each of their milliseconds is seven million. A replay holds
/// them in memory, a hundred megabytes of them at most.
const LINES_MAX: u64 = 4_000_000;

/// A tape that is being written.
#[derive(Debug)]
pub(crate) struct Writer {
    path: PathBuf,
    instance: String,
    out: BufWriter<File>,
    lines: u64,
    wall: Option<(u64, u64)>,
    monotonic: Option<(u64, u64)>,
    ready: Option<(Ready, u64)>,
}

impl Writer {
    pub(crate) fn create(path: PathBuf, instance: &str, seed: &[u8; 32]) -> Result<Self, Error> {
        let file = files::create(&path).map_err(|source| Error::write(&path, source))?;
        let (out, instance) = (BufWriter::new(file), instance.to_owned());
        let mut writer = Self { path, instance, out, lines: 0, wall: None, monotonic: None, ready: None };
        writer.line(&Line::Seed(files::hex(seed)))?;
        Ok(writer)
    }

    pub(crate) fn begin_call(&mut self, call: &str) -> Result<(), Error> {
        self.settle()?;
        self.line(&Line::Call(call.to_owned()))
    }

    pub(crate) fn wall_ms(&mut self, ms: u64) -> Result<(), Error> {
        match repeated(&mut self.wall, ms) {
            Some((ms, times)) => self.line(&Line::WallMs(ms, times)),
            None => Ok(()),
        }
    }

    pub(crate) fn monotonic_ms(&mut self, ms: u64) -> Result<(), Error> {
        match repeated(&mut self.monotonic, ms) {
            Some((ms, times)) => self.line(&Line::MonotonicMs(ms, times)),
            None => Ok(()),
        }
    }

    pub(crate) fn ready(&mut self, ready: Ready) -> Result<(), Error> {
        match repeated(&mut self.ready, ready) {
            Some((ready, times)) => self.line(&Line::Ready(ready, times)),
            None => Ok(()),
        }
    }

    pub(crate) fn finish(&mut self) -> Result<(), Error> {
        self.settle()?;
        self.out.flush().map_err(|source| Error::write(&self.path, source))
    }

    /// Writes what was read last.
    fn settle(&mut self) -> Result<(), Error> {
        let wall = self.wall.take().map(|(ms, times)| Line::WallMs(ms, times));
        let monotonic = self.monotonic.take().map(|(ms, times)| Line::MonotonicMs(ms, times));
        let ready = self.ready.take().map(|(ready, times)| Line::Ready(ready, times));
        [wall, monotonic, ready].into_iter().flatten().try_for_each(|line| self.line(&line))
    }

    fn line(&mut self, line: &Line) -> Result<(), Error> {
        self.lines += 1;
        if self.lines > LINES_MAX {
            return Err(Error::TooLong { instance: self.instance.clone(), allowed: LINES_MAX });
        }
        let written = serde_json::to_writer(&mut self.out, line).map_err(Into::into);
        let written = written.and_then(|()| self.out.write_all(b"\n"));
        written.map_err(|source| Error::write(&self.path, source))
    }
}

/// Counts a reading that is read again; gives back what came before one that differs.
fn repeated<T: PartialEq>(last: &mut Option<(T, u64)>, value: T) -> Option<(T, u64)> {
    match last {
        Some((known, times)) if *known == value => {
            *times += 1;
            None
        }
        _ => last.replace((value, 1)),
    }
}

/// Reads a tape: its seed, and what is told again.
pub(crate) fn read(path: &Path, begins_ms: u64) -> Result<([u8; 32], Timeline), Error> {
    let file = File::open(path).map_err(|source| Error::read(path, source))?;
    let mut timeline = Timeline::beginning_at(begins_ms);
    let mut seed = None;
    for (number, text) in (1_u64..=LINES_MAX).zip(BufReader::new(file).lines()) {
        let text = text.map_err(|source| Error::read(path, source))?;
        let line = serde_json::from_str(&text)
            .map_err(|error| Error::corrupt(path, format!("line {number}: {error}")))?;
        match &line {
            Line::Seed(digits) => seed = unhex(digits),
            _ => timeline.add(line),
        }
    }
    let seed = seed.ok_or_else(|| Error::corrupt(path, "it does not begin with a seed of 64 digits"))?;
    Ok((seed, timeline))
}

fn unhex(digits: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if digits.len() != 2 * bytes.len() {
        return None;
    }
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(digits.get(2 * index..2 * index + 2)?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::{LINES_MAX, Writer};

    #[test]
    fn a_tape_ends_with_the_last_line_that_a_replay_would_hold() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = Writer::create(folder.path().join("tape"), "source/1", &[0; 32]).unwrap();
        writer.lines = LINES_MAX - 1;
        writer.begin_call("next").unwrap();
        let error = writer.begin_call("next").unwrap_err();
        assert_eq!(error.code(), "CD0858");
        assert!(error.to_string().contains("`source/1` asked the clock more than 4000000 times"), "{error}");
    }
}
