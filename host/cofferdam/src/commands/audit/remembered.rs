//! What was seen of a log when all was well: by which key it is judged, and how far it had come. Kept beside the logins, away
//! from the log: who can change the one should not be able to change the other.

use std::fs;
use std::io;
use std::path::PathBuf;

use control::{Checkpoint, NoteKey};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use crate::data;
use crate::places;
use crate::problem::{Own, Problem, Problems};
use crate::remote::{Error, make_folder_of};

const WHAT: &str = "what is remembered of an audit log";

/// What was seen of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Remembered {
    pub(super) origin: String,
    pub(super) key: String,
    pub(super) checkpoint: String,
}

impl Remembered {
    /// None: nobody looked at this log from here.
    pub(super) fn read(origin: &str) -> Result<Option<Self>, Problems> {
        let path = path(origin)?;
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(Own::Read { what: WHAT, path, source }.into()),
        };
        let wrong = |error: serde_json::Error| Own::WrongFile { what: WHAT, path, reason: error.to_string() };
        Ok(Some(serde_json::from_str(&text).map_err(wrong)?))
    }

    pub(super) fn write(&self) -> Result<(), Problems> {
        let path = path(&self.origin)?;
        let text = serde_json::to_vec_pretty(self).map_err(|error| Problem::bug(error.to_string()))?;
        make_folder_of(&path)?;
        Ok(data::write_private(&path, &text)?)
    }

    /// What it says of the log.
    pub(super) fn seen(&self) -> Result<Checkpoint, Problems> {
        Ok(NoteKey::parse(&self.key)?.open(&self.checkpoint)?)
    }
}

/// The name of a log tells of no other folder.
fn path(origin: &str) -> Result<PathBuf, Error> {
    let name = utf8_percent_encode(origin, NON_ALPHANUMERIC);
    Ok(places::config().ok_or(Error::NoPlace)?.join("audit").join(format!("{name}.json")))
}
