//! What the program says while it is recorded.

use std::fs::{File, OpenOptions};
use std::io::Write;

use anyhow::{Context, Result};

/// Where marks go.
pub(crate) struct Marks(File);

impl Marks {
    /// The file that the recorder has named.
    pub(crate) fn open() -> Result<Self> {
        let path = std::env::var_os("POWER_MARKS").context("not recorded: no POWER_MARKS")?;
        Ok(Self(OpenOptions::new().append(true).open(path)?))
    }

    /// Each is one write, so that marks of several threads do not mix.
    pub(crate) fn say(&self, text: &str) -> Result<()> {
        Ok((&self.0).write_all(text.as_bytes())?)
    }
}
