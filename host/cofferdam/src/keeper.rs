//! The data directory of a command that may need credentials: opened when the first one is needed, and not before.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use records::SealedRecords;

use crate::arguments::Data;
use crate::data::Directory;
use crate::deployment::Deployment;
use crate::host::Host;
use crate::opened::Opened;
use crate::output::Output;
use crate::problem::Problems;

/// Who keeps the credentials that a sync was granted. Asked once for each connection that was granted any.
#[async_trait]
pub(crate) trait KeepsCredentials: Send {
    /// What is kept there. None: nothing yet.
    async fn records(&mut self) -> Result<Option<Arc<SealedRecords>>, Problems>;
}

/// Where credentials are kept, open or not.
pub(crate) struct Keeper {
    path: PathBuf,
    data: Data,
    deployment: Option<Deployment>,
}

impl Keeper {
    pub(crate) fn new(path: PathBuf, data: &Data) -> Self {
        Self { path, data: data.clone(), deployment: None }
    }

    /// The sync with all of its connectors ready. What was opened for it stays open, and is closed when it cannot be.
    pub(crate) async fn opening(mut self, host: &Host, sync: &Path) -> Result<(Opened, Self), Problems> {
        match Opened::new(host, sync, &mut self).await {
            Ok(opened) => Ok((opened, self)),
            Err(problems) => {
                // Why it cannot be opened matters more than how closing went.
                let _ = self.close().await;
                Err(problems)
            }
        }
    }

    /// The deployment, made if this is its first use.
    pub(crate) async fn made(self, output: &Output) -> Result<Deployment, Problems> {
        match self.deployment {
            Some(deployment) => Ok(deployment),
            None => Deployment::made(&self.path, &self.data, output).await,
        }
    }

    /// The deployment that is there.
    pub(crate) async fn existing(self) -> Result<Deployment, Problems> {
        match self.deployment {
            Some(deployment) => Ok(deployment),
            None => Deployment::existing(&self.path, &self.data).await,
        }
    }

    /// Closes what was opened.
    pub(crate) async fn close(self) -> Result<(), Problems> {
        match self.deployment {
            Some(deployment) => deployment.close().await,
            None => Ok(()),
        }
    }
}

#[async_trait]
impl KeepsCredentials for Keeper {
    async fn records(&mut self) -> Result<Option<Arc<SealedRecords>>, Problems> {
        if self.deployment.is_none() {
            let Some(mut directory) = Directory::found(&self.path, &self.data.keys)? else { return Ok(None) };
            let keyring = directory.keyring()?;
            self.deployment = Some(Deployment::open(directory, keyring).await?);
        }
        Ok(self.deployment.as_ref().map(|deployment| Arc::clone(&deployment.records)))
    }
}

/// Of one organization, which are open anyhow.
#[async_trait]
impl KeepsCredentials for Arc<SealedRecords> {
    async fn records(&mut self) -> Result<Option<Arc<SealedRecords>>, Problems> {
        Ok(Some(Arc::clone(self)))
    }
}
