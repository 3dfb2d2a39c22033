//! What a connector is told of its credentials: that they exist, and their public parts.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::CredentialKind;

/// A credential that is there. Without `Debug`: what is revealed is a secret.
pub struct Connected<'a> {
    /// The name by which the connector asked for it.
    pub name: &'a str,
    /// Its kind.
    pub kind: &'a CredentialKind,
    /// The fields that the connector may see.
    pub public: BTreeMap<String, String>,
    /// The secret fields, where holding them was asked for and granted; otherwise empty.
    pub revealed: BTreeMap<String, String>,
}

/// `{"api": {"kind": "basic", "public": {"username": "me"}}}`
pub(crate) fn told(credentials: &[Connected<'_>]) -> Value {
    let told = credentials.iter().map(|credential| {
        let mut said = Map::from_iter([
            ("kind".to_owned(), json!(credential.kind.as_str())),
            ("public".to_owned(), json!(credential.public)),
        ]);
        if !credential.revealed.is_empty() {
            said.insert("revealed".to_owned(), json!(credential.revealed));
        }
        (credential.name.to_owned(), Value::Object(said))
    });
    Value::Object(told.collect::<Map<String, Value>>())
}
