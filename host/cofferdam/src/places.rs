//! Where the command keeps things when nobody says where.

use std::env;
use std::path::{Path, PathBuf};

use crate::problem::{Own, Problems};

const DATA: &str = ".cofferdam";

/// All that a sync keeps: `.cofferdam` beside its document, so that it moves with it.
pub(crate) fn data(chosen: Option<&Path>, document: &Path) -> PathBuf {
    chosen.map_or_else(|| folder_of(document).join(DATA), ToOwned::to_owned)
}

/// The data directory of a command that names no document: the one that is here.
pub(crate) fn data_here(chosen: Option<&Path>) -> PathBuf {
    chosen.map_or_else(|| PathBuf::from(DATA), ToOwned::to_owned)
}

/// Key files: `$XDG_CONFIG_HOME/cofferdam/keys` or `~/.config/cofferdam/keys`, away from what they open.
pub(crate) fn keys() -> Option<PathBuf> {
    Some(base("XDG_CONFIG_HOME", ".config")?.join("cofferdam/keys"))
}

/// What logs in at servers, and what is remembered of their audit logs: `$XDG_CONFIG_HOME/cofferdam` or `~/.config/cofferdam`.
pub(crate) fn config() -> Option<PathBuf> {
    Some(base("XDG_CONFIG_HOME", ".config")?.join("cofferdam"))
}

/// Compiled components: `$XDG_CACHE_HOME/cofferdam` or `~/.cache/cofferdam`, shared by all syncs of the user.
pub(crate) fn cache(chosen: Option<PathBuf>) -> Result<PathBuf, Problems> {
    if let Some(chosen) = chosen {
        return Ok(chosen);
    }
    Ok(base("XDG_CACHE_HOME", ".cache").ok_or(Own::NoCache)?.join("cofferdam"))
}

/// The specification of base directories: a relative path there is to be ignored.
fn base(variable: &str, in_home: &str) -> Option<PathBuf> {
    let said = env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    said.or_else(|| env::home_dir().filter(|home| home.is_absolute()).map(|home| home.join(in_home)))
}

/// The folder in which a file lies.
pub(crate) fn folder_of(file: &Path) -> PathBuf {
    file.parent().unwrap_or(Path::new("")).to_owned()
}
