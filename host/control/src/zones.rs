//! From where an organization is reached: ranges of addresses, apart for the API and for event endpoints.
//!
//! Also whose address it is that counts, behind proxies. A header can say anything: it is believed only as far as it was
//! written by proxies that the operator named, so it is read from the right, each hop only after the one that wrote it was
//! found to be such a proxy.

use crate::access::Action;
use crate::audit::{Act, Event};
use crate::error::Error;
use crate::keeper::{INSTALLATION, encode};
use crate::organizations::{Organizations, while_it_lasts};
use crate::tables::{Key, ZONES};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, SocketAddr};
use storage::{Change, Life};

/// More are no zone but a list of people.
const RANGES_MAX: usize = 200;
/// A longer way than this is somebody's attempt to make us parse.
const HOPS_MAX: usize = 32;

/// What is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entrance {
    /// The management API.
    Api,
    /// Event endpoints.
    Events,
}

/// From where an organization is reached. No range: from everywhere.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Zones {
    /// For the API.
    pub api: Vec<IpNet>,
    /// For event endpoints.
    pub events: Vec<IpNet>,
}

impl Zones {
    /// Whether this address may come in here.
    #[must_use]
    pub fn allow(&self, entrance: Entrance, address: IpAddr) -> bool {
        let ranges = match entrance {
            Entrance::Api => &self.api,
            Entrance::Events => &self.events,
        };
        ranges.is_empty() || is_within(ranges, address)
    }
}

/// The address that counts for a request: of `peer`, who opened the connection, or, as far as proxies in these ranges
/// handed it on, of whom they name in `X-Forwarded-For`. Several headers are one, in their order.
#[must_use]
pub fn client_address(peer: IpAddr, forwarded: &[&str], proxies: &[IpNet]) -> IpAddr {
    let hops = forwarded.iter().rev().flat_map(|header| header.rsplit(','));
    let mut client = peer.to_canonical();
    for hop in hops.take(HOPS_MAX) {
        if !is_within(proxies, client) {
            break;
        }
        // Where a proxy of ours names nobody that could be, the last one who is known counts.
        let Some(named) = parse_hop(hop) else { break };
        client = named;
    }
    client
}

/// An address, which some proxies write with its port.
fn parse_hop(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim();
    let bare = hop.strip_prefix('[').and_then(|hop| hop.strip_suffix(']')).unwrap_or(hop);
    let address = bare.parse().or_else(|_| hop.parse::<SocketAddr>().map(|socket| socket.ip()));
    address.ok().map(|address: IpAddr| address.to_canonical())
}

/// An address of IPv4 that is written as one of IPv6 is within the ranges of the former.
fn is_within(ranges: &[IpNet], address: IpAddr) -> bool {
    let address = address.to_canonical();
    ranges.iter().any(|range| range.contains(&address))
}

impl Organizations {
    /// From where an organization is reached.
    ///
    /// # Errors
    /// When storage cannot be read.
    pub async fn zones(&self, organization: &str) -> Result<Zones, Error> {
        let found = self.keeper.read(INSTALLATION, ZONES, &Key::of(organization)).await?;
        Ok(found.map(|(zones, _)| zones).unwrap_or_default())
    }

    /// Changes from where an organization is reached. `address` is where the request for it comes from: who would shut
    /// themselves out is refused.
    ///
    /// # Errors
    /// [`Error::BadZones`], [`Error::Denied`], [`Error::UnknownOrganization`], or when storage refuses.
    pub async fn set_zones(
        &self,
        by: &str,
        organization: &str,
        zones: &Zones,
        address: IpAddr,
    ) -> Result<(), Error> {
        self.authorize(by, organization, Action::ChangeZones).await?;
        if zones.api.len().max(zones.events.len()) > RANGES_MAX {
            return Err(Error::BadZones { reason: "there are more than 200 ranges" });
        }
        if !zones.allow(Entrance::Api, address) {
            return Err(Error::BadZones {
                reason: "the address that you come from is in none of the ranges for the API",
            });
        }
        let change = while_it_lasts(Change::new(INSTALLATION), organization);
        let change = change.put(ZONES, Key::of(organization), Life::Standing, encode(ZONES, zones)?);
        let listed = |ranges: &[IpNet]| ranges.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        let event = Event::done(Act::ZonesChanged, by, organization);
        let event = event.detail("api", listed(&zones.api)).detail("events", listed(&zones.events));
        self.audit.append_with(&self.log(organization), &event, change).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
