//! Ports: whether the addresses can be listened on that are named. Each is let go again at once.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use super::finding::{Finding, Topic::Ports};
use super::small;

/// `CAP_NET_BIND_SERVICE` (`capabilities(7)`).
const BIND_SERVICE: u32 = 10;
/// What Linux has when nothing else is set.
const UNPRIVILEGED_FROM: u64 = 1024;

/// Which ports this process may have.
#[derive(Debug, Clone, Copy)]
struct Rights {
    unprivileged_from: u64,
    has_all: bool,
}

/// Without an address: whether any can be listened on, and from which port on.
pub(super) fn findings(addresses: &[SocketAddr]) -> Vec<Finding> {
    let rights = rights();
    if addresses.is_empty() {
        return vec![judge_any(tried(&(Ipv4Addr::LOCALHOST, 0).into()), rights)];
    }
    addresses.iter().map(|address| judge(*address, tried(address), rights)).collect()
}

fn tried(address: &SocketAddr) -> io::Result<()> {
    TcpListener::bind(address).map(drop)
}

fn rights() -> Rights {
    let status = small::text("/proc/self/status").unwrap_or_default();
    let effective = small::field(&status, "CapEff").and_then(|hex| u64::from_str_radix(hex, 16).ok());
    let first = small::number("/proc/sys/net/ipv4/ip_unprivileged_port_start");
    Rights {
        unprivileged_from: first.unwrap_or(UNPRIVILEGED_FROM),
        has_all: effective.unwrap_or_default() >> BIND_SERVICE & 1 == 1,
    }
}

fn judge_any(tried: io::Result<()>, rights: Rights) -> Finding {
    match tried {
        Ok(()) if rights.has_all || rights.unprivileged_from <= 80 => {
            Finding::ok(Ports, "any port that is free can be listened on, 443 and 80 among them")
        }
        Ok(()) => {
            let from = rights.unprivileged_from;
            let seen =
                format!("any port from {from} on that is free can be listened on; for 443 see `--listen`");
            Finding::ok(Ports, seen)
        }
        Err(error) => Finding::fault(
            Ports,
            format!("nothing on this machine can be listened on: {error}"),
            "a server, and a browser that brings a user's consent back, need it",
            "bring the loopback interface up (`ip link set lo up`), and look for a rule that forbids sockets",
        ),
    }
}

fn judge(address: SocketAddr, tried: io::Result<()>, rights: Rights) -> Finding {
    let Err(error) = tried else {
        return Finding::ok(Ports, format!("{address} can be listened on"));
    };
    let (port, from) = (address.port(), rights.unprivileged_from);
    let (seen, fix) = match error.kind() {
        ErrorKind::AddrInUse => (
            format!("another process listens on {address}"),
            format!("`ss -ltnp 'sport = :{port}'` shows which; end it, or listen on another port"),
        ),
        ErrorKind::PermissionDenied if u64::from(port) < from => (
            format!("this user may not listen on ports below {from}, such as {port}"),
            format!(
                "give the unit `AmbientCapabilities=CAP_NET_BIND_SERVICE`, or listen on a port from {from} on behind a proxy"
            ),
        ),
        ErrorKind::AddrNotAvailable => (
            format!("this machine does not have the address {}", address.ip()),
            "`ip address` shows those that it has; `0.0.0.0` or `[::]` stands for all of them".to_owned(),
        ),
        _ => (
            format!("{address} cannot be listened on: {error}"),
            "look for a rule of the system that forbids it".to_owned(),
        ),
    };
    Finding::fault(Ports, seen, "a server that is to listen there does not start", fix)
}

#[cfg(test)]
mod tests {
    use std::io::{Error, ErrorKind};
    use std::net::TcpListener;

    use super::super::finding::State;
    use super::{Rights, findings, judge, judge_any};

    const FEW: Rights = Rights { unprivileged_from: 1024, has_all: false };

    #[test]
    fn each_reason_has_its_fix() {
        let cases = [
            ("192.0.2.1:443", ErrorKind::PermissionDenied, "CAP_NET_BIND_SERVICE"),
            ("192.0.2.1:8443", ErrorKind::PermissionDenied, "a rule of the system"),
            ("192.0.2.1:443", ErrorKind::AddrInUse, "ss -ltnp 'sport = :443'"),
            ("192.0.2.1:443", ErrorKind::AddrNotAvailable, "ip address"),
        ];
        for (address, kind, fix) in cases {
            let finding = judge(address.parse().unwrap(), Err(Error::from(kind)), FEW);
            assert_eq!(finding.state(), State::Fault, "{kind}");
            assert!(finding.text().contains(fix), "{}", finding.text());
        }
        assert_eq!(judge("192.0.2.1:443".parse().unwrap(), Ok(()), FEW).state(), State::Ok);
    }

    #[test]
    fn without_an_address_it_is_said_which_ports_there_are() {
        let text = |rights| judge_any(Ok(()), rights).text();
        assert!(text(FEW).contains("from 1024 on"));
        assert!(text(Rights { has_all: true, ..FEW }).contains("443"));
        assert!(text(Rights { unprivileged_from: 80, ..FEW }).contains("443 and 80"));
        assert_eq!(judge_any(Err(ErrorKind::PermissionDenied.into()), FEW).state(), State::Fault);
    }

    #[test]
    fn a_port_is_tried_for_real_and_let_go() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap();
        assert_eq!(findings(&[address])[0].state(), State::Fault);
        drop(taken);
        assert_eq!(findings(&[address])[0].state(), State::Ok);
        TcpListener::bind(address).unwrap();
    }
}
