//! A setting that is said in the manifest, or taken from the configuration as a whole.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::host::{Error, config_key, config_pointer, config_text, written_key};

/// Longer settings are no names of services, regions or audiences.
const BYTES_MAX: usize = 500;

/// A text of visible ASCII, or `${config.name}` for one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ConfigText(Form);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Form {
    Fixed(String),
    Config(Vec<String>),
}

impl ConfigText {
    /// Read a setting.
    ///
    /// # Errors
    /// What is neither visible ASCII nor one whole substitution.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if let Some(key) = config_key(text)? {
            return Ok(Self(Form::Config(key)));
        }
        match flaw(text) {
            None => Ok(Self(Form::Fixed(text.to_owned()))),
            Some(reason) => Err(Error::SettingText { text: text.to_owned(), reason: reason.to_owned() }),
        }
    }

    /// The text; none while the substitution is open.
    #[must_use]
    pub fn fixed(&self) -> Option<&str> {
        match &self.0 {
            Form::Fixed(text) => Some(text),
            Form::Config(_) => None,
        }
    }

    /// The JSON Pointer of the value that is needed, if one is.
    #[must_use]
    pub fn pointer(&self) -> Option<String> {
        match &self.0 {
            Form::Fixed(_) => None,
            Form::Config(key) => Some(config_pointer(key)),
        }
    }

    pub(super) fn resolve(&self, config: &Value) -> Result<Self, Error> {
        let Form::Config(key) = &self.0 else { return Ok(self.clone()) };
        let value = config_text(config, key)?;
        match flaw(&value) {
            None => Ok(Self(Form::Fixed(value))),
            Some(reason) => {
                Err(Error::Setting { pointer: config_pointer(key), reason: format!("it {reason}") })
            }
        }
    }

    /// As [`Self::resolve`], for a word that stands between slashes in what is signed.
    pub(super) fn resolve_word(&self, config: &Value) -> Result<Self, Error> {
        let resolved = self.resolve(config)?;
        if resolved.is_word() {
            return Ok(resolved);
        }
        let pointer = self.pointer().unwrap_or_default();
        Err(Error::Setting { pointer, reason: "it has more than letters, digits, `-` and `_`".to_owned() })
    }

    /// Whether the text, once it is fixed, is a word of letters, digits, `-` and `_`.
    pub(super) fn is_word(&self) -> bool {
        self.fixed().is_none_or(|text| {
            text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        })
    }
}

fn flaw(text: &str) -> Option<&'static str> {
    match text {
        "" => Some("is empty"),
        long if long.len() > BYTES_MAX => Some("is longer than 500 bytes"),
        text if !text.bytes().all(|byte| byte.is_ascii_graphic()) => {
            Some("holds other characters than visible ASCII")
        }
        _ => None,
    }
}

impl fmt::Display for ConfigText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Form::Fixed(text) => formatter.write_str(text),
            Form::Config(key) => formatter.write_str(&written_key(key)),
        }
    }
}

impl TryFrom<String> for ConfigText {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        Self::parse(&text)
    }
}

impl From<ConfigText> for String {
    fn from(text: ConfigText) -> Self {
        text.to_string()
    }
}
