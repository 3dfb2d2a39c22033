//! Which connectors an organization uses: by the digest of their component, with the manifest that lies in it.
//!
//! That a connector is installed gives it no right: see the consent of a connection. Its component is kept beside it, once for
//! all organizations.

mod quarantine;

pub use quarantine::{LOSSES_MAX, Loss};

use crate::access::Action;
use crate::audit::{Act, Event};
use crate::error::Error;
use crate::filed::{Filed, Head, Kind, Page};
use crate::keeper::{Attempts, INSTALLATION};
use crate::organizations::Organizations;
use crate::tables::{INSTALLED, INSTALLED_BODIES};
use manifest::Manifest;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use storage::Change;

pub(crate) const KIND: Kind =
    Kind { what: "installed connector", heads: INSTALLED, bodies: INSTALLED_BODIES, beside: &[], left: None };
/// Of SHA-256, in hexadecimal digits.
const DIGEST_DIGITS: usize = 64;

/// The installed connectors of every organization.
pub struct Installations {
    organizations: Arc<Organizations>,
}

/// A connector that an organization uses.
#[derive(Debug, Clone, PartialEq)]
pub struct Installation {
    /// Of the component's bytes: by it the connector is named.
    pub digest: String,
    /// What it says of itself.
    pub manifest: Manifest,
    /// Since when, in milliseconds since the epoch.
    pub installed_ms: u64,
    /// How many connections use it.
    pub connections: u32,
    /// The workers that it took with it, as far as they still count, in their order.
    pub losses: Vec<Loss>,
}

/// What a head has beside the common parts.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Named {
    pub(crate) publisher: String,
    pub(crate) version: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) losses: Vec<Loss>,
}

/// The text is what the component carries; it is read by the reader of whichever version of us runs.
#[derive(Serialize, Deserialize)]
struct Body {
    manifest: String,
}

impl Installations {
    /// The installed connectors of these organizations.
    #[must_use]
    pub fn new(organizations: Arc<Organizations>) -> Self {
        Self { organizations }
    }

    /// Installs a connector. One that is there already stays as it is.
    ///
    /// # Errors
    /// [`Error::BadDigest`], [`Error::BadManifest`], [`Error::Denied`], [`Error::UnknownOrganization`], or when storage
    /// refuses.
    pub async fn install(
        &self,
        by: &str,
        organization: &str,
        digest: &str,
        manifest: &str,
    ) -> Result<Installation, Error> {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if digest.len() != DIGEST_DIGITS || !digest.bytes().all(is_digit) {
            return Err(Error::BadDigest);
        }
        let organizations = &self.organizations;
        organizations.may(by, organization, Action::GrantRights).await?;
        let read = parse(manifest)?;
        let body = Body { manifest: manifest.to_owned() };
        let body = organizations.write_body(organization, KIND, digest, &body).await?;
        let named = Named {
            publisher: read.publisher.clone(),
            version: read.version.to_string(),
            losses: Vec::new(),
        };
        let head = Head::new(read.name.clone(), body.clone(), organizations.keeper.now_ms(), named);
        let event = Event::done(Act::ConnectorInstalled, by, digest)
            .detail("connector", format!("{}/{}", read.publisher, read.name))
            .detail("version", read.version.to_string());
        let log = organizations.log(organization);
        let mut attempts = Attempts::at(INSTALLED);
        loop {
            let change = KIND.put(Change::new(INSTALLATION), (organization, digest), &head, None)?;
            let change = organizations.installs_component(change, digest).await?;
            if organizations.audit.try_append_with(&log, &event, change).await? {
                let (digest, installed_ms) = (digest.to_owned(), head.created_ms);
                let losses = Vec::new();
                return Ok(Installation { digest, manifest: read, installed_ms, connections: 0, losses });
            }
            match self.installed(organization, digest).await {
                // Another organization has installed or removed the same component, or this one is deleted.
                Err(Error::UnknownObject { .. }) => {
                    organizations.may(by, organization, Action::GrantRights).await?;
                    attempts.again().await?;
                }
                found => {
                    organizations.discard_body(organization, KIND, digest, &body).await?;
                    return found.map(|(_, installation)| installation);
                }
            }
        }
    }

    /// A connector that is installed.
    ///
    /// # Errors
    /// [`Error::UnknownObject`], [`Error::Denied`], [`Error::UnknownOrganization`], or when storage cannot be read.
    pub async fn get(&self, by: &str, organization: &str, digest: &str) -> Result<Installation, Error> {
        self.organizations.may(by, organization, Action::ReadCatalog).await?;
        Ok(self.installed(organization, digest).await?.1)
    }

    /// The installed connectors, in the order of their digests.
    ///
    /// # Errors
    /// [`Error::Denied`], [`Error::UnknownOrganization`], or when storage cannot be read.
    pub async fn list(
        &self,
        by: &str,
        organization: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Installation>, Error> {
        self.organizations.may(by, organization, Action::ReadCatalog).await?;
        let heads = self.organizations.heads::<Named>(organization, KIND, after, limit).await?;
        let mut items = Vec::new();
        for filed in heads.items {
            match self.installed(organization, &filed.id).await {
                // Removed since the list was read.
                Err(Error::UnknownObject { .. }) => {}
                found => items.push(found?.1),
            }
        }
        Ok(Page { items, next: heads.next })
    }

    /// Takes a connector out that no connection uses.
    ///
    /// # Errors
    /// [`Error::InUse`], [`Error::UnknownObject`], [`Error::Denied`], or when storage refuses.
    pub async fn remove(&self, by: &str, organization: &str, digest: &str) -> Result<(), Error> {
        self.organizations.may(by, organization, Action::GrantRights).await?;
        let filed = self.organizations.head::<Named>(organization, KIND, digest).await?;
        let event = Event::done(Act::ConnectorRemoved, by, digest);
        let change = Change::new(INSTALLATION);
        if self.organizations.try_unfile(organization, KIND, &filed, (&event, change)).await? {
            return self.organizations.remove_unused_component(digest).await;
        }
        // A connection has come to use it, or it was removed by somebody else.
        let filed = self.organizations.head::<Named>(organization, KIND, digest).await?;
        let uses = filed.head.uses;
        Err(Error::InUse { what: KIND.what, id: digest.to_owned(), uses })
    }

    pub(crate) async fn installed(
        &self,
        organization: &str,
        digest: &str,
    ) -> Result<(Filed<Named>, Installation), Error> {
        let (filed, body) = self.organizations.whole::<Named, Body>(organization, KIND, digest).await?;
        let installation = Installation {
            digest: digest.to_owned(),
            manifest: parse(&body.manifest)?,
            installed_ms: filed.head.created_ms,
            connections: filed.head.uses,
            losses: quarantine::counted(&filed.head.more.losses, self.organizations.keeper.now_ms()),
        };
        Ok((filed, installation))
    }
}

fn parse(text: &str) -> Result<Manifest, Error> {
    Manifest::parse("connector.toml", text).map_err(Error::BadManifest)
}
