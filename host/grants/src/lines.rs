//! The TOML that would allow what was denied, ready to be pasted at the end of a document (a transform's: at the end
//! of its entry), each part under a comment that names the document. At a server the document is the connection's consent.

use std::net::IpAddr;

use ipnet::IpNet;
use manifest::{Access, CredentialAsk, HostPattern, Role};

use crate::rights::{Basis, Document};

/// Where lines are to be added.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) document: Document,
    pub(crate) role: Role,
    pub(crate) name: &'a str,
}

/// Lines for the manifest, by which the connector would ask.
pub(crate) fn ask_host(pattern: &HostPattern) -> String {
    format!("# connector.toml\n[[asks.hosts]]\n{}", rule(pattern))
}

/// Lines by which the host would be granted.
pub(crate) fn grant_host(place: Place<'_>, pattern: &HostPattern) -> String {
    format!("{}\n[[{}hosts]]\n{}", place.comment(), place.table(), rule(pattern))
}

/// Lines by which the address would be granted.
pub(crate) fn grant_address(place: Place<'_>, address: IpAddr, port: u16) -> String {
    let (comment, table) = (place.comment(), place.table());
    let address = match place.document {
        Document::Sync => format!("address = \"{address}\""),
        Document::Consent => format!("network = \"{}\"", IpNet::from(address)),
    };
    format!("{comment}\n[[{table}addresses]]\n{address}\nport = {port}\n")
}

/// Lines by which the directory would be granted.
pub(crate) fn grant_directory(place: Place<'_>, directory: &str, access: Access) -> String {
    let (comment, table, access) = (place.comment(), place.table(), access.as_str());
    let place = match place.document {
        Document::Sync => format!("path = \"./{directory}\""),
        Document::Consent => "directory = \"…\" # of `cofferdam connections directories`".to_owned(),
    };
    format!("{comment}\n[{table}directories.{directory}]\n{place}\naccess = \"{access}\"\n")
}

/// Lines for the manifest, by which the connector would ask.
pub(crate) fn ask_directory(directory: &str, access: Access) -> String {
    let access = access.as_str();
    format!("# connector.toml\n[[asks.directories]]\nname = \"{directory}\"\naccess = \"{access}\"\n")
}

/// Lines by which the credential would be granted; none where it is granted by being entered.
pub(crate) fn grant_credential(basis: &Basis<'_>, ask: &CredentialAsk) -> Option<String> {
    let place = Place::of(basis);
    let (comment, table) = (place.comment(), place.table());
    match place.document {
        Document::Sync => {
            let stored = stored_name(basis, &ask.name);
            let reveal = if ask.reveal { "reveal = true\n" } else { "" };
            Some(format!("{comment}\n[{table}credentials.{}]\nuse = \"{stored}\"\n{reveal}", ask.name))
        }
        Document::Consent => {
            // No table may stand before it.
            ask.reveal.then(|| format!("{comment}, in its first line\nreveal = [\"{}\"]\n", ask.name))
        }
    }
}

/// The name under which a grant keeps the credential; without a grant the one under which `cofferdam connect` keeps it.
fn stored_name(basis: &Basis<'_>, ask: &str) -> String {
    let granted = basis.grants.credentials.get(ask).map(|grant| grant.stored.clone());
    granted.unwrap_or_else(|| format!("{}.{ask}", basis.connector))
}

impl<'a> Place<'a> {
    pub(crate) fn of(basis: &Basis<'a>) -> Self {
        Self { document: basis.document, role: basis.role, name: basis.name }
    }

    fn comment(self) -> String {
        match (self.document, self.role) {
            (Document::Consent, _) => {
                "# the connection's rights, for `cofferdam connections grant`".to_owned()
            }
            (Document::Sync, Role::Transform) => format!("# sync.toml, under the transform `{}`", self.name),
            (Document::Sync, Role::Source | Role::Destination | Role::Webhook) => "# sync.toml".to_owned(),
        }
    }

    /// With the point behind it.
    fn table(self) -> &'static str {
        match (self.document, self.role) {
            (Document::Consent, _) => "",
            (Document::Sync, Role::Source | Role::Webhook) => "source.grants.",
            (Document::Sync, Role::Destination) => "destination.grants.",
            (Document::Sync, Role::Transform) => "transforms.grants.",
        }
    }
}

/// Sound patterns hold ASCII without control characters, for which Rust's and TOML's quoting are the same.
fn rule(pattern: &HostPattern) -> String {
    let mut lines = format!("url = {:?}\n", pattern.url());
    if let Some(methods) = pattern.methods() {
        lines.push_str(&format!("methods = {methods:?}\n"));
    }
    if let Some(prefix) = pattern.path_prefix() {
        lines.push_str(&format!("path_prefix = {prefix:?}\n"));
    }
    lines
}
