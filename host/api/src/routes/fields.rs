//! The fields of a credential, as a person sends them: read straight into what wipes itself, and held against what the
//! credential has.

use crate::fault::Fault;
use control::Secret;
use manifest::credential::{Field, OAuth2Grant};
use manifest::{CredentialAsk, CredentialKind};
use records::CredentialFields;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::fmt;
use vault::Plaintext;

/// No credential has so many.
const FIELDS_MAX: usize = 16;
/// A key with its chain of certificates takes some thousand.
const VALUE_BYTES_MAX: usize = 64 << 10;
/// Consent brings it, unless somebody has one already.
const REFRESH_TOKEN: &str = "refresh_token";

/// What a person sends, by the names of fields. Without `Debug`.
pub(crate) struct SentFields(BTreeMap<String, Secret>);

struct Value(Secret);

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl Visitor<'_> for Text {
            type Value = Value;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a string")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
                if text.len() > VALUE_BYTES_MAX {
                    return Err(E::custom(format_args!("expected at most {VALUE_BYTES_MAX} bytes")));
                }
                Ok(Value(Secret::new(text.to_owned())))
            }
        }

        deserializer.deserialize_str(Text)
    }
}

impl<'de> Deserialize<'de> for SentFields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;

        impl<'de> Visitor<'de> for Fields {
            type Value = SentFields;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object of strings")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<SentFields, A::Error> {
                let mut all = BTreeMap::new();
                while let Some((name, Value(value))) = members.next_entry::<String, Value>()? {
                    if all.len() >= FIELDS_MAX {
                        return Err(A::Error::custom(format_args!("expected at most {FIELDS_MAX} fields")));
                    }
                    // The name is not repeated: it may be a secret in the wrong place.
                    if all.insert(name, value).is_some() {
                        return Err(A::Error::custom("duplicate field in it"));
                    }
                }
                Ok(SentFields(all))
            }
        }

        deserializer.deserialize_map(Fields)
    }
}

impl SentFields {
    /// The fields of this credential; every fault at once.
    pub(crate) fn of(self, ask: &CredentialAsk) -> Result<CredentialFields, Fault> {
        let known = ask.entered_fields();
        let mut faults = Vec::new();
        let mut fields = CredentialFields::default();
        for (name, value) in self.0 {
            let Some(field) = known.iter().find(|field| field.name == name) else {
                let names: Vec<&str> = known.iter().map(|field| field.name).collect();
                faults
                    .push(format!("there is a field that it does not have; it has `{}`", names.join("`, `")));
                continue;
            };
            match flaw(field, value.expose()) {
                Some(flaw) => faults.push(format!("`{name}`: {flaw}")),
                None if field.secret => {
                    let bytes = Plaintext::new(value.expose().as_bytes().to_vec());
                    fields.secret.insert(name, bytes);
                }
                None => {
                    fields.public.insert(name, value.expose().to_owned());
                }
            }
        }
        for field in known.iter().filter(|field| !is_optional(ask, field)) {
            let is_there = fields.secret.contains_key(field.name) || fields.public.contains_key(field.name);
            if !is_there && !faults.iter().any(|fault| fault.starts_with(&format!("`{}`: ", field.name))) {
                faults.push(format!("`{}`: it is missing", field.name));
            }
        }
        if faults.is_empty() { Ok(fields) } else { Err(Fault::BadFields { faults }) }
    }
}

/// Whether a user must consent at the provider before the credential is of use.
pub(crate) fn needs_consent(ask: &CredentialAsk, fields: &CredentialFields) -> bool {
    is_by_consent(ask) && !fields.secret.contains_key(REFRESH_TOKEN)
}

fn is_by_consent(ask: &CredentialAsk) -> bool {
    matches!(&ask.kind, CredentialKind::OAuth2(oauth2) if oauth2.grant == OAuth2Grant::AuthorizationCode)
}

fn is_optional(ask: &CredentialAsk, field: &Field) -> bool {
    field.optional || (field.name == REFRESH_TOKEN && is_by_consent(ask))
}

/// Why a value cannot be that of its field. Text without control characters, of more than one line only where that is how it
/// is written.
fn flaw(field: &Field, value: &str) -> Option<&'static str> {
    let is_pem = matches!(field.name, "private_key" | "certificate");
    let is_wrong = |char: char| char.is_control() && !(is_pem && matches!(char, '\n' | '\r'));
    if value.is_empty() {
        Some("it is empty")
    } else if is_pem && !value.contains("-----BEGIN ") {
        Some("it is not in PEM, which begins with `-----BEGIN `")
    } else if value.contains(is_wrong) {
        Some("it has a control character, such as the end of a line, in it")
    } else {
        None
    }
}
