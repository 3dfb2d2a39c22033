//! The disk before anything is recorded: everything on it is durable.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::file::File;
use super::{Content, Disk, Node};

const PERMISSIONS: u32 = 0o7777;

impl Disk {
    /// Reads directories that nobody writes to.
    ///
    /// # Errors
    /// When something in them cannot be read.
    pub fn read(roots: &[PathBuf]) -> Result<Self> {
        let mut disk = Self::default();
        for root in roots {
            let node = disk.read_node(root)?;
            disk.roots.push((root.clone(), node));
        }
        Ok(disk)
    }

    fn read_node(&mut self, path: &Path) -> Result<Node> {
        let status =
            fs::symlink_metadata(path).with_context(|| format!("failed to read {}", path.display()))?;
        let mode = status.mode() & PERMISSIONS;
        if !status.is_dir() {
            let file = File::durable(fs::read(path)?);
            return Ok(self.add(status.ino(), (mode, Content::File(file))));
        }
        let directory = self.add(status.ino(), (mode, Content::Directory));
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            // A socket or pipe holds nothing that a disk could lose.
            if entry.file_type()?.is_dir() || entry.file_type()?.is_file() {
                let node = self.read_node(&entry.path())?;
                self.names.put_durable(directory, entry.file_name().to_string_lossy().into_owned(), node);
            }
        }
        Ok(directory)
    }
}
