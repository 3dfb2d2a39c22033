//! Connectors that took workers with them: so many within a day, and this version gets no more until an admin says so. Another
//! version is another component, and begins anew.
//!
//! Of each organization for itself: what one gives a connector to do must not take it from others.

use super::{Installations, KIND, Named};
use crate::access::Action;
use crate::audit::{Act, Event};
use crate::error::Error;
use crate::filed::{Filed, Head};
use crate::keeper::{Attempts, INSTALLATION};
use crate::tables::INSTALLED;
use serde::{Deserialize, Serialize};
use storage::Change;

/// Workers that one version of a connector may take with it within a day. As many as whoever runs it gives it.
pub const LOSSES_MAX: usize = 3;
/// Afterwards a loss that led to no quarantine counts no more: machines run out of memory now and then.
const COUNTS_MS: u64 = 86_400_000;

/// A worker that was lost while a connector was being called in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loss {
    /// When, in milliseconds since the epoch.
    pub at_ms: u64,
    /// How it ended, in words of ours.
    pub how: String,
}

/// Those that count at this time.
pub(super) fn counted(losses: &[Loss], now_ms: u64) -> Vec<Loss> {
    if losses.len() >= LOSSES_MAX {
        return losses.to_vec();
    }
    let counts = |loss: &&Loss| now_ms.saturating_sub(loss.at_ms) < COUNTS_MS;
    losses.iter().filter(counts).cloned().collect()
}

impl Installations {
    /// How many workers a connector took with it. For whoever runs it.
    ///
    /// # Errors
    /// [`Error::UnknownObject`], or when storage cannot be read.
    pub async fn losses(&self, organization: &str, digest: &str) -> Result<usize, Error> {
        let filed = self.organizations.head::<Named>(organization, KIND, digest).await?;
        Ok(counted(&filed.head.more.losses, self.organizations.keeper.now_ms()).len())
    }

    /// A connector took one more worker with it; with the last that it may take it is quarantined. For whoever runs it.
    ///
    /// # Errors
    /// [`Error::UnknownObject`], or when storage refuses.
    pub async fn note_loss(&self, organization: &str, digest: &str, how: &str) -> Result<(), Error> {
        let mut attempts = Attempts::at(INSTALLED);
        loop {
            let filed = self.organizations.head::<Named>(organization, KIND, digest).await?;
            let at_ms = self.organizations.keeper.now_ms();
            let mut losses = counted(&filed.head.more.losses, at_ms);
            if losses.len() >= LOSSES_MAX {
                return Ok(());
            }
            losses.push(Loss { at_ms, how: how.to_owned() });
            let quarantines = losses.len() == LOSSES_MAX;
            let head = with(&filed, losses);
            let change = Change::new(INSTALLATION);
            let is_true = if quarantines {
                let event = Event::done(Act::ConnectorQuarantined, "system", digest).detail("how", how);
                self.organizations.try_refile(organization, KIND, (&filed, &head), (&event, change)).await?
            } else {
                let change = KIND.put(change, (organization, digest), &head, Some(&filed.seen))?;
                self.organizations.keeper.try_commit(change).await?.is_none()
            };
            if is_true {
                return Ok(());
            }
            attempts.again().await?;
        }
    }

    /// Lets a connector have workers again, and forgets those that it took with it.
    ///
    /// # Errors
    /// [`Error::UnknownObject`], [`Error::Denied`], [`Error::UnknownOrganization`], or when storage refuses.
    pub async fn release(&self, by: &str, organization: &str, digest: &str) -> Result<(), Error> {
        self.organizations.may(by, organization, Action::GrantRights).await?;
        let mut attempts = Attempts::at(INSTALLED);
        loop {
            let filed = self.organizations.head::<Named>(organization, KIND, digest).await?;
            if filed.head.more.losses.is_empty() {
                return Ok(());
            }
            let head = with(&filed, Vec::new());
            let event = Event::done(Act::ConnectorReleased, by, digest);
            let change = (&event, Change::new(INSTALLATION));
            if self.organizations.try_refile(organization, KIND, (&filed, &head), change).await? {
                return Ok(());
            }
            attempts.again().await?;
        }
    }
}

/// What people say of it has not changed.
fn with(filed: &Filed<Named>, losses: Vec<Loss>) -> Head<Named> {
    let Filed { head, .. } = filed;
    Head { more: Named { losses, ..head.more.clone() }, ..head.clone() }
}
