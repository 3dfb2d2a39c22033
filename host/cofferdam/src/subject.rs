//! Which sync a command is about, and in which data directory: said by a document, a name, or by there being one sync only.

use std::path::{Path, PathBuf};

use records::SealedRecords;

use crate::arguments::{Data, Filters, RowFilters, State};
use crate::document::Document;
use crate::named::ErrorName;
use crate::places;
use crate::problem::{Own, Problems};

/// What a command is about.
pub(crate) struct Subject {
    /// None: every sync, or the only one.
    pub(crate) sync: Option<String>,
    pub(crate) data: PathBuf,
}

impl Subject {
    /// A document brings its name, and the place beside it.
    pub(crate) fn new(said: Option<&str>, data: &Data) -> Result<Self, Problems> {
        let chosen = data.data.as_deref();
        let Some(said) = said else {
            return Ok(Self { sync: None, data: places::data_here(chosen) });
        };
        let path = Path::new(said);
        // Names of syncs have no points and no slashes.
        if !said.contains(['.', '/']) && !path.is_file() {
            return Ok(Self { sync: Some(said.to_owned()), data: places::data_here(chosen) });
        }
        let document = Document::read(path)?;
        Ok(Self { sync: Some(document.sync.name.clone()), data: places::data(chosen, path) })
    }

    /// The syncs that are meant.
    pub(crate) async fn syncs(&self, records: &SealedRecords) -> Result<Vec<String>, Problems> {
        match &self.sync {
            Some(sync) => Ok(vec![sync.clone()]),
            None => Ok(records.syncs().await?.into_iter().map(|known| known.sync).collect()),
        }
    }
}

/// The sync that is named, or the only one that there is.
pub(crate) async fn only(records: &SealedRecords, named: Option<&str>) -> Result<String, Problems> {
    if let Some(named) = named {
        return Ok(named.to_owned());
    }
    let mut known: Vec<String> = records.syncs().await?.into_iter().map(|known| known.sync).collect();
    match (known.len(), known.pop()) {
        (1, Some(only)) => Ok(only),
        (_, last) => Err(Own::WhichSync { known: known.into_iter().chain(last).collect() }.into()),
    }
}

/// Which row errors of which syncs.
pub(crate) struct Chosen {
    pub(crate) syncs: Vec<String>,
    pub(crate) filter: records::ErrorFilter,
}

impl Chosen {
    /// A run or ids name their sync; all of them must be one.
    pub(crate) async fn new(
        records: &SealedRecords,
        subject: &Subject,
        filters: &Filters,
    ) -> Result<Self, Problems> {
        let run = filters.run.as_ref();
        let named = run.map(|run| run.sync.as_deref()).into_iter();
        let named = named.chain(filters.rows.ids.iter().map(|id| id.sync.as_deref()));
        let syncs = match named.fold(Named::Nothing, Named::and) {
            Named::Nothing => subject.syncs(records).await?,
            Named::One(sync) => vec![only(records, sync.or(subject.sync.as_deref())).await?],
            Named::Several(first, second) => {
                return Err(Own::SeveralSyncs { first: first.to_owned(), second: second.to_owned() }.into());
            }
        };
        let state = match filters.state {
            State::Any => records::StateFilter::Any,
            State::Open => records::StateFilter::Open,
            State::Superseded => records::StateFilter::Superseded,
        };
        let run = run.map(|run| run.run);
        Ok(Self { syncs, filter: records::ErrorFilter { run, state, ..filter(&filters.rows) } })
    }
}

/// What names of runs and row errors say of their sync.
enum Named<'n> {
    Nothing,
    One(Option<&'n str>),
    Several(&'n str, &'n str),
}

impl<'n> Named<'n> {
    fn and(self, next: Option<&'n str>) -> Self {
        match (self, next) {
            (Self::Nothing, next) => Self::One(next),
            (Self::One(Some(first)), Some(second)) if first != second => Self::Several(first, second),
            (Self::One(known), next) => Self::One(known.or(next)),
            (several, _) => several,
        }
    }
}

/// What says which rows of a run.
pub(crate) fn filter(rows: &RowFilters) -> records::ErrorFilter {
    records::ErrorFilter {
        stream: rows.stream.clone(),
        codes: rows.codes.clone(),
        ids: rows.ids.iter().map(|ErrorName { id, .. }| *id).collect(),
        conditions: rows.conditions.clone(),
        ..records::ErrorFilter::default()
    }
}
