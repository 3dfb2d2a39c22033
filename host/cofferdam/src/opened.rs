//! A sync with all of its connectors ready. Everything that can be known without calling them is known then.

use std::path::Path;
use std::sync::Arc;

use futures::future::join_all;
use manifest::SyncFile;

use crate::document::{Document, Place};
use crate::host::Host;
use crate::keeper::KeepsCredentials;
use crate::part::{Loaded, Part};
use crate::problem::{Problem, Problems, REVEALED};

/// A sync, ready to be run, checked or looked into.
pub(crate) struct Opened {
    pub(crate) document: Document,
    pub(crate) source: Part,
    pub(crate) transforms: Vec<Part>,
    pub(crate) destination: Part,
}

/// The three roles as the pipeline's ports.
pub(crate) struct Ports {
    pub(crate) source: Arc<dyn pipeline::connector::Source>,
    pub(crate) transforms: Vec<Arc<dyn pipeline::connector::Transform>>,
    pub(crate) destination: Arc<dyn pipeline::connector::Destination>,
    /// What was placed for them, as far as they are there.
    pub(crate) secrets: pipeline::secrets::Secrets,
}

impl Opened {
    /// Read the document, load its components, hold its configurations against their schemas, give out rights.
    /// All faults of one of these steps are found before it fails.
    /// The keeper is asked for the credentials that were granted, where any were.
    pub(crate) async fn new(
        host: &Host,
        path: &Path,
        keeper: &mut dyn KeepsCredentials,
    ) -> Result<Self, Problems> {
        Self::of(host, Document::read(path)?, keeper).await
    }

    /// As [`Self::new`], for a document that was read.
    pub(crate) async fn of(
        host: &Host,
        document: Document,
        keeper: &mut dyn KeepsCredentials,
    ) -> Result<Self, Problems> {
        let (source, transforms, destination) = bound(host, &document, keeper).await?;
        Ok(Self { document, source, transforms, destination })
    }

    /// Source, transforms, destination.
    pub(crate) fn parts(&self) -> impl Iterator<Item = &Part> {
        std::iter::once(&self.source).chain(&self.transforms).chain(std::iter::once(&self.destination))
    }

    /// What was granted and gives nothing, and which secrets connectors hold. (What was asked for and not granted is told
    /// when it is denied.)
    pub(crate) fn warnings(&self) -> Vec<Problem> {
        let unmet = self.parts().flat_map(|part| &part.unmet);
        let useless = unmet.filter(|unmet| unmet.code == grants::Code::GrantNotAsked).map(Problem::from);
        let differs = self.parts().flat_map(|part| part.differs.iter().cloned());
        useless.chain(self.parts().flat_map(revealed)).chain(differs).collect()
    }

    /// The part in whose call something failed.
    pub(crate) fn part_of_call(&self, connector: &str, call: &str) -> Option<&Part> {
        match call.split('.').next() {
            Some("source" | "reader") => Some(&self.source),
            Some("destination" | "writer") => Some(&self.destination),
            _ => self.transforms.iter().find(|part| part.connection.name() == connector),
        }
    }

    pub(crate) fn ports(&self) -> Result<Ports, Problems> {
        let source = self.source.connection.source();
        self.ports_from(source.map_err(|error| wrong_role(&self.source, error))?)
    }

    /// The same with rows that come from elsewhere, with the rights of the source.
    pub(crate) fn ports_from(&self, source: Arc<dyn pipeline::connector::Source>) -> Result<Ports, Problems> {
        let transforms = self.transforms.iter().map(|part| {
            Ok::<_, Problems>(part.connection.transform().map_err(|error| wrong_role(part, error))?)
        });
        let destination = self.destination.connection.destination();
        Ok(Ports {
            source,
            transforms: transforms.collect::<Result<_, _>>()?,
            destination: destination.map_err(|error| wrong_role(&self.destination, error))?,
            secrets: pipeline::secrets::Secrets {
                source: self.source.connection.secrets(),
                transforms: self.transforms.iter().map(|part| part.connection.secrets()).collect(),
                destination: self.destination.connection.secrets(),
            },
        })
    }
}

fn revealed(part: &Part) -> impl Iterator<Item = Problem> {
    part.revealed.iter().map(|name| {
        let message = format!("`{}` holds the secret of the credential `{name}` itself", part.name);
        Problem::new(REVEALED, message)
    })
}

fn wrong_role(part: &Part, error: runtime::Error) -> Problem {
    Problem::from(error).caused_by(format!("it stands as `{}` in the sync", part.name))
}

async fn bound(
    host: &Host,
    document: &Document,
    keeper: &mut dyn KeepsCredentials,
) -> Result<(Part, Vec<Part>, Part), Problems> {
    let loaded = loaded(host, &document.sync).await?;
    let faults: Vec<_> = loaded.iter().map(|loaded| (loaded.place, loaded.config_faults())).collect();
    Problems::of(document.config_faults(&faults).into_iter().collect())?;
    let (mut source, mut transforms, mut destination) = (None, Vec::new(), None);
    let mut problems = Vec::new();
    for loaded in loaded {
        let place = loaded.place;
        match (loaded.bind(host, &document.file, keeper).await, place) {
            (Ok(part), Place::Source) => source = Some(part),
            (Ok(part), Place::Transform(_)) => transforms.push(part),
            (Ok(part), Place::Destination) => destination = Some(part),
            (Err(found), _) => problems.extend(found.into_all()),
        }
    }
    Problems::of(problems)?;
    match (source, destination) {
        (Some(source), Some(destination)) => Ok((source, transforms, destination)),
        _ => Err(Problem::bug("a sync was read without its ends").into()),
    }
}

/// Components that are not compiled yet compile at one time.
async fn loaded<'d>(host: &Host, sync: &'d SyncFile) -> Result<Vec<Loaded<'d>>, Problems> {
    let transforms = sync.transforms.iter().enumerate();
    let transforms = transforms.map(|(index, transform)| (Place::Transform(index), transform));
    let places = std::iter::once((Place::Source, &sync.source))
        .chain(transforms)
        .chain(std::iter::once((Place::Destination, &sync.destination)));
    let results = join_all(places.map(|(place, said)| Loaded::new(host, place, said))).await;
    let (mut loaded, mut problems) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok(one) => loaded.push(one),
            Err(found) => problems.extend(found.into_all()),
        }
    }
    Problems::of(problems)?;
    Ok(loaded)
}
