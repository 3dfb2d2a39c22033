//! Addresses that are refused unless an admin grants them: one by one, or a private network as a whole.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::{Deserialize, Serialize};

use crate::asks::RULES_MAX;
use crate::fault::Code;
use crate::host::Host;
use crate::reader::{Node, Table};
use crate::text::quoted;

/// The networks of which a part may be granted as a whole. Loopback, link-local and all other special addresses are
/// granted one by one: nobody means all of them.
const GRANTABLE: [IpNet; 5] = [
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(10, 0, 0, 0), 8)),
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(172, 16, 0, 0), 12)),
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(192, 168, 0, 0), 16)),
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(100, 64, 0, 0), 10)),
    IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7)),
];

/// What may be dialed on one port although the host would refuse it: an address, or a private network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AddressGrant {
    /// The network; of a single address, the one that holds it alone.
    pub network: IpNet,
    /// The port.
    pub port: u16,
}

impl AddressGrant {
    /// One address.
    #[must_use]
    pub fn exact(address: IpAddr, port: u16) -> Self {
        Self { network: IpNet::from(address), port }
    }

    /// The address, when only one is granted.
    #[must_use]
    pub fn single(&self) -> Option<IpAddr> {
        (self.network.prefix_len() == self.network.max_prefix_len()).then(|| self.network.addr())
    }
}

/// The `addresses` of a connection's grants.
pub(crate) fn read_addresses(table: &Table<'_>) -> Option<Vec<AddressGrant>> {
    let items = table.items("addresses");
    if let Some(first_too_many) = items.get(RULES_MAX) {
        first_too_many.fault(Code::WrongValue, format!("more than {RULES_MAX} addresses"));
        return None;
    }
    let read: Vec<Option<AddressGrant>> = items.iter().map(read_address).collect();
    read.into_iter().collect()
}

fn read_address(node: &Node<'_>) -> Option<AddressGrant> {
    let table = node.table(&["address", "network", "port"])?;
    let network = match (table.get("address"), table.get("network")) {
        (Some(_), Some(network)) => {
            network.fault(Code::WrongValue, "`address` is there too; a grant is one or the other");
            None
        }
        (None, Some(network)) => read_network(&network),
        _ => table.required("address").and_then(|address| read_literal(&address)).map(IpNet::from),
    };
    let port = table.required("port").and_then(|port| port.unsigned_within(1..=u64::from(u16::MAX)));
    Some(AddressGrant { network: network?, port: port.and_then(|port| u16::try_from(port).ok())? })
}

fn read_literal(node: &Node<'_>) -> Option<IpAddr> {
    let text = node.string()?;
    match Host::parse(text) {
        Ok(Host::Address(literal)) => return Some(literal),
        Ok(Host::Name(_)) => {
            node.fault(Code::WrongValue, format!("{} is a name, not an address", quoted(text)));
        }
        Err(error) => node.fault_with(Code::WrongValue, error.to_string(), error.hint()),
    }
    None
}

fn read_network(node: &Node<'_>) -> Option<IpNet> {
    let text = node.string()?;
    let Ok(network) = text.parse::<IpNet>() else {
        node.fault_with(
            Code::WrongValue,
            format!("{} is not a network", quoted(text)),
            Some("write it as `10.1.0.0/16`".to_owned()),
        );
        return None;
    };
    if network.trunc() != network {
        let hint = format!("write `{}`", network.trunc());
        node.fault_with(
            Code::WrongValue,
            format!("{} names an address within a network", quoted(text)),
            Some(hint),
        );
        return None;
    }
    if !GRANTABLE.iter().any(|grantable| grantable.contains(&network)) {
        let grantable = GRANTABLE.map(|network| format!("`{network}`")).join(", ");
        node.fault_with(
            Code::WrongValue,
            format!("{} is not part of a private network, and is granted address by address", quoted(text)),
            Some(format!("networks lie within {grantable}")),
        );
        return None;
    }
    Some(network)
}
