//! Rights: what a connector asks for, and an admin granted, and the organization's and this host's policies allow.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use manifest::{Access, AddressGrant, Asks, Grants, HostPattern, Offer, Role};
use serde::{Deserialize, Serialize};

use crate::address;
use crate::credentials::{Credential, granted_credentials};
use crate::lines::Place;
use crate::unmet::{Unmet, find_unmet};

/// A policy that narrows rights. What it does not name it does not narrow.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// The only hosts that may be reached; none: no narrowing.
    pub hosts: Option<Vec<HostPattern>>,
    /// The only addresses and networks that may be granted although they are not public; none: no narrowing.
    pub addresses: Option<Vec<AddressGrant>>,
}

/// In which document an admin grants; lines to add are of its form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Document {
    /// A sync on the command line.
    Sync,
    /// What an admin consents to at a server.
    Consent,
}

/// All from which rights are made.
#[derive(Debug, Clone, Copy)]
pub struct Basis<'a> {
    /// Where the grants stand.
    pub document: Document,
    /// In which place of the sync the connector stands; lines to add name it.
    pub role: Role,
    /// The connection's name in the sync.
    pub name: &'a str,
    /// The connector's name in its manifest; lines to add name its stored credentials by it.
    pub connector: &'a str,
    /// What the connector asks for, with the configuration's values in it: an open substitution gives no right.
    pub asks: &'a Asks,
    /// What an admin granted.
    pub grants: &'a Grants,
    /// The organization's policy.
    pub organization: Option<&'a Policy>,
    /// This host's policy.
    pub host: Option<&'a Policy>,
}

/// A directory that a connector may see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Directory {
    /// What it may do there.
    pub access: Access,
    /// Where it is on the host.
    pub path: PathBuf,
    /// Of which directory of a server's operator it is a part.
    pub offer: Option<Offer>,
}

/// What one connector of one sync may do. Plain data, so that it can be carried to another process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rights {
    document: Document,
    role: Role,
    name: String,
    /// What is allowed: every rule is of all four layers below.
    rules: Vec<HostPattern>,
    pub(crate) asked: Vec<HostPattern>,
    pub(crate) granted: Vec<HostPattern>,
    pub(crate) organization: Policy,
    pub(crate) host: Policy,
    addresses: Vec<AddressGrant>,
    directories: BTreeMap<String, Directory>,
    credentials: Vec<Credential>,
    unmet: Vec<Unmet>,
}

impl Rights {
    /// The rights that follow from asks, grants and policies. Never more than any one of them.
    #[must_use]
    pub fn new(basis: &Basis<'_>) -> Self {
        let asked: Vec<HostPattern> = basis.asks.hosts.iter().map(|ask| ask.pattern.clone()).collect();
        let granted: Vec<HostPattern> =
            basis.grants.hosts.iter().map(|grant| grant.pattern.clone()).collect();
        let (organization, host) = (policy(basis.organization), policy(basis.host));
        let mut rules = common(&asked, &granted);
        for narrowing in [&organization.hosts, &host.hosts].into_iter().flatten() {
            rules = common(&rules, narrowing);
        }
        let mut addresses = basis.grants.addresses.clone();
        for narrowing in [&organization.addresses, &host.addresses].into_iter().flatten() {
            addresses = narrowed(&addresses, narrowing);
        }
        let (credentials, lacking) = granted_credentials(basis);
        let unmet = find_unmet(basis).into_iter().chain(lacking).collect();
        Self {
            document: basis.document,
            role: basis.role,
            name: basis.name.to_owned(),
            rules,
            asked,
            granted,
            organization,
            host,
            addresses,
            directories: directories(basis),
            credentials,
            unmet,
        }
    }

    /// Where lines to add belong.
    pub(crate) fn place(&self) -> Place<'_> {
        let Self { document, role, name, .. } = self;
        Place { document: *document, role: *role, name }
    }

    /// The rules over requests, as they hold after all narrowing.
    #[must_use]
    pub fn rules(&self) -> &[HostPattern] {
        &self.rules
    }

    /// The addresses and networks that may be dialed although they are not public.
    #[must_use]
    pub fn addresses(&self) -> &[AddressGrant] {
        &self.addresses
    }

    /// Every directory by its name.
    pub fn directories(&self) -> impl Iterator<Item = (&str, &Directory)> {
        self.directories.iter().map(|(name, directory)| (name.as_str(), directory))
    }

    /// What may be done in a directory, and where it is; none: nothing.
    #[must_use]
    pub fn directory(&self, name: &str) -> Option<(Access, &Path)> {
        self.directories.get(name).map(|directory| (directory.access, directory.path.as_path()))
    }

    /// The credentials that the host may use for it, in the order of the manifest.
    #[must_use]
    pub fn credentials(&self) -> &[Credential] {
        &self.credentials
    }

    /// Asks that nobody granted and grants that nobody asked for.
    #[must_use]
    pub fn unmet(&self) -> &[Unmet] {
        &self.unmet
    }
}

fn policy(policy: Option<&Policy>) -> Policy {
    policy.cloned().unwrap_or_default()
}

/// The rules that two lists have in common, each once.
fn common(one: &[HostPattern], other: &[HostPattern]) -> Vec<HostPattern> {
    let mut rules: Vec<HostPattern> = Vec::new();
    for pattern in one {
        for met in other.iter().filter_map(|other| pattern.intersection(other)) {
            if !rules.contains(&met) {
                rules.push(met);
            }
        }
    }
    rules
}

/// The grants that a policy leaves, or the parts of them.
fn narrowed(grants: &[AddressGrant], policy: &[AddressGrant]) -> Vec<AddressGrant> {
    let mut left: Vec<AddressGrant> = Vec::new();
    for met in
        grants.iter().flat_map(|grant| policy.iter().filter_map(|policy| address::common(grant, policy)))
    {
        if !left.contains(&met) {
            left.push(met);
        }
    }
    left
}

fn directories(basis: &Basis<'_>) -> BTreeMap<String, Directory> {
    let granted = basis.asks.directories.iter().filter_map(|ask| {
        let grant = basis.grants.directories.get(&ask.name)?;
        let (path, offer) = (grant.path.clone(), grant.offer.clone());
        let directory = Directory { access: ask.access.min(grant.access), path, offer };
        Some((ask.name.clone(), directory))
    });
    granted.collect()
}
