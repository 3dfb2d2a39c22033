//! Files as a destination.

mod csv;
mod disk;
mod files;
mod json_lines;
mod names;
mod parquet_column;
mod parquet_part;
mod part;
mod state;
mod stream;
mod verdict;
mod writer;

use cofferdam_sdk::{Destination, OpenWrite, Result};

pub use crate::config::DestinationConfig;
use disk::OsDisk;
use files::Directory;
pub use writer::FilesWriter;

/// Files as a destination.
pub struct FilesDestination;

impl Destination for FilesDestination {
    type Config = DestinationConfig;
    type Writer = FilesWriter;

    /// Whether files can be made and removed in the directory.
    fn check(config: &DestinationConfig) -> Result<()> {
        config.validate()?;
        let disk = OsDisk::new(&config.directory);
        disk.make_directory()?;
        let directory = Directory::new(disk, &config.directory, "check");
        let name = directory.hidden.part(0, 0);
        directory.write_file(&name, b"")?;
        directory.remove(&name)
    }

    fn open(config: DestinationConfig, write: OpenWrite) -> Result<FilesWriter> {
        FilesWriter::open(config, &write)
    }
}

#[cfg(test)]
mod tests;
