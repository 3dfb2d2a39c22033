//! Files of key cells: each key lies in a block of its own, is written where it stays and is overwritten where it lay.
//!
//! ```text
//! block 0   magic 8 | version u16 | kind u8 | deployment 16 | checksum 32 | zeros
//! block n   order u64 (0: empty) | key 32 | checksum 32 | zeros
//! ```
//! A block has 4 KiB, the largest sector of disks, so that a write that is torn harms no other cell. A new key goes into
//! the cell that is not in use; the old one is erased when nothing needs it any more. A cell whose checksum is wrong was
//! torn while it was written or erased, and is empty.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::codec::Reader;
use crate::deployment::{DeploymentId, KeyId};
use crate::envelope::key_id;
use crate::error::Error;
use crate::files::{FileSystem, Guard, replace};
use crate::secret::Key;

const MAGIC: &[u8; 8] = b"COFFKEYS";
const VERSION: u16 = 1;
const BLOCK_BYTES: usize = 4096;

/// What a file of cells is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Two cells for KEKs and two for shred keys.
    KeyFile,
    /// Two cells for shred keys.
    ShredFile,
}

impl Kind {
    fn number(self) -> u8 {
        match self {
            Self::KeyFile => 1,
            Self::ShredFile => 2,
        }
    }

    fn cells(self) -> usize {
        match self {
            Self::KeyFile => 4,
            Self::ShredFile => 2,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::KeyFile => "key file",
            Self::ShredFile => "shred file",
        }
    }
}

/// A key and when it came: the highest order is the newest.
pub(crate) struct Cell {
    pub(crate) order: u64,
    pub(crate) id: KeyId,
    pub(crate) key: Key,
}

/// Two neighbouring cells of a file: the key in use, and the one that comes or goes.
#[derive(Clone)]
pub(crate) struct Pair {
    pub(crate) files: Arc<dyn FileSystem>,
    pub(crate) path: PathBuf,
    pub(crate) kind: Kind,
    /// The first of the two.
    pub(crate) first: usize,
}

/// Makes a file whose cells are empty.
pub(crate) fn create(
    files: &dyn FileSystem,
    path: &Path,
    kind: Kind,
    deployment: &DeploymentId,
) -> Result<(), Error> {
    if files.read(path, Guard::Private)?.is_some() {
        return Err(Error::Exists { what: kind.name(), path: path.to_owned() });
    }
    let mut bytes = head(kind, deployment);
    bytes.resize(BLOCK_BYTES * (1 + kind.cells()), 0);
    replace(files, path, &bytes)
}

impl Pair {
    /// The cells that hold a key, newest first.
    pub(crate) fn cells(&self, deployment: &DeploymentId) -> Result<Vec<Cell>, Error> {
        let mut cells: Vec<Cell> = self.read(deployment)?.into_iter().flatten().collect();
        cells.sort_by_key(|cell| std::cmp::Reverse(cell.order));
        Ok(cells)
    }

    /// The cell with this key. When there is none, though a cell holds something that is no key any more, that is told:
    /// a damaged key is another fault than one that was erased or is of another file.
    pub(crate) fn find(&self, deployment: &DeploymentId, id: &KeyId) -> Result<Option<Cell>, Error> {
        let bytes = self.bytes(deployment)?;
        let blocks = [self.first, self.first + 1].map(|index| (index, block_at(&bytes, index)));
        let cells = blocks.map(|(index, block)| read_block(index, block));
        let is_damaged = cells
            .iter()
            .zip(blocks)
            .any(|(cell, (_, block))| cell.is_none() && block.iter().any(|byte| *byte != 0));
        match cells.into_iter().flatten().find(|cell| cell.id == *id) {
            None if is_damaged => Err(Error::Damaged {
                what: self.kind.name(),
                path: self.path.clone(),
                part: "a cell with a key".to_owned(),
                source: None,
            }),
            found => Ok(found),
        }
    }

    /// Puts a key into the cell that does not hold `keep`, durably. What that cell held is gone.
    pub(crate) fn add(
        &self,
        deployment: &DeploymentId,
        key: &Key,
        keep: Option<&KeyId>,
    ) -> Result<(), Error> {
        let cells = self.read(deployment)?;
        let newest = cells.iter().flatten().map(|cell| cell.order).max().unwrap_or(0);
        let keeps = |cell: &Option<Cell>| cell.as_ref().is_some_and(|cell| Some(&cell.id) == keep);
        let [first, _] = &cells;
        let index = self.first + usize::from(keeps(first));
        let block = Zeroizing::new(block(index, newest.saturating_add(1), key));
        self.write(index, &block)
    }

    /// Erases all but the key `keep`, durably, by overwriting it where it lies; also what a torn write has left.
    pub(crate) fn keep_only(&self, deployment: &DeploymentId, keep: &KeyId) -> Result<(), Error> {
        let bytes = self.bytes(deployment)?;
        for index in [self.first, self.first + 1] {
            let block = block_at(&bytes, index);
            let is_kept = read_block(index, block).is_some_and(|cell| cell.id == *keep);
            if !is_kept && block.iter().any(|byte| *byte != 0) {
                self.write(index, &[0; BLOCK_BYTES])?;
            }
        }
        Ok(())
    }

