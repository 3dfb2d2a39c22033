//! What an admin consented to, for one connection of a sync.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use toml::de::DeValue;

use crate::addresses::{AddressGrant, read_addresses};
use crate::asks::{Access, HostAsk, read_hosts};
use crate::fault::Code;
use crate::reader::{Node, Table};
use crate::text::quoted;

/// The longest path that is read; the kernel's own limit.
const PATH_CHARS_MAX: usize = 4096;

/// A name is typed, and stands in documents.
const STORED_NAME_BYTES_MAX: usize = 100;

/// All that an admin granted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grants {
    /// Hosts that may be reached.
    pub hosts: Vec<HostAsk>,
    /// Addresses that are refused unless they stand here.
    pub addresses: Vec<AddressGrant>,
    /// Directories, by the name under which the connector asked for them.
    pub directories: BTreeMap<String, DirectoryGrant>,
    /// Stored credentials, by the name under which the connector asked for them.
    pub credentials: BTreeMap<String, CredentialGrant>,
    /// An authority of the connection's own, for servers whose certificates nobody else vouches for.
    pub tls: Option<TlsGrant>,
}

/// Whom a connection trusts beside the authorities that this machine trusts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsGrant {
    /// Its certificates.
    pub ca: Authority,
}

/// Certificates of authorities in PEM form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Authority {
    /// In this file; relative to the document that says so.
    File(PathBuf),
    /// As they are.
    Pem(String),
}

/// A directory of the host that a connector may see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectoryGrant {
    /// Where it is; relative to the document that says so.
    pub path: PathBuf,
    /// What may be done there.
    pub access: Access,
    /// Of which directory of a server's operator it is a part; none where a document names its path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offer: Option<Offer>,
}

/// A directory that the operator of a server lets admins grant, by its name and never by a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// What the operator calls it.
    pub name: String,
    /// Where it is. On the way from there to what was granted no symbolic link is followed.
    pub root: PathBuf,
}

/// A stored credential that the host may use for a connector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialGrant {
    /// The name under which it is stored.
    #[serde(rename = "use")]
    pub stored: String,
    /// Whether the connector may hold its value.
    #[serde(default)]
    pub reveal: bool,
}

/// The `grants` of a connection.
pub(crate) fn read_grants(node: Option<Node<'_>>) -> Option<Grants> {
    let Some(node) = node else { return Some(Grants::default()) };
    let table = node.table(&["hosts", "addresses", "directories", "credentials", "tls"])?;
    let hosts = read_concrete_hosts(&table);
    let addresses = read_addresses(&table);
    let directories = read_named(&table, "directories", read_directory);
    let credentials = read_named(&table, "credentials", read_credential);
    let tls = table.optional("tls", read_tls);
    Some(Grants {
        hosts: hosts?,
        addresses: addresses?,
        directories: directories?,
        credentials: credentials?,
        tls: tls?,
    })
}

/// A grant names the host itself: what the configuration may change was not consented to.
fn read_concrete_hosts(table: &Table<'_>) -> Option<Vec<HostAsk>> {
    let hosts = read_hosts(table)?;
    let mut granted = Vec::new();
    let count = hosts.len();
    for (node, host) in hosts {
        if host.pattern.is_resolved() {
            granted.push(host);
        } else {
            node.fault(Code::WrongHost, "a grant names the host itself, without `${…}`");
        }
    }
    (granted.len() == count).then_some(granted)
}

fn read_tls(node: &Node<'_>) -> Option<TlsGrant> {
    let table = node.table(&["ca"])?;
    table.required("ca").and_then(|ca| read_path(&ca)).map(|ca| TlsGrant { ca: Authority::File(ca) })
}

/// A table of grants, each under the name of its ask.
fn read_named<T>(
    table: &Table<'_>,
    key: &str,
    read: impl Fn(&Node<'_>) -> Option<T>,
) -> Option<BTreeMap<String, T>> {
    let Some(node) = table.get(key) else { return Some(BTreeMap::new()) };
    let entries: Vec<Option<(String, T)>> = node
        .open_table()?
        .entries()
        .map(|(name, grant)| read(&grant).map(|grant| (name.to_owned(), grant)))
        .collect();
    entries.into_iter().collect()
}

/// `api = "github.api"`, or a table where the connector may also hold the value.
fn read_credential(node: &Node<'_>) -> Option<CredentialGrant> {
    if let DeValue::String(_) = node.value() {
        return Some(CredentialGrant { stored: read_stored_name(node)?, reveal: false });
    }
    let table = node.table(&["use", "reveal"])?;
    let stored = table.required("use").and_then(|name| read_stored_name(&name));
    let reveal = table.optional("reveal", Node::boolean);
    Some(CredentialGrant { stored: stored?, reveal: reveal?.unwrap_or(false) })
}

fn read_stored_name(node: &Node<'_>) -> Option<String> {
    let text = node.string()?;
    if is_stored_name(text) {
        return Some(text.to_owned());
    }
    let hint =
        "a stored credential has a name such as `github.api`: parts of `a` to `z`, `0` to `9` and `-`, with \
                dots between"
            .to_owned();
    let message = format!("{} is not the name of a stored credential", quoted(text));
    node.fault_with(Code::WrongValue, message, Some(hint));
    None
}

/// Whether a credential may be stored under this name: parts with dots between, each a name as asks have them.
#[must_use]
pub fn is_stored_name(text: &str) -> bool {
    let is_part = |part: &str| {
        part.starts_with(|first: char| first.is_ascii_lowercase())
            && part.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
    };
    text.len() <= STORED_NAME_BYTES_MAX && text.split('.').all(is_part)
}

fn read_directory(node: &Node<'_>) -> Option<DirectoryGrant> {
    let table = node.table(&["path", "access"])?;
    let path = table.required("path").and_then(|path| read_path(&path));
    let access = table.optional("access", |access| access.choice(&Access::CHOICES));
    Some(DirectoryGrant { path: path?, access: access?.unwrap_or(Access::Read), offer: None })
}

/// A path of the host, as it stands in the document.
pub(crate) fn read_path(node: &Node<'_>) -> Option<PathBuf> {
    node.line_of_text(PATH_CHARS_MAX).map(PathBuf::from)
}
