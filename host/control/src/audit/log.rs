//! Logs grow here: one entry at a time, in one batch with whatever it tells of.

use super::entry::{Entry, Event};
use super::note::{Checkpoint, NoteKey, NoteSigner};
use super::tree::{Frontier, Hash, Node, leaf_hash};
use crate::error::Error;
use crate::keeper::{Attempts, INSTALLATION, Keeper, encode, unreadable};
use crate::tables::{AUDIT_ENTRIES, AUDIT_HEADS, AUDIT_NODES, AUDIT_SIGNER, Key};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use storage::{Change, Life, Revision, Storage};
use tokio::sync::Mutex;

const SIGNER_KEY: &[u8] = b"1";
/// Logs that share a place in the queue wait for each other; more places than commits that share a sync are of no use.
const QUEUES: usize = 64;

/// Which log: that of the installation, or of an organization.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Log(String);

/// What is known of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// How many entries it has.
    pub size: u64,
    /// The hash of its tree.
    pub root: [u8; 32],
}

/// Where an entry has come to stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Its number, from 0.
    pub number: u64,
    /// The log after it.
    pub head: Head,
}

/// Every log of an installation.
pub struct Audit {
    pub(crate) keeper: Keeper,
    pub(super) signer: NoteSigner,
    /// Who appends to a log waits here for whoever does so already, instead of failing at the same head again and again.
    queues: [Mutex<()>; QUEUES],
}

/// As it is stored.
#[derive(Serialize, Deserialize)]
struct HeadRecord {
    size: u64,
    parts: Vec<Hash>,
    last: Hash,
}

impl Log {
    /// The log of the installation.
    #[must_use]
    pub fn installation() -> Self {
        Self(INSTALLATION.to_owned())
    }

    /// The log of what belongs to this storage organization.
    #[must_use]
    pub fn of(owner: &str) -> Self {
        Self(owner.to_owned())
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0
    }

    /// The storage organization whose key seals what is personal in it. The entries are the installation's.
    pub(super) fn owner(&self) -> &str {
        &self.0
    }
}

impl Audit {
    /// The logs of this storage. Draws the key that signs when there is none.
    ///
    /// # Errors
    /// When storage cannot be read or written.
    pub async fn open(storage: Arc<Storage>) -> Result<Self, Error> {
        let keeper = Keeper::new(storage);
        keeper.create_installation().await?;
        let name = format!("cofferdam.audit/{}", keeper.storage.deployment());
        loop {
            if let Some(seed) = keeper.get(INSTALLATION, AUDIT_SIGNER, SIGNER_KEY).await? {
                let signer = NoteSigner::from_seed(&name, seed.value.expose());
                let signer = signer.ok_or_else(|| unreadable(AUDIT_SIGNER, &"it is no key"))?;
                return Ok(Self { keeper, signer, queues: std::array::from_fn(|_| Mutex::default()) });
            }
            let seed = vault::Key::random().map_err(vault::SealError::from)?;
            let change = Change::new(INSTALLATION).expect(AUDIT_SIGNER, SIGNER_KEY, None);
            let change = change.put(AUDIT_SIGNER, SIGNER_KEY, Life::Standing, seed.expose().to_vec());
            // Who was faster has drawn the one that counts.
            let _conflict = keeper.try_commit(change).await?;
        }
    }

    /// The key by which checkpoints of this deployment are judged. To be kept outside of it.
    #[must_use]
    pub fn key(&self) -> &NoteKey {
        self.signer.key()
    }

    /// Puts an entry into a log. When it returns, the entry is durable.
    ///
    /// # Errors
    /// [`Error::AuditEntryTooLarge`], or when storage refuses: whatever the entry tells of must not be done then.
    pub async fn append(&self, log: &Log, event: &Event) -> Result<Recorded, Error> {
        self.append_with(log, event, Change::new(INSTALLATION)).await
    }

