//! A request is made of what was given for a command of the table.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use super::call::{Call, Given};
use super::client::{Client, Wish};
use super::verb::{Kind, Place, Take};
use super::{Error, fields, rights};
use crate::output::Output;
use crate::problem::{Own, Problem, Problems};
use crate::prompt::{self, Echo};

const IN_A_PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
/// Components have at most some ten megabytes.
const FILE_BYTES_MAX: u64 = 256 << 20;
pub(super) const SOURCES: &str = "SOURCE: `@FILE`, `env:VARIABLE`, or `-` for standard input";

/// What stands in braces.
pub(super) type Names = BTreeMap<&'static str, String>;

/// Words with names in braces, which are put in their places.
pub(super) fn filled(words: &str, names: &Names) -> String {
    put(words, names, ToOwned::to_owned)
}

/// The same where a path is made of it.
pub(super) fn path(path: &str, names: &Names) -> String {
    put(path, names, |text| utf8_percent_encode(text, IN_A_PATH).to_string())
}

fn put(words: &str, names: &Names, written: impl Fn(&str) -> String) -> String {
    let mut all = String::new();
    let mut rest = words;
    // A value that has braces itself is no name.
    while let Some((before, behind)) = rest.split_once('{') {
        let (name, after) = behind.split_once('}').unwrap_or((behind, ""));
        all.push_str(before);
        all.push_str(&names.get(name).map_or_else(String::new, |value| written(value)));
        rest = after;
    }
    all + rest
}

pub(super) async fn wish(
    call: &Call,
    client: &Client,
    names: &Names,
    output: &Output,
) -> Result<Wish, Problems> {
    let mut query = form_urlencoded::Serializer::new(String::new());
    let (mut body, mut whole, mut file) = (Map::new(), None, None);
    for take in call.verb.takes.iter().filter(|take| !matches!(take.place, Place::Path | Place::Behind)) {
        if let (Kind::File, Some(Given::File(path))) = (take.kind, call.values.get(take.name)) {
            file = Some(bytes_of(path)?);
            continue;
        }
        let value = match (take.kind, call.values.get(take.name)) {
            (Kind::Fields, Some(Given::Fields(given))) => {
                Some(fields::entered(client, names, given, output).await?)
            }
            (Kind::Rights, None) => Some(rights::as_asked(client, names, call.is_confirmed, output).await?),
            (_, given) => value(take, given, names)?,
        };
        match (take.place, value) {
            (Place::Query, Some(value)) => drop(query.append_pair(take.name, &text_of(&value))),
            (Place::Body, Some(value)) => drop(body.insert(take.name.to_owned(), value)),
            (Place::Whole, Some(value)) => whole = Some(value),
            (Place::Path | Place::Behind, _) | (_, None) => {}
        }
    }
    let query = query.finish();
    let between = if query.is_empty() { "" } else { "?" };
    let wish =
        Wish::new(call.verb.method.clone(), format!("{}{between}{query}", path(call.verb.path, names)));
    if let Some(bytes) = file {
        return Ok(wish.with("application/wasm", bytes));
    }
    let has_body = call.verb.takes.iter().any(|take| matches!(take.place, Place::Body | Place::Whole));
    // Members that are said stand over those of a document.
    let body = match whole {
        Some(Value::Object(mut document)) => {
            document.extend(body);
            Value::Object(document)
        }
        Some(other) => other,
        None => Value::Object(body),
    };
    Ok(if has_body { wish.with_json(&body) } else { wish })
}

fn value(take: &Take, given: Option<&Given>, names: &Names) -> Result<Option<Value>, Problems> {
    match given {
        // By its id, whatever was said.
        Some(Given::Value(_)) if take.among.is_some() => Ok(names.get(take.name).map(|id| id.clone().into())),
        Some(Given::Value(value)) => Ok(Some(value.clone())),
        Some(Given::File(path)) => Ok(Some(document(path)?)),
        Some(Given::Secret(source)) => Ok(Some(text(take.help, source.value()?.expose())?)),
        Some(Given::Fields(_)) => Ok(None),
        None => match take.kind {
            Kind::Again(name) => Ok(names.get(name).map(|value| value.clone().into())),
            Kind::Flag if take.is_needed => Ok(Some(Value::from(false))),
            Kind::Secret if take.is_needed => Ok(Some(typed(take)?)),
            _ if take.is_empty_unless_said => Ok(Some(Value::Array(Vec::new()))),
            _ => Ok(None),
        },
    }
}

fn typed(take: &Take) -> Result<Value, Problems> {
    let none = Error::NoTerminal { what: take.help, option: SOURCES };
    let typed = prompt::line(&format!("{}: ", take.help), Echo::Hidden).ok_or(none)?;
    text(take.help, typed.expose())
}

fn text(what: &'static str, bytes: &[u8]) -> Result<Value, Problems> {
    let wrong = |_| Problem::from(Error::NoText { what });
    Ok(std::str::from_utf8(bytes).map_err(wrong)?.into())
}

/// Lists have commas between what is in them.
fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(text_of).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

fn bytes_of(path: &Path) -> Result<Bytes, Problems> {
    let failed = |source| Own::Read { what: "the file", path: path.to_owned(), source };
    let size = fs::metadata(path).map_err(failed)?.len();
    if size > FILE_BYTES_MAX {
        let reason = format!("it has more than {FILE_BYTES_MAX} bytes");
        return Err(Own::WrongFile { what: "the file", path: path.to_owned(), reason }.into());
    }
    Ok(fs::read(path).map_err(failed)?.into())
}

/// What is in a file, as JSON where its name says so, else as TOML.
fn document(path: &Path) -> Result<Value, Problems> {
    let failed = |source| Own::Read { what: "the document", path: path.to_owned(), source };
    let text = fs::read_to_string(path).map_err(failed)?;
    let read = match path.extension().is_some_and(|extension| extension == "json") {
        true => serde_json::from_str(&text).map_err(|error| error.to_string()),
        false => toml::from_str(&text).map_err(|error| error.to_string()),
    };
    Ok(read.map_err(|reason| Own::WrongFile { what: "the document", path: path.to_owned(), reason })?)
}

#[cfg(test)]
mod tests {
    use super::{Names, filled, path};

    #[test]
    fn what_was_said_leads_to_no_other_path_and_names_nothing_else() {
        let names: Names =
            [("organization", "{token}/../x?y".to_owned()), ("token", "a b".to_owned())].into();
        assert_eq!(path("/v1/{organization}/{token}", &names), "/v1/%7Btoken%7D%2F..%2Fx%3Fy/a%20b");
        assert_eq!(filled("{token} of {organization}", &names), "a b of {token}/../x?y");
    }
}
