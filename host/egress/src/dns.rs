//! Names by DNS: what this process asks, and nothing that the machine would answer by itself. No file of hosts, no
//! search domains, no names of the machine's own.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use async_trait::async_trait;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{
    ConnectionConfig, LookupIpStrategy, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::Name;
use tokio::sync::OnceCell;

use crate::Resolver;

/// A query that is not answered is sent again; with the second sending both are over before the default connect timeout.
const QUERY_TIMEOUT: Duration = Duration::from_secs(3);
/// Times that a query is sent again.
const REPEATS: usize = 1;
/// Answers that are kept, over all clients. They are judged anew each time they are used.
const KEPT_MAX: u64 = 1024;
/// An answer is not kept longer, whatever it says of itself: servers move.
const KEPT_FOR_MAX: Duration = Duration::from_secs(60);
/// That a name does not exist is forgotten sooner: it may just have been made.
const ABSENT_FOR_MAX: Duration = Duration::from_secs(5);

/// Whom to ask.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dns {
    /// These name servers, over UDP and, for long answers, TCP; empty: those of the machine (`/etc/resolv.conf`).
    pub servers: Vec<SocketAddr>,
    /// Names in the machine's file of hosts win. It can point a public name to an inner address, which is then judged as
    /// such.
    pub hosts_file: bool,
}

/// Asks name servers, both families at once, and follows aliases to their end.
///
/// `localhost` and what lies below it is 127.0.0.1 and is asked of nobody (RFC 6761 §6.3).
pub struct DnsResolver {
    dns: Dns,
    resolver: OnceCell<TokioResolver>,
}

impl DnsResolver {
    /// Reads nothing yet: a run that opens no connection does not pay for it.
    #[must_use]
    pub fn new(dns: Dns) -> Self {
        Self { dns, resolver: OnceCell::new() }
    }

    fn build(&self) -> io::Result<TokioResolver> {
        let provider = TokioRuntimeProvider::default();
        let servers = if self.dns.servers.is_empty() {
            let (system, _options) =
                hickory_resolver::system_conf::read_system_conf().map_err(io::Error::other)?;
            system.name_servers
        } else {
            self.dns.servers.iter().map(name_server).collect()
        };
        // Without search domains a name means the same to the judge and to the resolver.
        let mut builder =
            TokioResolver::builder_with_config(ResolverConfig::from_name_servers(servers), provider);
        set(builder.options_mut(), &self.dns);
        builder.build().map_err(io::Error::other)
    }
}

fn name_server(address: &SocketAddr) -> NameServerConfig {
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
    options.cache_size = KEPT_MAX;
    options.positive_max_ttl = Some(KEPT_FOR_MAX);
    options.negative_max_ttl = Some(ABSENT_FOR_MAX);
    options.use_hosts_file = if dns.hosts_file { ResolveHosts::Always } else { ResolveHosts::Never };
    options.try_tcp_on_error = true;
}

#[async_trait]
impl Resolver for DnsResolver {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        if host == "localhost" || host.ends_with(".localhost") {
            return Ok(vec![IpAddr::V4(Ipv4Addr::LOCALHOST)]);
        }
        let resolver = self.resolver.get_or_try_init(async || self.build()).await?;
        let mut name = Name::from_ascii(host).map_err(io::Error::other)?;
        name.set_fqdn(true);
        let found = resolver.lookup_ip(name).await.map_err(io::Error::other)?;
        let mut addresses: Vec<IpAddr> = Vec::new();
        for address in found.iter() {
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        Ok(addresses)
    }
}
