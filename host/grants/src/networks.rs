//! The addresses that no connector reaches unless an operator granted that very address and port: everything that is
//! not a public unicast address, and every form that carries an IPv4 address to where it would not be looked for.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(segments: [u16; 4], prefix: u8) -> Ipv6Net {
    let [a, b, c, d] = segments;
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0), prefix)
}

const PRIVATE: &str = "private";
const CARRIER: &str = "carrier-grade NAT";

/// IANA's special-purpose registry, multicast, and addresses of clouds that stand outside both. Narrower networks
/// stand before those that hold them, so that the reason is the exact one.
const REFUSED_V4: [(Ipv4Net, &str); 23] = [
    (v4(0, 0, 0, 0, 8), "this network"),
    (v4(10, 0, 0, 0, 8), PRIVATE),
    (v4(100, 100, 100, 200, 32), "metadata service"),
    (v4(100, 64, 0, 0, 10), CARRIER),
    (v4(127, 0, 0, 0, 8), "loopback"),
    (v4(168, 63, 129, 16, 32), "metadata service"),
    (v4(169, 254, 169, 254, 32), "metadata service"),
    (v4(169, 254, 170, 2, 32), "metadata service"),
    (v4(169, 254, 0, 0, 16), "link-local"),
    (v4(172, 16, 0, 0, 12), PRIVATE),
    (v4(192, 0, 0, 0, 24), "protocol assignments"),
    (v4(192, 0, 2, 0, 24), "documentation"),
    (v4(192, 31, 196, 0, 24), "AS112"),
    (v4(192, 52, 193, 0, 24), "multicast tunnels"),
    (v4(192, 88, 99, 0, 24), "6to4 relays"),
    (v4(192, 168, 0, 0, 16), PRIVATE),
    (v4(192, 175, 48, 0, 24), "AS112"),
    (v4(198, 18, 0, 0, 15), "benchmarks"),
    (v4(198, 51, 100, 0, 24), "documentation"),
    (v4(203, 0, 113, 0, 24), "documentation"),
    (v4(224, 0, 0, 0, 4), "multicast"),
    (v4(255, 255, 255, 255, 32), "broadcast"),
    (v4(240, 0, 0, 0, 4), "reserved"),
];

/// Forms that carry an IPv4 address, and where in them it stands.
const CARRIERS: [(Ipv6Net, &str, Carried); 9] = [
    (Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128), "loopback", Carried::Nothing),
    (Ipv6Net::new_assert(Ipv6Addr::UNSPECIFIED, 128), "unspecified", Carried::Nothing),
    (Ipv6Net::new_assert(Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96), "IPv4-mapped", Carried::Last),
    (Ipv6Net::new_assert(Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, 0, 0), 96), "IPv4-translated", Carried::Last),
    (Ipv6Net::new_assert(Ipv6Addr::UNSPECIFIED, 96), "IPv4-compatible", Carried::Last),
    (v6([0x64, 0xff9b, 0, 0], 96), "NAT64", Carried::Last),
    // Local to a network, which chooses where the IPv4 address stands.
    (v6([0x64, 0xff9b, 1, 0], 48), "NAT64", Carried::Nothing),
    (v6([0x2002, 0, 0, 0], 16), "6to4", Carried::AfterPrefix),
    (v6([0x2001, 0, 0, 0], 32), "Teredo", Carried::LastInverted),
];

const REFUSED_V6: [(Ipv6Net, &str); 15] = [
    (Ipv6Net::new_assert(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254), 128), "metadata service"),
    (v6([0xfe80, 0, 0, 0], 10), "link-local"),
    (v6([0xfec0, 0, 0, 0], 10), "site-local"),
    (v6([0xfc00, 0, 0, 0], 7), PRIVATE),
    (v6([0xff00, 0, 0, 0], 8), "multicast"),
    (v6([0x100, 0, 0, 0], 64), "discard"),
    (v6([0x5f00, 0, 0, 0], 16), "segment routing"),
    (v6([0x2001, 2, 0, 0], 48), "benchmarks"),
    (v6([0x2001, 0x10, 0, 0], 28), "ORCHID"),
    (v6([0x2001, 0x20, 0, 0], 28), "ORCHID"),
    (v6([0x2001, 0, 0, 0], 23), "protocol assignments"),
    (v6([0x2001, 0xdb8, 0, 0], 32), "documentation"),
    (v6([0x3fff, 0, 0, 0], 20), "documentation"),
    (v6([0x2620, 0x4f, 0x8000, 0], 48), "AS112"),
    (v6([0x3ffe, 0, 0, 0], 16), "6bone"),
];