    /// Whether the pair holds nothing but the key `keep`.
    pub(crate) fn holds_only(&self, deployment: &DeploymentId, keep: &KeyId) -> Result<bool, Error> {
        let bytes = self.bytes(deployment)?;
        let is_fine = |index| {
            let block = block_at(&bytes, index);
            block.iter().all(|byte| *byte == 0)
                || read_block(index, block).is_some_and(|cell| cell.id == *keep)
        };
        Ok(is_fine(self.first) && is_fine(self.first + 1))
    }

    fn write(&self, index: usize, block: &[u8]) -> Result<(), Error> {
        let offset = (BLOCK_BYTES * (1 + index)) as u64;
        self.files.overwrite(&self.path, offset, block)?;
        self.files.sync(&self.path)
    }

    fn read(&self, deployment: &DeploymentId) -> Result<[Option<Cell>; 2], Error> {
        let bytes = self.bytes(deployment)?;
        Ok([self.first, self.first + 1].map(|index| read_block(index, block_at(&bytes, index))))
    }

    fn bytes(&self, deployment: &DeploymentId) -> Result<Zeroizing<Vec<u8>>, Error> {
        let missing = || Error::Missing { what: self.kind.name(), path: self.path.clone() };
        let bytes = Zeroizing::new(self.files.read(&self.path, Guard::Private)?.ok_or_else(missing)?);
        check_head(&bytes, self.kind, &self.path, deployment)?;
        Ok(bytes)
    }
}

/// The deployment that a file of cells says it belongs to.
pub(crate) fn deployment_of(files: &dyn FileSystem, path: &Path, kind: Kind) -> Result<DeploymentId, Error> {
    let missing = || Error::Missing { what: kind.name(), path: path.to_owned() };
    let bytes = Zeroizing::new(files.read(path, Guard::Private)?.ok_or_else(missing)?);
    read_head(&bytes, kind, path)
}

fn check_head(bytes: &[u8], kind: Kind, path: &Path, expected: &DeploymentId) -> Result<(), Error> {
    let found = read_head(bytes, kind, path)?;
    if found == *expected {
        return Ok(());
    }
    Err(Error::OtherDeployment { what: kind.name(), path: path.to_owned(), found, expected: *expected })
}

fn read_head(bytes: &[u8], kind: Kind, path: &Path) -> Result<DeploymentId, Error> {
    let damaged = |part: &str| Error::Damaged {
        what: kind.name(),
        path: path.to_owned(),
        part: part.to_owned(),
        source: None,
    };
    let mut reader = Reader::new(bytes);
    if reader.array() != Some(*MAGIC) {
        return Err(damaged("it does not start as such a file does"));
    }
    let version = reader.u16().ok_or_else(|| damaged("it is cut off"))?;
    if version > VERSION {
        return Err(Error::Newer {
            what: kind.name(),
            path: path.to_owned(),
            found: version,
            known: VERSION,
        });
    }
    let found_kind = reader.u8();
    let deployment = reader.array().map(DeploymentId::from_bytes).ok_or_else(|| damaged("it is cut off"))?;
    if found_kind != Some(kind.number()) {
        return Err(damaged("it is a file for other keys"));
    }
    let expected = head(kind, &deployment);
    if bytes.get(..expected.len()) != Some(expected.as_slice()) {
        return Err(damaged("the checksum of its first block is wrong"));
    }
    if bytes.len() != BLOCK_BYTES * (1 + kind.cells()) {
        return Err(damaged("it is cut off"));
    }
    Ok(deployment)
}

fn head(kind: Kind, deployment: &DeploymentId) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&VERSION.to_be_bytes());
    bytes.push(kind.number());
    bytes.extend_from_slice(deployment.as_bytes());
    let checksum = Sha256::digest(&bytes);
    bytes.extend_from_slice(&checksum);
    bytes
}

fn block(index: usize, order: u64, key: &Key) -> Vec<u8> {
    // The capacity is the final one, so that growing leaves no copy of the key behind.
    let mut bytes = Vec::with_capacity(BLOCK_BYTES);
    bytes.extend_from_slice(&order.to_be_bytes());
    bytes.extend_from_slice(key.expose());
    bytes.extend_from_slice(&checksum(index, order, key));
    bytes.resize(BLOCK_BYTES, 0);
    bytes
}

/// The length of the file was checked; a block that is not there is empty.
fn block_at(bytes: &[u8], index: usize) -> &[u8] {
    let start = BLOCK_BYTES * (1 + index);
    bytes.get(start..start + BLOCK_BYTES).unwrap_or_default()
}

fn read_block(index: usize, block: &[u8]) -> Option<Cell> {
    let mut reader = Reader::new(block);
    let order = reader.u64()?;
    let (key, rest) = reader.rest().split_at_checked(32)?;
    let key = Key::from_slice(key)?;
    let is_whole = rest.first_chunk() == Some(&checksum(index, order, &key));
    (order != 0 && is_whole).then(|| Cell { order, id: key_id(&key), key })
}

/// Tells a whole cell from a torn one; the index keeps a block from counting in another's place.
fn checksum(index: usize, order: u64, key: &Key) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(b"cofferdam key cell 1");
    hash.update((index as u64).to_be_bytes());
    hash.update(order.to_be_bytes());
    hash.update(key.expose());
    hash.finalize().into()
}
