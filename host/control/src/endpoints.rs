//! Event endpoints: a URL with a secret token for a sync, at which other systems leave messages that its runs move.
//!
//! # Durable, in order, once
//!
//! A message is accepted when it is durable, with a number that rises by one for each message of the endpoint. Runs read in
//! the order of these numbers; the number of the last message is the checkpoint, so what a run has committed is read by no
//! other, and messages go only when they are behind a checkpoint that was committed. A message that comes again within a
//! window is known by its id and is not queued twice.
//!
//! # Who may leave something
//!
//! Who has the token; where the connector says how its sender signs and a key was entered, who has that too. Tokens are kept
//! as digests; keys of signatures lie under the organization's key, and nobody reads them.

mod accept;
mod error;
mod lane;
mod messages;
mod owed;
mod record;
mod signature;
mod tokens;
mod waiting;

pub use accept::{Accepted, Arrived, OpenEndpoint};
pub use error::EventError;
pub use messages::{EventMessage, EventQueue};
pub use tokens::{Endpoint, EndpointToken};

pub(crate) use record::{digests_of, retire};

use crate::error::Error;
use crate::organizations::Organizations;
use crate::queue::Queue;
use crate::syncs::{self, Kept};
use futures::future::try_join_all;
use lane::Lane;
use manifest::{Role, WebhookAsk};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use waiting::State;

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;
/// Connectors whose words of messages are remembered. A document of them is some hundred bytes.
const ASKS_MAX: usize = 1_024;

/// What a connector says of messages; none: it understands none.
type Asked = Option<Arc<WebhookAsk>>;

/// How much waits at an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndpointOptions {
    /// Messages that wait.
    pub messages_max: u64,
    /// Their bytes.
    pub bytes_max: u64,
}

/// How much waits at endpoints.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EventLoad {
    /// Messages that no run has committed.
    pub messages: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Default for EndpointOptions {
    /// Ten minutes of what 200 senders leave, once a second each.
    fn default() -> Self {
        Self { messages_max: 100_000, bytes_max: 256 << 20 }
    }
}

/// The event endpoints of every organization of a region. One for each process: it remembers what waits.
pub struct Endpoints {
    queue: Arc<Queue>,
    options: EndpointOptions,
    /// By organization and sync.
    lanes: Mutex<HashMap<(String, String), Arc<Lane>>>,
    /// By organization and digest of a connector.
    asks: Mutex<HashMap<(String, String), Asked>>,
}

impl Endpoints {
    /// The endpoints of the syncs of this queue.
    #[must_use]
    pub fn new(queue: Arc<Queue>, options: EndpointOptions) -> Self {
        Self { queue, options, lanes: Mutex::default(), asks: Mutex::default() }
    }

    fn organizations(&self) -> &Organizations {
        &self.queue.syncs.organizations
    }

    fn lane(&self, organization: &str, sync: &str) -> Arc<Lane> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let lane = lanes.entry((organization.to_owned(), sync.to_owned())).or_insert_with(|| {
            let owner = self.organizations().owner(organization);
            Arc::new(Lane::new(owner, sync.to_owned(), self.options))
        });
        Arc::clone(lane)
    }

    /// How much waits at all endpoints that this process knows: once [`Self::ask_for_owed_runs`] is through, at every one.
    ///
    /// # Errors
    /// When storage cannot be read.
    pub async fn load(&self) -> Result<EventLoad, Error> {
        let lanes = self.all_lanes();
        let keeper = &self.organizations().keeper;
        // At one time: each may be about to make messages durable.
        let told = lanes.iter().map(|lane| async move {
            let state = lane.state(keeper).await?;
            Ok::<_, Error>(state.as_ref().map_or((0, 0, None), State::told))
        });
        let mut load = EventLoad::default();
        for (messages, bytes, _) in try_join_all(told).await? {
            load.messages += messages;
            load.bytes += bytes;
        }
        Ok(load)
    }

    fn all_lanes(&self) -> Vec<Arc<Lane>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// Forgets what is remembered of an endpoint whose sync is gone.
    fn forget_lane(&self, organization: &str, sync: &str) {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        lanes.remove(&(organization.to_owned(), sync.to_owned()));
    }

    /// What the connector from which a sync's rows come says of messages; none: it understands none.
    async fn ask_of(&self, organization: &str, sync: &str) -> Result<Asked, Error> {
        let filed = self.organizations().head::<Kept>(organization, syncs::KIND, sync).await?;
        let connections = &self.queue.syncs.connections;
        let digest = connections.installation_of(organization, &filed.head.more.source).await?;
        let at = (organization.to_owned(), digest);
        if let Some(known) = self.asks.lock().unwrap_or_else(PoisonError::into_inner).get(&at) {
            return Ok(known.clone());
        }
        let manifest = connections.manifest_of(organization, &filed.head.more.source).await?;
        // What reads by itself is not moved by messages.
        let is_webhook = manifest.roles.contains(&Role::Webhook) && !manifest.roles.contains(&Role::Source);
        let ask = is_webhook.then(|| Arc::new(manifest.webhook.unwrap_or_default()));
        let mut asks = self.asks.lock().unwrap_or_else(PoisonError::into_inner);
        if asks.len() >= ASKS_MAX {
            asks.clear();
        }
        asks.insert(at, ask.clone());
        Ok(ask)
    }
}
