//! Names that mean this machine or its cloud's metadata service, whatever DNS says.

use std::net::{IpAddr, Ipv4Addr};

use manifest::AddressGrant;

use crate::networks::refusal;

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const METADATA: IpAddr = IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254));

/// The names, and the address that each means. A name below one of them means the same.
const NAMES: [(&str, IpAddr); 13] = [
    ("localhost", LOOPBACK),
    ("localdomain", LOOPBACK),
    ("localhost4", LOOPBACK),
    ("localhost6", LOOPBACK),
    ("localdomain4", LOOPBACK),
    ("localdomain6", LOOPBACK),
    ("ip6-localhost", LOOPBACK),
    ("ip6-loopback", LOOPBACK),
    ("metadata", METADATA),
    ("metadata.google.internal", METADATA),
    ("metadata.goog", METADATA),
    ("instance-data", METADATA),
    ("instance-data.ec2.internal", METADATA),
];

/// The address that a local name means; none for any other name.
pub(crate) fn meant_by(name: &str) -> Option<IpAddr> {
    let is_below =
        |local: &str| name.strip_suffix(local).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    NAMES.into_iter().find(|(local, _)| is_below(local)).map(|(_, address)| address)
}

/// Whether one of the granted addresses is of the kind that the name means, on this port.
pub(crate) fn is_granted(meant: IpAddr, port: u16, granted: &[AddressGrant]) -> bool {
    let kind = |address: IpAddr| refusal(address).map(|refusal| refusal.kind);
    granted
        .iter()
        .any(|grant| grant.port == port && grant.single().is_some_and(|address| kind(address) == kind(meant)))
}
