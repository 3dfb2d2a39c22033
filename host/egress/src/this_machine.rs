//! Which addresses are this machine's own. Nobody is asked: the kernel says from where it would send to an address, and to
//! an address of its own it sends from that address. No packet leaves.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Any port does: nothing is sent.
const PORT: u16 = 9;
/// How long an answer holds. Each request asks, also over a kept connection, and an interface rarely gets another address.
const HOLDS: Duration = Duration::from_secs(1);
/// More than one second has connections to.
const KNOWN_MAX: usize = 1024;

/// What the kernel said of late.
static KNOWN: LazyLock<Known> = LazyLock::new(Known::default);

/// Does this machine have that address? What a gateway before it translates to this machine is not known here. An address that
/// it has got within the last second may not be known yet.
pub(crate) fn has(address: IpAddr) -> bool {
    let ask = || would_send_from(address) == Some(address);
    address.is_loopback() || KNOWN.or_ask(address, Instant::now(), ask)
}

#[derive(Default)]
struct Known(Mutex<HashMap<IpAddr, (Instant, bool)>>);

impl Known {
    fn or_ask(&self, address: IpAddr, now: Instant, ask: impl FnOnce() -> bool) -> bool {
        let is_new = |since: Instant| now.duration_since(since) < HOLDS;
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, is_own)) = known.get(&address).filter(|(since, _)| is_new(*since)) {
            return *is_own;
        }
        if known.len() >= KNOWN_MAX {
            known.clear();
        }
        let is_own = ask();
        known.insert(address, (now, is_own));
        is_own
    }
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

    use std::time::{Duration, Instant};

    use super::{HOLDS, KNOWN_MAX, Known, has, would_send_from};

    #[test]
    fn the_kernel_is_asked_once_in_a_while_and_believed_no_longer() {
        let (known, start) = (Known::default(), Instant::now());
        let [one, other]: [IpAddr; 2] = ["192.0.2.1", "192.0.2.2"].map(|text| text.parse().unwrap());
        let mut asked = Vec::new();
        let short = Duration::from_millis(1);
        for (address, after, is_own, expected) in [
            (one, Duration::ZERO, false, false),
            (one, HOLDS - short, true, false),
            (other, HOLDS - short, true, true),
            (one, HOLDS, true, true),
            (one, HOLDS * 2 - short, false, true),
            (other, HOLDS * 2, false, false),
        ] {
            let ask = || {
                asked.push((address, after));
                is_own
            };
            assert_eq!(known.or_ask(address, start + after, ask), expected, "{address} after {after:?}");
        }
        assert_eq!(asked.len(), 4, "{asked:?}");
    }

    #[test]
    fn what_is_known_of_addresses_takes_bounded_room() {
        let (known, now) = (Known::default(), Instant::now());
        for number in 0..u32::try_from(KNOWN_MAX * 3).unwrap() {
            known.or_ask(IpAddr::V4(number.into()), now, || false);
        }
        assert!(known.0.lock().unwrap().len() <= KNOWN_MAX);
    }

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
