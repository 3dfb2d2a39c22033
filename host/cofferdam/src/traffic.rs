//! The ledger of one command: every request of its connectors, grouped by all that a person would ask of one: who made it,
//! to whom, for what, by which rule, and what became of it.
//! Keeps counts and no requests, so that its size does not depend on how much a connector asks for.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use egress::{Entry, Ledger, Outcome};
use serde::{Deserialize, Serialize};

/// More groups than a person reads; what comes beyond them is counted by its host alone.
const GROUPS_MAX: usize = 500;
/// More hosts than anybody grants; what comes beyond them is counted in one.
const HOSTS_MAX: usize = 1000;

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
    /// What is not the same for all requests to a host; in a sum the credential alone.
    #[serde(flatten, default)]
    pub(crate) particulars: Particulars,
}

/// What tells requests of one host and one end from each other.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Particulars {
    /// The template of the path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) path: Option<String>,
    /// The address that was dialed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) address: Option<String>,
    /// The rule that allowed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rule: Option<String>,
    /// The credential that was placed on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) credential: Option<String>,
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
    /// Of all of them together.
    #[serde(default)]
    pub(crate) duration_ms: u64,
    /// Responses of which the connector got content that was still encoded, and that nobody searched for secrets.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) opaque: u64,
    /// The last message of a failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<String>,
}

fn is_zero(amount: &u64) -> bool {
    *amount == 0
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

    /// Without what only tells requests of one host and one end from each other.
    pub(crate) fn sums(&self) -> BTreeMap<Group, Amounts> {
        sums(self.groups())
    }

    /// As they are kept with a run.
    pub(crate) fn entries(&self) -> Vec<Requests> {
        self.groups().into_iter().map(|(group, amounts)| Requests { group, amounts }).collect()
    }

    fn add(&self, group: Group, entry: &Entry) {
        let mut groups = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |group: &Group, max: usize| groups.len() < max || groups.contains_key(group);
        let group = if fits(&group, GROUPS_MAX) { group } else { group.sum() };
        let group = if fits(&group, HOSTS_MAX) { group } else { others(group) };
        let message = match &entry.outcome {
            Outcome::Failed { message, .. } => Some(message.clone()),
            _ => None,
        };
        groups.entry(group).or_default().add(Amounts {
            requests: 1,
            bytes_out: entry.bytes_out,
            bytes_in: entry.bytes_in,
            duration_ms: u64::try_from(entry.duration.as_millis()).unwrap_or(u64::MAX),
            opaque: u64::from(entry.opaque),
            message,
        });
    }
}

impl Amounts {
    fn add(&mut self, more: Self) {
        self.requests = self.requests.saturating_add(more.requests);
        self.bytes_out = self.bytes_out.saturating_add(more.bytes_out);
        self.bytes_in = self.bytes_in.saturating_add(more.bytes_in);
        self.duration_ms = self.duration_ms.saturating_add(more.duration_ms);
        self.opaque = self.opaque.saturating_add(more.opaque);
        self.message = more.message.or(self.message.take());
    }
}

impl Group {
    fn sum(self) -> Self {
        let Particulars { credential, .. } = self.particulars;
        Self { particulars: Particulars { credential, ..Particulars::default() }, ..self }
    }
}

/// Groups by host, end and credential alone.
pub(crate) fn sums(groups: impl IntoIterator<Item = (Group, Amounts)>) -> BTreeMap<Group, Amounts> {
    let mut sums: BTreeMap<Group, Amounts> = BTreeMap::new();
    for (group, amounts) in groups {
        sums.entry(group.sum()).or_default().add(amounts);
    }
    sums
}

fn others(group: Group) -> Group {
    let host = "(others)".to_owned();
    let (method, particulars) = (String::new(), Particulars::default());
    Group { connection: group.connection, method, host, status: None, end: End::Abandoned, particulars }
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
            particulars: Particulars {
                path: Some(entry.path.clone()).filter(|path| !path.is_empty()),
                address: entry.address.map(|address| address.to_string()),
                rule: entry.rule.clone(),
                credential: entry.credential.clone(),
            },
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
mod tests;