/// What IANA gives out to be routed; all else is refused whether it has a name above or not.
const GLOBAL_UNICAST: Ipv6Net = v6([0x2000, 0, 0, 0], 3);

#[derive(Clone, Copy)]
enum Carried {
    Nothing,
    Last,
    LastInverted,
    AfterPrefix,
}

/// Why an address is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// The address.
    pub address: IpAddr,
    /// What the address is.
    pub kind: &'static str,
    /// The network by which it was recognised.
    pub network: IpNet,
    /// The IPv4 address that it carries, and what that is where it would be refused as well.
    pub carries: Option<(Ipv4Addr, Option<&'static str>)>,
}

impl Refusal {
    /// Whether the address belongs to a network that someone may call his own.
    pub(crate) fn is_private_network(&self) -> bool {
        matches!(self.kind, PRIVATE | CARRIER)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{}` is not a public address: {} (`{}`)", self.address, self.kind, self.network)?;
        match self.carries {
            None => Ok(()),
            Some((inner, None)) => write!(formatter, ", carries `{inner}`"),
            Some((inner, Some(kind))) => write!(formatter, ", carries `{inner}`: {kind}"),
        }
    }
}

/// Why this address is refused; none for a public one.
#[must_use]
pub fn refusal(address: IpAddr) -> Option<Refusal> {
    match address {
        IpAddr::V4(inner) => {
            let (network, kind) = refused_v4(inner)?;
            Some(Refusal { address, kind, network: IpNet::V4(network), carries: None })
        }
        IpAddr::V6(inner) => refused_v6(inner),
    }
}

fn refused_v4(address: Ipv4Addr) -> Option<(Ipv4Net, &'static str)> {
    REFUSED_V4.into_iter().find(|(network, _)| network.contains(&address))
}

fn refused_v6(address: Ipv6Addr) -> Option<Refusal> {
    let refused = |network: Ipv6Net, kind, carried: Option<Ipv4Addr>| Refusal {
        address: IpAddr::V6(address),
        kind,
        network: IpNet::V6(network),
        carries: carried.map(|inner| (inner, refused_v4(inner).map(|(_, kind)| kind))),
    };
    for (network, kind, carried) in CARRIERS {
        if network.contains(&address) {
            return Some(refused(network, kind, unwrap(address, carried)));
        }
    }
    if let Some((network, kind)) = REFUSED_V6.into_iter().find(|(network, _)| network.contains(&address)) {
        return Some(refused(network, kind, None));
    }
    if !GLOBAL_UNICAST.contains(&address) {
        return Some(refused(Ipv6Net::default(), "outside global unicast", None));
    }
    // ISATAP (RFC 5214): the last 64 bits of an address in any network may name an IPv4 host of this site.
    if let [_, _, _, _, 0 | 0x200, 0x5efe, _, _] = address.segments() {
        return Some(refused(GLOBAL_UNICAST, "ISATAP", unwrap(address, Carried::Last)));
    }
    None
}

fn unwrap(address: Ipv6Addr, carried: Carried) -> Option<Ipv4Addr> {
    let [_, _, a, b, c, d, _, _, _, _, _, _, w, x, y, z] = address.octets();
    match carried {
        Carried::Nothing => None,
        Carried::Last => Some(Ipv4Addr::new(w, x, y, z)),
        Carried::LastInverted => Some(Ipv4Addr::new(!w, !x, !y, !z)),
        Carried::AfterPrefix => Some(Ipv4Addr::new(a, b, c, d)),
    }
}
