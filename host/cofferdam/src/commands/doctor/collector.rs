//! A collector of traces: whether anybody is there. Nothing is sent to it.

use std::io;
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use http::Uri;

use super::finding::{Finding, Topic::Collector};

const CONNECT_WITHIN: Duration = Duration::from_secs(3);
const HTTP_PORT: u16 = 80;

pub(super) fn finding(address: &Uri) -> Finding {
    let host = address.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    match reached(host, address.port_u16().unwrap_or(HTTP_PORT)) {
        Ok(()) => Finding::ok(Collector, format!("the collector at {address} is reached")),
        // The server works without it, and goes on trying.
        Err(error) => Finding::warning(
            Collector,
            format!("the collector at {address} is not reached: {error}"),
            "traces are dropped until it is there; nothing else waits for it",
            "start it, or look where it listens for OTLP over HTTP (4318 is usual, 4317 is another protocol)",
        ),
    }
}

fn reached(host: &str, port: u16) -> io::Result<()> {
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, CONNECT_WITHIN) {
            Ok(_) => return Ok(()),
            Err(error) => last = error,
        }
    }
    Err(last)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::super::finding::State;
    use super::finding;

    #[test]
    fn whether_somebody_is_there_is_tried() {
        let there = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", there.local_addr().unwrap()).parse().unwrap();
        assert_eq!(finding(&address).state(), State::Ok);
        drop(there);
        let found = finding(&address);
        assert_eq!(found.state(), State::Warning);
        assert!(found.text().contains("4318"), "{}", found.text());
    }
}
