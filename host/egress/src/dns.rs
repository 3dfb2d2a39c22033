//! Names by DNS: what this process asks, and nothing that the machine would answer by itself. No file of hosts, no
//! search domains, no names of the machine's own.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{
    ConnectionConfig, LookupIpStrategy, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::lookup_ip::LookupIp;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::rr::Name;
use hickory_resolver::system_conf::parse_resolv_conf;
use tokio::time::Instant;

use crate::Resolver;
use crate::answers::{Answers, Found};

/// A query that is not answered is sent again; with the second sending both are over before the default connect timeout.
pub(crate) const QUERY_TIMEOUT: Duration = Duration::from_secs(3);
/// The port of name servers.
const DNS_PORT: u16 = 53;
/// Times that a query is sent again.
const REPEATS: usize = 1;
/// An answer is not kept longer, whatever it says of itself: servers move.
const KEPT_FOR_MAX: Duration = Duration::from_secs(60);
/// That a name does not exist is forgotten sooner: it may just have been made.
const ABSENT_FOR_MAX: Duration = Duration::from_secs(5);

/// Where a machine says which name servers it has.
const MACHINE: &str = "/etc/resolv.conf";
/// How often the machine's name servers are looked at, while names are asked for.
const LOOKED_AT_EVERY: Duration = Duration::from_secs(5);

/// Whom to ask.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dns {
    /// These name servers, over UDP and, for long answers, TCP; empty: those of the machine (`/etc/resolv.conf`).
    pub servers: Vec<SocketAddr>,
    /// Names in the machine's file of hosts win. It can point a public name to an inner address, which is then judged as
    /// such.
    pub hosts_file: bool,
}

impl Dns {
    /// Those that would be asked now.
    ///
    /// # Errors
    /// When the machine is to say it, and does not.
    pub fn name_servers(&self) -> io::Result<Vec<SocketAddr>> {
        if !self.servers.is_empty() {
            return Ok(self.servers.clone());
        }
        let servers = of_the_machine(&std::fs::read(MACHINE)?)?;
        Ok(servers.iter().map(|server| SocketAddr::new(server.ip, DNS_PORT)).collect())
    }
}

/// Asks name servers, both families at once, and follows aliases to their end. What is answered is kept for a while.
///
/// `localhost` and what lies below it is 127.0.0.1 and is asked of nobody (RFC 6761 §6.3).
pub struct DnsResolver {
    whom: Arc<Whom>,
    answers: Answers,
}

/// Whom to ask, which all clients share.
struct Whom {
    dns: Dns,
    /// Where the machine says which name servers it has.
    machine: PathBuf,
    asking: Mutex<Option<Asking>>,
}

/// Whom it asks now.
struct Asking {
    resolver: Arc<TokioResolver>,
    /// Counts how often others were to be asked.
    number: u64,
    /// What the machine said.
    said: Vec<u8>,
    looked: Instant,
}

impl DnsResolver {
    /// Reads nothing yet: a run that opens no connection does not pay for it.
    #[must_use]
    pub fn new(dns: Dns) -> Self {
        Self::with(Whom { dns, machine: MACHINE.into(), asking: Mutex::new(None) })
    }

    fn with(whom: Whom) -> Self {
        Self { whom: Arc::new(whom), answers: Answers::default() }
    }
}

impl Whom {
    /// Whom to ask now: a machine that moves to another network has other name servers there.
    fn now(&self) -> io::Result<(Arc<TokioResolver>, u64)> {
        let mut asking = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = asking.as_ref()
            && (!self.dns.servers.is_empty() || known.looked.elapsed() < LOOKED_AT_EVERY)
        {
            return Ok((Arc::clone(&known.resolver), known.number));
        }
        let said = if self.dns.servers.is_empty() { std::fs::read(&self.machine) } else { Ok(Vec::new()) };
        match (asking.as_mut(), said) {
            // A file that is just being written anew is not there, or says what it said.
            (Some(known), Err(_)) => Ok(known.again()),
            (Some(known), Ok(said)) if known.said == said => Ok(known.again()),
            (before, said) => {
                let said = said?;
                let number = before.map_or(0, |before| before.number + 1);
                let resolver = Arc::new(self.build(&said)?);
                *asking = Some(Asking { resolver: resolver.clone(), number, said, looked: Instant::now() });
                Ok((resolver, number))
            }
        }
    }

    /// Those of the operator, or those that the machine says.
    fn servers(&self, said: &[u8]) -> io::Result<Vec<NameServerConfig>> {
        if !self.dns.servers.is_empty() {
            return Ok(self.dns.servers.iter().map(name_server).collect());
        }
        of_the_machine(said)
    }

    fn build(&self, said: &[u8]) -> io::Result<TokioResolver> {
        let provider = TokioRuntimeProvider::default();
        let servers = self.servers(said)?;
        // Without search domains a name means the same to the judge and to the resolver.
        let mut builder =
            TokioResolver::builder_with_config(ResolverConfig::from_name_servers(servers), provider);
        set(builder.options_mut(), &self.dns);
        builder.build().map_err(io::Error::other)
    }
}

