//! What an admin lets a connection do, of what it asks for.
//!
//! A grant names the host itself, so a configuration that is changed later reaches no other one. Addresses of private networks
//! and directories of the machine are an organization's to grant only where the operator of the process lets it do so.

use super::record::{Body, Consented, Made, digest_of, resolved};
use super::{Connection, Connections, KIND, Refile, shown};
use crate::access::Action;
use crate::audit::{Act, Event};
use crate::error::Error;
use crate::keeper::{Attempts, INSTALLATION};
use crate::tables::CONNECTIONS;
use manifest::{Access, AddressGrant, Asks, ConfigFault, HostAsk};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use storage::Change;

/// As many as a document may have.
const RULES_MAX: usize = 256;

/// What an admin consents to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consent {
    /// Hosts that may be reached, each by its name.
    #[serde(default)]
    pub hosts: Vec<HostAsk>,
    /// Addresses that are refused unless they stand here.
    #[serde(default)]
    pub addresses: Vec<AddressGrant>,
    /// Directories that the operator offers, by the names under which the connector asks for one.
    #[serde(default)]
    pub directories: BTreeMap<String, GrantedDirectory>,
    /// Credentials that the connector may hold, by the names under which it asks for them.
    #[serde(default)]
    pub reveal: BTreeSet<String>,
    /// Certificates of authorities that the connection trusts beside those that the machine trusts, in PEM form. Whoever lets
    /// it in has seen that there are some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority: Option<String>,
}

/// A directory that a connector may see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GrantedDirectory {
    /// What the operator calls it.
    pub directory: String,
    /// A part of it, as a path that leads down; none: all that is the organization's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below: Option<String>,
    /// What may be done there.
    pub access: Access,
}

impl Connections {
    /// Gives a connection these rights, and no others, if it still has this revision: so nobody consents to what they have
    /// not seen.
    ///
    /// # Errors
    /// [`Error::BadConsent`], [`Error::StaleRevision`], [`Error::Denied`] unless an admin does it, or when storage refuses.
    pub async fn consent(
        &self,
        by: &str,
        organization: &str,
        (id, revision): (&str, u64),
        consent: Consent,
    ) -> Result<Connection, Error> {
        self.organizations.may(by, organization, Action::GrantRights).await?;
        let is_nothing = consent == Consent::default();
        let act = if is_nothing { Act::ConsentRevoked } else { Act::ConsentGranted };
        let mut attempts = Attempts::at(CONNECTIONS);
        loop {
            let (filed, body, installation) = self.with_installation(organization, id).await?;
            filed.expect(KIND, revision)?;
            let asks = resolved(&installation.manifest, &body.config)?;
            let faults = self.faults(organization, &asks, &consent);
            if !faults.is_empty() {
                return Err(Error::BadConsent { faults });
            }
            let event = Event::done(act, by, id)
                .detail("hosts", consent.hosts.len().to_string())
                .detail("addresses", consent.addresses.len().to_string())
                .detail("directories", consent.directories.len().to_string())
                .detail("revealed", consent.reveal.len().to_string())
                .detail("authority", if consent.authority.is_some() { "own" } else { "none" });
            let consented = Consented { consent: consent.clone(), asks: digest_of(&asks)? };
            let body = Body { consent: (!is_nothing).then_some(consented), ..body };
            let (name, made): (String, Made) = (filed.head.name.clone(), filed.head.more.clone());
            let step = Refile { organization, filed: &filed, name, made };
            match self.refile(step, &body, (&event, Change::new(INSTALLATION))).await? {
                Some(head) => return shown(id, head, body, &installation.manifest),
                None => attempts.again().await?,
            }
        }
    }

    fn faults(&self, organization: &str, asks: &Asks, consent: &Consent) -> Vec<ConfigFault> {
        let mut faults = Vec::new();
        let mut fault = |path: String, message: &str| faults.push(ConfigFault::new(path, message));
        for (list, count) in [("hosts", consent.hosts.len()), ("addresses", consent.addresses.len())] {
            if count > RULES_MAX {
                fault(format!("/{list}"), "has more than 256 rules");
            }
        }
        for (index, host) in consent.hosts.iter().enumerate() {
            if !host.pattern.is_resolved() {
                fault(format!("/hosts/{index}"), "a grant names the host itself, without `${…}`");
            }
        }
        for (index, address) in consent.addresses.iter().enumerate() {
            let is_allowed = |allowed: &AddressGrant| {
                allowed.port == address.port && allowed.network.contains(&address.network)
            };
            if !self.grantable.addresses.iter().any(is_allowed) {
                let message = "the operator of this host lets no organization grant this address";
                fault(format!("/addresses/{index}"), message);
            }
        }
        for name in &consent.reveal {
            if !asks.credentials.iter().any(|ask| ask.name == *name && ask.reveal) {
                fault(format!("/reveal/{name}"), "the connector does not ask to hold this credential");
            }
        }
        faults.extend(self.directory_faults(organization, asks, consent));
        faults
    }
}
