//! The records of every organization in one process. Each has one [`SealedRecords`]: which runs hold what is remembered there.

use crate::records::SealedRecords;
use crate::settings::Settings;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use storage::Storage;

/// The records of every organization of a deployment.
pub struct RecordsByOrganization {
    storage: Arc<Storage>,
    settings: Settings,
    known: Mutex<HashMap<String, Arc<SealedRecords>>>,
}

impl RecordsByOrganization {
    /// The records in this storage.
    #[must_use]
    pub fn new(storage: Arc<Storage>, settings: Settings) -> Self {
        Self { storage, settings, known: Mutex::default() }
    }

    /// The records of an organization, by the name under which storage knows it: the same ones for everybody who asks.
    #[must_use]
    pub fn of(&self, owner: &str) -> Arc<SealedRecords> {
        let mut known = self.known();
        if let Some(records) = known.get(owner) {
            return Arc::clone(records);
        }
        let records = SealedRecords::new(Arc::clone(&self.storage), owner, self.settings.clone());
        let records = Arc::new(records);
        known.insert(owner.to_owned(), Arc::clone(&records));
        records
    }

    /// Remembers nothing of an organization any more: it was deleted, and none of its runs is under way.
    pub fn forget(&self, owner: &str) {
        self.known().remove(owner);
    }

    fn known(&self) -> MutexGuard<'_, HashMap<String, Arc<SealedRecords>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
