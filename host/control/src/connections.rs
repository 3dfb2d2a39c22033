//! Connections: an installed connector with a configuration, what an admin consented to, and its credentials.
//!
//! Control knows of a credential that it was entered, by whom, and for what; its fields are written by whoever keeps
//! credentials, and nobody reads them here. What a credential was entered for is compared with what the configuration makes of
//! the ask now: another host, and it is to be entered again.

mod catalog;
mod consent;
mod credentials;
mod directories;
mod record;
mod run;

pub use catalog::{Catalog, CatalogField, CatalogStream};
pub use consent::{Consent, GrantedDirectory};
pub use credentials::{CredentialState, CredentialToEnter, Entered, stored_prefix};
pub use directories::{Grantable, OfferedDirectory};

pub(crate) use record::Made;

use crate::access::Action;
use crate::audit::{Act, Event};
use crate::error::Error;
use crate::filed::{Filed, Head, Kind, Left, Page, Uses};
use crate::installations::{self, Installation, Installations, Named};
use crate::keeper::{Attempts, INSTALLATION};
use crate::organizations::{Organizations, checked_name};
use crate::secret::draw_id;
use crate::tables::{CATALOGS, CONNECTION_BODIES, CONNECTIONS};
use manifest::{ConfigFault, Manifest, Role};
use record::{Body, shown};
use serde_json::Value;
use std::sync::Arc;
use storage::Change;

pub(crate) const KIND: Kind = Kind {
    what: "connection",
    heads: CONNECTIONS,
    bodies: CONNECTION_BODIES,
    beside: &[CATALOGS],
    left: Some(Left::Connection),
};

/// The connections of every organization.
pub struct Connections {
    pub(crate) organizations: Arc<Organizations>,
    installations: Installations,
    /// What an admin of an organization may grant beside hosts, by the operator of this process.
    grantable: Grantable,
}

/// What people say of a connection.
#[derive(Debug, Clone, PartialEq)]
pub struct ConnectionConfig {
    /// What people call it.
    pub name: String,
    /// The digest of its connector.
    pub installation: String,
    /// The configuration, as the connector gets it: without secrets.
    pub config: Value,
}

/// A connection, as members of its organization see it.
#[derive(Debug, Clone, PartialEq)]
pub struct Connection {
    /// Drawn when it was made.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// The digest of its connector.
    pub installation: String,
    /// The connector, as `publisher/name`.
    pub connector: String,
    /// The connector's version.
    pub version: String,
    /// The configuration.
    pub config: Value,
    /// To be named when it is changed.
    pub revision: u64,
    /// When it was made, in milliseconds since the epoch.
    pub created_ms: u64,
    /// When it was changed last.
    pub changed_ms: u64,
    /// How many syncs use it.
    pub syncs: u32,
    /// What it asks for with this configuration, of which an admin grants.
    pub asks: manifest::Asks,
    /// What an admin consented to; none: nothing.
    pub consent: Option<Consent>,
    /// Whether the connection still asks for what the admin saw. What is asked for since is not granted.
    pub consent_is_current: bool,
    /// Each credential that it asks for.
    pub credentials: Vec<CredentialState>,
}

/// What everybody may know of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionSummary {
    /// Drawn when it was made.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// The digest of its connector.
    pub installation: String,
    /// The connector, as `publisher/name`.
    pub connector: String,
    /// The connector's version.
    pub version: String,
    /// Of the connection.
    pub revision: u64,
}

impl Connections {
    /// The connections of these organizations. `grantable`: what their admins may grant beside hosts.
    #[must_use]
    pub fn new(organizations: Arc<Organizations>, grantable: Grantable) -> Self {
        let installations = Installations::new(Arc::clone(&organizations));
        Self { organizations, installations, grantable }
    }

    /// Every fault that a configuration would have, without keeping anything.
    ///
    /// # Errors
    /// [`Error::BadConfig`], [`Error::BadName`], [`Error::UnknownObject`] for a connector that is not installed,
    /// [`Error::Denied`], or when storage cannot be read.
    pub async fn validate(
        &self,
        by: &str,
        organization: &str,
        wanted: &ConnectionConfig,
    ) -> Result<(), Error> {
        self.organizations.may(by, organization, Action::ChangeSyncs).await?;
        checked_name(KIND.what, &wanted.name)?;
        let (_, installation) = self.installations.installed(organization, &wanted.installation).await?;
        check_config(&installation.manifest, &wanted.config)
    }

