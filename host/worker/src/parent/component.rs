//! A component that was judged here, to be compiled in a process of its own and run in a worker.

use runtime::Inspection;
use std::sync::Arc;

use crate::compiler::Compiler;
use crate::error::NotCompiled;

/// Its bytes. What they say of themselves was read here; nothing of it runs in this process.
#[derive(Clone)]
pub struct Loaded {
    pub(super) inspection: Arc<Inspection>,
    pub(super) bytes: Arc<[u8]>,
}

impl Loaded {
    /// A component whose inspection found nothing against it.
    pub fn new(inspection: Inspection, bytes: Vec<u8>) -> Self {
        Self { inspection: Arc::new(inspection), bytes: bytes.into() }
    }

    /// What it says of itself.
    pub fn inspection(&self) -> &Inspection {
        &self.inspection
    }

    /// Its code, for a worker that has this key.
    pub(super) async fn code(
        &self,
        compiler: &Compiler,
        key: &[u8; runtime::CODE_KEY_BYTES],
    ) -> Result<Vec<u8>, NotCompiled> {
        Ok(runtime::seal_code(compiler.code(&self.inspection, &self.bytes).await?, key))
    }
}
