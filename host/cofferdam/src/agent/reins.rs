//! By what a run under way is led, from outside of it.

use std::sync::{Arc, OnceLock};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::Agent;
use super::crews::Using;
use crate::components::Components;
use crate::host::Host;
use crate::live::Live;
use crate::problem::Problems;

/// What a run under way has for itself, and what ends it.
pub(super) struct Reins {
    pub(super) host: Host,
    pub(super) cancel: CancellationToken,
    /// What can be taken back from it, once its connectors are ready.
    pub(super) live: OnceLock<Live>,
    /// It has committed something.
    pub(super) moved: Arc<Notify>,
    /// Its workers stay for as long as it does.
    _using: Using,
}

impl Reins {
    pub(super) fn of(agent: &Agent, organization: &str) -> Result<Self, Problems> {
        let using = agent.crews.of(organization)?;
        let components = Components::Kept(agent.components.clone());
        let host = Host::of_run(agent.shared.clone(), components, using.crew.clone(), agent.screen.clone());
        let (cancel, live, moved) = (CancellationToken::new(), OnceLock::new(), Arc::default());
        Ok(Self { host, cancel, live, moved, _using: using })
    }

    /// Ends it in order: what is under way is finished and committed.
    pub(super) fn draw(&self) {
        self.host.stopper.stop();
        self.cancel.cancel();
    }
}
