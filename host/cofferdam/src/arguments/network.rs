//! How this machine reaches the network, where it is not straight and by the machine's own name servers.

use std::net::{IpAddr, SocketAddr};

use clap::Args;

/// The port of name servers.
const DNS_PORT: u16 = 53;

/// What an operator says of the network. No variable of the environment says it instead.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Network {
    /// An HTTP proxy for all connections, told addresses and never names
    #[arg(long, value_name = "ADDRESS:PORT", help_heading = "The network")]
    pub(crate) proxy: Option<SocketAddr>,
    /// A name server in the place of the machine's; may stand several times
    #[arg(long = "name-server", value_name = "ADDRESS", value_parser = name_server, help_heading = "The network")]
    pub(crate) name_servers: Vec<SocketAddr>,
    /// Let the machine's file of hosts win over name servers
    #[arg(long, help_heading = "The network")]
    pub(crate) hosts_file: bool,
}

/// An address, with or without a port.
pub(crate) fn name_server(text: &str) -> Result<SocketAddr, String> {
    let alone = || text.parse::<IpAddr>().map(|address| SocketAddr::new(address, DNS_PORT));
    text.parse::<SocketAddr>()
        .or_else(|_| alone())
        .map_err(|_| "it is not an address such as `10.0.0.53` or `10.0.0.53:5353`".to_owned())
}

#[cfg(test)]
mod tests {
    use super::name_server;

    #[test]
    fn a_name_server_is_an_address_and_its_port_is_that_of_dns() {
        for (text, address) in [
            ("10.0.0.53", "10.0.0.53:53"),
            ("10.0.0.53:5353", "10.0.0.53:5353"),
            ("::1", "[::1]:53"),
            ("[::1]:5353", "[::1]:5353"),
        ] {
            assert_eq!(name_server(text), Ok(address.parse().unwrap()), "{text}");
        }
        for text in ["", "dns.test", "10.0.0", "10.0.0.53:", "10.0.0.53:70000"] {
            assert!(name_server(text).is_err(), "{text}");
        }
    }
}
