//! Goes through the stored row errors of a sync in their order, chunk by chunk, as a reader sees them.

use crate::chunk::{self, ChunkIndex, StoredError};
use crate::codec;
use crate::edit::rejected_again;
use crate::error::Error;
use crate::groups::StoredGroup;
use crate::records::SealedRecords;
use crate::settlement::Fate;
use crate::stage::{chunk_key, index_key, stage_prefix};
use crate::superseded::ErrorRef;
use crate::tables::{ERROR_CHUNKS, ERROR_GROUPS, ERROR_INDEX, ERROR_SCHEMAS, Key};
use pipeline::model::StreamSchema;
use pipeline::records::RowErrorChunk;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

/// A walk through the row errors of a sync, or of one of its runs.
pub(crate) struct Walk<'a> {
    records: &'a SealedRecords,
    sync: &'a str,
    /// What is settled and not applied yet.
    fates: BTreeMap<ErrorRef, (u64, Fate)>,
    groups: VecDeque<StoredGroup>,
    chunks: VecDeque<Listed>,
    schemas: HashMap<(u64, u64), Arc<StreamSchema>>,
}

/// A chunk that is there.
#[derive(Debug, Clone)]
pub(crate) struct Listed {
    pub(crate) group: StoredGroup,
    pub(crate) at: ErrorRef,
    pub(crate) index: ChunkIndex,
    pub(crate) expires_ms: Option<u64>,
}

impl Listed {
    /// The number of a row error in its run.
    pub(crate) fn number(&self, offset: u32) -> u64 {
        self.group.first + u64::from(offset)
    }
}

impl SealedRecords {
    pub(crate) async fn walk<'a>(&'a self, sync: &'a str, run: Option<u64>) -> Result<Walk<'a>, Error> {
        let prefix = Key::of(sync);
        let prefix = run.map_or(prefix.clone(), |run| prefix.number(run));
        let mut groups = VecDeque::new();
        for (_, found) in self.scan_all(ERROR_GROUPS, &prefix).await? {
            groups.push_back(codec::from_compact(ERROR_GROUPS, found.value.expose())?);
        }
        Ok(Walk { fates: self.pending_fates(sync).await?, groups, ..self.no_walk(sync) })
    }

    /// A walk to nowhere, for chunks that are known already and to which nothing is to be applied.
    pub(crate) fn no_walk<'a>(&'a self, sync: &'a str) -> Walk<'a> {
        Walk {
            records: self,
            sync,
            fates: BTreeMap::new(),
            groups: VecDeque::new(),
            chunks: VecDeque::new(),
            schemas: HashMap::new(),
        }
    }

    /// The row errors of a chunk as they are stored; none where it has gone since it was listed.
    pub(crate) async fn open_chunk(
        &self,
        sync: &str,
        listed: &mut Listed,
    ) -> Result<Vec<StoredError>, Error> {
        loop {
            let key = chunk_key(sync, listed.at, listed.index.revision);
            if let Some(found) = self.get(ERROR_CHUNKS, &key).await? {
                return chunk::decode(&found);
            }
            let newer = self.read_compact::<ChunkIndex>(ERROR_INDEX, &index_key(sync, listed.at)).await?;
            match newer {
                // Written anew in the meantime.
                Some((index, _)) if index.revision != listed.index.revision => listed.index = index,
                _ => return Ok(Vec::new()),
            }
        }
    }

    /// By which the rows of a chunk are laid out.
    pub(crate) async fn schema_of(&self, sync: &str, listed: &Listed) -> Result<Arc<StreamSchema>, Error> {
        let key = Key::of(sync).number(listed.at.run).number(listed.index.schema);
        let found: Option<(StreamSchema, _)> = self.read_json(ERROR_SCHEMAS, &key).await?;
        let missing = || codec::unreadable(ERROR_SCHEMAS, &"the schema of stored rows is missing");
        Ok(Arc::new(found.ok_or_else(missing)?.0))
    }

