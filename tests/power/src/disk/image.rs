//! What is found on a disk.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// What is found on a disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// For each recorded directory what is in it.
    pub roots: Vec<Tree>,
}

/// A file or a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tree {
    /// A file.
    File {
        /// Who may do what with it.
        mode: u32,
        /// What is in it.
        bytes: Vec<u8>,
    },
    /// A directory.
    Directory {
        /// Who may do what with it.
        mode: u32,
        /// What is in it.
        entries: BTreeMap<String, Tree>,
    },
}

impl Image {
    /// Makes it real, in directories that are emptied before.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, roots: &[PathBuf]) -> Result<()> {
        for (tree, path) in self.roots.iter().zip(roots) {
            if path.exists() {
                fs::remove_dir_all(path).with_context(|| format!("failed to empty {}", path.display()))?;
            }
            tree.write(path)?;
        }
        Ok(())
    }

    /// The bytes of a file, by its path in the first directory.
    #[must_use]
    pub fn file(&self, path: &str) -> Option<&[u8]> {
        let mut tree = self.roots.first()?;
        for name in path.split('/') {
            let Tree::Directory { entries, .. } = tree else { return None };
            tree = entries.get(name)?;
        }
        match tree {
            Tree::File { bytes, .. } => Some(bytes),
            Tree::Directory { .. } => None,
        }
    }
}

impl Tree {
    fn write(&self, path: &Path) -> Result<()> {
        let mode = match self {
            Self::File { mode, bytes } => {
                fs::write(path, bytes)?;
                *mode
            }
            Self::Directory { mode, entries } => {
                fs::create_dir(path)?;
                entries.iter().try_for_each(|(name, tree)| tree.write(&path.join(name)))?;
                *mode
            }
        };
        Ok(fs::set_permissions(path, Permissions::from_mode(mode))?)
    }
}