    /// Puts an entry into a log together with a change of the installation: neither is true without the other.
    ///
    /// # Errors
    /// As [`Audit::append`], and a conflict of storage when the change expects what is not so: nothing was done then.
    pub async fn append_with(&self, log: &Log, event: &Event, change: Change) -> Result<Recorded, Error> {
        let sealed = match &event.personal {
            Some(personal) => Some(self.keeper.seal_personal(log, personal).await?),
            None => None,
        };
        let mut entry = Entry::new(event, sealed, self.keeper.now_ms());
        let _in_turn = self.queue(log).lock().await;
        let mut attempts = Attempts::at(AUDIT_HEADS);
        loop {
            let (mut tree, last, revision) = self.tree(log).await?;
            entry.number = tree.size();
            entry.previous = last;
            let bytes = entry.bytes()?;
            let leaf = leaf_hash(&bytes);
            let completed = tree.push(leaf);
            let head = Head { size: tree.size(), root: tree.root() };
            let record = HeadRecord { size: tree.size(), parts: tree.parts().to_vec(), last: leaf };
            let at = Key::of(log.name());
            let whole = change.clone().expect(AUDIT_HEADS, at.clone(), revision.as_ref());
            let whole = whole.put(AUDIT_HEADS, at, Life::Standing, encode(AUDIT_HEADS, &record)?);
            let whole = whole.put(AUDIT_ENTRIES, entry_key(log, entry.number), Life::Standing, bytes);
            let whole = completed.into_iter().fold(whole, |whole, (node, hash)| {
                whole.put(AUDIT_NODES, node_key(log, node), Life::Standing, hash.to_vec())
            });
            match self.keeper.try_commit(whole).await? {
                None => return Ok(Recorded { number: entry.number, head }),
                Some(table) if table == AUDIT_HEADS.name => attempts.again().await?,
                Some(table) => return Err(storage::Error::Conflict { table }.into()),
            }
        }
    }

    /// As [`Audit::append_with`]; false: the change expected what is not so, and nothing was done.
    ///
    /// # Errors
    /// As [`Audit::append`].
    pub(crate) async fn try_append_with(
        &self,
        log: &Log,
        event: &Event,
        change: Change,
    ) -> Result<bool, Error> {
        match self.append_with(log, event, change).await {
            Err(Error::Storage(storage::Error::Conflict { .. })) => Ok(false),
            done => done.map(|_| true),
        }
    }

    /// How far a log has come.
    ///
    /// # Errors
    /// When storage cannot be read.
    pub async fn head(&self, log: &Log) -> Result<Head, Error> {
        let (tree, _, _) = self.tree(log).await?;
        Ok(Head { size: tree.size(), root: tree.root() })
    }

    /// The signed checkpoint of a log as it is. Kept elsewhere, it shows for ever what was in the log by now.
    ///
    /// # Errors
    /// When storage cannot be read.
    pub async fn checkpoint(&self, log: &Log) -> Result<String, Error> {
        Ok(self.sign(log, &self.head(log).await?))
    }

    pub(super) fn sign(&self, log: &Log, head: &Head) -> String {
        let checkpoint = Checkpoint { origin: self.origin(log), size: head.size, root: head.root };
        self.signer.sign(&checkpoint)
    }

    /// What a checkpoint of this log begins with.
    #[must_use]
    pub fn origin(&self, log: &Log) -> String {
        format!("cofferdam.audit/{}/{}", self.keeper.storage.deployment(), log.name())
    }

    /// Makes unreadable what tells who this person is, in every entry of this log. The hashes stay.
    ///
    /// # Errors
    /// When storage refuses.
    pub async fn forget_person(&self, log: &Log, person: &str) -> Result<(), Error> {
        self.keeper.shred_person(log, person).await
    }

    async fn tree(&self, log: &Log) -> Result<(Frontier, Hash, Option<Revision>), Error> {
        let found = self.keeper.read(INSTALLATION, AUDIT_HEADS, &Key::of(log.name())).await?;
        let Some((HeadRecord { size, parts, last }, revision)) = found else {
            return Ok((Frontier::default(), [0; 32], None));
        };
        let tree = Frontier::new(size, parts).ok_or_else(|| unreadable(AUDIT_HEADS, &"it is no tree"))?;
        Ok((tree, last, Some(revision)))
    }

    fn queue(&self, log: &Log) -> &Mutex<()> {
        let place = leaf_hash(log.name().as_bytes());
        let [first, ..] = place;
        let [queue, ..] = &self.queues;
        self.queues.get(usize::from(first) % QUEUES).unwrap_or(queue)
    }
}

pub(super) fn entry_key(log: &Log, number: u64) -> Key {
    Key::of(log.name()).number(number)
}

pub(super) fn node_key(log: &Log, node: Node) -> Key {
    Key::of(log.name()).byte(node.level).number(node.index)
}
