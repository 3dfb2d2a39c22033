//! Drafts the batch of an engine for a change. Reads and seals; writes nothing.

use std::collections::{BTreeMap, BTreeSet};

use vault::{Bucket, Place};

use crate::change::{Change, Revision, Step};
use crate::chunks::Large;
use crate::commit::Expectations;
use crate::engine::{Batch, Expect};
use crate::error::Error;
use crate::heads::Head;
use crate::key::{self, Space};
use crate::notes;
use crate::storage::Storage;
use crate::table::{Life, Table};
use crate::time::Mark;
use crate::value::{self, PIECE_BYTES_MAX, ValueId, bucket_of, chunks_of};

/// Within this time erasing is due; what ends earlier needs none, for its bucket's key goes by then.
pub(crate) const ERASE_WITHIN_MS: u64 = 24 * 60 * 60 * 1_000;
/// What a batch may have of expectations of ours. The rest of the batch is the caller's.
const OWN_EXPECTATION_BYTES: usize = 128 << 10;

/// On whose behalf something is expected.
pub(crate) enum Why<'a> {
    /// The caller's.
    Expected { table: &'a str },
    /// The lease's.
    Fence { name: &'a str },
    /// Ours: the caller knows nothing of it, and the change is to be drafted anew.
    Own,
}

/// What a change comes to.
pub(crate) struct Draft<'a> {
    expect: Expectations<'a>,
    put: BTreeMap<Vec<u8>, Vec<u8>>,
    delete: BTreeSet<Vec<u8>>,
    own_bytes: usize,
    erases: bool,
    pub(crate) has_new_head: bool,
    /// Values whose chunks must be written before.
    pub(crate) larges: Vec<Large>,
    /// Values whose chunks nobody needs after.
    pub(crate) replaced: Vec<ValueId>,
    pub(crate) mark: Option<Mark>,
}

impl<'a> Draft<'a> {
    fn new() -> Self {
        Self {
            expect: BTreeMap::new(),
            put: BTreeMap::new(),
            delete: BTreeSet::new(),
            own_bytes: 0,
            erases: false,
            has_new_head: false,
            larges: Vec::new(),
            replaced: Vec::new(),
            mark: None,
        }
    }

    pub(crate) fn batch(&mut self) -> Batch {
        let expect =
            self.expect.iter_mut().map(|(key, (value, _))| Expect { key: key.clone(), value: value.take() });
        Batch {
            expect: expect.collect(),
            put: std::mem::take(&mut self.put).into_iter().collect(),
            delete: std::mem::take(&mut self.delete).into_iter().collect(),
        }
    }

    pub(crate) fn why(&self, key: &[u8]) -> Option<&Why<'a>> {
        self.expect.get(key).map(|(_, why)| why)
    }

    /// Whether there was room for it.
    fn expect_own(&mut self, key: &[u8], value: Option<&Vec<u8>>) -> bool {
        if self.expect.contains_key(key) {
            return true;
        }
        let bytes = value.map_or(0, Vec::len);
        if self.own_bytes + bytes > OWN_EXPECTATION_BYTES {
            return false;
        }
        self.own_bytes += bytes;
        self.expect.insert(key.to_vec(), (value.cloned(), Why::Own));
        true
    }
}

