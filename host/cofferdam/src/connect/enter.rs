//! What a person gives for a credential: on the command line, or typed where nobody sees it.

use std::collections::BTreeMap;

use records::CredentialFields;
use vault::Plaintext;

use super::Error;
use crate::arguments::Given;
use crate::output::Output;
use crate::problem::{Problem, Problems};
use crate::prompt::{self, Echo};

/// A shorter secret is found by chance in what a system answers, so bodies are not searched for it.
const SCRUBBED_BYTES_MIN: usize = 12;

/// One field that is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry<'a> {
    pub(crate) name: &'a str,
    pub(crate) is_secret: bool,
    /// It may be left empty.
    pub(crate) is_optional: bool,
}

/// A value for each of these fields but the optional ones that are left out.
pub(crate) fn entered(
    title: &str,
    entries: &[Entry<'_>],
    given: &Given,
    output: &Output,
) -> Result<CredentialFields, Problems> {
    known(entries, given)?;
    // Whoever gives fields in words is asked for nothing that may be left out.
    let asks_for_all = given.fields.is_empty() && given.secrets.is_empty();
    let mut fields = CredentialFields::default();
    for entry in entries {
        let value = match said(entry.name, given)? {
            Some(value) => Some(value),
            None if entry.is_optional && !asks_for_all => None,
            None => typed(title, entry)?,
        };
        let Some(value) = value.filter(|value| !value.expose().is_empty()) else {
            if entry.is_optional {
                continue;
            }
            return Err(Error::wrong(entry.name, "it is empty").into());
        };
        let text = sound(entry.name, &value)?;
        if entry.is_secret {
            warn_if_short(entry.name, text, output);
            fields.secret.insert(entry.name.to_owned(), value);
        } else {
            fields.public.insert(entry.name.to_owned(), text.to_owned());
        }
    }
    Ok(fields)
}

/// Each is given once, as what it is.
fn known(entries: &[Entry<'_>], given: &Given) -> Result<(), Problems> {
    let mut seen = BTreeMap::new();
    let fields = given.fields.iter().map(|field| (&field.name, false));
    for (name, as_secret) in fields.chain(given.secrets.iter().map(|secret| (&secret.name, true))) {
        let Some(entry) = entries.iter().find(|entry| entry.name == name) else {
            let known = entries.iter().map(|entry| entry.name.to_owned()).collect();
            return Err(Error::NoSuchField { known }.into());
        };
        if entry.is_secret && !as_secret {
            return Err(Error::SecretInWords.into());
        }
        if seen.insert(name, ()).is_some() {
            return Err(Error::wrong(name, "it is given twice").into());
        }
    }
    Ok(())
}

fn said(name: &str, given: &Given) -> Result<Option<Plaintext>, Problems> {
    if let Some(secret) = given.secrets.iter().find(|secret| secret.name == name) {
        return secret.value().map(Some);
    }
    let field = given.fields.iter().find(|field| field.name == name);
    field.map(|field| Ok(Plaintext::new(field.value()?.into_bytes()))).transpose()
}

fn typed(title: &str, entry: &Entry<'_>) -> Result<Option<Plaintext>, Problems> {
    let optional = if entry.is_optional { " (may be left empty)" } else { "" };
    let words = format!("{title}, {}{optional}: ", entry.name);
    let echo = if entry.is_secret { Echo::Hidden } else { Echo::Shown };
    match prompt::line(&words, echo) {
        Some(value) => Ok(Some(value)),
        None if entry.is_optional => Ok(None),
        None => {
            let option = match entry.is_secret {
                true => format!("--secret {}=@FILE", entry.name),
                false => format!("--field {}=VALUE", entry.name),
            };
            Err(Error::NoTerminal { field: entry.name.to_owned(), option }.into())
        }
    }
}

/// Text without control characters; of more than one line only where that is how it is written.
fn sound<'v>(name: &str, value: &'v Plaintext) -> Result<&'v str, Problems> {
    let text = std::str::from_utf8(value.expose()).map_err(|_| Error::wrong(name, "it is not UTF-8"))?;
    let is_pem = matches!(name, "private_key" | "certificate");
    if is_pem && !text.contains("-----BEGIN ") {
        return Err(Error::wrong(name, "it is not in PEM, which begins with `-----BEGIN `").into());
    }
    let is_wrong = |character: char| character.is_control() && !(is_pem && matches!(character, '\n' | '\r'));
    if text.contains(is_wrong) {
        return Err(Error::wrong(name, "it has a control character, such as the end of a line, in it").into());
    }
    Ok(text)
}

fn warn_if_short(name: &str, text: &str, output: &Output) {
    if text.len() < SCRUBBED_BYTES_MIN {
        let message = format!("the secret `{name}` is shorter than {SCRUBBED_BYTES_MIN} bytes");
        let hint = "a system that answers with it shows it to the connector; use a longer one if you can";
        output.warning(&Problem::new("CD0845", message).hint(hint));
    }
}
