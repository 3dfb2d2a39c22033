//! Headers in a document: a line each, `name: value`, as everybody writes them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::format::{Headers, Value};

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Line {
    Text(String),
    Binary { name: String, base64: String },
}

pub(crate) fn serialize<S: Serializer>(headers: &Headers, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(headers.iter().map(|(name, value)| match value {
        Value::Text(text) => Line::Text(format!("{name}: {text}")),
        Value::Binary(bytes) => Line::Binary { name: name.clone(), base64: STANDARD.encode(bytes) },
    }))
}

pub(crate) fn deserialize<'d, D: Deserializer<'d>>(deserializer: D) -> Result<Headers, D::Error> {
    let header = |line| match line {
        Line::Text(text) => {
            let parts =
                text.split_once(':').map(|(name, value)| (name, value.strip_prefix(' ').unwrap_or(value)));
            let (name, value) = parts.ok_or_else(|| D::Error::custom(format!("`{text}` is no header")))?;
            Ok((name.to_owned(), Value::Text(value.to_owned())))
        }
        Line::Binary { name, base64 } => {
            Ok((name, Value::Binary(STANDARD.decode(base64).map_err(D::Error::custom)?)))
        }
    };
    Vec::<Line>::deserialize(deserializer)?.into_iter().map(header).collect()
}
