//! What the recorder wrote down. The format stands in `recorder/log.c`.

use std::sync::Arc;

use anyhow::{Context, Result, bail};

/// One thing that happened to a file, or that the program said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A directory that is recorded.
    Root {
        /// It.
        inode: u64,
        /// Where it is.
        path: String,
    },
    /// A new file.
    Create {
        /// Where its name is.
        directory: u64,
        /// It.
        inode: u64,
        /// Who may do what with it.
        mode: u32,
        /// Its name.
        name: String,
    },
    /// A new directory.
    MakeDirectory {
        /// Where its name is.
        directory: u64,
        /// It.
        inode: u64,
        /// Who may do what with it.
        mode: u32,
        /// Its name.
        name: String,
    },
    /// Bytes were written.
    Write {
        /// The file.
        inode: u64,
        /// Where in it.
        offset: u64,
        /// The bytes.
        data: Arc<[u8]>,
    },
    /// The file got another size.
    Resize {
        /// The file.
        inode: u64,
        /// The size.
        size: u64,
    },
    /// A file or directory was synced.
    Sync {
        /// It.
        inode: u64,
        /// `fdatasync`: what is not needed to read the data may be lost.
        is_data_only: bool,
    },
    /// A sync has failed: what was to be made durable is whatever it is, for good.
    FailedSync {
        /// Of this file or directory.
        inode: u64,
    },
    /// Everything was synced.
    SyncAll,
    /// A name was changed.
    Rename {
        /// The directory of the old name.
        old_directory: u64,
        /// The old name.
        old: String,
        /// The directory of the new name.
        new_directory: u64,
        /// The new name, which may have been that of another file.
        new: String,
    },
    /// A name was removed, of a file or of an empty directory.
    Unlink {
        /// Its directory.
        directory: u64,
        /// The name.
        name: String,
    },
    /// A file got one more name.
    Link {
        /// The directory of the name.
        directory: u64,
        /// The file.
        inode: u64,
        /// The name.
        name: String,
    },
    /// The program said something, at this moment.
    Mark(String),
}

impl Event {
    /// Reads a whole log.
    ///
    /// # Errors
    /// When it is cut off, or the program did something that cannot be recorded.
    pub fn read_log(bytes: &[u8]) -> Result<Vec<Self>> {
        let mut rest = bytes;
        let mut events = Vec::new();
        while !rest.is_empty() {
            let raw = Raw::read(&mut rest).context("the log is cut off")?;
            events.push(raw.event()?);
        }
        Ok(events)
    }
}

struct Raw<'a> {
    kind: u8,
    numbers: [u64; 3],
    name: &'a [u8],
    data: &'a [u8],
}

impl<'a> Raw<'a> {
    fn read(rest: &mut &'a [u8]) -> Option<Self> {
        let [kind] = *array(rest)?;
        let numbers = [number(rest)?, number(rest)?, number(rest)?];
        let name_bytes = usize::try_from(u32::from_ne_bytes(*array(rest)?)).ok()?;
        let name = take(rest, name_bytes)?;
        let data_bytes = usize::try_from(number(rest)?).ok()?;
        Some(Self { kind, numbers, name, data: take(rest, data_bytes)? })
    }

    fn event(&self) -> Result<Event> {
        let [a, b, c] = self.numbers;
        let name = || String::from_utf8(self.name.to_vec()).context("a name is no UTF-8");
        let text = || String::from_utf8(self.data.to_vec()).context("a text is no UTF-8");
        let mode = || u32::try_from(c).context("a mode is too large");
        Ok(match self.kind {
            b'R' => Event::Root { inode: b, path: name()? },
            b'c' => Event::Create { directory: a, inode: b, mode: mode()?, name: name()? },
            b'd' => Event::MakeDirectory { directory: a, inode: b, mode: mode()?, name: name()? },
            b'w' => Event::Write { inode: a, offset: b, data: self.data.into() },
            b't' => Event::Resize { inode: a, size: b },
            b's' => Event::Sync { inode: a, is_data_only: b != 0 },
            b'f' => Event::FailedSync { inode: a },
            b'S' => Event::SyncAll,
            b'r' => Event::Rename { old_directory: a, old: name()?, new_directory: b, new: text()? },
            b'u' => Event::Unlink { directory: a, name: name()? },
            b'l' => Event::Link { directory: a, inode: b, name: name()? },
            b'm' => Event::Mark(text()?.trim_end().to_owned()),
            b'x' => bail!("the program does what is not recorded: {}", name()?),
            kind => bail!("an event of the unknown kind `{}`", char::from(kind)),
        })
    }
}

fn take<'a>(rest: &mut &'a [u8], bytes: usize) -> Option<&'a [u8]> {
    let (taken, after) = rest.split_at_checked(bytes)?;
    *rest = after;
    Some(taken)
}

fn array<'a, const N: usize>(rest: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    take(rest, N)?.first_chunk()
}

fn number(rest: &mut &[u8]) -> Option<u64> {
    array(rest).map(|bytes| u64::from_ne_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::Event;

    #[test]
    fn a_log_that_is_cut_off_is_told() {
        let mut log = vec![b'S'];
        log.extend_from_slice(&[0; 36]);
        assert_eq!(Event::read_log(&log).unwrap(), [Event::SyncAll]);
        for bytes in 1..log.len() {
            assert!(Event::read_log(&log[..bytes]).is_err(), "{bytes}");
        }
    }
}
