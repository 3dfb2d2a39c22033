//! Which addresses are this machine's own. Nobody is asked: the kernel says from where it would send to an address, and to
//! an address of its own it sends from that address. No packet leaves.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};

/// Any port does: nothing is sent.
const PORT: u16 = 9;

/// Does this machine have that address? What a gateway before it translates to this machine is not known here.
pub(crate) fn has(address: IpAddr) -> bool {
    address.is_loopback() || would_send_from(address) == Some(address)
}

fn would_send_from(address: IpAddr) -> Option<IpAddr> {
    let any = match address {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect((address, PORT)).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::{has, would_send_from};

    #[test]
    fn an_address_of_an_interface_is_this_machines_and_others_are_not() {
        for own in ["127.0.0.1", "127.9.9.9", "::1"] {
            assert!(has(own.parse().unwrap()), "{own}");
        }
        for other in ["1.1.1.1", "198.51.100.77", "2606:4700:4700::1111"] {
            let other: IpAddr = other.parse().unwrap();
            assert!(!has(other), "{other}");
            // Where there is a way out of this machine at all, the address at its end is its own.
            assert!(would_send_from(other).is_none_or(has), "{other}");
        }
        assert_eq!(would_send_from("127.0.0.1".parse().unwrap()), Some("127.0.0.1".parse().unwrap()));
    }
}
