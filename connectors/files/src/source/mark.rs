//! What a checkpoint holds: for each file how far it was read, and how to tell whether it is still the same.

use std::collections::BTreeMap;

use cofferdam_sdk::{Checkpoint, Error, Result};
use serde::{Deserialize, Serialize};

use super::rows::Place;
use crate::input::{Fingerprint, Snapshot};

/// The form in which checkpoints are written.
const VERSION: u32 = 1;
/// What the host takes at most, less what our own words around the marks may take.
const CHECKPOINT_BYTES_MAX: usize = (4 << 20) - 1024;

/// How far one file was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mark {
    /// Size and time of the file when it was read.
    pub(crate) size: u64,
    pub(crate) modified: u64,
    /// Of the part that was read.
    pub(crate) read: Fingerprint,
    /// Where the next row begins.
    pub(crate) next: Place,
    /// Whether all rows of the file were read.
    pub(crate) done: bool,
}

/// What is to be done with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plan {
    /// It was read and is the same.
    Skip,
    /// It is the same: go on.
    Resume(Place),
    /// It has grown: go on, after a look at the last row.
    Grown(Place),
    /// It is new.
    Start,
    /// It was written anew.
    Restart,
}

impl Mark {
    /// What is to be done with the file as it is now. `appendable`: whether a file of this format can grow at its end.
    pub(crate) fn plan(&self, path: &str, now: Snapshot, appendable: bool) -> Result<Plan> {
        let same = (now.size, now.modified) == (self.size, self.modified);
        let grown = appendable && now.size > self.size;
        if !(same || grown) || !self.read.still_holds(path)? {
            return Ok(Plan::Restart);
        }
        Ok(match (same, self.done) {
            (true, true) => Plan::Skip,
            (true, false) => Plan::Resume(self.next),
            (false, _) => Plan::Grown(self.next),
        })
    }
}

/// All files of one stream, by their path below the root.
pub(crate) type Marks = BTreeMap<String, Mark>;

#[derive(Serialize)]
struct Written<'a> {
    version: u32,
    files: &'a Marks,
}

#[derive(Deserialize)]
struct Read {
    version: u32,
    files: Marks,
}

/// The checkpoint of these marks.
pub(crate) fn write(marks: &Marks) -> Result<String> {
    let json = Checkpoint::new(&Written { version: VERSION, files: marks })?.into_json();
    if json.len() > CHECKPOINT_BYTES_MAX {
        return Err(Error::config(
            "/path",
            format!(
                "one stream of {} files is more than a checkpoint can hold: split the pattern into several",
                marks.len()
            ),
        ));
    }
    Ok(json)
}

/// The marks of a checkpoint.
pub(crate) fn read(checkpoint: Option<&Checkpoint>) -> Result<Marks> {
    let Some(checkpoint) = checkpoint else { return Ok(Marks::new()) };
    let read: Read = checkpoint.parse()?;
    if read.version != VERSION {
        let version = read.version;
        return Err(Error::data(format!("the checkpoint is of version {version}, known is {VERSION}")));
    }
    Ok(read.files)
}
