//! From where a request comes: the address that is believed.

use control::client_address;
use http::HeaderMap;
use ipnet::IpNet;
use std::net::IpAddr;

/// Who opened the connection. Put on each request by the server.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) IpAddr);

impl Peer {
    /// The address that counts, behind these proxies.
    pub(crate) fn client(self, headers: &HeaderMap, proxies: &[IpNet]) -> IpAddr {
        // What is no text names nobody.
        let forwarded = headers.get_all("x-forwarded-for").iter().map(|value| value.to_str().unwrap_or(""));
        client_address(self.0, &forwarded.collect::<Vec<_>>(), proxies)
    }
}
