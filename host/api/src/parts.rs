//! What the API stands on: the parts of `control`, put together by whoever starts the server.

use control::{Answers, Audit, Organizations, Sessions, Tokens, Users};
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
    ) -> Result<Self, control::Error> {
        Ok(Self {
            sessions: Arc::new(Sessions::new(Arc::clone(&users))),
            tokens: Arc::new(Tokens::new(Arc::clone(&organizations))),
            answers: Arc::new(Answers::new(&users)?),
            users,
            organizations,
            audit,
        })
    }
}
