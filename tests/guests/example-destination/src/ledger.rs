//! What is durable: for each commit unit a small file that is replaced as a whole. Bytes of a stream's file past the
//! length that it names were never committed.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{ErrorKind, Write as _},
    path::{Path, PathBuf},
};

use cofferdam_sdk::{Error, Result};
use serde::{Deserialize, Serialize};

#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct State {
    pub(crate) fence: u64,
    pub(crate) token: Option<String>,
    /// The rows that the last commit rejected, as batch and row.
    pub(crate) late: Vec<(u64, u32)>,
    /// Committed bytes of each stream's file.
    pub(crate) lengths: BTreeMap<String, u64>,
}

#[derive(Debug)]
pub(crate) struct Ledger {
    directory: PathBuf,
    unit: String,
    pub(crate) state: State,
}

impl Ledger {
    pub(crate) fn read(directory: &str, unit: &str) -> Result<Self> {
        let directory = PathBuf::from(directory);
        let unit = file_name(unit, "unit");
        let state = match fs::read(directory.join(&unit)) {
            Ok(bytes) => serde_json::from_slice(&bytes)?,
            Err(fault) if fault.kind() == ErrorKind::NotFound => State::default(),
            Err(fault) => return Err(fault.into()),
        };
        Ok(Self { directory, unit, state })
    }

    /// Take over the unit: older runs are refused from now on, and what they left uncommitted is cut off.
    pub(crate) fn take_over(&mut self, fence: u64) -> Result<()> {
        if fence < self.state.fence {
            return Err(Error::data(format!("fence {fence} is older than {}", self.state.fence)));
        }
        self.state.fence = fence;
        self.store()?;
        for (stream, length) in &self.state.lengths {
            self.stream_file(stream)?.set_len(*length)?;
        }
        Ok(())
    }

    /// Make rows, token and rejects durable. The rename is the moment at which all of it counts.
    pub(crate) fn commit(
        &mut self,
        rows: &BTreeMap<String, Vec<u8>>,
        token: &str,
        late: Vec<(u64, u32)>,
    ) -> Result<()> {
        for (stream, bytes) in rows {
            let mut file = self.stream_file(stream)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            self.state.lengths.insert(stream.clone(), file.metadata()?.len());
        }
        (self.state.token, self.state.late) = (Some(token.to_owned()), late);
        self.store()
    }

    fn store(&self) -> Result<()> {
        let next = self.directory.join(format!("{}.next", self.unit));
        let mut file = File::create(&next)?;
        file.write_all(&serde_json::to_vec(&self.state)?)?;
        file.sync_all()?;
        fs::rename(&next, self.directory.join(&self.unit))?;
        Ok(())
    }

    fn stream_file(&self, stream: &str) -> Result<File> {
        Ok(OpenOptions::new().create(true).append(true).open(stream_path(&self.directory, stream))?)
    }
}

pub(crate) fn stream_path(directory: &Path, stream: &str) -> PathBuf {
    directory.join(file_name(stream, "jsonl"))
}

/// Names come from elsewhere: what could leave the directory does not stand in a file's name.
fn file_name(name: &str, extension: &str) -> String {
    let plain = |letter: char| if letter.is_ascii_alphanumeric() || letter == '-' { letter } else { '_' };
    format!("{}.{extension}", name.chars().map(plain).collect::<String>())
}
