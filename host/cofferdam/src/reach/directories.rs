//! The directories of this machine that a connection sees, held against what is there.

use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io};

use grants::Rights;
use manifest::{Access, Offer};
use runtime::Directory;

use crate::problem::{Own, Problem, Problems};

/// A directory that is not there would otherwise be the connector's failure, in each instance anew.
pub(crate) fn directories(part: &str, rights: &Rights) -> Result<Vec<Directory>, Problems> {
    let granted: BTreeMap<_, _> = rights.directories().collect();
    let mut directories = Vec::new();
    for (name, granted) in granted {
        let directory = Directory {
            name: name.to_owned(),
            path: granted.path.clone(),
            writable: granted.access == Access::Write,
            root: granted.offer.as_ref().map(|offer| offer.root.clone()),
        };
        listed(&directory).map_err(|source| missing(part, &directory, granted.offer.as_ref(), source))?;
        directories.push(directory);
    }
    Ok(directories)
}

/// Of an operator's directory the parts are made into which something is to be written: no admin can make them, and whoever
/// reads nothing where something was expected has misspelt it.
fn listed(directory: &Directory) -> io::Result<()> {
    let is_made = directory.writable && directory.root.is_some();
    let opened = if is_made { directory.make()? } else { directory.open()? };
    fs::read_dir(opened.path()).map(drop)
}

fn missing(part: &str, directory: &Directory, offer: Option<&Offer>, source: io::Error) -> Problem {
    let (part, name, path) = (part.to_owned(), directory.name.clone(), directory.path.clone());
    let Some(Offer { name: offer, root }) = offer else {
        return Own::NoDirectory { part, name, path, source }.into();
    };
    // For the operator, whose path it is; people of an organization see none.
    tracing::warn!(directory = offer, path = %path.display(), "a directory cannot be opened: {source}");
    let all = Path::new("");
    // Where all of it is gone, no part of it is what helps.
    let below = if root.is_dir() { path.strip_prefix(root).unwrap_or(all) } else { all }.to_owned();
    Own::NoOffered { part, name, offer: offer.clone(), below, source }.into()
}
