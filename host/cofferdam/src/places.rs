//! Where the command keeps things when nobody says where.

use std::env;
use std::path::{Path, PathBuf};

use crate::problem::{Own, Problems};

/// Checkpoints, reports and rejected rows: `.cofferdam` beside the sync's document, so that they move with it.
pub(crate) fn records(chosen: Option<PathBuf>, document: &Path) -> PathBuf {
    chosen.unwrap_or_else(|| folder_of(document).join(".cofferdam"))
}

/// Compiled components: `$XDG_CACHE_HOME/cofferdam` or `~/.cache/cofferdam`, shared by all syncs of the user.
pub(crate) fn cache(chosen: Option<PathBuf>) -> Result<PathBuf, Problems> {
    if let Some(chosen) = chosen {
        return Ok(chosen);
    }
    // The specification of base directories: a relative path there is to be ignored.
    let base = env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let base =
        base.or_else(|| env::home_dir().filter(|home| home.is_absolute()).map(|home| home.join(".cache")));
    Ok(base.ok_or(Own::NoCache)?.join("cofferdam"))
}

/// The folder in which a file lies.
pub(crate) fn folder_of(file: &Path) -> PathBuf {
    file.parent().unwrap_or(Path::new("")).to_owned()
}
