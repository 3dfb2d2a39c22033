//! Judges an address that is about to be dialed.

use std::net::IpAddr;

use manifest::AddressGrant;

use crate::lines;
use crate::networks::refusal;
use crate::rights::Rights;
use crate::verdict::{Code, Verdict};

impl Rights {
    /// May this address be dialed on this port? To be asked for every answer of DNS, for literals, and again before a
    /// kept connection is used; the address that was judged is the one to dial.
    #[must_use]
    pub fn judge_address(&self, address: IpAddr, port: u16) -> Verdict {
        if port == 0 {
            return Verdict::denied(Code::Port, "port 0 cannot be dialed");
        }
        if let Some(rule) = self.granted_as(address, port) {
            return Verdict::Allowed { rule };
        }
        match refusal(address) {
            None => Verdict::Allowed { rule: "public address".to_owned() },
            Some(refusal) => Verdict::Denied {
                code: Code::Address,
                reason: refusal.to_string(),
                line_to_add: Some(lines::grant_address(self.place(), address, port)),
            },
        }
    }
}

impl Rights {
    /// May this address be dialed on this port, although it is one of the host's own? To be asked beside
    /// [`Rights::judge_address`]. Only a grant of the address or its network allows it: that it is public says nothing of
    /// the services that listen there for this machine alone.
    #[must_use]
    pub fn judge_own_address(&self, address: IpAddr, port: u16) -> Verdict {
        if let Some(rule) = self.granted_as(address, port) {
            return Verdict::Allowed { rule };
        }
        Verdict::Denied {
            code: Code::Address,
            reason: "it is an address of this machine itself".to_owned(),
            line_to_add: Some(lines::grant_address(self.place(), address, port)),
        }
    }

    /// The grant that holds this address, in words for the ledger.
    fn granted_as(&self, address: IpAddr, port: u16) -> Option<String> {
        let grant = self.addresses().iter().find(|grant| covers(grant, address, port))?;
        Some(match grant.single() {
            Some(address) => format!("address {address} port {port}"),
            None => format!("network {} port {port}", grant.network),
        })
    }

    /// Whether a rule allows this address as one of many. How a connection to it fails would draw a map of the network.
    #[must_use]
    pub fn is_one_of_many(&self, address: IpAddr, port: u16) -> bool {
        let mut covering = self.addresses().iter().filter(|grant| covers(grant, address, port)).peekable();
        covering.peek().is_some() && covering.all(|grant| grant.single().is_none())
    }
}

/// Does the grant hold this address? A network holds what is private and nothing else: metadata services stand inside
/// private networks, and whoever means one names it.
fn covers(grant: &AddressGrant, address: IpAddr, port: u16) -> bool {
    let is_meant =
        || grant.single().is_some() || refusal(address).is_some_and(|refusal| refusal.is_private_network());
    grant.port == port && grant.network.contains(&address) && is_meant()
}

/// What two grants have in common.
pub(crate) fn common(one: &AddressGrant, other: &AddressGrant) -> Option<AddressGrant> {
    let within = |inner: &AddressGrant, outer: &AddressGrant| match inner.single() {
        Some(address) => covers(outer, address, inner.port),
        None => inner.port == outer.port && outer.network.contains(&inner.network),
    };
    if within(one, other) {
        return Some(*one);
    }
    within(other, one).then_some(*other)
}
