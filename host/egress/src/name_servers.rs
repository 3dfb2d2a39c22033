//! Whether a name server answers at all. Nothing of a run is asked of it.

use std::io;
use std::net::SocketAddr;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::ResolverConfig;
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{Name, RecordType};

use crate::dns::{QUERY_TIMEOUT, name_server};

/// Asks a name server for those of the root, which it knows or refuses to tell. A refusal is an answer.
///
/// # Errors
/// When nothing comes back in the time that a connection would wait for it, or it cannot be reached.
pub async fn ask_name_server(server: SocketAddr) -> io::Result<()> {
    let config = ResolverConfig::from_name_servers(vec![name_server(&server)]);
    let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
    let options = builder.options_mut();
    options.timeout = QUERY_TIMEOUT;
    options.attempts = 0;
    options.cache_size = 0;
    options.try_tcp_on_error = true;
    let resolver = builder.build().map_err(io::Error::other)?;
    match resolver.lookup(Name::root(), RecordType::NS).await {
        Ok(_) | Err(NetError::Dns(_)) => Ok(()),
        Err(error) => Err(io::Error::other(error)),
    }
}

#[cfg(test)]
mod tests {
    use std::net::{SocketAddr, UdpSocket};
    use std::thread;

    use super::ask_name_server;

    /// A name server that says this code to whatever it is asked, once.
    fn saying(code: u8) -> SocketAddr {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        thread::spawn(move || {
            let mut message = [0; 512];
            let (length, from) = socket.recv_from(&mut message).unwrap();
            // A response, recursion is available, and the code.
            message[2] |= 0x80;
            message[3] = 0x80 | code;
            socket.send_to(&message[..length], from).unwrap();
        });
        address
    }

    #[tokio::test]
    async fn whatever_a_name_server_says_it_answers() {
        // No error and no records; a failure; no such name; a refusal.
        for code in [0, 2, 3, 5] {
            assert!(ask_name_server(saying(code)).await.is_ok(), "{code}");
        }
    }

    #[tokio::test]
    async fn a_port_where_nobody_is_does_not_answer() {
        let address = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        assert!(ask_name_server(address).await.is_err());
    }
}
