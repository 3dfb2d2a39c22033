//! How the server is reached, and what it bears.

use crate::tls::Certificates;
use ipnet::IpNet;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

/// How the server is reached, and what it bears.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where it listens.
    pub address: SocketAddr,
    /// Encrypted, or not.
    pub transport: Transport,
    /// Whose `X-Forwarded-For` is believed.
    pub proxies: Vec<IpNet>,
    /// What browsers call this server, as in `https://cofferdam.example.com`; none: by the name that the request gives.
    pub origin: Option<String>,
    /// What one caller may ask for.
    pub rates: Rates,
    /// What a connection may take.
    pub limits: Limits,
}

/// Whether connections are encrypted.
#[derive(Debug, Clone)]
pub enum Transport {
    /// Not: on loopback alone.
    Plain,
    /// By TLS 1.2 or 1.3, with HTTP/2 where the client speaks it. When the files change, new connections get what is in them.
    Tls {
        /// The chain of certificates, as PEM.
        certificate: PathBuf,
        /// The private key, as PEM.
        key: PathBuf,
    },
    /// The same, with certificates that somebody else sees to. As long as there is none, nobody gets in.
    Given(Certificates),
}

/// How many requests a second a caller may make, on average and at once.
#[derive(Debug, Clone, Copy)]
pub struct Rates {
    /// By a token or a person.
    pub caller_per_second: NonZeroU32,
    /// By a token or a person, at once.
    pub caller_burst: NonZeroU32,
    /// From an address of the network, as long as nobody knows who it is.
    pub stranger_per_second: NonZeroU32,
    /// The same, at once.
    pub stranger_burst: NonZeroU32,
}

/// What a connection and a request may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections at once. Beyond them the system keeps who comes waiting.
    pub connections_max: usize,
    /// Connections at once from one address that is no proxy of ours.
    pub connections_per_address_max: usize,
    /// The time for a handshake of TLS.
    pub handshake: Duration,
    /// The time from the first byte of a request to the end of its head, and between two requests.
    pub head: Duration,
    /// The time for a body.
    pub body: Duration,
    /// Bytes of a body.
    pub body_bytes_max: usize,
    /// The time for the body of a component, which is larger than all others.
    pub upload: Duration,
    /// The time until an answer begins. Whoever logs in may be made to wait for a minute.
    pub answer: Duration,
    /// For how long the other side may take nothing of what was written to it.
    pub write: Duration,
    /// How many one caller may have that listen to what happens, each on a connection of its own.
    pub listeners_per_caller_max: usize,
    /// The same of all callers.
    pub listeners_max: usize,
    /// How often it is looked at whether those who listen still may. They are given a sign of life then.
    pub look: Duration,
    /// The time for requests under way when the server ends.
    pub drain: Duration,
    /// How often files of TLS are looked at, whether they have changed.
    pub certificates: Duration,
}

impl Default for Rates {
    /// What a console and some scripts need at most; a caller that polls a thousand syncs polls lists.
    fn default() -> Self {
        let number = |number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
        Self {
            caller_per_second: number(100),
            caller_burst: number(200),
            stranger_per_second: number(10),
            stranger_burst: number(50),
        }
    }
}

impl Default for Limits {
    /// Heads and bodies of this API are small, and who cannot send them within seconds means no good.
    fn default() -> Self {
        Self {
            connections_max: 4_096,
            connections_per_address_max: 1_024,
            handshake: Duration::from_secs(10),
            head: Duration::from_secs(15),
            body: Duration::from_secs(30),
            body_bytes_max: 1 << 20,
            // The largest component by a line of 9 Mbit/s, and time to judge it before `answer` ends.
            upload: Duration::from_secs(60),
            answer: Duration::from_secs(90),
            write: Duration::from_secs(30),
            // The tabs of a browser.
            listeners_per_caller_max: 8,
            // A quarter of the connections.
            listeners_max: 1_024,
            // Shorter than what proxies bear in silence, which is half a minute and more.
            look: Duration::from_secs(10),
            drain: Duration::from_secs(30),
            certificates: Duration::from_secs(10),
        }
    }
}
