//! The file system as the destination sees it: one directory. A seam, so that tests can cut the power at each step.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::PathBuf,
};

use cofferdam_sdk::Result;

use crate::input::{explain, names_in};

/// One directory. Names are of files in it.
pub(crate) trait Disk {
    type File: Write + Send + 'static;

    /// Make a file, or empty it.
    fn create(&self, name: &str) -> io::Result<Self::File>;
    /// What was written to the file outlives the machine's power.
    fn sync(&self, file: &Self::File) -> io::Result<()>;
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    fn remove(&self, name: &str) -> io::Result<()>;
    fn open(&self, name: &str) -> io::Result<Box<dyn Read>>;
    fn exists(&self, name: &str) -> bool;
    fn list(&self) -> io::Result<Vec<String>>;
    /// Names that were made, changed and removed outlive the machine's power.
    fn sync_directory(&self) -> io::Result<()>;
}

/// A directory of the real file system.
pub(crate) struct OsDisk {
    directory: PathBuf,
}

impl OsDisk {
    pub(crate) fn new(directory: &str) -> Self {
        Self { directory: directory.into() }
    }

    /// Make the directory if it is not there.
    pub(crate) fn make_directory(&self) -> Result<()> {
        let made = fs::create_dir_all(&self.directory);
        made.map_err(|fault| explain("making", &self.directory.to_string_lossy(), fault))
    }
}

impl Disk for OsDisk {
    type File = File;

    fn create(&self, name: &str) -> io::Result<File> {
        File::create(self.directory.join(name))
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_all()
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.directory.join(from), self.directory.join(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.directory.join(name))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn Read>> {
        Ok(Box::new(File::open(self.directory.join(name))?))
    }

    fn exists(&self, name: &str) -> bool {
        fs::symlink_metadata(self.directory.join(name)).is_ok()
    }

    fn list(&self) -> io::Result<Vec<String>> {
        // Names that are not UTF-8 are not ours.
        Ok(names_in(&self.directory)?.into_iter().filter_map(|name| name.into_string().ok()).collect())
    }

    fn sync_directory(&self) -> io::Result<()> {
        File::open(&self.directory)?.sync_all()
    }
}
