//! The credentials of all streams, each asked for once: its kind and place, the hosts whose requests carry it, and which
//! secrets of the specification are its fields.

use std::collections::BTreeMap;

use http_manifest_dialect::{Authenticator, Fault, Faults, Manifest};
use toml::Value;

use crate::{authenticator, hosts};

/// One credential that is asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Credential {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) settings: Vec<(String, Value)>,
    /// Which secret of the specification is which field: the field's name, and the keys that lead to the secret.
    pub(crate) fields: BTreeMap<&'static str, Vec<String>>,
    /// The group of which the user enters one.
    pub(crate) one_of: Option<&'static str>,
    pub(crate) optional: bool,
    /// Hosts, each with the methods of the streams that need the credential there; without any for all of them.
    pub(crate) audience: Vec<(String, Vec<&'static str>)>,
    pub(crate) streams: Vec<String>,
    /// Values of the configuration in its settings, with their defaults.
    pub(crate) keys: Vec<(Vec<String>, Option<String>)>,
    /// The texts of the manifest that say where its values come from.
    pub(crate) sources: Vec<String>,
}

/// What is asked for, and notes on what the user has to know.
pub(crate) fn credentials(manifest: &Manifest) -> Result<(Vec<Credential>, Vec<Fault>), Faults> {
    let mut credentials: Vec<Credential> = Vec::new();
    let (mut faults, mut notes) = (Vec::new(), Vec::new());
    for (index, stream) in manifest.streams.iter().enumerate() {
        let requester = &stream.retriever.requester;
        let Some(said) = &requester.authenticator else { continue };
        let mut reading = authenticator::Reading {
            spec: &manifest.spec,
            path: format!("/streams/{index}/retriever/requester/authenticator"),
            faults: &mut faults,
            notes: &mut notes,
        };
        let audience = hosts::of_requester(requester);
        for mut credential in alternatives(said, &mut reading) {
            // A certificate is shown before there is a method.
            let methods = || if credential.kind == "mtls" { vec![] } else { vec![requester.method.as_str()] };
            credential.audience = audience.iter().map(|url| (url.clone(), methods())).collect();
            credential.streams = vec![stream.name.clone()];
            add(&mut credentials, credential);
        }
    }
    // One authenticator of many streams has the same to say in each.
    for remarks in [&mut faults, &mut notes] {
        let mut seen: Vec<(usize, usize, String)> = Vec::new();
        remarks.retain(|remark: &Fault| {
            let key = (remark.place.line, remark.place.column, remark.message.clone());
            let is_new = !seen.contains(&key);
            seen.push(key);
            is_new
        });
    }
    if faults.is_empty() { Ok((credentials, notes)) } else { Err(Faults(faults)) }
}

/// The name of the group of alternatives.
const GROUP: &str = "authenticator";

/// The credential of an authenticator, or each of those from which the user chooses.
fn alternatives(said: &Authenticator, reading: &mut authenticator::Reading<'_>) -> Vec<Credential> {
    let Authenticator::Selective(selective) = said else {
        return reading.credential(said).into_iter().collect();
    };
    let optional = selective.choices.iter().any(|(_, choice)| choice.is_none());
    let chosen = selective.choices.iter().filter_map(|(name, choice)| {
        let credential = reading.credential(choice.as_ref()?)?;
        let name = identifier(name).unwrap_or_else(|| credential.name.clone());
        Some(Credential { name, one_of: Some(GROUP), optional, ..credential })
    });
    chosen.collect()
}

/// A name of asks out of a word of the manifest: `oauth2.0` is `oauth2-0`.
fn identifier(word: &str) -> Option<String> {
    let lower = word.to_lowercase();
    let parts = lower.split(|character: char| !character.is_ascii_alphanumeric());
    let name = parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-");
    (name.starts_with(|first: char| first.is_ascii_lowercase()) && name.len() <= 60).then_some(name)
}

fn add(credentials: &mut Vec<Credential>, new: Credential) {
    let is_same = |known: &Credential| {
        (&known.kind, &known.settings, &known.fields, known.one_of, &known.sources)
            == (&new.kind, &new.settings, &new.fields, new.one_of, &new.sources)
    };
    if let Some(known) = credentials.iter_mut().find(|known| is_same(known)) {
        for (url, methods) in new.audience {
            match known.audience.iter_mut().find(|(known, _)| *known == url) {
                Some((_, known)) => known
                    .extend(methods.into_iter().filter(|method| !known.contains(method)).collect::<Vec<_>>()),
                None => known.audience.push((url, methods)),
            }
        }
        known.streams.extend(new.streams);
        return;
    }
    let mut name = new.name.clone();
    for number in 2.. {
        if !credentials.iter().any(|known| known.name == name) {
            break;
        }
        name = format!("{}-{number}", new.name);
    }
    credentials.push(Credential { name, ..new });
}
