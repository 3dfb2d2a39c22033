//! What an admin consented to, for one connection of a sync.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::asks::{Access, HostAsk, RULES_MAX, read_hosts};
use crate::fault::Code;
use crate::host::Host;
use crate::reader::{Node, Table};
use crate::text::quoted;

/// The longest path that is read; the kernel's own limit.
const PATH_CHARS_MAX: usize = 4096;

/// All that an admin granted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grants {
    /// Hosts that may be reached.
    pub hosts: Vec<HostAsk>,
    /// Addresses that are refused unless they stand here.
    pub addresses: Vec<AddressGrant>,
    /// Directories, by the name under which the connector asked for them.
    pub directories: BTreeMap<String, DirectoryGrant>,
}

/// One address and port that may be dialed although the host would refuse it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AddressGrant {
    /// The address.
    pub address: IpAddr,
    /// The port.
    pub port: u16,
}

/// A directory of the host that a connector may see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectoryGrant {
    /// Where it is; relative to the document that says so.
    pub path: PathBuf,
    /// What may be done there.
    pub access: Access,
}

/// The `grants` of a connection.
pub(crate) fn read_grants(node: Option<Node<'_>>) -> Option<Grants> {
    let Some(node) = node else { return Some(Grants::default()) };
    let table = node.table(&["hosts", "addresses", "directories"])?;
    let hosts = read_concrete_hosts(&table);
    let addresses = read_addresses(&table);
    let directories = read_directories(&table);
    Some(Grants { hosts: hosts?, addresses: addresses?, directories: directories? })
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

fn read_addresses(table: &Table<'_>) -> Option<Vec<AddressGrant>> {
    let items = table.items("addresses");
    if let Some(first_too_many) = items.get(RULES_MAX) {
        first_too_many.fault(Code::WrongValue, format!("more than {RULES_MAX} addresses"));
        return None;
    }
    let read: Vec<Option<AddressGrant>> = items.iter().map(read_address).collect();
    read.into_iter().collect()
}

fn read_address(node: &Node<'_>) -> Option<AddressGrant> {
    let table = node.table(&["address", "port"])?;
    let address = table.required("address").and_then(|address| {
        let text = address.string()?;
        match Host::parse(text) {
            Ok(Host::Address(literal)) => return Some(literal),
            Ok(Host::Name(_)) => {
                address.fault(Code::WrongValue, format!("{} is a name, not an address", quoted(text)));
            }
            Err(error) => address.fault_with(Code::WrongValue, error.to_string(), error.hint()),
        }
        None
    });
    let port = table.required("port").and_then(|port| port.unsigned_within(1..=u64::from(u16::MAX)));
    Some(AddressGrant { address: address?, port: port.and_then(|port| u16::try_from(port).ok())? })
}

fn read_directories(table: &Table<'_>) -> Option<BTreeMap<String, DirectoryGrant>> {
    let Some(node) = table.get("directories") else { return Some(BTreeMap::new()) };
    let entries: Vec<Option<(String, DirectoryGrant)>> = node
        .open_table()?
        .entries()
        .map(|(name, grant)| read_directory(&grant).map(|grant| (name.to_owned(), grant)))
        .collect();
    entries.into_iter().collect()
}

fn read_directory(node: &Node<'_>) -> Option<DirectoryGrant> {
    let table = node.table(&["path", "access"])?;
    let path = table.required("path").and_then(|path| read_path(&path));
    let access = table.optional("access", |access| access.choice(&Access::CHOICES));
    Some(DirectoryGrant { path: path?, access: access?.unwrap_or(Access::Read) })
}

/// A path of the host, as it stands in the document.
pub(crate) fn read_path(node: &Node<'_>) -> Option<PathBuf> {
    node.line_of_text(PATH_CHARS_MAX).map(PathBuf::from)
}
