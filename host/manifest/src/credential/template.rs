//! What a keyed hash signs: text with parts of the request in it, read when the manifest is.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::header_name::is_header_name;
use crate::text::{closest, is_plain, quoted};

/// Longer than any scheme that is known.
const TEMPLATE_BYTES_MAX: usize = 1000;

/// A part of what is signed. Everything is as it is sent, after the host's last change.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SignedPart {
    /// This text.
    Text(String),
    /// The method, in capitals.
    Method,
    /// The host, with the port where it is not the scheme's own.
    Host,
    /// The path, encoded, without the query.
    Path,
    /// The query, encoded, without `?`; empty where there is none.
    Query,
    /// The path, and `?` and the query where there is one.
    Target,
    /// The whole URL.
    Url,
    /// The body's bytes.
    Body,
    /// The body's hash in hexadecimal digits, by the hash of the signature.
    BodyHash,
    /// The time of signing.
    Timestamp,
    /// A number used once.
    Nonce,
    /// The key's id.
    KeyId,
    /// The value of this header, in lower case its name; empty where the request has none.
    Header(String),
}

/// `${word}` and the part that it stands for.
const WORDS: [(&str, SignedPart); 11] = [
    ("method", SignedPart::Method),
    ("host", SignedPart::Host),
    ("path", SignedPart::Path),
    ("query", SignedPart::Query),
    ("target", SignedPart::Target),
    ("url", SignedPart::Url),
    ("body", SignedPart::Body),
    ("body_hash", SignedPart::BodyHash),
    ("timestamp", SignedPart::Timestamp),
    ("nonce", SignedPart::Nonce),
    ("key_id", SignedPart::KeyId),
];

/// What is signed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SignTemplate(Vec<SignedPart>);

impl SignTemplate {
    /// Read a template such as `${timestamp}.${body}`.
    ///
    /// # Errors
    /// What is no part of a request, in words for the author.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > TEMPLATE_BYTES_MAX {
            return Err(format!("is longer than {TEMPLATE_BYTES_MAX} bytes"));
        }
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            push_text(&mut parts, before)?;
            let (word, following) = after.split_once('}').ok_or("has a `${` without `}`")?;
            parts.push(part(word)?);
            rest = following;
        }
        push_text(&mut parts, rest)?;
        if parts.iter().all(|part| matches!(part, SignedPart::Text(_) | SignedPart::KeyId)) {
            return Err("signs no part of the request, such as `${body}`".to_owned());
        }
        Ok(Self(parts))
    }

    /// The parts in their order.
    #[must_use]
    pub fn parts(&self) -> &[SignedPart] {
        &self.0
    }

    /// Whether the body must be there in full before a request can be signed.
    #[must_use]
    pub fn needs_body(&self) -> bool {
        self.0.iter().any(|part| matches!(part, SignedPart::Body | SignedPart::BodyHash))
    }
}

fn push_text(parts: &mut Vec<SignedPart>, text: &str) -> Result<(), String> {
    if let Some(hidden) = text.chars().find(|character| *character != '\n' && !is_plain(*character)) {
        return Err(format!("holds the invisible character `{}`", hidden.escape_unicode()));
    }
    if !text.is_empty() {
        parts.push(SignedPart::Text(text.to_owned()));
    }
    Ok(())
}

fn part(word: &str) -> Result<SignedPart, String> {
    if let Some(name) = word.strip_prefix("header.").filter(|name| is_header_name(name)) {
        return Ok(SignedPart::Header(name.to_ascii_lowercase()));
    }
    if let Some((_, part)) = WORDS.iter().find(|(known, _)| *known == word) {
        return Ok(part.clone());
    }
    let known = WORDS.map(|(known, _)| known);
    Err(match closest(word, known) {
        Some(near) => format!("has no part {}; did you mean `{near}`?", quoted(word)),
        None => format!("has no part {}; known are `{}` and `header.name`", quoted(word), known.join("`, `")),
    })
}

impl fmt::Display for SignedPart {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => formatter.write_str(text),
            Self::Header(name) => write!(formatter, "${{header.{name}}}"),
            other => {
                let word = WORDS.iter().find(|(_, part)| part == other).map_or("", |(word, _)| *word);
                write!(formatter, "${{{word}}}")
            }
        }
    }
}

impl fmt::Display for SignTemplate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|part| part.fmt(formatter))
    }
}

impl TryFrom<String> for SignTemplate {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text)
    }
}

impl From<SignTemplate> for String {
    fn from(template: SignTemplate) -> Self {
        template.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::SignTemplate;

    #[test]
    fn a_template_is_as_long_as_it_may_be_and_no_longer() {
        let of =
            |bytes: usize| SignTemplate::parse(&format!("${{body}}{}", "x".repeat(bytes - "${body}".len())));
        assert!(of(1000).is_ok());
        assert_eq!(of(1001), Err("is longer than 1000 bytes".to_owned()));
    }

    #[test]
    fn lines_are_signed_and_what_nobody_sees_is_not() {
        assert!(SignTemplate::parse("${method}\n${path}\n").is_ok());
        for (hidden, named) in [("\r", "\\u{d}"), ("\u{202e}", "\\u{202e}"), ("\0", "\\u{0}")] {
            let refused = SignTemplate::parse(&format!("${{method}}{hidden}${{path}}")).unwrap_err();
            assert_eq!(refused, format!("holds the invisible character `{named}`"));
        }
    }
}
