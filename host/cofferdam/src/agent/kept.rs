//! Connectors as they are kept: found by their digests, read and inspected once for runs that follow each other.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use control::Components;
use runtime::Inspection;
use worker::Loaded;

use crate::components::KeptComponents;
use crate::problem::{Problem, Problems};

/// Components that are kept in memory between two runs, all together.
const BYTES_MAX: u64 = 64 << 20;

/// Components that were read.
pub(crate) struct Found {
    components: Components,
    recent: Mutex<Recent>,
}

#[derive(Default)]
struct Recent {
    /// With the number of its last use.
    found: HashMap<String, (Loaded, u64)>,
    uses: u64,
}

impl Found {
    pub(crate) fn new(components: Components) -> Self {
        Self { components, recent: Mutex::default() }
    }

    fn recent(&self) -> MutexGuard<'_, Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl KeptComponents for Found {
    async fn find(&self, digest: &str) -> Result<Loaded, Problems> {
        if let Some(loaded) = self.recent().used(digest) {
            return Ok(loaded);
        }
        let bytes = self.components.get(digest).await?;
        let inspecting = move || Inspection::of(&bytes).map(|inspection| Loaded::new(inspection, bytes));
        let inspected = tokio::task::spawn_blocking(inspecting).await;
        let loaded = inspected.map_err(|error| Problem::bug(format!("reading a component: {error}")))??;
        self.recent().keep(digest, loaded.clone());
        Ok(loaded)
    }
}

impl Recent {
    fn used(&mut self, digest: &str) -> Option<Loaded> {
        self.uses += 1;
        let uses = self.uses;
        let (loaded, used) = self.found.get_mut(digest)?;
        *used = uses;
        Some(loaded.clone())
    }

    /// Those that were not used for the longest time make room.
    fn keep(&mut self, digest: &str, loaded: Loaded) {
        self.found.insert(digest.to_owned(), (loaded, self.uses));
        let bytes = |found: &HashMap<String, (Loaded, u64)>| {
            found.values().map(|(loaded, _)| loaded.inspection().bytes).sum::<u64>()
        };
        while bytes(&self.found) > BYTES_MAX {
            let oldest = self.found.iter().min_by_key(|(_, (_, used))| *used);
            let Some(oldest) = oldest.map(|(digest, _)| digest.clone()) else { return };
            self.found.remove(&oldest);
        }
    }
}