impl Asking {
    fn again(&mut self) -> (Arc<TokioResolver>, u64) {
        self.looked = Instant::now();
        (Arc::clone(&self.resolver), self.number)
    }
}

/// Those that a machine says it has.
fn of_the_machine(said: &[u8]) -> io::Result<Vec<NameServerConfig>> {
    let (system, _options) = parse_resolv_conf(said).map_err(io::Error::other)?;
    Ok(system.name_servers)
}

pub(crate) fn name_server(address: &SocketAddr) -> NameServerConfig {
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
        connection.port = address.port();
        connection
    });
    NameServerConfig::new(address.ip(), true, connections.to_vec())
}

fn set(options: &mut ResolverOpts, dns: &Dns) {
    options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
    options.timeout = QUERY_TIMEOUT;
    options.attempts = REPEATS;
    // Its memory would be one for all clients, and what it does not know of (that a name has no address of one family, where
    // the answer does not say for how long) it asks each time.
    options.cache_size = 0;
    options.use_hosts_file = if dns.hosts_file { ResolveHosts::Always } else { ResolveHosts::Never };
    options.try_tcp_on_error = true;
}

#[async_trait]
impl Resolver for DnsResolver {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        if host == "localhost" || host.ends_with(".localhost") {
            return Ok(vec![IpAddr::V4(Ipv4Addr::LOCALHOST)]);
        }
        let (resolver, asked) = self.whom.now()?;
        let found = match self.answers.known(host, asked) {
            Some(known) => known,
            None => {
                let mut name = Name::from_ascii(host).map_err(io::Error::other)?;
                name.set_fqdn(true);
                let (found, holds) = read(resolver.lookup_ip(name).await);
                self.answers.keep(host, asked, found.clone(), holds);
                found
            }
        };
        found.map(|addresses| addresses.to_vec()).map_err(|problem| io::Error::other(problem.as_ref()))
    }

    fn apart(&self) -> Option<Arc<dyn Resolver>> {
        Some(Arc::new(Self { whom: Arc::clone(&self.whom), answers: Answers::default() }))
    }
}

/// What was answered, and for how long it holds. That nobody answered holds for no time.
fn read(answer: Result<LookupIp, NetError>) -> (Found, Duration) {
    match answer {
        Ok(found) => {
            let mut addresses: Vec<IpAddr> = Vec::new();
            for address in found.iter() {
                if !addresses.contains(&address) {
                    addresses.push(address);
                }
            }
            let holds = found.valid_until().saturating_duration_since(std::time::Instant::now());
            (Ok(addresses.into()), holds.min(KEPT_FOR_MAX))
        }
        Err(error) => {
            let seconds = match &error {
                NetError::Dns(DnsError::NoRecordsFound(none)) => none.negative_ttl.unwrap_or_default(),
                _ => 0,
            };
            let holds = Duration::from_secs(seconds.into()).min(ABSENT_FOR_MAX);
            (Err(error.to_string().into()), holds)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;
    use std::sync::Mutex;

    use tempfile::TempDir;

    use super::{Dns, LOOKED_AT_EVERY, Whom};

    fn whom(dns: Dns, machine: PathBuf) -> Whom {
        Whom { dns, machine, asking: Mutex::new(None) }
    }

    fn asked(resolver: &Whom) -> String {
        resolver.now().unwrap();
        let said = resolver.asking.lock().unwrap().as_ref().unwrap().said.clone();
        let servers = resolver.servers(&said).unwrap();
        servers.iter().map(|server| server.ip.to_string()).collect::<Vec<_>>().join(" ")
    }

    #[tokio::test(start_paused = true)]
    async fn a_machine_that_has_other_name_servers_now_is_believed() {
        let folder = TempDir::new().unwrap();
        let machine = folder.path().join("resolv.conf");
        let resolver = whom(Dns::default(), machine.clone());
        assert!(resolver.now().is_err(), "nobody says whom to ask");
        fs::write(&machine, "nameserver 192.0.2.1\n").unwrap();
        assert_eq!(asked(&resolver), "192.0.2.1");
        fs::write(&machine, "nameserver 192.0.2.2\nnameserver 192.0.2.3\n").unwrap();
        assert_eq!(asked(&resolver), "192.0.2.1", "it is not looked at for each name");
        tokio::time::advance(LOOKED_AT_EVERY).await;
        assert_eq!(asked(&resolver), "192.0.2.2 192.0.2.3");
        fs::remove_file(&machine).unwrap();
        tokio::time::advance(LOOKED_AT_EVERY).await;
        assert_eq!(asked(&resolver), "192.0.2.2 192.0.2.3");
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_named_by_the_operator_is_asked_whatever_the_machine_says() {
        let folder = TempDir::new().unwrap();
        let machine = folder.path().join("resolv.conf");
        let dns = Dns { servers: vec!["192.0.2.9:5353".parse().unwrap()], ..Dns::default() };
        let resolver = whom(dns, machine.clone());
        assert_eq!(asked(&resolver), "192.0.2.9");
        fs::write(&machine, "nameserver 192.0.2.1\n").unwrap();
        tokio::time::advance(LOOKED_AT_EVERY).await;
        assert_eq!(asked(&resolver), "192.0.2.9");
    }
}
