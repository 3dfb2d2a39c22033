//! The ledger of one command: every request of its connectors, grouped by connector, host, method and outcome.
//! Keeps counts and no requests, so that its size does not depend on how much a connector asks for.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use egress::{Entry, Ledger, Outcome};
use serde::{Deserialize, Serialize};

/// More groups than a person reads; what comes beyond them is counted in one.
const GROUPS_MAX: usize = 500;

/// What requests of one group have in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Group {
    /// The connection's name in the sync.
    pub(crate) connection: String,
    pub(crate) method: String,
    /// Scheme, host and port.
    pub(crate) host: String,
    pub(crate) status: Option<u16>,
    #[serde(flatten)]
    pub(crate) end: End,
}

/// How requests of one group ended.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "outcome")]
pub(crate) enum End {
    Completed,
    Abandoned,
    Failed { code: String },
    Denied { code: String, reason: String, line_to_add: Option<String> },
}

/// How much a group has.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Amounts {
    pub(crate) requests: u64,
    pub(crate) bytes_out: u64,
    pub(crate) bytes_in: u64,
    /// The last message of a failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<String>,
}

/// Requests of one group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Requests {
    pub(crate) group: Group,
    pub(crate) amounts: Amounts,
}

/// All groups of a command. Cheap to clone; all clones are one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Traffic(Arc<Mutex<BTreeMap<Group, Amounts>>>);

/// The ledger of one connection.
pub(crate) struct ConnectionLedger {
    connection: String,
    traffic: Traffic,
}

impl Traffic {
    pub(crate) fn ledger(&self, connection: &str) -> Arc<dyn Ledger> {
        Arc::new(ConnectionLedger { connection: connection.to_owned(), traffic: self.clone() })
    }

    pub(crate) fn groups(&self) -> BTreeMap<Group, Amounts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// As they are kept with a run.
    pub(crate) fn entries(&self) -> Vec<Requests> {
        self.groups().into_iter().map(|(group, amounts)| Requests { group, amounts }).collect()
    }

    fn add(&self, group: Group, entry: &Entry) {
        let mut groups = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let group =
            if groups.len() < GROUPS_MAX || groups.contains_key(&group) { group } else { others(group) };
        let amounts = groups.entry(group).or_default();
        amounts.requests += 1;
        amounts.bytes_out = amounts.bytes_out.saturating_add(entry.bytes_out);
        amounts.bytes_in = amounts.bytes_in.saturating_add(entry.bytes_in);
        if let Outcome::Failed { message, .. } = &entry.outcome {
            amounts.message = Some(message.clone());
        }
    }
}

fn others(group: Group) -> Group {
    let host = "(others)".to_owned();
    Group { connection: group.connection, method: String::new(), host, status: None, end: End::Abandoned }
}

impl Ledger for ConnectionLedger {
    fn record(&self, entry: Entry) {
        let end = match &entry.outcome {
            Outcome::Completed => End::Completed,
            Outcome::Abandoned => End::Abandoned,
            Outcome::Failed { code, .. } => End::Failed { code: (*code).to_owned() },
            Outcome::Denied { code, reason, line_to_add } => {
                let (code, reason) = ((*code).to_owned(), reason.clone());
                End::Denied { code, reason, line_to_add: line_to_add.clone() }
            }
        };
        let group = Group {
            connection: self.connection.clone(),
            method: entry.method.clone(),
            host: host(&entry),
            status: entry.status,
            end,
        };
        self.traffic.add(group, &entry);
    }
}

/// As a URL writes it: an address of version 6 in brackets, the scheme's own port left out.
fn host(entry: &Entry) -> String {
    let Entry { scheme, host, port, .. } = entry;
    let name = if host.contains(':') { format!("[{host}]") } else { host.clone() };
    match (scheme.as_str(), port) {
        ("https", 443) | ("http", 80) => format!("{scheme}://{name}"),
        _ => format!("{scheme}://{name}:{port}"),
    }
}

#[cfg(test)]
mod tests {
    use egress::{Entry, Outcome};

    use super::{GROUPS_MAX, Traffic};

    fn entry(host: &str, port: u16) -> Entry {
        let (method, scheme) = ("GET".to_owned(), "https".to_owned());
        let outcome = Outcome::Completed;
        Entry {
            method,
            scheme,
            host: host.into(),
            port,
            status: Some(200),
            bytes_in: 10,
            outcome,
            ..Entry::default()
        }
    }

    #[test]
    fn requests_are_grouped_by_host_and_outcome() {
        let traffic = Traffic::default();
        let ledger = traffic.ledger("source");
        for port in [443, 443, 8443] {
            ledger.record(entry("api.test", port));
        }
        ledger.record(entry("::1", 443));
        let groups: Vec<_> = traffic
            .groups()
            .into_iter()
            .map(|(group, amounts)| (group.host, amounts.requests, amounts.bytes_in))
            .collect();
        let expected =
            [("https://[::1]", 1, 10), ("https://api.test", 2, 20), ("https://api.test:8443", 1, 10)];
        assert_eq!(groups, expected.map(|(host, requests, bytes)| (host.to_owned(), requests, bytes)));
    }

    #[test]
    fn a_connector_that_asks_for_ever_new_hosts_does_not_fill_the_memory() {
        let traffic = Traffic::default();
        let ledger = traffic.ledger("source");
        for number in 0..GROUPS_MAX * 2 {
            ledger.record(entry(&format!("h{number}.test"), 443));
        }
        let groups = traffic.groups();
        assert_eq!(groups.len(), GROUPS_MAX + 1);
        assert_eq!(groups.values().map(|amounts| amounts.requests).sum::<u64>(), 2 * GROUPS_MAX as u64);
    }
}
