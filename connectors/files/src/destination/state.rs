//! What a commit unit has written: a small file, replaced as a whole by a rename. That rename is the commit.
//!
//! Each fence has a state file of its own, so that a run that was overtaken can never replace the state of the run that
//! overtook it. The newest one that was `adopted` is the truth.

use std::{collections::BTreeMap, io::Read};

use cofferdam_sdk::{Error, Result};
use serde::{Deserialize, Serialize};

use super::{disk::Disk, files::Directory};

/// The form in which states are written.
const VERSION: u32 = 1;

/// What a commit unit has written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct State {
    version: u32,
    /// Whether the run with this fence has taken over what was there. Until then the state before is the truth.
    pub(crate) adopted: bool,
    /// Of the last commit.
    pub(crate) token: Option<String>,
    pub(crate) streams: BTreeMap<String, StreamState>,
    /// What the last commit has still to do; doing it again does no harm.
    pub(crate) renames: Vec<(String, String)>,
    pub(crate) removes: Vec<String>,
}

/// What was written of one stream.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StreamState {
    /// Of the last `replace`.
    pub(crate) generation: u64,
    /// Whether that generation was published.
    pub(crate) complete: bool,
    /// Of the file that was published last. Numbers never come again.
    pub(crate) number: u64,
    /// Files that others see.
    pub(crate) visible: Vec<FileRun>,
    /// Files of a generation that is not yet complete.
    pub(crate) pending: Vec<Pending>,
}

/// Files that differ by their number only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileRun {
    pub(crate) base: String,
    pub(crate) ending: String,
    pub(crate) first: u64,
    pub(crate) last: u64,
}

/// A hidden file whose rows are committed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pending {
    pub(crate) file: String,
    /// Bytes of it that are committed.
    pub(crate) bytes: u64,
}

impl FileRun {
    /// The name of a file with this number; 0: the only one of its stream.
    pub(crate) fn name(base: &str, ending: &str, number: u64) -> String {
        if number == 0 { format!("{base}{ending}") } else { format!("{base}-{number:06}{ending}") }
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = String> {
        (self.first..=self.last).map(|number| Self::name(&self.base, &self.ending, number))
    }
}

impl StreamState {
    /// Others see one file more.
    pub(crate) fn add_visible(&mut self, base: &str, ending: &str, number: u64) {
        let last = self.visible.last_mut().filter(|run| run.base == base && run.ending == ending);
        match last {
            Some(run) if run.last == number => {}
            Some(run) if run.last + 1 == number => run.last = number,
            _ => self.visible.push(FileRun {
                base: base.to_owned(),
                ending: ending.to_owned(),
                first: number,
                last: number,
            }),
        }
    }
}

impl State {
    pub(crate) fn new() -> Self {
        Self {
            version: VERSION,
            adopted: false,
            token: None,
            streams: BTreeMap::new(),
            renames: Vec::new(),
            removes: Vec::new(),
        }
    }

    /// Hidden files that must stay.
    pub(crate) fn hidden_files(&self) -> impl Iterator<Item = &str> {
        let pending =
            self.streams.values().flat_map(|stream| &stream.pending).map(|pending| pending.file.as_str());
        pending.chain(self.renames.iter().map(|(from, _)| from.as_str()))
    }

    /// The state of this fence.
    pub(crate) fn load(directory: &Directory<impl Disk>, fence: u64) -> Result<Self> {
        let name = directory.hidden.state(fence);
        let mut text = String::new();
        let read = directory.disk.open(&name).and_then(|mut file| file.read_to_string(&mut text));
        read.map_err(|fault| directory.explain("reading", &name, fault))?;
        let broken =
            |what: String| Error::data(format!("`{}` is no sound state: {what}", directory.path(&name)));
        let state: Self = serde_json::from_str(&text).map_err(|fault| broken(fault.to_string()))?;
        if state.version != VERSION {
            return Err(broken(format!("its version is {}, known is {VERSION}", state.version)));
        }
        Ok(state)
    }

    /// Replace the state of this fence; it lasts when this returns.
    pub(crate) fn save(&self, directory: &Directory<impl Disk>, fence: u64) -> Result<()> {
        let (name, unfinished) = (directory.hidden.state(fence), directory.hidden.unfinished_state(fence));
        let text = serde_json::to_vec(self)
            .map_err(|fault| Error::bug(format!("a state that is no JSON: {fault}")))?;
        directory.write_file(&unfinished, &text)?;
        // The files that the state speaks of must be there before it is.
        directory.sync()?;
        if let Err(fault) = directory.rename(&unfinished, &name) {
            // A newer run removes what older ones left unfinished.
            directory.check_fence(fence)?;
            return Err(fault);
        }
        directory.sync()
    }
}
