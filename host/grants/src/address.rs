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
        if self.addresses().contains(&AddressGrant { address, port }) {
            return Verdict::Allowed { rule: format!("address {address} port {port}") };
        }
        match refusal(address) {
            None => Verdict::Allowed { rule: "public address".to_owned() },
            Some(refusal) => Verdict::Denied {
                code: Code::Address,
                reason: refusal.to_string(),
                line_to_add: Some(lines::grant_address(self.role, &self.name, address, port)),
            },
        }
    }
}
