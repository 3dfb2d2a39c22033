//! Where the connectors of a run are found by what its document calls them, and what their instances are made of.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use runtime::{Component, Inspection};

use crate::document::component_bytes;
use crate::host::Host;
use crate::problem::{Problem, Problems};

/// Where connectors are found.
#[derive(Clone)]
pub(crate) enum Components {
    /// Each is a file.
    Files,
    /// Each is kept under its digest.
    Kept(Arc<dyn KeptComponents>),
}

impl Components {
    /// Where the rights of connectors stand that are found so.
    pub(crate) fn document(&self) -> grants::Document {
        match self {
            Self::Files => grants::Document::Sync,
            Self::Kept(_) => grants::Document::Consent,
        }
    }
}

/// Components that are found by their digests. Asked for each connector of each run.
#[async_trait]
pub(crate) trait KeptComponents: Send + Sync {
    /// The component that has this digest.
    async fn find(&self, digest: &str) -> Result<worker::Loaded, Problems>;
}

/// What instances are made of: here, or in a worker.
pub(crate) enum Code {
    Here(Component),
    InWorker(worker::Loaded),
}

impl Code {
    pub(crate) async fn find(host: &Host, name: &Path) -> Result<Self, Problems> {
        match &host.components {
            Components::Kept(kept) => Ok(Self::InWorker(kept.find(&name.to_string_lossy()).await?)),
            Components::Files => Self::of_file(host, name).await,
        }
    }

    async fn of_file(host: &Host, path: &Path) -> Result<Self, Problems> {
        let Some(crew) = &host.crew else { return Ok(Self::Here(load(host, path).await?)) };
        let bytes = component_bytes(path)?;
        let of = |problem: Problem| problem.caused_by(is_file(path));
        let inspection = Inspection::of(&bytes).map_err(|error| of(error.into()))?;
        // Before anything else is made ready: who cannot be compiled has nothing to run.
        crew.compiler().code(&inspection, &bytes).await.map_err(|error| of(error.into()))?;
        Ok(Self::InWorker(worker::Loaded::new(inspection, bytes)))
    }

    /// What the component says of itself.
    pub(crate) fn inspection(&self) -> &Inspection {
        match self {
            Self::Here(component) => component.inspection(),
            Self::InWorker(loaded) => loaded.inspection(),
        }
    }
}

/// Load a component: inspected, compiled or found compiled, linked. Nothing of it is run.
pub(crate) async fn load(host: &Host, path: &Path) -> Result<Component, Problems> {
    let bytes = component_bytes(path)?;
    let loaded = host.shared.runtime.load(bytes).await;
    Ok(loaded.map_err(|error| Problem::from(error).caused_by(is_file(path)))?)
}

fn is_file(path: &Path) -> String {
    format!("it is the file `{}`", path.display())
}
