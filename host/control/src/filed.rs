//! Things that people make in an organization and change: installed connectors, connections, syncs.
//!
//! Each is two records. Its *body* lies under the organization's key and goes with it. Its *head* is the installation's: that
//! the thing is there, what it is called, its revision, and which body counts. A body is written aside under a key of its own
//! before the head names it, so that a change becomes true in one batch with its entry in the audit log. What a crash leaves
//! is a body that nobody names: sealed, read by nobody, and removed with its thing.

use crate::access::Action;
use crate::audit::Event;
use crate::error::Error;
use crate::keeper::{Attempts, INSTALLATION, SCAN_RECORDS, decode, encode};
use crate::organizations::{Organizations, while_it_lasts};
use crate::secret::draw_id;
use crate::tables::{GONE, Key};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use storage::{Change, Life, Range, Revision, Table};

/// What one answer of a list has at most.
const PAGE_MAX: usize = 200;

/// A kind of such things.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kind {
    /// As people call it.
    pub(crate) what: &'static str,
    pub(crate) heads: Table,
    pub(crate) bodies: Table,
    /// What else of a thing lies under the organization's key, under keys that begin with its id.
    pub(crate) beside: &'static [Table],
    /// What others keep of such a thing, where they keep something.
    pub(crate) left: Option<fn(String) -> Left>,
}

/// Something that is gone, and of which whoever keeps the records of runs may keep something still.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Left {
    /// The history, rows and positions of a sync.
    Sync(String),
    /// The credentials of a connection, under names that begin with [`crate::stored_prefix`].
    Connection(String),
}

const KINDS: [Kind; 3] = [crate::installations::KIND, crate::connections::KIND, crate::syncs::KIND];

/// A part of a list, in the order of ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// What it has.
    pub items: Vec<T>,
    /// To be given to get the next part; none: this was the last.
    pub next: Option<String>,
}

/// As it is stored; `more` is what the kind has beside it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Head<M> {
    pub(crate) name: String,
    pub(crate) revision: u64,
    pub(crate) body: String,
    pub(crate) created_ms: u64,
    pub(crate) changed_ms: u64,
    /// How many others stand on it.
    pub(crate) uses: u32,
    #[serde(flatten)]
    pub(crate) more: M,
}

/// A head as it was read.
pub(crate) struct Filed<M> {
    pub(crate) id: String,
    pub(crate) head: Head<M>,
    pub(crate) seen: Revision,
}

/// What becomes of the number of those that stand on a thing.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Uses {
    More,
    Fewer,
}

impl<M> Head<M> {
    pub(crate) fn new(name: String, body: String, now_ms: u64, more: M) -> Self {
        Self { name, revision: 1, body, created_ms: now_ms, changed_ms: now_ms, uses: 0, more }
    }

    /// The head of the next revision.
    pub(crate) fn changed(self, name: String, body: String, now_ms: u64) -> Self {
        Self { name, body, revision: self.revision.saturating_add(1), changed_ms: now_ms, ..self }
    }
}

impl<M> Head<M> {
    /// With one more or fewer that stands on it. No other revision: what it is has not changed.
    pub(crate) fn used(self, uses: Uses) -> Self {
        let uses = match uses {
            Uses::More => self.uses.saturating_add(1),
            Uses::Fewer => self.uses.saturating_sub(1),
        };
        Self { uses, ..self }
    }
}

impl Kind {
    pub(crate) fn unknown(self, id: &str) -> Error {
        Error::UnknownObject { what: self.what, id: id.to_owned() }
    }

    /// Adds a head to a change; `seen`: as it is expected to be, none: not there.
    pub(crate) fn put<M: Serialize>(
        self,
        change: Change,
        at: (&str, &str),
        head: &Head<M>,
        seen: Option<&Revision>,
    ) -> Result<Change, Error> {
        let key = Key::of(at.0).id(at.1);
        let value = encode(self.heads, head)?;
        let change = if seen.is_none() { while_it_lasts(change, at.0) } else { change };
        Ok(change.expect(self.heads, key.clone(), seen).put(self.heads, key, Life::Standing, value))
    }
}

