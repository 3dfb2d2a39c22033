//! The port `Engine`: ordered bytes, kept durably. Knows no keys of a keyring, no organizations, no expiry.

use async_trait::async_trait;

/// The longest key. These limits are what PostgreSQL, FoundationDB and etcd bear alike.
pub const KEY_BYTES_MAX: usize = 1 << 10;
/// The longest value; larger ones are chunked above the engine.
pub const VALUE_BYTES_MAX: usize = 64 << 10;
/// Puts, deletes and expectations of one batch.
pub const BATCH_OPERATIONS_MAX: usize = 128;
/// Keys and values of one batch, in bytes.
pub const BATCH_BYTES_MAX: usize = 1 << 20;

/// Counts the commits of an engine, from 1; rises with each and never comes again.
pub type Sequence = u64;

/// A key and its value.
pub type Entry = (Vec<u8>, Vec<u8>);

/// What must be true of a key for a batch to be committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expect {
    /// The key.
    pub key: Vec<u8>,
    /// Its value, byte for byte; none: there is none.
    pub value: Option<Vec<u8>>,
}

/// Changes that become true together, if what is expected is true; in no order among each other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// What must be true.
    pub expect: Vec<Expect>,
    /// Keys that get a value.
    pub put: Vec<Entry>,
    /// Keys that have no value any more; one that had none is fine.
    pub delete: Vec<Vec<u8>>,
}

/// A range of keys to read, ascending.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scan {
    /// What the keys begin with.
    pub prefix: Vec<u8>,
    /// Only keys behind this one.
    pub after: Option<Vec<u8>>,
    /// At most so many entries; an answer may also end earlier, after at least one entry, when it has 4 MiB.
    pub limit: usize,
}

/// Keeps ordered bytes durably. Called from any task, very often; an implementation that may block for long does so on a
/// thread of its own. A future that is dropped leaves its batch committed whole or not at all.
#[async_trait]
pub trait Engine: Send + Sync {
    /// The value of a key, as of the newest commit.
    ///
    /// # Errors
    /// When the engine has stopped or cannot read.
    async fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, EngineError>;

    /// The entries of a range, in ascending order of their keys. Entries of commits that come while it reads may be in it.
    ///
    /// # Errors
    /// When the engine has stopped or cannot read.
    async fn scan(&self, scan: Scan) -> Result<Vec<Entry>, EngineError>;

    /// Makes a batch true, whole, if what it expects is true. When it returns it is durable and seen by every reader;
    /// what is not durable is seen by none. Commits take effect one after the other; those of several calls that are made
    /// before the first of their futures is looked at may share one sync.
    ///
    /// # Errors
    /// [`EngineError::Conflict`] when an expectation is not true: nothing was changed. [`EngineError::TooLarge`] when a limit
    /// is passed. [`EngineError::Stopped`] after a failed sync: whether the batch became true is then unknown until the
    /// engine is opened anew.
    async fn commit(&self, batch: Batch) -> Result<Sequence, EngineError>;

    /// Everything as of one commit, for a backup. Commits go on meanwhile.
    ///
    /// # Errors
    /// When the engine has stopped.
    async fn snapshot(&self) -> Result<Box<dyn Snapshot>, EngineError>;

    /// Whether nobody else can have this engine's data open: then leases of earlier processes are void.
    fn is_exclusive(&self) -> bool;
}

/// Everything that an engine holds as of one commit, in pages. Applied in order the items give exactly that state.
#[async_trait]
pub trait Snapshot: Send {
    /// The next items, about 1 MiB of them; empty at the end.
    ///
    /// # Errors
    /// When the engine has stopped or cannot read.
    async fn next(&mut self) -> Result<Vec<SnapshotItem>, EngineError>;

    /// The commit as of which the items hold, once `next` has come to its end.
    fn sequence(&self) -> Sequence;
}

/// One step towards the state of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SnapshotItem {
    /// The key has this value.
    Put(Entry),
    /// The key has no value: it was deleted while the snapshot was read.
    Delete(Vec<u8>),
}

/// Why an engine does not do what it was asked to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// An expectation is not true. Nothing was changed.
    #[error("a key has another value than what was expected")]
    Conflict {
        /// The first of them.
        key: Vec<u8>,
    },
    /// A limit of the port.
    #[error("{what} of {found} is over the limit of {limit}")]
    TooLarge {
        /// Which.
        what: &'static str,
        /// How much it is.
        found: usize,
        /// How much it may be.
        limit: usize,
    },
    /// The disk or the database refused, and nothing was changed.
    #[error("failed to {action} `{place}`: {reason}")]
    Unavailable {
        /// What was tried.
        action: &'static str,
        /// Where.
        place: String,
        /// What the system said.
        reason: String,
    },
    /// A write or sync has failed: what is on disk is unknown, and the engine does nothing more until it is opened anew.
    #[error("storage has stopped after a failure: {reason}")]
    Stopped {
        /// The failure.
        reason: String,
    },
    /// What is on disk is not what was written.
    #[error("storage is damaged at {place}: {problem}")]
    Damaged {
        /// The file and where in it.
        place: String,
        /// What is wrong.
        problem: String,
    },
}

impl Batch {
    /// Keys and values in bytes.
    #[must_use]
    pub fn byte_count(&self) -> usize {
        let expect: usize =
            self.expect.iter().map(|one| one.key.len() + one.value.as_ref().map_or(0, Vec::len)).sum();
        let put: usize = self.put.iter().map(|(key, value)| key.len() + value.len()).sum();
        let delete: usize = self.delete.iter().map(Vec::len).sum();
        expect + put + delete
    }

    /// Holds the batch against the limits of the port. Every engine asks this first.
    ///
    /// # Errors
    /// [`EngineError::TooLarge`].
    pub fn check(&self) -> Result<(), EngineError> {
        let within = |what, found, limit| {
            if found > limit { Err(EngineError::TooLarge { what, found, limit }) } else { Ok(()) }
        };
        let operations = self.expect.len() + self.put.len() + self.delete.len();
        within("a batch's number of operations", operations, BATCH_OPERATIONS_MAX)?;
        within("a batch's bytes", self.byte_count(), BATCH_BYTES_MAX)?;
        let keys = self.expect.iter().map(|one| &one.key).chain(self.put.iter().map(|(key, _)| key));
        let longest = keys.chain(&self.delete).map(Vec::len).max().unwrap_or_default();
        within("a key's bytes", longest, KEY_BYTES_MAX)?;
        let largest = self.put.iter().map(|(_, value)| value.len()).max().unwrap_or_default();
        within("a value's bytes", largest, VALUE_BYTES_MAX)
    }
}
