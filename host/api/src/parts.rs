//! What the API stands on: the parts of `control`, the records, and who runs connectors, put together by whoever starts the
//! server.

use crate::ports::{Connectors, Providers};
use control::{
    Answers, Audit, Components, Connections, Endpoints, Installations, Organizations, Queue, Sessions, Syncs,
    Tokens, Users,
};
use measures::Measures;
use records::RecordsByOrganization;
use std::sync::Arc;

/// What the API stands on.
#[derive(Clone)]
pub struct Parts {
    /// Its people.
    pub users: Arc<Users>,
    /// Their sessions.
    pub sessions: Arc<Sessions>,
    /// The organizations, as a process of this region serves them.
    pub organizations: Arc<Organizations>,
    /// Tokens of programs.
    pub tokens: Arc<Tokens>,
    /// Every audit log.
    pub audit: Arc<Audit>,
    /// Answers that may be given again.
    pub answers: Arc<Answers>,
    /// Connectors that organizations use.
    pub installations: Arc<Installations>,
    /// The bytes of these.
    pub components: Arc<Components>,
    /// What they are configured for.
    pub connections: Arc<Connections>,
    /// What is moved, and when.
    pub syncs: Arc<Syncs>,
    /// Runs that wait or are under way.
    pub queue: Arc<Queue>,
    /// Where other systems leave messages.
    pub endpoints: Arc<Endpoints>,
    /// What runs leave behind.
    pub records: Arc<RecordsByOrganization>,
    /// Whoever runs connectors.
    pub connectors: Arc<dyn Connectors>,
    /// What is counted, by the API and by whoever executes runs.
    pub measures: Arc<Measures>,
    /// Whoever speaks with those that give tokens.
    pub providers: Arc<dyn Providers>,
}

/// What only whoever starts the server can give.
pub struct Given {
    /// What is done with organizations' syncs; it knows connections and organizations too.
    pub queue: Arc<Queue>,
    /// Where other systems leave messages: the same as for who moves them.
    pub endpoints: Arc<Endpoints>,
    /// What runs leave behind: the same as for who executes them.
    pub records: Arc<RecordsByOrganization>,
    /// Whoever runs connectors.
    pub connectors: Arc<dyn Connectors>,
    /// What is counted: the same as for who executes runs.
    pub measures: Arc<Measures>,
    /// Whoever speaks with those that give tokens.
    pub providers: Arc<dyn Providers>,
}

impl Parts {
    /// All parts over these people and organizations.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn new(
        audit: Arc<Audit>,
        users: Arc<Users>,
        organizations: Arc<Organizations>,
        given: Given,
    ) -> Result<Self, control::Error> {
        let Given { queue, endpoints, records, connectors, measures, providers } = given;
        let syncs = queue.syncs();
        Ok(Self {
            sessions: Arc::new(Sessions::new(Arc::clone(&users))),
            tokens: Arc::new(Tokens::new(Arc::clone(&organizations))),
            answers: Arc::new(Answers::new(&users)?),
            installations: Arc::new(Installations::new(Arc::clone(&organizations))),
            components: Arc::new(Components::new(Arc::clone(&organizations))),
            connections: syncs.connections(),
            syncs,
            queue,
            endpoints,
            records,
            connectors,
            measures,
            providers,
            users,
            organizations,
            audit,
        })
    }
}
