//! The rights of the crate `grants` as the gate.

use std::net::IpAddr;

use grants::{Rights, Verdict};

use crate::gate::{Decision, Gate, RequestLine};

impl Gate for Rights {
    fn request(&self, line: &RequestLine<'_>) -> Decision {
        let RequestLine { scheme, host, port, method, path } = *line;
        decision(self.judge_request(&grants::RequestLine { scheme, host, port, method, path }))
    }

    fn address(&self, address: IpAddr, port: u16) -> Decision {
        decision(self.judge_address(address, port))
    }

    fn own_address(&self, address: IpAddr, port: u16) -> Decision {
        decision(self.judge_own_address(address, port))
    }

    fn is_one_of_many(&self, address: IpAddr, port: u16) -> bool {
        Rights::is_one_of_many(self, address, port)
    }
}

fn decision(verdict: Verdict) -> Decision {
    match verdict {
        Verdict::Allowed { rule } => Decision::Allow { rule },
        Verdict::Denied { code, reason, line_to_add } => {
            Decision::Deny { code: code.as_str(), reason, line_to_add }
        }
    }
}
