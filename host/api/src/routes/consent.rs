//! What an admin lets a connection do, of what it asks for.

use super::connections::{ShownConnection, expected, shown};
use crate::at::At;
use crate::body::Sent;
use crate::caller::Caller;
use crate::house::House;
use crate::refusal::Refusal;
use axum::extract::State;
use axum::response::Response;
use control::{Action, Consent, Error, GrantedDirectory};
use http::{HeaderMap, StatusCode};
use manifest::{Access, AddressGrant, ConfigFault, HostAsk, HostPattern};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use tokio_rustls::rustls::RootCertStore;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use utoipa::ToSchema;

/// A chain of some authorities is some kilobytes.
const AUTHORITY_BYTES_MAX: usize = 64 << 10;

/// What an admin grants. What is not named is not granted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Consent)]
pub(crate) struct Granted {
    #[serde(default)]
    #[schema(max_items = 256)]
    hosts: Vec<GrantedHost>,
    /// Addresses that are refused unless they stand here, of those that the operator lets organizations grant.
    #[serde(default)]
    #[schema(max_items = 256)]
    addresses: Vec<GrantedAddress>,
    /// Directories of those that the operator offers, by the names under which the connector asks for one.
    #[serde(default)]
    directories: BTreeMap<String, DirectoryGrant>,
    /// Credentials that the connector may hold itself.
    #[serde(default)]
    reveal: BTreeSet<String>,
    /// Certificates of authorities that the connection trusts beside those that the server trusts, in PEM form.
    #[serde(default)]
    #[schema(max_length = 65536)]
    authority: Option<String>,
}

/// A host that may be reached, without `${…}`.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GrantedHost {
    #[schema(example = "https://api.example.com")]
    url: String,
    /// Every method, where there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    methods: Option<Vec<String>>,
    /// Every path, where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    path_prefix: Option<String>,
}

/// An address, or a private network as a whole.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GrantedAddress {
    #[schema(example = "10.1.2.3/32")]
    network: String,
    #[schema(minimum = 1)]
    port: u16,
}

/// A directory that the operator offers, or a part of it. Where it lies nobody says here.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DirectoryGrant {
    /// What the operator calls it.
    #[schema(pattern = "^[a-z][a-z0-9-]{0,62}$", example = "imports")]
    directory: String,
    /// A path that leads down from there; none: all that is the organization's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 1024, example = "daily/orders")]
    below: Option<String>,
    /// To write is to read too.
    access: GrantedAccess,
}

/// What may be done in a directory.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum GrantedAccess {
    Read,
    Write,
}

impl GrantedAccess {
    pub(super) fn of(access: Access) -> Self {
        match access {
            Access::Read => Self::Read,
            Access::Write => Self::Write,
        }
    }
}

impl DirectoryGrant {
    pub(super) fn of(granted: GrantedDirectory) -> Self {
        let GrantedDirectory { directory, below, access } = granted;
        Self { directory, below, access: GrantedAccess::of(access) }
    }

    fn read(self) -> GrantedDirectory {
        let Self { directory, below, access } = self;
        let access = match access {
            GrantedAccess::Read => Access::Read,
            GrantedAccess::Write => Access::Write,
        };
        GrantedDirectory { directory, below, access }
    }
}

impl Granted {
    /// Every fault at once.
    fn read(self) -> Result<Consent, Error> {
        let mut faults = Vec::new();
        let mut hosts = Vec::new();
        for (index, host) in self.hosts.into_iter().enumerate() {
            // The reader of patterns is the one of manifests.
            let read = serde_json::to_value(host).and_then(serde_json::from_value::<HostPattern>);
            match read {
                Ok(pattern) => hosts.push(HostAsk { pattern, reason: None }),
                Err(error) => faults.push(ConfigFault::new(format!("/hosts/{index}"), error.to_string())),
            }
        }
        let mut addresses = Vec::new();
        for (index, address) in self.addresses.into_iter().enumerate() {
            let GrantedAddress { network, port } = address;
            match network.parse() {
                Ok(network) if port > 0 => addresses.push(AddressGrant { network, port }),
                _ => {
                    let message = "is no network and port, such as `10.1.2.3/32` and 5432";
                    faults.push(ConfigFault::new(format!("/addresses/{index}"), message));
                }
            }
        }
        if let Some(message) = self.authority.as_deref().and_then(wrong_authority) {
            faults.push(ConfigFault::new("/authority".to_owned(), message));
        }
        if faults.is_empty() {
            let directories = self.directories.into_iter().map(|(ask, grant)| (ask, grant.read()));
            let directories = directories.collect();
            Ok(Consent { hosts, addresses, directories, reveal: self.reveal, authority: self.authority })
        } else {
            Err(Error::BadConsent { faults })
        }
    }
}

/// What is wrong with certificates of authorities.
fn wrong_authority(pem: &str) -> Option<&'static str> {
    if pem.len() > AUTHORITY_BYTES_MAX {
        return Some("has more than 64 KiB");
    }
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        if certificate.is_err() || certificate.is_ok_and(|certificate| roots.add(certificate).is_err()) {
            return Some("has a certificate in it that is none, or that no authority has");
        }
    }
    roots
        .is_empty()
        .then_some("has no certificate in PEM form in it, which begins with `-----BEGIN CERTIFICATE-----`")
}

/// Gives a connection these rights, and no others. Nobody consents to what they have not read: hence the `ETag`.
#[utoipa::path(put, path = "/v1/organizations/{organization}/connections/{connection}/consent",
    tag = "connections", params(("organization" = String, Path, description = "The organization's id."),
        ("connection" = String, Path, description = "The connection's id.")),
    request_body = Granted,
    responses((status = 200, body = ShownConnection, headers(("ETag" = String)))))]
pub(crate) async fn grant(
    State(house): State<House>,
    caller: Caller,
    At((id, connection)): At<(String, String)>,
    headers: HeaderMap,
    Sent(sent): Sent<Granted>,
) -> Result<Response, Refusal> {
    caller.enter(&house, &id, Action::GrantRights).await?;
    let revision = expected(&house, &caller, (&id, &connection), &headers).await?;
    let consent = sent.read()?;
    let of = &house.parts.connections;
    let granted = of.consent(caller.user(), &id, (&connection, revision), consent).await?;
    house.parts.syncs.rights_changed();
    Ok(shown(StatusCode::OK, granted))
}

/// Takes every right of a connection back. Its runs are cut off where they are.
#[utoipa::path(delete, path = "/v1/organizations/{organization}/connections/{connection}/consent",
    tag = "connections", params(("organization" = String, Path, description = "The organization's id."),
        ("connection" = String, Path, description = "The connection's id.")), responses((status = 204)))]
pub(crate) async fn withdraw(
    State(house): State<House>,
    caller: Caller,
    At((id, connection)): At<(String, String)>,
) -> Result<StatusCode, Refusal> {
    caller.enter(&house, &id, Action::GrantRights).await?;
    let of = &house.parts.connections;
    let revision = of.get(caller.user(), &id, &connection).await?.revision;
    of.consent(caller.user(), &id, (&connection, revision), Consent::default()).await?;
    house.parts.syncs.rights_changed();
    Ok(StatusCode::NO_CONTENT)
}
