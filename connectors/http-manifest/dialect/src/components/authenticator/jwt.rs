//! A token that is signed with a private key.

use super::{Authenticator, Source, literal, literals, only, required_source, source_of, word};
use crate::component::{Component, Fields};
use crate::template::{Names, Template};

/// A token that is signed with a private key.
#[derive(Debug, Clone)]
pub struct Jwt {
    /// `RS256` or `ES256`.
    pub algorithm: &'static str,
    /// Where the private key comes from.
    pub private_key: Source,
    /// How long a token is good.
    pub lifetime_s: u64,
    /// What stands before the token in its header.
    pub prefix: String,
    /// Where the key's id comes from.
    pub key_id: Option<Source>,
    /// Where the claim `iss` comes from.
    pub issuer: Option<Source>,
    /// Where the claim `sub` comes from.
    pub subject: Option<Source>,
    /// The claim `aud`.
    pub audience: Option<Template>,
    /// More claims.
    pub claims: Vec<(String, String)>,
}

/// Others sign with a secret that both sides know, or with hashes that nobody asks for.
const ALGORITHMS: [(&str, &str); 2] = [("RS256", "RS256"), ("ES256", "ES256")];

/// What the dialect says where nothing is said.
const LIFETIME_S: u64 = 1200;

const FIELDS: Fields = Fields {
    read: &[
        "secret_key",
        "algorithm",
        "base64_encode_secret_key",
        "token_duration",
        "header_prefix",
        "jwt_headers",
        "jwt_payload",
        "additional_jwt_payload",
    ],
    ignored: &[],
    later: &[
        ("additional_jwt_headers", "headers of signed tokens"),
        ("passphrase", "private keys with a passphrase"),
        ("request_option", "other places of signed tokens"),
    ],
};

pub(super) fn read(component: &Component<'_>) -> Option<Authenticator> {
    component.check_fields(&FIELDS);
    only(component, "base64_encode_secret_key", "False");
    let algorithm = component.required("algorithm").and_then(|item| word(&item, &ALGORITHMS));
    let private_key = required_source(component, "secret_key");
    let prefix = component.field("header_prefix").and_then(|item| literal(&item)).unwrap_or_default();
    let (key_id, _) = parts(component, "jwt_headers", ["kid", "typ", "cty"]);
    let (issuer, rest) = parts(component, "jwt_payload", ["iss", "sub", "aud"]);
    let [subject, audience] = rest;
    Some(Authenticator::Jwt(Box::new(Jwt {
        algorithm: algorithm?,
        private_key: private_key?,
        lifetime_s: lifetime_s(component)?,
        prefix: if prefix.is_empty() { prefix } else { format!("{prefix} ") },
        key_id: key_id.as_ref().and_then(source_of),
        issuer: issuer.as_ref().and_then(source_of),
        subject: subject.as_ref().and_then(source_of),
        audience: audience.map(|item| component.template_of(&item, Names::CONFIG)),
        claims: literals(component, "additional_jwt_payload"),
    })))
}

type Found<'d> = Option<crate::item::Item<'d>>;

/// The members of a mapping: the first of these names, and the others; any other member is a fault.
fn parts<'d>(component: &Component<'d>, name: &str, known: [&str; 3]) -> (Found<'d>, [Found<'d>; 2]) {
    let mut found = [None, None, None];
    for (key, item) in component.field(name).map(|item| item.entries()).unwrap_or_default() {
        match known.iter().position(|known| *known == key).and_then(|index| found.get_mut(index)) {
            Some(slot) => *slot = Some(item).filter(|item| !item.is_falsy()),
            None => item.fault(format!("is none of `{}`", known.join("`, `"))),
        }
    }
    let [first, second, third] = found;
    (first, [second, third])
}

fn lifetime_s(component: &Component<'_>) -> Option<u64> {
    let Some(item) = component.field("token_duration") else { return Some(LIFETIME_S) };
    let seconds =
        item.number().and_then(serde_json::Number::as_u64).filter(|seconds| (1..=3600).contains(seconds));
    if seconds.is_none() {
        item.fault("must be from 1 to 3600 seconds");
    }
    seconds
}
