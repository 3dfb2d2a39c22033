//! Compiling apart from whoever runs: in a process that sees one component, and ends with it.

use crate::component::{deserialize, validate_and_compile};
use crate::contract;
use crate::engine::{Runtime, code_config};
use crate::error::Error;
use crate::inspect::Inspection;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What has to be known to compile for an engine of another process on the same machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compiling {
    pooled: bool,
    core_instances_max: u64,
}

impl Compiling {
    /// Compile a component and link it, so that whoever gets the code has nothing more to find out. Nothing of it is run.
    ///
    /// # Errors
    /// As [`Runtime::load`].
    pub fn compile(&self, bytes: &[u8]) -> Result<Vec<u8>, Error> {
        let inspection = Inspection::of(bytes)?;
        inspection.has_at_most(self.core_instances_max)?;
        let config = code_config(self.pooled);
        let code = validate_and_compile(&config, bytes)?;
        let failed = |error: wasmtime::Error| Error::Compile { message: format!("{error:#}") };
        let engine = wasmtime::Engine::new(&config).map_err(failed)?;
        let component = deserialize(&engine, &code).map_err(failed)?;
        contract::of(&inspection.contract)?.link(&engine, &component, &inspection.roles)?;
        Ok(code)
    }
}

impl Runtime {
    /// How to compile for this engine.
    pub fn compiling(&self) -> Compiling {
        Compiling { pooled: self.is_pooled(), core_instances_max: self.ceilings().instances }
    }

    /// How long one component may compile.
    pub fn compile_timeout(&self) -> Duration {
        self.inner.settings.compile_timeout
    }

    /// The code of a component, if it is kept and nobody has touched it.
    pub fn kept_code(&self, digest: &str) -> Option<Vec<u8>> {
        self.inner.cache.as_ref()?.load(digest)
    }

    /// Keeps the code of a component under a tag of this host's own. It is not looked into: whoever compiled it has seen this
    /// component and no other.
    pub fn keep_code(&self, digest: &str, code: &[u8]) {
        if let Some(Err(error)) = self.inner.cache.as_ref().map(|cache| cache.store(digest, code)) {
            // A full disk costs the next start its time, not this run.
            tracing::warn!(error = %error, "compiled code is not kept");
        }
    }
}