impl<M> Filed<M> {
    /// That nobody has changed it since it was read.
    pub(crate) fn expect(&self, kind: Kind, revision: u64) -> Result<(), Error> {
        let found = self.head.revision;
        if found == revision {
            return Ok(());
        }
        Err(Error::StaleRevision { what: kind.what, id: self.id.clone(), expected: revision, found })
    }
}

impl Organizations {
    /// Writes a body that nobody names yet.
    pub(crate) async fn write_body<B: Serialize>(
        &self,
        organization: &str,
        kind: Kind,
        id: &str,
        body: &B,
    ) -> Result<String, Error> {
        let name = draw_id("body")?;
        let value = encode(kind.bodies, body)?;
        let change = Change::new(self.owner(organization));
        let change = change.put(kind.bodies, Key::of(id).id(&name), Life::Standing, value);
        self.keeper.storage.commit(change).await?;
        Ok(name)
    }

    /// Removes a body that nobody names, or no more. It ends with its organization in any case.
    pub(crate) async fn discard_body(
        &self,
        organization: &str,
        kind: Kind,
        id: &str,
        body: &str,
    ) -> Result<(), Error> {
        let change = Change::new(self.owner(organization)).discard(kind.bodies, Key::of(id).id(body));
        self.keeper.storage.commit(change).await?;
        Ok(())
    }

    pub(crate) async fn head<M: DeserializeOwned>(
        &self,
        organization: &str,
        kind: Kind,
        id: &str,
    ) -> Result<Filed<M>, Error> {
        let found = self.keeper.read(INSTALLATION, kind.heads, &Key::of(organization).id(id)).await?;
        let (head, seen) = found.ok_or_else(|| kind.unknown(id))?;
        Ok(Filed { id: id.to_owned(), head, seen })
    }

    pub(crate) async fn whole<M: DeserializeOwned, B: DeserializeOwned>(
        &self,
        organization: &str,
        kind: Kind,
        id: &str,
    ) -> Result<(Filed<M>, B), Error> {
        let owner = self.owner(organization);
        let mut attempts = Attempts::at(kind.bodies);
        loop {
            let filed = self.head::<M>(organization, kind, id).await?;
            let at = Key::of(id).id(&filed.head.body);
            if let Some((body, _)) = self.keeper.read(&owner, kind.bodies, &at).await? {
                return Ok((filed, body));
            }
            // It was changed between the two.
            attempts.again().await?;
        }
    }

    pub(crate) async fn heads<M: DeserializeOwned>(
        &self,
        organization: &str,
        kind: Kind,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Filed<M>>, Error> {
        let prefix = Key::of(organization);
        let limit = limit.clamp(1, PAGE_MAX);
        let after = after.map(|after| prefix.clone().id(after));
        let range = Range { prefix: &prefix, after: after.as_deref(), limit: limit + 1 };
        let found = self.keeper.page(INSTALLATION, kind.heads, range).await?;
        let mut items = Vec::new();
        for (key, found) in found {
            let id = Key::read_id(key.get(prefix.len()..).unwrap_or_default());
            let head = decode(kind.heads, found.value.expose())?;
            items.push(Filed { id, head, seen: found.revision });
        }
        let has_more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| has_more).map(|last: &Filed<M>| last.id.clone());
        Ok(Page { items, next })
    }

    /// Removes a thing on which nothing stands, in one batch with `change`, and erases its bodies; false: somebody else was
    /// faster, and nothing was done. That it is gone stays noted until others have forgotten it too.
    pub(crate) async fn try_unfile<M>(
        &self,
        organization: &str,
        kind: Kind,
        filed: &Filed<M>,
        (event, change): (&Event, Change),
    ) -> Result<bool, Error> {
        let Filed { id, head, seen } = filed;
        if head.uses > 0 {
            return Err(Error::InUse { what: kind.what, id: id.clone(), uses: head.uses });
        }
        let at = Key::of(organization).id(id);
        let note = Key::of(organization).id(kind.bodies.name).id(id);
        let change = change.expect(kind.heads, at.clone(), Some(seen)).delete(kind.heads, at).put(
            GONE,
            note.clone(),
            Life::Standing,
            Vec::new(),
        );
        if !self.audit.try_append_with(&self.log(organization), event, change).await? {
            return Ok(false);
        }
        self.erase_bodies(organization, kind, id).await?;
        if kind.left.is_none() {
            self.keeper.storage.commit(Change::new(INSTALLATION).discard(GONE, note)).await?;
        }
        Ok(true)
    }

