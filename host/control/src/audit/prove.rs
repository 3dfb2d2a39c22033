//! Proofs of a log, made of the hashes that are stored, and a log held against a checkpoint that somebody remembered.

use super::log::{Audit, Log, entry_key, node_key};
use super::note::Checkpoint;
use super::proof::{Span, consistency, inclusion};
use super::tree::{Hash, Node, fold, leaf_hash};
use crate::error::Error;
use crate::keeper::{INSTALLATION, unreadable};
use crate::tables::{AUDIT_ENTRIES, AUDIT_NODES};

/// Hashes that prove something of the tree of `size` entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The size of the tree.
    pub size: u64,
    /// The hashes, from the entry or the earlier tree to the root.
    pub path: Vec<[u8; 32]>,
}

/// What a log is, held against a checkpoint that was kept elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remembered {
    /// The log begins with what the checkpoint saw.
    Fits,
    /// The log has fewer entries than it once had: an old copy was put back.
    Restored {
        /// How many it has.
        entries: u64,
        /// How many it had.
        remembered: u64,
    },
    /// Entries that the checkpoint saw are others now.
    Rewritten {
        /// How many entries the checkpoint saw.
        remembered: u64,
    },
}

impl Audit {
    /// That entry `number` is in the tree of the first `size` entries.
    ///
    /// # Errors
    /// [`Error::NoSuchEntry`], or when storage cannot be read.
    pub async fn prove_inclusion(&self, log: &Log, number: u64, size: u64) -> Result<Proof, Error> {
        let entries = self.head(log).await?.size;
        if number >= size || size > entries {
            return Err(Error::NoSuchEntry { log: log.name().to_owned(), number: number.max(size), entries });
        }
        self.proof(log, size, &inclusion(number, size)).await
    }

    /// That the tree of the first `size` entries begins with that of the first `earlier` ones.
    ///
    /// # Errors
    /// [`Error::NoSuchEntry`], or when storage cannot be read.
    pub async fn prove_consistency(&self, log: &Log, earlier: u64, size: u64) -> Result<Proof, Error> {
        let entries = self.head(log).await?.size;
        if earlier > size || size > entries {
            return Err(Error::NoSuchEntry {
                log: log.name().to_owned(),
                number: earlier.max(size),
                entries,
            });
        }
        self.proof(log, size, &consistency(earlier, size)).await
    }

    /// Holds a log against a checkpoint of it that was signed here earlier and kept elsewhere.
    ///
    /// # Errors
    /// [`Error::BadNote`], [`Error::NoteNotSigned`], [`Error::ForeignNote`], or when storage cannot be read.
    pub async fn hold_against(&self, log: &Log, note: &str) -> Result<Remembered, Error> {
        let Checkpoint { origin, size, root } = self.key().open(note)?;
        if origin != self.origin(log) {
            return Err(Error::ForeignNote { found: origin, wanted: self.origin(log) });
        }
        let entries = self.head(log).await?.size;
        if size > entries {
            return Ok(Remembered::Restored { entries, remembered: size });
        }
        let fits = size == 0 || self.hash(log, Span { begin: 0, end: size }).await? == root;
        Ok(if fits { Remembered::Fits } else { Remembered::Rewritten { remembered: size } })
    }

    async fn proof(&self, log: &Log, size: u64, spans: &[Span]) -> Result<Proof, Error> {
        let mut path = Vec::with_capacity(spans.len());
        for span in spans {
            path.push(self.hash(log, *span).await?);
        }
        Ok(Proof { size, path })
    }

    async fn hash(&self, log: &Log, span: Span) -> Result<Hash, Error> {
        let mut parts = Vec::new();
        for node in span.nodes() {
            parts.push(self.node(log, node).await?);
        }
        fold(parts.into_iter()).ok_or_else(|| unreadable(AUDIT_NODES, &"an empty part has no hash"))
    }

    async fn node(&self, log: &Log, node: Node) -> Result<Hash, Error> {
        if node.level == 0 {
            let found = self.keeper.get(INSTALLATION, AUDIT_ENTRIES, &entry_key(log, node.index)).await?;
            let missing = || unreadable(AUDIT_ENTRIES, &format!("number {} is not there", node.index));
            return Ok(leaf_hash(found.ok_or_else(missing)?.value.expose()));
        }
        let found = self.keeper.get(INSTALLATION, AUDIT_NODES, &node_key(log, node)).await?;
        let hash = found.and_then(|found| found.value.expose().try_into().ok());
        hash.ok_or_else(|| unreadable(AUDIT_NODES, &format!("level {} number {}", node.level, node.index)))
    }
}