    /// Makes a connection, without rights and credentials.
    ///
    /// # Errors
    /// As [`Connections::validate`], or when storage refuses.
    pub async fn create(
        &self,
        by: &str,
        organization: &str,
        wanted: ConnectionConfig,
    ) -> Result<Connection, Error> {
        self.validate(by, organization, &wanted).await?;
        let name = checked_name(KIND.what, &wanted.name)?;
        let id = draw_id("con")?;
        let body = Body { config: wanted.config, ..Body::default() };
        let written = self.organizations.write_body(organization, KIND, &id, &body).await?;
        let mut attempts = Attempts::at(CONNECTIONS);
        loop {
            let (stands_on, installation) =
                self.installations.installed(organization, &wanted.installation).await?;
            let made = Made::of(&installation);
            let head = Head::new(name.clone(), written.clone(), self.organizations.keeper.now_ms(), made);
            let change = used(Change::new(INSTALLATION), organization, &stands_on, Uses::More)?;
            let change = KIND.put(change, (organization, &id), &head, None)?;
            let event = Event::done(Act::ConnectionCreated, by, &id)
                .detail("connector", &head.more.connector)
                .detail("installation", &head.more.installation);
            let log = self.organizations.log(organization);
            if self.organizations.audit.try_append_with(&log, &event, change).await? {
                return shown(&id, head, body, &installation.manifest);
            }
            attempts.again().await?;
        }
    }

    /// A connection.
    ///
    /// # Errors
    /// [`Error::UnknownObject`], [`Error::Denied`], [`Error::UnknownOrganization`], or when storage cannot be read.
    pub async fn get(&self, by: &str, organization: &str, id: &str) -> Result<Connection, Error> {
        self.organizations.may(by, organization, Action::ReadConfigurations).await?;
        self.read(organization, id).await
    }

