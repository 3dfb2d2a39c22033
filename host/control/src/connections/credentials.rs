//! Which credentials of a connection were entered, and for what. Never what they are.

use super::record::{Body, Made, resolved};
use super::{Connection, Connections, KIND, Refile, shown};
use crate::access::Action;
use crate::audit::{Act, Event};
use crate::error::Error;
use crate::keeper::{Attempts, INSTALLATION};
use crate::tables::CONNECTIONS;
use manifest::{Asks, CredentialAsk};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use storage::Change;

/// What is kept of a credential that was entered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entered {
    /// Of kind, settings and audience, as they were then.
    pub binding: String,
    /// By whom.
    pub by: String,
    /// When, in milliseconds since the epoch.
    pub at_ms: u64,
}

/// A credential that a connection asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialState {
    /// The name under which the connector asks for it.
    pub ask: String,
    /// Its kind.
    pub kind: String,
    /// Whether the connector can do without.
    pub optional: bool,
    /// Under which name its fields are kept.
    pub stored: String,
    /// When it was entered; none: not yet.
    pub entered: Option<Entered>,
    /// Whether it was entered for what the connection asks now. One that was not is used for nothing.
    pub is_current: bool,
}

/// What is to be known to enter a credential.
#[derive(Debug, Clone, PartialEq)]
pub struct CredentialToEnter {
    /// Under which name its fields are to be kept.
    pub stored: String,
    /// The connector, as `publisher/name`.
    pub connector: String,
    /// With the configuration's values in it: which fields there are, and where they may be sent.
    pub ask: CredentialAsk,
    /// To be given when it was entered.
    pub revision: u64,
}

impl Connections {
    /// What a person who may enter a credential enters, of whom and for what. To be asked before it is kept.
    ///
    /// # Errors
    /// [`Error::UnknownObject`] for a credential that the connection does not ask for, [`Error::Denied`], or when storage
    /// cannot be read.
    pub async fn credential_to_enter(
        &self,
        by: &str,
        organization: &str,
        id: &str,
        ask: &str,
    ) -> Result<CredentialToEnter, Error> {
        self.organizations.may(by, organization, Action::EnterCredentials).await?;
        let (filed, body, installation) = self.with_installation(organization, id).await?;
        let resolved = find(resolved(&installation.manifest, &body.config)?, ask)?;
        Ok(CredentialToEnter {
            stored: stored_name(id, ask),
            connector: filed.head.more.connector.clone(),
            ask: resolved,
            revision: filed.head.revision,
        })
    }

    /// Notes that a credential was entered for what the connection asks, if the connection still has this revision: what was
    /// entered for something else meanwhile counts for nothing.
    ///
    /// # Errors
    /// [`Error::StaleRevision`], as [`Connections::credential_to_enter`], or when storage refuses.
    pub async fn note_entered(
        &self,
        by: &str,
        organization: &str,
        (id, revision): (&str, u64),
        ask: &str,
    ) -> Result<Connection, Error> {
        let event = Event::done(Act::CredentialEntered, by, id).detail("credential", ask);
        self.note(by, organization, (id, Some(revision)), (ask, &event)).await
    }

    /// Notes that a credential was revoked. It is gone from where it was kept by then.
    ///
    /// # Errors
    /// As [`Connections::credential_to_enter`], or when storage refuses.
    pub async fn note_revoked(
        &self,
        by: &str,
        organization: &str,
        id: &str,
        ask: &str,
    ) -> Result<Connection, Error> {
        let event = Event::done(Act::CredentialRevoked, by, id).detail("credential", ask);
        self.note(by, organization, (id, None), (ask, &event)).await
    }

    async fn note(
        &self,
        by: &str,
        organization: &str,
        (id, revision): (&str, Option<u64>),
        (ask, event): (&str, &Event),
    ) -> Result<Connection, Error> {
        self.organizations.may(by, organization, Action::EnterCredentials).await?;
        let mut attempts = Attempts::at(CONNECTIONS);
        loop {
            let (filed, mut body, installation) = self.with_installation(organization, id).await?;
            if let Some(revision) = revision {
                filed.expect(KIND, revision)?;
            }
            if event.act == Act::CredentialEntered {
                let asked = find(resolved(&installation.manifest, &body.config)?, ask)?;
                let binding = asked.binding().to_string();
                let at_ms = self.organizations.keeper.now_ms();
                body.credentials.insert(ask.to_owned(), Entered { binding, by: by.to_owned(), at_ms });
            } else if body.credentials.remove(ask).is_none() {
                return Err(unknown(ask));
            }
            let (name, made): (String, Made) = (filed.head.name.clone(), filed.head.more.clone());
            let step = Refile { organization, filed: &filed, name, made };
            match self.refile(step, &body, (event, Change::new(INSTALLATION))).await? {
                Some(head) => return shown(id, head, Body { ..body }, &installation.manifest),
                None => attempts.again().await?,
            }
        }
    }
}

pub(super) fn states(
    connection: &str,
    asks: &Asks,
    entered: &BTreeMap<String, Entered>,
) -> Vec<CredentialState> {
    let state = |ask: &CredentialAsk| {
        let entered = entered.get(&ask.name).cloned();
        CredentialState {
            ask: ask.name.clone(),
            kind: ask.kind.as_str().to_owned(),
            optional: ask.optional,
            stored: stored_name(connection, &ask.name),
            is_current: entered.as_ref().is_some_and(|entered| entered.binding == ask.binding().as_str()),
            entered,
        }
    };
    asks.credentials.iter().map(state).collect()
}

/// No two connections have the same name of a stored credential.
fn stored_name(connection: &str, ask: &str) -> String {
    format!("{}{ask}", stored_prefix(connection))
}

/// With what the names of a connection's stored credentials begin. They have no `_`.
#[must_use]
pub fn stored_prefix(connection: &str) -> String {
    format!("{}.", connection.replace('_', "-"))
}

fn find(asks: Asks, name: &str) -> Result<CredentialAsk, Error> {
    asks.credentials.into_iter().find(|ask| ask.name == name).ok_or_else(|| unknown(name))
}

fn unknown(name: &str) -> Error {
    Error::UnknownObject { what: "credential", id: name.to_owned() }
}
