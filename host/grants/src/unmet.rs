//! Asks that nobody granted and grants that nobody asked for, each with the lines that would bring them together.

use manifest::{DirectoryAsk, HostPattern};
use serde::{Deserialize, Serialize};

use crate::lines::{self, Place};
use crate::rights::Basis;
use crate::verdict::Code;

/// An ask without a grant, or a grant without an ask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unmet {
    /// The stable code.
    pub code: Code,
    /// The rule, or the name of the directory or the credential.
    pub subject: String,
    /// Whether the connector cannot do without. A missing host is denied when it is asked for; a missing directory or
    /// credential that is not optional means that a run need not start.
    pub required: bool,
    /// What does not meet, for people.
    pub message: String,
    /// The TOML to paste; none where no line of a document would help.
    pub line_to_add: Option<String>,
}

/// Everything in a basis that does not meet.
pub(crate) fn find_unmet(basis: &Basis<'_>) -> Vec<Unmet> {
    let mut unmet = Vec::new();
    unmet.extend(basis.asks.hosts.iter().filter_map(|ask| host_without_grant(basis, &ask.pattern)));
    unmet.extend(basis.grants.hosts.iter().filter_map(|grant| grant_without_ask(basis, &grant.pattern)));
    unmet.extend(basis.asks.directories.iter().filter_map(|ask| directory_without_grant(basis, ask)));
    unmet.extend(directories_without_ask(basis));
    unmet
}

fn host_without_grant(basis: &Basis<'_>, ask: &HostPattern) -> Option<Unmet> {
    if basis.grants.hosts.iter().any(|grant| ask.intersection(&grant.pattern).is_some()) {
        return None;
    }
    let (message, line_to_add) = if ask.is_resolved() {
        let line = lines::grant_host(Place::of(basis), ask);
        (format!("`{}` asks for `{ask}`, and nobody granted it", basis.name), Some(line))
    } else {
        (format!("`{}` asks for `{ask}`, which the configuration does not complete", basis.name), None)
    };
    Some(Unmet {
        code: Code::HostNotGranted,
        subject: ask.to_string(),
        required: false,
        message,
        line_to_add,
    })
}

fn grant_without_ask(basis: &Basis<'_>, grant: &HostPattern) -> Option<Unmet> {
    if basis.asks.hosts.iter().any(|ask| ask.pattern.intersection(grant).is_some()) {
        return None;
    }
    Some(Unmet {
        code: Code::GrantNotAsked,
        subject: grant.to_string(),
        required: false,
        message: format!(
            "`{grant}` is granted to `{}`, which does not ask for it: it gives nothing",
            basis.name
        ),
        line_to_add: Some(lines::ask_host(grant)),
    })
}

fn directory_without_grant(basis: &Basis<'_>, ask: &DirectoryAsk) -> Option<Unmet> {
    let DirectoryAsk { name, access, optional, .. } = ask;
    let message = match basis.grants.directories.get(name) {
        Some(grant) if grant.access >= *access => return None,
        Some(_) => {
            format!("`{}` asks to write in the directory `{name}`, and only reading is granted", basis.name)
        }
        None => format!(
            "`{}` asks to {} in the directory `{name}`, and nobody granted it",
            basis.name,
            access.as_str()
        ),
    };
    Some(Unmet {
        code: Code::DirectoryNotGranted,
        subject: name.clone(),
        required: !optional,
        message,
        line_to_add: Some(lines::grant_directory(Place::of(basis), name, *access)),
    })
}

fn directories_without_ask(basis: &Basis<'_>) -> Vec<Unmet> {
    let asked = |name: &str| basis.asks.directories.iter().any(|ask| ask.name == name);
    let unasked = basis.grants.directories.iter().filter(|(name, _)| !asked(name));
    let report = |(name, grant): (&String, &manifest::DirectoryGrant)| Unmet {
        code: Code::GrantNotAsked,
        subject: name.clone(),
        required: false,
        message: format!(
            "the directory `{}` is granted to `{}`, which does not ask for it: it gives nothing",
            name.escape_default(),
            basis.name
        ),
        line_to_add: can_be_asked(name).then(|| lines::ask_directory(name, grant.access)),
    };
    unasked.map(report).collect()
}

/// Whether a manifest could ask for something of this name.
fn can_be_asked(name: &str) -> bool {
    let letters = name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    letters && name.starts_with(|first: char| first.is_ascii_lowercase()) && name.len() <= 63
}