impl Storage {
    pub(crate) async fn draft<'a>(&self, change: &'a Change) -> Result<Draft<'a>, Error> {
        let organization = change.organization.as_str();
        let mut draft = Draft::new();
        let head = self.head(organization).await?;
        draft.expect_own(&Self::head_key(organization)?, head.as_ref());
        if let Some(fence) = &change.fence {
            let key = key::named(Space::Fences, organization, &fence.name)?;
            let token = Some(fence.token.to_be_bytes().to_vec());
            draft.expect.insert(key, (token, Why::Fence { name: &fence.name }));
        }
        let mut writes = BTreeMap::new();
        for step in &change.steps {
            match step {
                Step::Expect { table, key, revision } => {
                    let record = key::record(organization, table.name, key)?;
                    self.draft_expectation(&mut draft, *table, record, revision.as_ref()).await?;
                }
                Step::Put { table, key, .. } | Step::Delete { table, key, .. } => {
                    writes.insert(key::record(organization, table.name, key)?, step);
                }
            }
        }
        for (record, step) in writes {
            match step {
                Step::Put { table, key, life, value } => {
                    let put = Put { organization, table: *table, key, life: *life, value };
                    self.draft_put(&mut draft, record, put).await?;
                }
                Step::Delete { erases, .. } => self.draft_delete(&mut draft, record, *erases).await?,
                Step::Expect { .. } => {}
            }
        }
        self.draft_own(&mut draft, organization, head)?;
        Ok(draft)
    }

    /// An expired record is not there, whatever the engine still has.
    async fn draft_expectation<'a>(
        &self,
        draft: &mut Draft<'a>,
        table: Table,
        record: Vec<u8>,
        revision: Option<&Revision>,
    ) -> Result<(), Error> {
        let conflict = || Error::Conflict { table: table.name.to_owned() };
        let has_ended =
            |stored: &[u8]| bucket_of(stored).is_some_and(|bucket| bucket.has_ended(self.now_ms()));
        let value = match revision {
            Some(Revision(stored)) if has_ended(stored) => return Err(conflict()),
            Some(Revision(stored)) => Some(stored.clone()),
            None => match self.stored(&record).await? {
                Some(stored) if !has_ended(&stored) => return Err(conflict()),
                stored => stored,
            },
        };
        let why = Why::Expected { table: table.name };
        match draft.expect.get(&record) {
            Some((other, _)) if *other != value => Err(conflict()),
            _ => {
                draft.expect.insert(record, (value, why));
                Ok(())
            }
        }
    }

    async fn draft_put(&self, draft: &mut Draft<'_>, record: Vec<u8>, put: Put<'_>) -> Result<(), Error> {
        if self.may_have_chunks() {
            let old = self.known(draft, &record).await?;
            if let Some((old, chunks)) = old.and_then(|old| chunks_of(&old).map(|chunks| (old, chunks))) {
                draft.expect_own(&record, Some(&old));
                draft.replaced.push(chunks.id);
            }
        }
        let now_ms = self.now_ms();
        let place = put.place(now_ms);
        let schema_version = place.schema_version;
        let stored = if put.value.len() <= PIECE_BYTES_MAX {
            value::encode_whole(schema_version, &self.keys.seal(&place, put.value, now_ms).await?)
        } else {
            let (large, head) = self.seal_chunks(&place, put.value, now_ms).await?;
            let stored = value::encode_chunked(schema_version, large.chunks, &head);
            draft.larges.push(large);
            stored
        };
        if let Some(ends_ms) = place.bucket.ends_ms() {
            draft.put.insert(key::expiry(ends_ms, &record), Vec::new());
        }
        draft.put.insert(record, stored);
        Ok(())
    }

    /// What is deleted is expected to be what was read, or it could not be told whether erasing it needs more than time.
    async fn draft_delete(&self, draft: &mut Draft<'_>, record: Vec<u8>, erases: bool) -> Result<(), Error> {
        let old = self.known(draft, &record).await?;
        let is_expected = draft.expect_own(&record, old.as_ref());
        let Some(old) = old else { return Ok(()) };
        let ends_soon = bucket_of(&old).and_then(Bucket::ends_ms);
        let ends_soon = ends_soon.is_some_and(|ends_ms| ends_ms <= self.now_ms() + ERASE_WITHIN_MS);
        draft.erases |= erases && !(is_expected && ends_soon);
        draft.replaced.extend(chunks_of(&old).map(|chunks| chunks.id));
        draft.delete.insert(record);
        Ok(())
    }

    /// What is of storage itself and goes along.
    fn draft_own(
        &self,
        draft: &mut Draft<'_>,
        organization: &str,
        head: Option<Vec<u8>>,
    ) -> Result<(), Error> {
        let head = Head::decode(head.as_deref())?;
        if draft.erases && head.erase_since_ms.is_none() {
            let head = head.to_be_erased(self.now_ms());
            draft.put.insert(Self::head_key(organization)?, head.encode());
            draft.has_new_head = true;
        }
        draft.mark = self.time.due();
        draft.put.extend(draft.mark.map(notes::mark_entry));
        Ok(())
    }

    /// What the engine has for a record, if it is not expected anyway.
    async fn known(&self, draft: &Draft<'_>, record: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        match draft.expect.get(record) {
            Some((value, _)) => Ok(value.clone()),
            None => self.stored(record).await,
        }
    }
}

struct Put<'a> {
    organization: &'a str,
    table: Table,
    key: &'a [u8],
    life: Life,
    value: &'a [u8],
}

impl<'a> Put<'a> {
    fn place(&self, now_ms: u64) -> Place<'a> {
        Place {
            organization: self.organization,
            table: self.table.name,
            key: self.key,
            schema_version: self.table.schema_version,
            class: self.table.class,
            bucket: self.life.bucket(now_ms),
        }
    }
}
