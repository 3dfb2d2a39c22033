//! An audience lies within the hosts that the connector asks for: a credential goes nowhere that the connector could not
//! go without it.

use super::{CredentialAsk, CredentialKind};
use crate::asks::HostAsk;
use crate::fault::Code;
use crate::host::HostPattern;
use crate::reader::Node;
use crate::text::quoted;

/// Reports every rule of an audience that is wider than the hosts that are asked for.
pub(crate) fn check_audiences(asks: &[(Node<'_>, CredentialAsk)], hosts: &[HostAsk]) {
    for (node, ask) in asks {
        for (index, rule) in ask.audience.iter().enumerate() {
            if is_within(ask, rule, hosts) {
                continue;
            }
            let hint = "ask for it in `[[asks.hosts]]`, or narrow the audience".to_owned();
            let message = format!("the connector does not ask to reach all of `{rule}`");
            let place = node.at_pointer(&format!("/audience/{index}"));
            place.fault_with(Code::WrongAudience, message, Some(hint));
        }
    }
}

/// The same for resolved asks, where values of the configuration could have made an audience wider than its host.
pub(super) fn resolved_faults(asks: &[CredentialAsk], hosts: &[HostAsk]) -> Vec<String> {
    let mut faults = Vec::new();
    for ask in asks {
        for rule in ask.audience.iter().filter(|rule| !is_within(ask, rule, hosts)) {
            let name = quoted(&ask.name);
            faults.push(format!(
                "the credential {name} is for `{rule}`, which no host that is asked for covers"
            ));
        }
    }
    faults
}

/// Whether hosts allow all that the rule allows; each method of the rule may be allowed by another host.
fn is_within(ask: &CredentialAsk, rule: &HostPattern, hosts: &[HostAsk]) -> bool {
    if ask.kind == CredentialKind::Mtls {
        // A certificate is shown to the whole origin or not at all; requests are judged by themselves.
        return hosts.iter().any(|host| host.pattern.whole_origin().covers_as_written(rule));
    }
    let covered = |rule: &HostPattern| hosts.iter().any(|host| host.pattern.covers_as_written(rule));
    covered(rule)
        || rule
            .methods()
            .is_some_and(|methods| methods.iter().all(|method| covered(&rule.for_method(method))))
}
