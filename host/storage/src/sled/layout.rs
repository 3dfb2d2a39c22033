//! The names in a data directory, and its two small files.
//!
//! ```text
//! format    0  magic "CFDMDATA"        lock      lines: pid, what the holder says of itself, boot id
//!           8  format u32 = 1          CURRENT   "db-N ", CRC-32 of "db-N" in hex, line feed
//!          12  deployment [16]         db-N/     a database of sled
//!          28  CRC-32 of 0..28         journal/  the commit journal
//! ```

use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::codec::Reader;
use super::disk::Disk;
use super::error::OpenError;

const MAGIC: &[u8; 8] = b"CFDMDATA";
const FORMAT: u32 = 1;

/// The names in a data directory.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub(super) directory: PathBuf,
}

impl Layout {
    pub(super) fn format(&self) -> PathBuf {
        self.directory.join("format")
    }

    pub(super) fn lock(&self) -> PathBuf {
        self.directory.join("lock")
    }

    pub(super) fn journal(&self) -> PathBuf {
        self.directory.join("journal")
    }

    pub(super) fn current(&self) -> PathBuf {
        self.directory.join("CURRENT")
    }

    pub(super) fn database(&self, number: u64) -> PathBuf {
        self.directory.join(format!("db-{number}"))
    }

    /// A name that is free, for a database that is kept aside.
    pub(super) fn broken(&self, number: u64) -> PathBuf {
        let name = |count: u64| self.directory.join(format!("db-{number}.broken-{count}"));
        (1..).map(name).find(|path| !path.exists()).unwrap_or_else(|| name(0))
    }

    /// Databases that are not the live one: left by a compaction or a rebuild that was cut off.
    pub(super) fn leftovers(&self, live: u64) -> Result<Vec<PathBuf>, OpenError> {
        let failed = || OpenError::file("list", &self.directory);
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.directory).map_err(failed())? {
            let entry = entry.map_err(failed())?;
            let name = entry.file_name();
            let number = name.to_str().and_then(|name| name.strip_prefix("db-")?.parse::<u64>().ok());
            if number.is_some_and(|number| number != live) {
                found.push(entry.path());
            }
        }
        Ok(found)
    }

    /// Whether there is a data directory; refuses one that is not ours. Changes nothing.
    pub(super) fn check_format(&self, deployment: &[u8; 16]) -> Result<bool, OpenError> {
        let path = self.format();
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(OpenError::file("read", &path)(error)),
        };
        let mut reader = Reader::new(&bytes);
        let mut read = || {
            let magic: [u8; 8] = reader.array()?;
            let format = u32::from_le_bytes(reader.array()?);
            let found: [u8; 16] = reader.array()?;
            let crc = u32::from_le_bytes(reader.array()?);
            let signed = bytes.get(..28)?;
            (&magic == MAGIC && reader.is_empty() && crc == crc32fast::hash(signed))
                .then_some((format, found))
        };
        let (format, found) =
            read().ok_or_else(|| OpenError::damaged(&path, 0, "this is not a format file"))?;
        if format != FORMAT {
            return Err(OpenError::NewerFormat { path, found: format, known: FORMAT });
        }
        if &found != deployment {
            let (found, expected) = (hex(&found), hex(deployment));
            return Err(OpenError::OtherDeployment { path, found, expected });
        }
        Ok(true)
    }

    pub(super) fn write_format(&self, disk: &dyn Disk, deployment: &[u8; 16]) -> Result<(), OpenError> {
        let mut bytes = Vec::with_capacity(32);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&FORMAT.to_le_bytes());
        bytes.extend_from_slice(deployment);
        bytes.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
        self.replace(disk, &self.format(), &bytes)
    }

    /// The number of the live database.
    pub(super) fn read_current(&self) -> Result<u64, OpenError> {
        let path = self.current();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(OpenError::damaged(&path, 0, "the file is missing"));
            }
            Err(error) if error.kind() == io::ErrorKind::InvalidData => String::new(),
            Err(error) => return Err(OpenError::file("read", &path)(error)),
        };
        let line = text.strip_suffix('\n').and_then(|line| line.rsplit_once(' '));
        let number = line.and_then(|(name, crc)| {
            let is_whole = format!("{:08x}", crc32fast::hash(name.as_bytes())) == crc;
            is_whole.then(|| name.strip_prefix("db-")?.parse().ok())?
        });
        number.ok_or_else(|| OpenError::damaged(&path, 0, "it does not name a database"))
    }

    pub(super) fn write_current(&self, disk: &dyn Disk, number: u64) -> Result<(), OpenError> {
        let name = format!("db-{number}");
        let line = format!("{name} {:08x}\n", crc32fast::hash(name.as_bytes()));
        self.replace(disk, &self.current(), line.as_bytes())
    }

    /// After a power cut there are the old bytes or the new ones.
    fn replace(&self, disk: &dyn Disk, path: &Path, bytes: &[u8]) -> Result<(), OpenError> {
        let temporary = path.with_extension("new");
        let run = || {
            let mut options = OpenOptions::new();
            options.write(true).create(true).truncate(true).mode(0o600);
            let mut file = options.open(&temporary)?;
            file.write_all(bytes)?;
            disk.sync(&file)?;
            fs::rename(&temporary, path)?;
            disk.sync_directory(&self.directory)
        };
        run().map_err(OpenError::file("replace", path))
    }
}

/// Makes a directory that only its owner can read, and every missing one above it; each durably.
pub(super) fn create_directory(disk: &dyn Disk, path: &Path) -> Result<(), OpenError> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => Path::new("/"),
    };
    create_directory(disk, parent)?;
    let made = fs::DirBuilder::new().mode(0o700).create(path);
    made.and_then(|()| disk.sync_directory(parent)).map_err(OpenError::file("create", path))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
