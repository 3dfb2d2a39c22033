//! What the settings of the server mean. All that is wrong with them is told at once.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::str::FromStr;

use api::{Limits, Options, Rates, Transport};
use control::{PasswordPolicy, Region};
use ipnet::IpNet;

use super::certified::{self, Certified};
use super::directories::{self, Away};
use super::running::{self, Running};
use super::sources::Sources;
use super::watched::{self, Watched};
use crate::arguments::Serve;
use crate::problem::{Own, Problems};

const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8080);
const REGION: &str = "local";
const PASSWORD_CHARACTERS_MIN: usize = 8;

/// The settings of the server.
pub(crate) struct Settings {
    pub(crate) options: Options,
    pub(crate) region: Region,
    pub(crate) policy: PasswordPolicy,
    pub(crate) running: Running,
    pub(crate) watched: Watched,
    /// None: certificates do not come by ACME.
    pub(crate) certified: Option<Certified>,
}

impl Settings {
    pub(crate) fn gather(command: &Serve) -> Result<Self, Problems> {
        let sources = Sources::gather(command, |name| std::env::var_os(name))?;
        let away = directories::away(command, &sources);
        Ok(Self::judge(sources, &away)?)
    }

    fn judge(mut sources: Sources, away: &[Away]) -> Result<Self, Own> {
        let listen = read(&mut sources, "listen", "an address and a port, such as `127.0.0.1:8080`", parse);
        let origin =
            read(&mut sources, "origin", "an origin, such as `https://cofferdam.example.com`", origin);
        let proxies = read(&mut sources, "proxies", "addresses or ranges, such as `10.0.0.0/8`", ranges);
        let region =
            read(&mut sources, "region", "small letters, digits and hyphens, such as `eu-1`", |text| {
                Region::parse(text).ok()
            });
        let number = "a number of at least 1";
        let per_second = read(&mut sources, "requests-per-second", number, parse::<NonZeroU32>);
        let at_once = read(&mut sources, "requests-at-once", number, parse::<NonZeroU32>);
        let characters = read(&mut sources, "password-characters", "a number of at least 8", |text| {
            parse::<usize>(text).filter(|number| *number >= PASSWORD_CHARACTERS_MIN)
        });
        let certified = certified::judged(&mut sources);
        let transport = match &certified {
            Some(certified) => certified.transport(),
            None => transport(&mut sources),
        };
        let running = running::judged(&mut sources, away);
        let watched = watched::judged(&mut sources);
        let region = region.or_else(|| Region::parse(REGION).ok());
        let (Some(region), true) = (region, sources.faults.is_empty()) else {
            return Err(Own::BadSettings { faults: sources.faults });
        };
        let rates = Rates::default();
        let rates = Rates {
            caller_per_second: per_second.unwrap_or(rates.caller_per_second),
            caller_burst: at_once.unwrap_or(rates.caller_burst),
            ..rates
        };
        let options = Options {
            address: listen.unwrap_or(LISTEN),
            transport,
            proxies: proxies.unwrap_or_default(),
            origin,
            rates,
            limits: Limits::default(),
        };
        let defaults = PasswordPolicy::default();
        let policy = characters.map_or(defaults, |characters| {
            PasswordPolicy::new(characters, characters.min(PASSWORD_CHARACTERS_MIN))
        });
        Ok(Self { options, region, policy, running, watched, certified })
    }
}

/// What a setting means; none: it is not there, or it is a fault by now.
pub(super) fn read<T>(
    sources: &mut Sources,
    name: &str,
    expected: &str,
    read: impl Fn(&str) -> Option<T>,
) -> Option<T> {
    let (text, place) = sources.find(name)?;
    let value = read(text);
    if value.is_none() {
        let fault = format!("{place}: expected {expected}");
        sources.faults.push(fault);
    }
    value
}

fn transport(sources: &mut Sources) -> Transport {
    let fault = match (sources.find("tls-certificate"), sources.find("tls-key")) {
        (None, None) => return Transport::Plain,
        (Some((certificate, _)), Some((key, _))) => {
            return Transport::Tls { certificate: certificate.into(), key: key.into() };
        }
        (Some((_, place)), None) => format!("{place}: `tls-key` is needed beside it"),
        (None, Some((_, place))) => format!("{place}: `tls-certificate` is needed beside it"),
    };
    sources.faults.push(fault);
    Transport::Plain
}

/// What stands between commas; none: one of them is not taken.
pub(super) fn listed<T>(text: &str, one: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    text.split(',').map(str::trim).filter(|text| !text.is_empty()).map(one).collect()
}

pub(super) fn parse<T: FromStr>(text: &str) -> Option<T> {
    text.trim().parse().ok()
}

/// Scheme, host and port: what a browser sends.
fn origin(text: &str) -> Option<String> {
    let text = text.trim().trim_end_matches('/');
    let uri: http::Uri = text.parse().ok()?;
    let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
    let is_bare = uri.path() == "/" && uri.query().is_none();
    let has_host = uri.host().is_some_and(|host| !host.is_empty()) && !text.contains('@');
    (is_web && is_bare && has_host).then(|| text.to_ascii_lowercase())
}

fn ranges(text: &str) -> Option<Vec<IpNet>> {
    let range = |text: &str| {
        let alone = || text.parse::<IpAddr>().ok().map(IpNet::from);
        text.parse::<IpNet>().ok().or_else(alone)
    };
    text.split(',').map(str::trim).filter(|text| !text.is_empty()).map(range).collect()
}

#[cfg(test)]
mod tests;