    /// Goes on with erasing the bodies of what is gone where a crash has ended it; answers of what others may keep something
    /// still, and whose it was. To be called when a process starts.
    ///
    /// # Errors
    /// When storage refuses.
    pub async fn erase_what_is_gone(&self) -> Result<Vec<(String, Left)>, Error> {
        let mut left = Vec::new();
        let mut after = None::<Vec<u8>>;
        loop {
            let range = Range { prefix: &[], after: after.as_deref(), limit: SCAN_RECORDS };
            let page = self.keeper.page(INSTALLATION, GONE, range).await?;
            let Some((last, _)) = page.last() else { return Ok(left) };
            after = Some(last.clone());
            for (note, _) in page {
                let [organization, table, id] = Key::read_ids(&note);
                let here = match self.get(&organization).await {
                    // Another region's process does it for its own.
                    Err(Error::OtherRegion { .. }) => continue,
                    Err(Error::UnknownOrganization { .. }) => None,
                    found => Some(found?),
                };
                let kind = KINDS.into_iter().find(|kind| kind.bodies.name == table);
                if let Some(kind) = kind.filter(|_| here.is_some()) {
                    self.erase_bodies(&organization, kind, &id).await?;
                    if let Some(of) = kind.left {
                        left.push((organization, of(id)));
                        continue;
                    }
                }
                self.keeper.storage.commit(Change::new(INSTALLATION).discard(GONE, note)).await?;
            }
        }
    }

    /// Notes that others keep nothing any more of something that is gone.
    ///
    /// # Errors
    /// When storage refuses.
    pub async fn forgotten(&self, organization: &str, left: &Left) -> Result<(), Error> {
        let (kind, id) = match left {
            Left::Sync(id) => (crate::syncs::KIND, id),
            Left::Connection(id) => (crate::connections::KIND, id),
        };
        let note = Key::of(organization).id(kind.bodies.name).id(id);
        self.keeper.storage.commit(Change::new(INSTALLATION).discard(GONE, note)).await?;
        Ok(())
    }

    async fn erase_bodies(&self, organization: &str, kind: Kind, id: &str) -> Result<(), Error> {
        let (owner, prefix) = (self.owner(organization), Key::of(id));
        for table in kind.beside.iter().copied().chain([kind.bodies]) {
            loop {
                let range = Range { prefix: &prefix, after: None, limit: 32 };
                let page = self.keeper.page(&owner, table, range).await?;
                if page.is_empty() {
                    break;
                }
                let change = Change::new(owner.as_str());
                let change = page.into_iter().fold(change, |change, (key, _)| change.delete(table, key));
                self.keeper.storage.commit(change).await?;
            }
        }
        Ok(())
    }

    /// Makes a change of a thing true with its entry; false: somebody else was faster, and nothing was done.
    pub(crate) async fn try_refile<M: Serialize>(
        &self,
        organization: &str,
        kind: Kind,
        (filed, head): (&Filed<M>, &Head<M>),
        (event, change): (&Event, Change),
    ) -> Result<bool, Error> {
        let change = kind.put(change, (organization, &filed.id), head, Some(&filed.seen))?;
        self.audit.try_append_with(&self.log(organization), event, change).await
    }

    /// That somebody may do something, as all who make and change such things ask.
    pub(crate) async fn may(&self, by: &str, organization: &str, action: Action) -> Result<(), Error> {
        self.authorize(by, organization, action).await.map(|_| ())
    }
}