    /// The connections of an organization, without what is in them.
    ///
    /// # Errors
    /// [`Error::Denied`], [`Error::UnknownOrganization`], or when storage cannot be read.
    pub async fn list(
        &self,
        by: &str,
        organization: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<ConnectionSummary>, Error> {
        self.organizations.may(by, organization, Action::ReadCatalog).await?;
        let heads = self.organizations.heads::<Made>(organization, KIND, after, limit).await?;
        let summary = |filed: Filed<Made>| {
            let Head { name, revision, more: Made { installation, connector, version }, .. } = filed.head;
            ConnectionSummary { id: filed.id, name, installation, connector, version, revision }
        };
        Ok(Page { items: heads.items.into_iter().map(summary).collect(), next: heads.next })
    }

    /// Gives a connection another name, configuration or version of its connector, if it still has this revision. What it
    /// asks for by that and did not before is not granted, and credentials are entered for what they were.
    ///
    /// # Errors
    /// [`Error::StaleRevision`], as [`Connections::validate`], or when storage refuses.
    pub async fn update(
        &self,
        by: &str,
        organization: &str,
        (id, revision): (&str, u64),
        wanted: ConnectionConfig,
    ) -> Result<Connection, Error> {
        self.validate(by, organization, &wanted).await?;
        let name = checked_name(KIND.what, &wanted.name)?;
        let event = Event::done(Act::ConnectionChanged, by, id).detail("installation", &wanted.installation);
        let mut attempts = Attempts::at(CONNECTIONS);
        loop {
            let (filed, body) = self.organizations.whole::<Made, Body>(organization, KIND, id).await?;
            filed.expect(KIND, revision)?;
            let (next, installation) =
                self.installations.installed(organization, &wanted.installation).await?;
            let made = Made::of(&installation);
            if made.connector != filed.head.more.connector {
                let is = &filed.head.more.connector;
                let message = format!("is `{}`, and the connection is one of `{is}`", made.connector);
                return Err(Error::BadConfig { faults: vec![ConfigFault::new("", message)] });
            }
            let mut change = Change::new(INSTALLATION);
            if made.installation != filed.head.more.installation {
                let before = &filed.head.more.installation;
                let before = self.organizations.head(organization, installations::KIND, before).await?;
                change = used(change, organization, &before, Uses::Fewer)?;
                change = used(change, organization, &next, Uses::More)?;
            }
            let body = Body { config: wanted.config.clone(), ..body };
            let step = Refile { organization, filed: &filed, name: name.clone(), made };
            match self.refile(step, &body, (&event, change)).await? {
                Some(head) => return shown(id, head, body, &installation.manifest),
                None => attempts.again().await?,
            }
        }
    }

    /// Deletes a connection that no sync uses. Its credentials are to be revoked by whoever keeps them, before; who has seen that
    /// none came meanwhile says so: [`Organizations::forgotten`].
    ///
    /// # Errors
    /// [`Error::InUse`], [`Error::StaleRevision`], [`Error::UnknownObject`], [`Error::Denied`], or when storage refuses.
    pub async fn delete(
        &self,
        by: &str,
        organization: &str,
        (id, revision): (&str, u64),
    ) -> Result<(), Error> {
        self.organizations.may(by, organization, Action::ChangeSyncs).await?;
        let event = Event::done(Act::ConnectionDeleted, by, id);
        let mut attempts = Attempts::at(CONNECTIONS);
        loop {
            let filed = self.organizations.head::<Made>(organization, KIND, id).await?;
            filed.expect(KIND, revision)?;
            let stands_on = &filed.head.more.installation;
            let stands_on = self.organizations.head(organization, installations::KIND, stands_on).await?;
            let change = used(Change::new(INSTALLATION), organization, &stands_on, Uses::Fewer)?;
            if self.organizations.try_unfile(organization, KIND, &filed, (&event, change)).await? {
                return Ok(());
            }
            attempts.again().await?;
        }
    }

    /// What the connector of a connection can be.
    pub(crate) async fn roles(&self, organization: &str, id: &str) -> Result<Vec<Role>, Error> {
        Ok(self.with_installation(organization, id).await?.2.manifest.roles)
    }

    /// The digest of the connector of a connection.
    pub(crate) async fn installation_of(&self, organization: &str, id: &str) -> Result<String, Error> {
        Ok(self.organizations.head::<Made>(organization, KIND, id).await?.head.more.installation)
    }

    /// What the connector of a connection says of itself.
    pub(crate) async fn manifest_of(&self, organization: &str, id: &str) -> Result<Manifest, Error> {
        Ok(self.with_installation(organization, id).await?.2.manifest)
    }

    /// For what runs on behalf of a sync, whoever made it.
    pub(crate) async fn read(&self, organization: &str, id: &str) -> Result<Connection, Error> {
        let (filed, body, installation) = self.with_installation(organization, id).await?;
        shown(id, filed.head, body, &installation.manifest)
    }

    async fn with_installation(
        &self,
        organization: &str,
        id: &str,
    ) -> Result<(Filed<Made>, Body, Installation), Error> {
        let mut attempts = Attempts::at(CONNECTIONS);
        loop {
            let (filed, body) = self.organizations.whole::<Made, Body>(organization, KIND, id).await?;
            let digest = &filed.head.more.installation;
            match self.installations.installed(organization, digest).await {
                // It came to another version between the two, and the former one was removed.
                Err(Error::UnknownObject { .. }) => attempts.again().await?,
                found => return Ok((filed, body, found?.1)),
            }
        }
    }

    /// Makes another body of a connection true; none: somebody else was faster.
    async fn refile(
        &self,
        step: Refile<'_>,
        body: &Body,
        entry: (&Event, Change),
    ) -> Result<Option<Head<Made>>, Error> {
        let Refile { organization, filed, name, made } = step;
        let id = filed.id.as_str();
        let written = self.organizations.write_body(organization, KIND, id, body).await?;
        let now_ms = self.organizations.keeper.now_ms();
        let head = Head { more: made, ..filed.head.clone() }.changed(name, written.clone(), now_ms);
        // After an error nobody knows which of the two bodies counts: both stay.
        let is_done = self.organizations.try_refile(organization, KIND, (filed, &head), entry).await?;
        let left = if is_done { &filed.head.body } else { &written };
        self.organizations.discard_body(organization, KIND, id, left).await?;
        Ok(is_done.then_some(head))
    }
}

/// A connection that gets another body.
struct Refile<'a> {
    organization: &'a str,
    filed: &'a Filed<Made>,
    name: String,
    made: Made,
}

/// Adds to a change that one more or fewer stands on a connector; it is not removed meanwhile.
fn used(change: Change, organization: &str, stands_on: &Filed<Named>, uses: Uses) -> Result<Change, Error> {
    let head = stands_on.head.clone().used(uses);
    installations::KIND.put(change, (organization, &stands_on.id), &head, Some(&stands_on.seen))
}

fn check_config(manifest: &Manifest, config: &Value) -> Result<(), Error> {
    let mut faults = manifest.validate_config(config);
    if faults.is_empty() {
        faults = manifest.resolve_asks(config).err().unwrap_or_default();
    }
    if faults.is_empty() { Ok(()) } else { Err(Error::BadConfig { faults }) }
}
