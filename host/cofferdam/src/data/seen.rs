//! What can be seen of a data directory without opening it.

use std::path::Path;

use super::error::Error;
use super::settings::Settings;
use super::{STORAGE, files, keys};

/// For who looks and neither has its keys nor is to change anything.
#[derive(Debug)]
pub(crate) struct Seen {
    /// What it says of its keys; none: it says nothing.
    pub(crate) settings: Result<Option<Settings>, Error>,
    pub(crate) has_keyring: bool,
    pub(crate) has_storage: bool,
}

impl Seen {
    pub(crate) fn of(path: &Path) -> Self {
        // What cannot be looked at is not there for us, and the settings tell why.
        let is_there = |name: &str| files::is_there(&path.join(name)).unwrap_or(false);
        Self {
            settings: Settings::read(path),
            has_keyring: is_there(keys::KEYRING),
            has_storage: is_there(STORAGE),
        }
    }
}