    /// As the port gives them back.
    pub(crate) async fn row_error_chunks(
        &self,
        sync: &str,
        run: u64,
        skip: usize,
        limit: usize,
    ) -> Result<Vec<RowErrorChunk>, Error> {
        let mut walk = self.walk(sync, Some(run)).await?;
        let (mut to_skip, mut chunks) = (skip, Vec::new());
        while chunks.len() < limit
            && let Some(mut listed) = walk.next().await?
        {
            let errors = walk.open(&mut listed).await?;
            if errors.is_empty() {
                continue;
            }
            if to_skip > 0 {
                to_skip -= 1;
                continue;
            }
            let schema = walk.schema(&listed).await?.as_ref().clone();
            let errors = errors.into_iter().map(StoredError::into_row_error).collect();
            chunks.push(RowErrorChunk { run, unit: listed.index.unit, schema, errors });
        }
        Ok(chunks)
    }
}

impl Walk<'_> {
    /// Leaves out what was walked through before: the row errors up to this one.
    pub(crate) fn skip_to(&mut self, run: u64, number: u64) {
        let is_over = |group: &StoredGroup| {
            (group.run, group.first.saturating_add(u64::from(group.rows))) <= (run, number)
        };
        while self.groups.front().is_some_and(is_over) {
            self.groups.pop_front();
        }
    }

    /// The next chunk; none at the end. Of a group that is expiring the chunks may be gone before it is.
    pub(crate) async fn next(&mut self) -> Result<Option<Listed>, Error> {
        loop {
            if let Some(listed) = self.chunks.pop_front() {
                return Ok(Some(listed));
            }
            let Some(group) = self.groups.pop_front() else { return Ok(None) };
            let prefix = stage_prefix(self.sync, group.run, group.stage);
            for (key, found) in self.records.scan_all(ERROR_INDEX, &prefix).await? {
                let index: ChunkIndex = codec::from_compact(ERROR_INDEX, found.value.expose())?;
                let chunk = key.last_chunk().copied().map_or(0, u32::from_be_bytes);
                let at = ErrorRef { run: group.run, stage: group.stage, chunk, offset: 0 };
                self.chunks.push_back(Listed { group, at, index, expires_ms: found.ends_ms });
            }
        }
    }

    /// Whether anything is settled that the chunks do not say yet.
    pub(crate) fn has_pending(&self) -> bool {
        !self.fates.is_empty()
    }

    /// Its row errors; those that are superseded are in it. None where it has gone since it was listed.
    pub(crate) async fn open(&self, listed: &mut Listed) -> Result<Vec<StoredError>, Error> {
        let errors = self.records.open_chunk(self.sync, listed).await?;
        Ok(errors.into_iter().filter_map(|error| self.as_settled(listed, error)).collect())
    }

    fn as_settled(&self, listed: &Listed, error: StoredError) -> Option<StoredError> {
        match self.fates.get(&ErrorRef { offset: error.offset, ..listed.at }) {
            Some((_, Fate::Dealt)) => None,
            Some((run, Fate::Rejected(why))) => Some(rejected_again(error, why, *run)),
            Some((_, Fate::Superseded)) | None => Some(error),
        }
    }

    /// The run that accepted its key since.
    pub(crate) fn superseded_by(&self, listed: &Listed, offset: u32) -> Option<u64> {
        let settled = match self.fates.get(&ErrorRef { offset, ..listed.at }) {
            Some((run, Fate::Superseded)) => Some(*run),
            _ => None,
        };
        listed.index.superseded.get(&offset).copied().or(settled)
    }

    /// By which its rows are laid out.
    pub(crate) async fn schema(&mut self, listed: &Listed) -> Result<Arc<StreamSchema>, Error> {
        let known = (listed.at.run, listed.index.schema);
        if let Some(schema) = self.schemas.get(&known) {
            return Ok(Arc::clone(schema));
        }
        let schema = self.records.schema_of(self.sync, listed).await?;
        self.schemas.insert(known, Arc::clone(&schema));
        Ok(schema)
    }
}
