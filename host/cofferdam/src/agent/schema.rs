//! What becomes of changes of a source's schema. What it had when somebody looked last is what its people expect; against that
//! its streams are held before rows flow, and again whenever the source says that they have changed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use control::{CatalogField, CatalogStream, SchemaChanges};
use pipeline::connector::{Budget, Reader, Source};
use pipeline::failure::{Cause, Failure};
use pipeline::model::{Catalog, OpenRead};
use pipeline::run::ChosenStream;
use tokio_util::sync::CancellationToken;

use super::connectors::shown;
use crate::problem::{Own, Problem};

/// Changes that a person reads at once.
const TOLD_MAX: usize = 10;

/// A source whose streams are held against what is expected of them.
pub(super) struct Watched {
    real: Arc<dyn Source>,
    expected: Expected,
    /// What was found before the run began, which it begins with.
    first: Mutex<Option<Catalog>>,
    found: Mutex<Vec<String>>,
    /// The run is to end for what was found.
    pub(super) paused: CancellationToken,
}

/// What people expect of a source.
pub(super) struct Expected {
    pub(super) policy: SchemaChanges,
    pub(super) streams: Vec<CatalogStream>,
    /// Those that move; none: all.
    pub(super) chosen: Option<Vec<ChosenStream>>,
}

impl Watched {
    pub(super) fn new(real: Arc<dyn Source>, expected: Expected, first: Catalog) -> Arc<Self> {
        let (first, found) = (Mutex::new(Some(first)), Mutex::default());
        Arc::new(Self { real, expected, first, found, paused: CancellationToken::new() })
    }

    /// Why the sync pauses.
    pub(super) fn problem(&self) -> Problem {
        changed(&self.found.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The source's people are told which changes there were.
pub(super) fn changed(changes: &[String]) -> Problem {
    let mut problem = Problem::from(Own::SchemaChanged { changes: changes.len() });
    problem.details = changes.iter().take(TOLD_MAX).cloned().collect();
    problem
}

impl Expected {
    /// For what the sync pauses; nothing: it goes on.
    pub(super) fn pauses_for(&self, catalog: &Catalog) -> Vec<String> {
        let now: BTreeMap<String, CatalogStream> =
            catalog.streams.iter().map(shown).map(|stream| (stream.name.clone(), stream)).collect();
        let mut changes = Vec::new();
        for was in self.streams.iter().filter(|stream| self.moves(&stream.name)) {
            // A chosen stream that is gone fails the run, and says so itself.
            let Some(is) = now.get(&was.name) else { continue };
            changes.extend(lost(was, is));
            if self.policy == SchemaChanges::Pause {
                changes.extend(fields(was, is, self.selected(&was.name)));
            }
        }
        if self.policy == SchemaChanges::Pause && self.chosen.is_none() {
            let known = |name: &String| self.streams.iter().any(|was| was.name == *name);
            changes.extend(
                now.keys().filter(|name| !known(name)).map(|name| format!("the stream `{name}` is new")),
            );
        }
        changes
    }

    /// The streams of a run in which new fields and streams stay where they are.
    pub(super) fn without_new(&self, catalog: &Catalog) -> Vec<ChosenStream> {
        let every =
            |was: &CatalogStream| ChosenStream { stream: was.name.clone(), ..ChosenStream::default() };
        let is_there = |name: &str| catalog.streams.iter().any(|info| info.schema.stream == name);
        let all = || self.streams.iter().filter(|was| is_there(&was.name)).map(every).collect();
        let mut chosen: Vec<ChosenStream> = self.chosen.clone().unwrap_or_else(all);
        for stream in chosen.iter_mut().filter(|stream| stream.fields.is_none()) {
            let was = self.streams.iter().find(|was| was.name == stream.stream);
            let is = catalog.streams.iter().find(|info| info.schema.stream == stream.stream);
            let (Some(was), Some(is)) = (was, is) else { continue };
            let now = &is.schema.schema.fields;
            if now.iter().all(|field| was.fields.iter().any(|known| known.name == field.name)) {
                continue;
            }
            let kept = was.fields.iter().map(|field| &field.name);
            let kept = kept.filter(|name| now.iter().any(|field| field.name == **name));
            stream.fields = Some(kept.cloned().collect());
        }
        chosen
    }

    fn moves(&self, stream: &str) -> bool {
        self.chosen.as_ref().is_none_or(|chosen| chosen.iter().any(|one| one.stream == stream))
    }

    fn selected(&self, stream: &str) -> Option<&[String]> {
        let chosen = self.chosen.iter().flatten().find(|one| one.stream == stream)?;
        chosen.fields.as_deref()
    }
}

/// Without it rows can no longer be told apart, or read on from where the last run ended.
fn lost(was: &CatalogStream, is: &CatalogStream) -> Vec<String> {
    let name = &was.name;
    let key = was.key.iter().filter(|field| !is.key.contains(field));
    let mut lost: Vec<String> = key.map(|field| format!("`{name}` has lost `{field}` of its key")).collect();
    if was.incremental && !is.incremental {
        lost.push(format!("`{name}` can no longer be read on from where a run ended"));
    }
    lost
}

fn fields(was: &CatalogStream, is: &CatalogStream, selected: Option<&[String]>) -> Vec<String> {
    let name = &was.name;
    let counts = |field: &&CatalogField| selected.is_none_or(|selected| selected.contains(&field.name));
    let mut changes = Vec::new();
    for field in is.fields.iter().filter(counts) {
        match was.fields.iter().find(|known| known.name == field.name) {
            None => changes.push(format!("`{name}` has a new field `{}`", field.name)),
            Some(known) if known != field => {
                changes.push(format!("the field `{}` of `{name}` is {} now", field.name, typed(field)));
            }
            Some(_) => {}
        }
    }
    let gone = |field: &&CatalogField| !is.fields.iter().any(|now| now.name == field.name);
    let gone = was.fields.iter().filter(counts).filter(gone);
    changes.extend(gone.map(|field| format!("`{name}` has no field `{}` any more", field.name)));
    changes
}

fn typed(field: &CatalogField) -> String {
    let null = if field.nullable { ", or null" } else { ", and never null" };
    format!("{}{null}", field.data_type)
}

#[async_trait]
impl Source for Watched {
    async fn check(&self) -> Result<(), Failure> {
        self.real.check().await
    }

    async fn discover(&self) -> Result<Catalog, Failure> {
        let first = self.first.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(first) = first {
            return Ok(first);
        }
        let catalog = self.real.discover().await?;
        let changes = self.expected.pauses_for(&catalog);
        if changes.is_empty() {
            return Ok(catalog);
        }
        *self.found.lock().unwrap_or_else(PoisonError::into_inner) = changes;
        self.paused.cancel();
        let (connector, call) = ("source".to_owned(), "source.discover".to_owned());
        Err(Failure { cause: Cause::Stopped, connector, call, log_tail: Vec::new(), denials: Vec::new() })
    }

    async fn open(&self, read: OpenRead) -> Result<Box<dyn Reader>, Failure> {
        self.real.open(read).await
    }

    fn budget(&self) -> Budget {
        self.real.budget()
    }
}

#[cfg(test)]
mod tests;
