//! Reads `[[asks.credentials]]`.

use std::collections::BTreeMap;

use super::settings;
use super::{CredentialAsk, CredentialKind};
use crate::asks::{RULES_MAX, read_reason, read_rule};
use crate::fault::Code;
use crate::host::HostPattern;
use crate::reader::{Node, Table, refuse_duplicates};
use crate::text::quoted;

/// More credentials than any connector needs, and than anybody reads before consenting.
const CREDENTIALS_MAX: usize = 32;

/// What every kind has.
const KEYS: [&str; 8] = ["name", "kind", "audience", "one_of", "optional", "reveal", "reason", "fields"];

/// The longest JSON Pointer to a property.
const POINTER_CHARS_MAX: usize = 500;

/// The `credentials` of asks, each with its place.
pub(crate) fn read_credentials<'d>(table: &Table<'d>) -> Option<Vec<(Node<'d>, CredentialAsk)>> {
    let items = table.items("credentials");
    if let Some(first_too_many) = items.get(CREDENTIALS_MAX) {
        first_too_many.fault(Code::WrongValue, format!("more than {CREDENTIALS_MAX} credentials"));
        return None;
    }
    let read: Vec<Option<CredentialAsk>> = items.iter().map(read_credential).collect();
    let named = read.iter().zip(&items).filter_map(|(ask, node)| Some((ask.as_ref()?.name.as_str(), node)));
    refuse_duplicates("the credential", named);
    items.into_iter().zip(read).map(|(node, ask)| ask.map(|ask| (node, ask))).collect()
}

fn read_credential(node: &Node<'_>) -> Option<CredentialAsk> {
    let table = node.open_table()?;
    let word = table
        .required("kind")
        .and_then(|kind| kind.choice(&CredentialKind::WORDS.map(|word| (word, word))))?;
    let known: Vec<&str> = KEYS.iter().chain(settings::keys(word)).copied().collect();
    let table = node.table(&known)?;
    let name = table.required("name").and_then(|name| name.identifier());
    let kind = settings::read(word, &table);
    let audience = table.required("audience").and_then(|audience| read_audience(&audience));
    let one_of = table.optional("one_of", Node::identifier);
    let optional = table.optional("optional", Node::boolean);
    let reveal = table.optional("reveal", Node::boolean);
    let reason = read_reason(&table);
    let kind = kind?;
    let fields = table.optional("fields", |fields| read_fields(fields, &kind));
    let ask = CredentialAsk {
        name: name?,
        kind,
        audience: audience?,
        one_of: one_of?,
        optional: optional?.unwrap_or(false),
        reveal: reveal?.unwrap_or(false),
        reason: reason?,
        fields: fields?.unwrap_or_default(),
    };
    is_coherent(&table, &ask).then_some(ask)
}

fn read_audience(node: &Node<'_>) -> Option<Vec<HostPattern>> {
    let items = node.items()?;
    if items.is_empty() {
        node.fault(Code::WrongValue, "names no host: the credential would never be used");
        return None;
    }
    if let Some(first_too_many) = items.get(RULES_MAX) {
        first_too_many.fault(Code::WrongValue, format!("more than {RULES_MAX} rules"));
        return None;
    }
    let read: Vec<Option<HostPattern>> = items.iter().map(read_rule).collect();
    read.into_iter().collect()
}

fn read_fields(node: &Node<'_>, kind: &CredentialKind) -> Option<BTreeMap<String, String>> {
    let known: Vec<&str> = kind.fields().iter().map(|field| field.name).collect();
    let table = node.table(&known)?;
    let entries: Vec<Option<(String, String)>> = table
        .entries()
        .filter(|(name, _)| known.contains(name))
        .map(|(name, pointer)| Some((name.to_owned(), read_pointer(&pointer)?)))
        .collect();
    entries.into_iter().collect()
}

fn read_pointer(node: &Node<'_>) -> Option<String> {
    let text = node.line_of_text(POINTER_CHARS_MAX)?;
    if text.starts_with('/') {
        return Some(text);
    }
    let hint = Some(format!("write {}", quoted(&format!("/{}", text.replace('.', "/")))));
    node.fault_with(
        Code::WrongValue,
        format!("{} is not the JSON Pointer of a property", quoted(&text)),
        hint,
    );
    None
}

/// What each setting allows by itself and the whole does not.
fn is_coherent(table: &Table<'_>, ask: &CredentialAsk) -> bool {
    let mut coherent = true;
    let mut fault = |key: &str, message: &str| {
        coherent = false;
        table.get(key).as_ref().unwrap_or(table.node()).fault(Code::WrongValue, message);
    };
    if ask.reveal && matches!(ask.kind, CredentialKind::OAuth2(_) | CredentialKind::JwtBearer(_)) {
        fault("reveal", "tokens of this kind end while a run goes on, and only the host renews them");
    }
    if matches!(ask.kind, CredentialKind::Mtls) {
        if ask.audience.iter().any(|rule| rule.methods().is_some() || rule.path_prefix().is_some()) {
            fault(
                "audience",
                "a certificate is shown before there is a method or a path: name the host alone",
            );
        }
        if ask.audience.iter().any(|rule| rule.url().starts_with("http://")) {
            fault("audience", "a certificate is shown to an `https` host only");
        }
    }
    coherent
}
