//! An authenticator in the host's own words becomes the ask that it is. The host judges kind and settings when it reads the
//! ask; what is judged here is where the values come from, since nobody else sees the specification.

use http_manifest_dialect::{Host, Setting, ValueSource};
use serde_json::Value as Json;
use toml::{Table, Value};

use super::{Reading, new};
use crate::credentials::Credential;

/// What an admin enters for some kind, and whether the connector may see it.
const FIELDS: [(&str, bool); 16] = [
    ("token", false),
    ("value", false),
    ("password", false),
    ("key", false),
    ("secret_access_key", false),
    ("session_token", false),
    ("client_secret", false),
    ("refresh_token", false),
    ("private_key", false),
    ("username", true),
    ("access_key_id", true),
    ("client_id", true),
    ("certificate", true),
    ("key_id", true),
    ("issuer", true),
    ("subject", true),
];

impl Reading<'_> {
    /// Faults come with the credential: whoever has one does without the other.
    pub(super) fn in_hosts_words(&mut self, host: &Host) -> Credential {
        let mut credential = new(host.name.as_deref().unwrap_or(&host.kind), &host.kind);
        for (name, setting) in &host.settings {
            let value = match setting {
                Setting::Text(template) => self.endpoint(&mut credential, template).map(Value::from),
                Setting::Other(json) => toml_of(json),
            };
            credential.settings.extend(value.map(|value| (name.clone(), value)));
        }
        for (name, source) in &host.fields {
            self.field(&mut credential, name, source);
        }
        credential
    }

    fn field(&mut self, credential: &mut Credential, name: &str, source: &ValueSource) {
        match FIELDS.into_iter().find(|(known, _)| *known == name) {
            Some((name, true)) => self.public(credential, name, source),
            Some((name, false)) => self.secret(credential, name, source),
            None => self.fault(source, format!("`{name}` is no field of any kind of credential")),
        }
    }
}

/// TOML knows no null; a setting that is none says nothing.
fn toml_of(json: &Json) -> Option<Value> {
    Some(match json {
        Json::Null => return None,
        Json::Bool(value) => Value::from(*value),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => Value::from(whole),
            None => Value::from(number.as_f64()?),
        },
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => Value::Array(items.iter().filter_map(toml_of).collect()),
        Json::Object(members) => {
            let members = members.iter().filter_map(|(name, json)| Some((name.clone(), toml_of(json)?)));
            Value::Table(members.collect::<Table>())
        }
    })
}
