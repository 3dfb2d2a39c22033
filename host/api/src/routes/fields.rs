//! The fields of a credential, as a person sends them: read straight into what wipes itself, and held against what the
//! credential has.

use crate::fault::Fault;
use control::Secret;
use manifest::credential::{Field, OAuth2Grant};
use manifest::{CredentialAsk, CredentialKind};
use records::{CredentialFields, OpenedCredential};
use serde::de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
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
pub(crate) struct SentFields(BTreeMap<String, Value>);

/// Read whatever it is: an error on the way would tell the name of the field, which may be a secret in the wrong place.
enum Value {
    Text(Secret),
    TooLong,
    NoText,
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a string")
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        let is_long = text.len() > VALUE_BYTES_MAX;
        Ok(if is_long { Value::TooLong } else { Value::Text(Secret::new(text.to_owned())) })
    }

    fn visit_bool<E>(self, _: bool) -> Result<Value, E> {
        Ok(Value::NoText)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Value, E> {
        Ok(Value::NoText)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Value, E> {
        Ok(Value::NoText)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Value, E> {
        Ok(Value::NoText)
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::NoText)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value::NoText)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Value::NoText)
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
                while let Some((name, value)) = members.next_entry::<String, Value>()? {
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
            let value = match value {
                Value::Text(value) => value,
                Value::NoText => {
                    faults.push(format!("`{name}`: it is no string"));
                    continue;
                }
                Value::TooLong => {
                    faults.push(format!("`{name}`: it has more than {VALUE_BYTES_MAX} bytes"));
                    continue;
                }
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
        let has_fault = |field: &Field| {
            let place = format!("`{}`: ", field.name);
            faults.iter().any(|fault: &String| fault.starts_with(&place))
        };
        let absent = missing(ask, &fields).filter(|field| !has_fault(field)).map(told_missing);
        let absent: Vec<String> = absent.collect();
        faults.extend(absent);
        if faults.is_empty() { Ok(fields) } else { Err(Fault::BadFields { faults }) }
    }
}

/// That a person has entered all that is to be entered.
pub(crate) fn complete(ask: &CredentialAsk, fields: &CredentialFields) -> Result<(), Fault> {
    let faults: Vec<String> = missing(ask, fields).map(told_missing).collect();
    if faults.is_empty() { Ok(()) } else { Err(Fault::BadFields { faults }) }
}

fn missing<'f>(
    ask: &CredentialAsk,
    fields: &'f CredentialFields,
) -> impl Iterator<Item = &'static Field> + use<'f> {
    let wanted = ask.entered_fields().iter().filter(|field| !field.optional);
    wanted.filter(move |field| {
        !fields.secret.contains_key(field.name) && !fields.public.contains_key(field.name)
    })
}

fn told_missing(field: &Field) -> String {
    format!("`{}`: it is missing", field.name)
}

/// What a person has entered, without what a provider has given for it.
pub(crate) fn of_person(ask: &CredentialAsk, opened: OpenedCredential) -> CredentialFields {
    let is_entered =
        |name: &str| name != REFRESH_TOKEN && ask.entered_fields().iter().any(|field| field.name == name);
    let OpenedCredential { kept, mut secret } = opened;
    let mut public = kept.public;
    public.retain(|name, _| is_entered(name));
    secret.retain(|name, _| is_entered(name));
    CredentialFields { public, secret }
}

/// Whether a user must consent at the provider before the credential is of use.
pub(crate) fn needs_consent(ask: &CredentialAsk, fields: &CredentialFields) -> bool {
    is_by_consent(ask) && !fields.secret.contains_key(REFRESH_TOKEN)
}

pub(crate) fn is_by_consent(ask: &CredentialAsk) -> bool {
    matches!(&ask.kind, CredentialKind::OAuth2(oauth2) if oauth2.grant == OAuth2Grant::AuthorizationCode)
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
