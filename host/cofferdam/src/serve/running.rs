//! The settings of how runs are executed: how many, for how long they are held, and how their connectors reach others.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::thread::available_parallelism;
use std::time::Duration;

use control::{Grantable, QueueOptions};
use ipnet::IpNet;
use manifest::AddressGrant;
use worker::Compiler;

use super::directories::{self, Away};
use super::settings::{listed, parse, read};
use super::sources::Sources;
use crate::agent;
use crate::arguments::{Network, name_server};

/// Runs mostly wait, for the system at their other end or for a disk.
const RUNS_A_PROCESSOR: usize = 4;
const DRAIN_SECONDS: u32 = 60;

/// How runs are executed.
pub(crate) struct Running {
    pub(crate) agent: agent::Options,
    pub(crate) queue: QueueOptions,
    /// What admins may grant beside hosts.
    pub(crate) grantable: Grantable,
    pub(crate) cache: Option<PathBuf>,
    /// How long one component may compile, where it is not as usual.
    pub(crate) compile_timeout: Option<Duration>,
    pub(crate) network: Network,
}

/// What is wrong is among the faults of the sources.
pub(super) fn judged(sources: &mut Sources, away: &[Away]) -> Running {
    let number = "a number of at least 1";
    let mut count = |name: &str| read(sources, name, number, parse::<NonZeroU32>).map(NonZeroU32::get);
    let (at_once, of_organization) = (count("runs-at-once"), count("runs-of-organization"));
    let (compile, compile_mib) = (count("compile-seconds"), count("compile-memory"));
    let (lease, drain) = (count("lease-seconds"), count("drain-seconds"));
    let defaults = QueueOptions::default();
    let queue = QueueOptions {
        running_max: of_organization.unwrap_or(defaults.running_max),
        lease_ms: lease.map_or(defaults.lease_ms, |seconds| u64::from(seconds) * 1_000),
        ..defaults
    };
    let agent = agent::Options {
        runs_at_once: at_once.and_then(|count| usize::try_from(count).ok()).unwrap_or_else(runs_at_once),
        drain: Duration::from_secs(drain.unwrap_or(DRAIN_SECONDS).into()),
        compile_memory_bytes: compile_mib.map_or(Compiler::MEMORY_BYTES, |mib| u64::from(mib) << 20),
    };
    let expected =
        "addresses or private networks, each with a port, such as `10.0.0.5:443` or `10.0.0.0/24:443`";
    let grantable = read(sources, "grantable", expected, |text| listed(text, grantable));
    let cache = sources.find("cache").map(|(path, _)| PathBuf::from(path));
    let proxy = read(sources, "proxy", "an address and a port, such as `10.0.0.1:3128`", parse::<SocketAddr>);
    let expected = "addresses, such as `10.0.0.53` or `10.0.0.53:5353`";
    let servers =
        read(sources, "name-servers", expected, |text| listed(text, |server| name_server(server).ok()));
    let network = Network { proxy, name_servers: servers.unwrap_or_default(), hosts_file: false };
    let directories = directories::judged(sources, away);
    let grantable = Grantable { addresses: grantable.unwrap_or_default(), directories };
    let compile_timeout = compile.map(|seconds| Duration::from_secs(seconds.into()));
    Running { agent, queue, grantable, cache, compile_timeout, network }
}

fn runs_at_once() -> usize {
    available_parallelism().map_or(1, |processors| processors.get()) * RUNS_A_PROCESSOR
}

fn grantable(text: &str) -> Option<AddressGrant> {
    let (network, port) = text.rsplit_once(':')?;
    let network = network.trim_start_matches('[').trim_end_matches(']');
    let alone = || network.parse::<IpAddr>().ok().map(IpNet::from);
    let network = network.parse::<IpNet>().ok().or_else(alone)?;
    Some(AddressGrant { network, port: port.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::grantable;

    #[test]
    fn what_may_be_granted_is_an_address_or_a_network_with_a_port() {
        for (text, network, port) in [
            ("10.0.0.5:443", "10.0.0.5/32", 443),
            ("10.0.0.0/24:80", "10.0.0.0/24", 80),
            ("[fd00::1]:8443", "fd00::1/128", 8443),
            ("[fd00::/64]:1", "fd00::/64", 1),
        ] {
            let found = grantable(text).unwrap();
            assert_eq!((found.network.to_string().as_str(), found.port), (network, port), "{text}");
        }
        for text in ["", "10.0.0.5", "10.0.0.5:", "10.0.0.5:70000", "db.internal:5432", "10.0.0.0/33:1"] {
            assert!(grantable(text).is_none(), "{text}");
        }
    }
}
