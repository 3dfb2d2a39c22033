//! Components as their parts come.

use runtime::{CODE_KEY_BYTES, Component, Runtime};
use std::collections::HashMap;

use crate::message::PartOf;

/// What has come of a component.
#[derive(Default)]
struct Coming {
    component: Vec<u8>,
    code: Vec<u8>,
}

/// Components by the numbers that the parent gave them.
pub(super) struct Components {
    pub(super) runtime: Runtime,
    code_key: [u8; CODE_KEY_BYTES],
    coming: HashMap<u32, Coming>,
    loaded: HashMap<u32, Component>,
}

impl Components {
    pub(super) fn new(runtime: Runtime, code_key: [u8; CODE_KEY_BYTES]) -> Self {
        Self { runtime, code_key, coming: HashMap::new(), loaded: HashMap::new() }
    }

    pub(super) fn part(&mut self, component: u32, of: PartOf, bytes: &[u8]) {
        let coming = self.coming.entry(component).or_default();
        match of {
            PartOf::Component => coming.component.extend_from_slice(bytes),
            PartOf::Code => coming.code.extend_from_slice(bytes),
        }
    }

    /// All of it has come.
    pub(super) fn load(&mut self, component: u32) -> Result<(), runtime::Error> {
        let Coming { component: bytes, code } = self.coming.remove(&component).unwrap_or_default();
        let loaded = self.runtime.load_sealed(&bytes, &code, &self.code_key)?;
        self.loaded.insert(component, loaded);
        Ok(())
    }

    pub(super) fn get(&self, component: u32) -> Option<Component> {
        self.loaded.get(&component).cloned()
    }
}
