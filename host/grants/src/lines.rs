//! The TOML that would allow what was denied, ready to be pasted at the end of a document (a transform's: at the end
//! of its entry), each part under a comment that names the document.

use std::net::IpAddr;

use manifest::{Access, CredentialAsk, HostPattern, Role};

use crate::rights::Basis;

/// Lines for the manifest, by which the connector would ask.
pub(crate) fn ask_host(pattern: &HostPattern) -> String {
    format!("# connector.toml\n[[asks.hosts]]\n{}", rule(pattern))
}

/// Lines for the sync, by which the host would be granted.
pub(crate) fn grant_host(role: Role, name: &str, pattern: &HostPattern) -> String {
    format!("{}\n[[{}.grants.hosts]]\n{}", document(role, name), table(role), rule(pattern))
}

/// Lines for the sync, by which the address would be granted.
pub(crate) fn grant_address(role: Role, name: &str, address: IpAddr, port: u16) -> String {
    let table = table(role);
    format!(
        "{}\n[[{table}.grants.addresses]]\naddress = \"{address}\"\nport = {port}\n",
        document(role, name)
    )
}

/// Lines for the sync, by which the directory would be granted.
pub(crate) fn grant_directory(role: Role, name: &str, directory: &str, access: Access) -> String {
    let (document, table, access) = (document(role, name), table(role), access.as_str());
    format!(
        "{document}\n[{table}.grants.directories.{directory}]\npath = \"./{directory}\"\naccess = \"{access}\"\n"
    )
}

/// Lines for the manifest, by which the connector would ask.
pub(crate) fn ask_directory(directory: &str, access: Access) -> String {
    let access = access.as_str();
    format!("# connector.toml\n[[asks.directories]]\nname = \"{directory}\"\naccess = \"{access}\"\n")
}

/// Lines for the sync, by which the credential would be granted.
pub(crate) fn grant_credential(basis: &Basis<'_>, ask: &CredentialAsk) -> String {
    let (document, table) = (document(basis.role, basis.name), table(basis.role));
    let stored = stored_name(basis, &ask.name);
    let reveal = if ask.reveal { "reveal = true\n" } else { "" };
    format!("{document}\n[{table}.grants.credentials.{}]\nuse = \"{stored}\"\n{reveal}", ask.name)
}

/// The name under which a grant keeps the credential; without a grant the one under which `cofferdam connect` keeps it.
fn stored_name(basis: &Basis<'_>, ask: &str) -> String {
    let granted = basis.grants.credentials.get(ask).map(|grant| grant.stored.clone());
    granted.unwrap_or_else(|| format!("{}.{ask}", basis.connector))
}

fn document(role: Role, name: &str) -> String {
    match role {
        Role::Transform => format!("# sync.toml, under the transform `{name}`"),
        Role::Source | Role::Destination | Role::Webhook => "# sync.toml".to_owned(),
    }
}

fn table(role: Role) -> &'static str {
    match role {
        Role::Source | Role::Webhook => "source",
        Role::Destination => "destination",
        Role::Transform => "transforms",
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
