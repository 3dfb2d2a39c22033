//! Where somebody is logged in: one file for all servers, which nobody but its owner reads. Its tokens are shown nowhere.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Error;
use crate::data;
use crate::places;
use crate::problem::{Own, Problem, Problems};

const FILE: &str = "login.json";
const WHAT: &str = "the file of logins";
const OTHERS: u32 = 0o077;

/// Every server at which somebody is logged in.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Logins {
    /// The one that is meant when nobody says which: where somebody came in last.
    current: Option<String>,
    servers: BTreeMap<String, Login>,
}

/// Somebody who is logged in.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Login {
    pub(crate) email: String,
    pub(crate) token: String,
    /// The authorities that vouch for the server, where it is not those of the machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) authorities: Option<String>,
    /// The organization that is meant when nobody says which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) organization: Option<String>,
}

impl Logins {
    pub(crate) fn read() -> Result<Self, Problems> {
        let path = path()?;
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(source) => return Err(Own::Read { what: WHAT, path, source }.into()),
        };
        let mode = fs::metadata(&path).map(|metadata| metadata.permissions().mode());
        if mode.is_ok_and(|mode| mode & OTHERS != 0) {
            return Err(Error::OpenToOthers { path }.into());
        }
        // What it says is not repeated: it holds tokens.
        let wrong =
            |_| Own::WrongFile { what: WHAT, path, reason: "it is not what `cofferdam login` writes".into() };
        Ok(serde_json::from_str(&text).map_err(wrong)?)
    }

    pub(crate) fn write(&self) -> Result<(), Problems> {
        let path = path()?;
        let text = serde_json::to_vec_pretty(self).map_err(|error| Problem::bug(error.to_string()))?;
        make_folder_of(&path)?;
        Ok(data::write_private(&path, &text)?)
    }

    /// The server at which somebody came in last.
    pub(super) fn current(&self) -> Option<&str> {
        self.current.as_deref()
    }

    pub(super) fn known(&self) -> Vec<String> {
        self.servers.keys().cloned().collect()
    }

    pub(crate) fn at(&self, server: &str) -> Option<&Login> {
        self.servers.get(server)
    }

    pub(crate) fn put(&mut self, server: &str, login: Login) {
        self.current = Some(server.to_owned());
        self.servers.insert(server.to_owned(), login);
    }

    pub(crate) fn forget(&mut self, server: &str) {
        self.servers.remove(server);
        if self.current.as_deref() == Some(server) {
            self.current = None;
        }
    }
}

/// Makes the folder of a file, with those above it, for its owner alone.
pub(crate) fn make_folder_of(file: &Path) -> Result<(), Problems> {
    let folder = places::folder_of(file);
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder);
    Ok(made.map_err(|source| Own::Write { what: "the folder", path: folder, source })?)
}

fn path() -> Result<PathBuf, Error> {
    Ok(places::config().ok_or(Error::NoPlace)?.join(FILE))
}
