//! A component that was judged and compiled here, to be run in a worker.

use runtime::{Inspection, Runtime};
use std::sync::Arc;

/// Its bytes. What they say of themselves was read by [`Runtime::load`]; nothing of it runs in this process.
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
        runtime: &Runtime,
        key: &[u8; runtime::CODE_KEY_BYTES],
    ) -> Result<Vec<u8>, runtime::Error> {
        runtime.sealed_code(self.bytes.to_vec(), key).await
    }
}
