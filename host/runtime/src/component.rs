//! A component that was inspected, compiled (or found compiled) and linked: ready to be instantiated.

use crate::contract::{self, Linked};
use crate::engine::Runtime;
use crate::error::Error;
use crate::habits::Habits;
use crate::heap;
use crate::inspect::{Inspection, names};
use manifest::Role;
use std::sync::Arc;
use tokio::sync::oneshot;

/// Bytes of a key under which one process hands compiled code to another.
pub const CODE_KEY_BYTES: usize = 32;

/// A loaded component. Cheap to clone.
#[derive(Clone)]
pub struct Component {
    inner: Arc<Inner>,
}

struct Inner {
    inspection: Inspection,
    linked: Arc<dyn Linked>,
    habits: Habits,
    runtime: Runtime,
}

impl Component {
    /// What it says of itself.
    pub fn inspection(&self) -> &Inspection {
        &self.inner.inspection
    }

    /// How long its calls usually take.
    pub(crate) fn habits(&self) -> &Habits {
        &self.inner.habits
    }

    pub(crate) fn runtime(&self) -> &Runtime {
        &self.inner.runtime
    }

    /// What its contract made of it, if it plays this role.
    ///
    /// # Errors
    /// [`Error::WrongRole`] where it does not.
    pub(crate) fn linked_as(&self, role: Role) -> Result<Arc<dyn Linked>, Error> {
        let roles = &self.inspection().roles;
        if roles.contains(&role) {
            return Ok(self.inner.linked.clone());
        }
        Err(Error::WrongRole { wanted: role.as_str().to_owned(), found: names(roles) })
    }
}

impl Runtime {
    /// Load a component from its bytes: inspect it, then take its code from the cache or compile it.
    ///
    /// # Errors
    /// Each fault of the component as its own [`Error`]; nothing of it was run.
    pub async fn load(&self, bytes: Vec<u8>) -> Result<Component, Error> {
        let inspection = self.inspected(&bytes)?;
        let compiled = self.compiled(&inspection.digest, bytes).await?;
        self.linked(inspection, &compiled)
    }

    /// Load a component with the code that [`seal_code`] gave under the same key.
    ///
    /// # Errors
    /// As [`Self::load`], and [`Error::Compile`] for code under another key.
    pub fn load_sealed(
        &self,
        bytes: &[u8],
        code: &[u8],
        key: &[u8; CODE_KEY_BYTES],
    ) -> Result<Component, Error> {
        let inspection = self.inspected(bytes)?;
        let refused = || Error::Compile { message: "its code was not compiled by this host".into() };
        let (code, tag) = code.split_last_chunk::<CODE_KEY_BYTES>().ok_or_else(refused)?;
        if blake3::keyed_hash(key, code) != blake3::Hash::from_bytes(*tag) {
            return Err(refused());
        }
        let compiled = deserialize(&self.inner.engine, code)
            .map_err(|error| Error::Compile { message: format!("{error:#}") })?;
        self.linked(inspection, &compiled)
    }

    fn inspected(&self, bytes: &[u8]) -> Result<Inspection, Error> {
        let inspection = Inspection::of(bytes)?;
        inspection.has_at_most(self.ceilings().instances)?;
        Ok(inspection)
    }

    fn linked(
        &self,
        inspection: Inspection,
        compiled: &wasmtime::component::Component,
    ) -> Result<Component, Error> {
        let contract = contract::of(&inspection.contract)?;
        let linked = contract.link(&self.inner.engine, compiled, &inspection.roles)?;
        let inner = Inner { inspection, linked, habits: Habits::default(), runtime: self.clone() };
        Ok(Component { inner: Arc::new(inner) })
    }

    async fn compiled(&self, digest: &str, bytes: Vec<u8>) -> Result<wasmtime::component::Component, Error> {
        if let Some(code) = self.kept_code(digest) {
            match deserialize(&self.inner.engine, &code) {
                Ok(component) => return Ok(component),
                // Ours by its tag, and still not fitting: the engine knows better than our key. Compile anew.
                Err(error) => tracing::warn!(error = format!("{error:#}"), "cached code does not load"),
            }
        }
        let code = self.compile(bytes).await?;
        self.keep_code(digest, &code);
        deserialize(&self.inner.engine, &code)
            .map_err(|error| Error::Compile { message: format!("{error:#}") })
    }

    /// Compile on a thread of its own. The compiler cannot be interrupted: past its time it is left to end by itself and its
    /// result is dropped. What it took is given back before anything else is done: a run goes on for hours in the same process.
    async fn compile(&self, bytes: Vec<u8>) -> Result<Vec<u8>, Error> {
        let config = self.inner.compiling.clone();
        let allowed = self.inner.settings.compile_timeout;
        let (done, compiling) = oneshot::channel();
        let compile = move || {
            let compiled = validate_and_compile(&config, &bytes);
            drop(bytes);
            heap::give_back_freed_memory();
            // Whoever waited may be gone by now.
            let _ = done.send(compiled);
        };
        std::thread::Builder::new()
            .name("compile".into())
            .spawn(compile)
            .map_err(|error| Error::Engine { message: format!("no thread to compile on: {error}") })?;
        match tokio::time::timeout(allowed, compiling).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(Error::Compile { message: "the compiler crashed on it".into() }),
            Err(_) => Err(Error::CompileTimeout { allowed }),
        }
    }
}

/// Compiled code, for an engine in another process that knows this key: [`Runtime::load_sealed`].
pub fn seal_code(mut code: Vec<u8>, key: &[u8; CODE_KEY_BYTES]) -> Vec<u8> {
    let tag = blake3::keyed_hash(key, &code);
    code.extend_from_slice(tag.as_bytes());
    code
}

/// By an engine of its own, which is dropped: the compiler keeps its working memory, tens of MiB, for as long as its engine lives.
pub(crate) fn validate_and_compile(config: &wasmtime::Config, bytes: &[u8]) -> Result<Vec<u8>, Error> {
    wasmparser::Validator::new()
        .validate_all(bytes)
        .map_err(|error| Error::Corrupt { offset: error.offset(), message: error.message().to_owned() })?;
    let failed = |error: wasmtime::Error| Error::Compile { message: format!("{error:#}") };
    let engine = wasmtime::Engine::new(config).map_err(failed)?;
    engine.precompile_component(bytes).map_err(failed)
}

#[expect(
    unsafe_code,
    reason = "compiled code is trusted by nature; these bytes carry our own tag or come from our compiler"
)]
pub(crate) fn deserialize(
    engine: &wasmtime::Engine,
    code: &[u8],
) -> wasmtime::Result<wasmtime::component::Component> {
    // SAFETY: `code` was made by `precompile_component` in this process, or it comes from the cache or from the process that
    // started this one, and its tag under a key that only this user, or those two, can read was verified over these very bytes.
    unsafe { wasmtime::component::Component::deserialize(engine, code) }
}
