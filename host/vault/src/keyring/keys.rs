//! The unwrapped keys in memory, and the data keys that were derived of them.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use super::format::{Body, bucket_context, organization_context};
use crate::bucket::{Bucket, Class};
use crate::counter::Counter;
use crate::deployment::DeploymentId;
use crate::envelope::{Purpose, UnwrapError, unwrap_key};
use crate::record::DataKey;
use crate::secret::Key;

/// Data keys kept ready for one generation. There are some 75 buckets and five classes at most; one that is not here is
/// derived again in microseconds.
const DATA_KEYS_MAX: usize = 256;

/// A generation of an organization's key.
pub(super) struct Generation {
    pub(super) number: u32,
    pub(super) key: Key,
    pub(super) counter: Counter,
    data_keys: RwLock<HashMap<(Class, Bucket), Arc<DataKey>>>,
}

impl Generation {
    pub(super) fn new(number: u32, key: Key, reserved: u64) -> Self {
        Self { number, key, counter: Counter::stored(reserved), data_keys: RwLock::default() }
    }

    pub(super) fn data_key(&self, class: Class, bucket: Bucket, bucket_key: &Key) -> Arc<DataKey> {
        let known =
            self.data_keys.read().unwrap_or_else(PoisonError::into_inner).get(&(class, bucket)).cloned();
        if let Some(known) = known {
            return known;
        }
        let derived = Arc::new(DataKey::derive(&self.key, self.number, bucket_key, class));
        let mut data_keys = self.data_keys.write().unwrap_or_else(PoisonError::into_inner);
        if data_keys.len() >= DATA_KEYS_MAX {
            data_keys.clear();
        }
        data_keys.insert((class, bucket), Arc::clone(&derived));
        derived
    }

    pub(super) fn forget_data_keys(&mut self) {
        self.data_keys.get_mut().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// All unwrapped keys below the root key.
#[derive(Default)]
pub(super) struct Keys {
    /// Generations oldest first; the last one seals.
    pub(super) organizations: HashMap<String, Vec<Generation>>,
    pub(super) buckets: BTreeMap<Bucket, Key>,
}

/// Which key does not unwrap, and why.
pub(super) struct KeyFault {
    pub(super) key: String,
    pub(super) source: UnwrapError,
}

impl Keys {
    pub(super) fn unwrap(root: &Key, deployment: &DeploymentId, body: &Body) -> Result<Self, KeyFault> {
        let mut keys = Self::default();
        for (organization, entries) in &body.organizations {
            let mut generations = Vec::new();
            for entry in entries {
                let context = organization_context(deployment, organization, entry.number);
                let key = unwrap_key(root, Purpose::OrganizationKey, &context, &entry.wrapped);
                let key = key.map_err(|source| KeyFault {
                    key: format!("generation {} of the key of organization `{organization}`", entry.number),
                    source,
                })?;
                generations.push(Generation::new(entry.number, key, entry.reserved));
            }
            keys.organizations.insert(organization.clone(), generations);
        }
        for (bucket, wrapped) in &body.buckets {
            let key = unwrap_key(root, Purpose::BucketKey, &bucket_context(deployment, *bucket), wrapped);
            let key =
                key.map_err(|source| KeyFault { key: format!("the key of bucket `{bucket}`"), source })?;
            keys.buckets.insert(*bucket, key);
        }
        Ok(keys)
    }

    pub(super) fn generations(&self) -> impl Iterator<Item = (&str, &Generation)> {
        let organizations = self.organizations.iter();
        organizations.flat_map(|(id, generations)| generations.iter().map(move |one| (id.as_str(), one)))
    }

    pub(super) fn forget_data_keys(&mut self) {
        self.organizations.values_mut().flatten().for_each(Generation::forget_data_keys);
    }
}
