//! Which credentials the host may use for a connector, and what is missing where it may not.

use std::collections::BTreeMap;

use manifest::{CredentialAsk, CredentialGrant};
use serde::{Deserialize, Serialize};

use crate::lines;
use crate::rights::{Basis, Policy};
use crate::unmet::Unmet;
use crate::verdict::Code;

/// A stored credential that the host may use for a connector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    /// What the connector asked for, with the configuration's values in it.
    pub ask: CredentialAsk,
    /// The name under which it is stored.
    pub stored: String,
    /// Whether the connector gets the value; the host then places nothing. Only where it is both asked for and granted.
    pub revealed: bool,
}

/// The credentials of a basis, and everything that stands in the way of others.
pub(crate) fn granted_credentials(basis: &Basis<'_>) -> (Vec<Credential>, Vec<Unmet>) {
    let mut credentials = Vec::new();
    let mut unmet = Vec::new();
    for asks in groups(basis) {
        let granted: Vec<&CredentialAsk> =
            asks.iter().copied().filter(|ask| grant(basis, ask).is_some()).collect();
        match granted.as_slice() {
            [] => unmet.extend(not_granted(basis, &asks)),
            [ask] => match credential(basis, ask) {
                Ok(credential) => credentials.push(credential),
                Err(reason) => unmet.push(*reason),
            },
            several => unmet.push(alternatives(basis, several)),
        }
    }
    unmet.extend(without_use(basis));
    (credentials, unmet)
}

fn grant<'a>(basis: &Basis<'a>, ask: &CredentialAsk) -> Option<&'a CredentialGrant> {
    basis.grants.credentials.get(&ask.name)
}

/// Asks by their group, an ask without one by itself, in the order of the manifest.
fn groups<'a>(basis: &Basis<'a>) -> Vec<Vec<&'a CredentialAsk>> {
    let mut groups: Vec<Vec<&CredentialAsk>> = Vec::new();
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    for ask in &basis.asks.credentials {
        let group = ask.one_of.as_deref();
        let known = group.and_then(|group| places.get(group)).and_then(|place| groups.get_mut(*place));
        if let Some(asks) = known {
            asks.push(ask);
            continue;
        }
        if let Some(group) = group {
            places.insert(group, groups.len());
        }
        groups.push(vec![ask]);
    }
    groups
}

/// The credential, unless a policy or the wish to hold it stands in the way.
fn credential(basis: &Basis<'_>, ask: &CredentialAsk) -> Result<Credential, Box<Unmet>> {
    let Some(grant) = grant(basis, ask) else {
        return Err(Box::new(missing(basis, ask)));
    };
    if ask.reveal && !grant.reveal {
        let message = format!(
            "`{}` wants to hold the credential `{}` itself, and only its use is granted",
            basis.name, ask.name
        );
        let line = lines::grant_credential(basis, ask);
        return Err(Box::new(lack(Code::RevealNotGranted, ask, message, line)));
    }
    let policies = [
        (basis.organization, Code::OrganizationPolicy, "the organization's policy"),
        (basis.host, Code::HostPolicy, "this host's policy"),
    ];
    for (policy, code, whose) in policies {
        if let Some(url) = policy.and_then(|policy| refused_endpoint(policy, ask)) {
            let message =
                format!("the credential `{}` needs `{url}`, which {whose} does not allow", ask.name);
            return Err(Box::new(lack(code, ask, message, None)));
        }
    }
    Ok(Credential { ask: ask.clone(), stored: grant.stored.clone(), revealed: ask.reveal })
}

/// The first URL that the host would call for the credential and that a policy does not allow. Requests of the
/// connector are judged one by one; these would not be.
fn refused_endpoint(policy: &Policy, ask: &CredentialAsk) -> Option<String> {
    let hosts = policy.hosts.as_ref()?;
    let allowed = |url: &manifest::credential::EndpointUrl| {
        let Some((scheme, host, port)) = url.origin() else { return false };
        let path = url.path();
        hosts.iter().any(|rule| {
            rule.matches_origin(scheme, host, port) && rule.matches_method("POST") && rule.matches_path(&path)
        })
    };
    let called = ask.kind.called_endpoints();
    called.into_iter().find(|url| !allowed(url)).map(ToString::to_string)
}

/// What is missing where nothing of a group is granted: one line for each way to bring it, the first is enough.
fn not_granted(basis: &Basis<'_>, asks: &[&CredentialAsk]) -> Option<Unmet> {
    let (first, others) = asks.split_first()?;
    if others.is_empty() {
        return Some(missing(basis, first));
    }
    let names: Vec<String> = asks.iter().map(|ask| format!("`{}`", ask.name)).collect();
    let message = format!(
        "`{}` asks for one of the credentials {}, and nobody granted one",
        basis.name,
        names.join(", ")
    );
    let required = asks.iter().all(|ask| !ask.optional);
    let line = lines::grant_credential(basis, first);
    Some(Unmet { required, ..lack(Code::CredentialNotGranted, first, message, line) })
}

fn missing(basis: &Basis<'_>, ask: &CredentialAsk) -> Unmet {
    let audience: Vec<String> = ask.audience.iter().map(|rule| format!("`{rule}`")).collect();
    let audience = audience.join(", ");
    let message = if ask.reveal {
        format!(
            "`{}` asks to hold the credential `{}` itself, for {audience}, and nobody granted it",
            basis.name, ask.name
        )
    } else {
        format!(
            "`{}` asks for the credential `{}` in requests to {audience}, and nobody granted it",
            basis.name, ask.name
        )
    };
    lack(Code::CredentialNotGranted, ask, message, lines::grant_credential(basis, ask))
}

fn alternatives(basis: &Basis<'_>, granted: &[&CredentialAsk]) -> Unmet {
    let names: Vec<String> = granted.iter().map(|ask| format!("`{}`", ask.name)).collect();
    let message = format!(
        "{} are alternatives of `{}`, and all of them are granted: remove all but one of the lines",
        names.join(" and "),
        basis.name
    );
    let subject = granted.first().map(|ask| ask.name.clone()).unwrap_or_default();
    Unmet { code: Code::CredentialAlternatives, subject, required: true, message, line_to_add: None }
}

fn lack(code: Code, ask: &CredentialAsk, message: String, line_to_add: Option<String>) -> Unmet {
    Unmet { code, subject: ask.name.clone(), required: !ask.optional, message, line_to_add }
}

/// Grants that give nothing, and leave to hold a value that nobody asked to hold.
fn without_use(basis: &Basis<'_>) -> Vec<Unmet> {
    let asked = |name: &str| basis.asks.credentials.iter().find(|ask| ask.name == name);
    let report = |(name, grant): (&String, &CredentialGrant)| {
        let message = match asked(name) {
            None => format!(
                "the credential `{}` is granted to `{}`, which does not ask for it: it gives nothing",
                name.escape_default(),
                basis.name
            ),
            Some(ask) if grant.reveal && !ask.reveal => format!(
                "`{}` may hold the credential `{name}` itself and does not ask to: the host uses it, and shows nothing",
                basis.name
            ),
            Some(_) => return None,
        };
        let subject = name.clone();
        Some(Unmet { code: Code::GrantNotAsked, subject, required: false, message, line_to_add: None })
    };
    basis.grants.credentials.iter().filter_map(report).collect()
}
