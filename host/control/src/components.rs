//! The bytes of components, one for all organizations that installed it, each by its digest.
//!
//! A component is kept before an installation names it, and goes when none of any organization does. What a crash leaves
//! between the two is named by nobody and removed by [`Organizations::mend`](crate::Organizations::mend). Beside the bytes
//! stands a small record that each installing writes anew: so nobody removes what is being installed.

use crate::error::Error;
use crate::keeper::{Attempts, INSTALLATION, SCAN_RECORDS, encode};
use crate::organizations::Organizations;
use crate::tables::{COMPONENT_BYTES, COMPONENTS, INSTALLED, Key};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use std::sync::Arc;
use storage::{Change, Life, Range, Revision};

/// What one component has at most: as much as the engine takes, and as storage keeps under one key.
pub const COMPONENT_BYTES_MAX: usize = 64 << 20;

/// The components of an installation.
pub struct Components {
    organizations: Arc<Organizations>,
}

/// As it is stored beside the bytes.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Kept {
    kept_ms: u64,
    /// How often it was installed since.
    installs: u64,
}

impl Components {
    /// The components that these organizations install.
    #[must_use]
    pub fn new(organizations: Arc<Organizations>) -> Self {
        Self { organizations }
    }

    /// Keeps a component, unless it is kept already. For whoever has judged it, and whose caller may install it.
    ///
    /// # Errors
    /// [`Error::ComponentTooLarge`], [`Error::BadDigest`] when the digest is not that of the bytes, or when storage refuses.
    pub async fn put(&self, digest: &str, bytes: &[u8]) -> Result<(), Error> {
        if bytes.len() > COMPONENT_BYTES_MAX {
            return Err(Error::ComponentTooLarge { limit: COMPONENT_BYTES_MAX });
        }
        if digest_of(bytes) != digest {
            return Err(Error::BadDigest);
        }
        let keeper = &self.organizations.keeper;
        let mut attempts = Attempts::at(COMPONENTS);
        while !self.has(digest).await? {
            let kept = Kept { kept_ms: keeper.now_ms(), installs: 0 };
            let change = Change::new(INSTALLATION)
                .expect(COMPONENTS, Key::of(digest), None)
                .put(COMPONENTS, Key::of(digest), Life::Standing, encode(COMPONENTS, &kept)?)
                .put(COMPONENT_BYTES, Key::of(digest), Life::Standing, bytes.to_vec());
            if keeper.try_commit(change).await?.is_some() {
                attempts.again().await?;
            }
        }
        Ok(())
    }

    /// Whether a component is kept.
    ///
    /// # Errors
    /// When storage cannot be read.
    pub async fn has(&self, digest: &str) -> Result<bool, Error> {
        Ok(self.organizations.keeper.get(INSTALLATION, COMPONENTS, &Key::of(digest)).await?.is_some())
    }

    /// The bytes of a component, which are those that its digest names.
    ///
    /// # Errors
    /// [`Error::UnknownObject`] when it is not kept, [`Error::Unreadable`] when other bytes lie there, or when storage cannot
    /// be read.
    pub async fn get(&self, digest: &str) -> Result<Vec<u8>, Error> {
        let found = self.organizations.keeper.get(INSTALLATION, COMPONENT_BYTES, &Key::of(digest)).await?;
        let found = found.ok_or_else(|| Error::UnknownObject { what: "component", id: digest.to_owned() })?;
        let bytes = found.value.expose();
        if digest_of(bytes) != digest {
            let message = format!("the bytes of `{digest}` have another digest");
            return Err(Error::Unreadable { table: COMPONENT_BYTES.name.to_owned(), message });
        }
        Ok(bytes.to_vec())
    }

    /// Removes a component that no installation names, as when it was kept and then not installed.
    ///
    /// # Errors
    /// When storage refuses.
    pub async fn remove_unused(&self, digest: &str) -> Result<(), Error> {
        self.organizations.remove_unused_component(digest).await
    }
}

impl Organizations {
    /// Adds to a change by which a component is installed that it is not removed meanwhile. Where it lies elsewhere there is
    /// nothing to add.
    pub(crate) async fn installs_component(&self, change: Change, digest: &str) -> Result<Change, Error> {
        let at = Key::of(digest);
        let found = self.keeper.read::<Kept>(INSTALLATION, COMPONENTS, &at).await?;
        let Some((kept, seen)) = found else { return Ok(change) };
        let kept = Kept { installs: kept.installs.saturating_add(1), ..kept };
        let value = encode(COMPONENTS, &kept)?;
        let change = change.expect(COMPONENTS, at.clone(), Some(&seen));
        Ok(change.put(COMPONENTS, at, Life::Standing, value))
    }

    pub(crate) async fn remove_unused_component(&self, digest: &str) -> Result<(), Error> {
        match self.unused_component(digest).await? {
            Some(seen) => self.remove_component(digest, &seen).await,
            None => Ok(()),
        }
    }

    /// A component that no installation names, as it was seen before that was found out.
    pub(crate) async fn unused_component(&self, digest: &str) -> Result<Option<Revision>, Error> {
        let found = self.keeper.get(INSTALLATION, COMPONENTS, &Key::of(digest)).await?;
        let Some(found) = found else { return Ok(None) };
        let is_used = self.installed_anywhere().await?.contains(digest);
        Ok((!is_used).then_some(found.revision))
    }

    /// Whoever has installed it since it was seen keeps it.
    pub(crate) async fn remove_component(&self, digest: &str, seen: &Revision) -> Result<(), Error> {
        let at = Key::of(digest);
        let change = Change::new(INSTALLATION)
            .expect(COMPONENTS, at.clone(), Some(seen))
            .discard(COMPONENTS, at.clone())
            // The code of a connector is no secret: it need not be erased.
            .discard(COMPONENT_BYTES, at);
        self.keeper.try_commit(change).await?;
        Ok(())
    }

    /// Removes every component that no installation names. Before anybody is served: an upload is named by none at first.
    pub(crate) async fn remove_unused_components(&self) -> Result<(), Error> {
        let used = self.installed_anywhere().await?;
        let mut after = None::<Vec<u8>>;
        loop {
            let range = Range { prefix: &[], after: after.as_deref(), limit: SCAN_RECORDS };
            let page = self.keeper.page(INSTALLATION, COMPONENTS, range).await?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            after = Some(last.clone());
            for (key, _) in page {
                let digest = Key::read_id(&key);
                if !used.contains(&digest) {
                    self.remove_unused_component(&digest).await?;
                }
            }
        }
    }

    /// The digests that installations of any organization name, also of one at home elsewhere.
    async fn installed_anywhere(&self) -> Result<BTreeSet<String>, Error> {
        let (mut digests, mut after) = (BTreeSet::new(), None::<Vec<u8>>);
        loop {
            let range = Range { prefix: &[], after: after.as_deref(), limit: SCAN_RECORDS };
            let page = self.keeper.page(INSTALLATION, INSTALLED, range).await?;
            let Some((last, _)) = page.last() else { return Ok(digests) };
            after = Some(last.clone());
            for (key, _) in page {
                let [_, digest] = Key::read_ids(&key);
                digests.insert(digest);
            }
        }
    }
}

pub(crate) fn digest_of(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
