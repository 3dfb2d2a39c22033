//! Where settings stand: on the command line, in the environment, in a file. Whichever comes first counts.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use strsim::normalized_damerau_levenshtein;

use crate::arguments::Serve;
use crate::problem::Own;

const PREFIX: &str = "COFFERDAM_";
/// Below this two names are two things.
const SIMILARITY_MIN: f64 = 0.6;

/// The settings, by the names that they have in the file. On the command line each has `--` before it.
pub(super) const NAMES: [&str; 31] = [
    "listen",
    "tls-certificate",
    "tls-key",
    "acme-names",
    "acme-directory",
    "acme-contact",
    "acme-terms-agreed",
    "acme-key-id",
    "acme-key-file",
    "acme-authorities",
    "origin",
    "proxies",
    "region",
    "requests-per-second",
    "requests-at-once",
    "password-characters",
    "runs-at-once",
    "runs-of-organization",
    "lease-seconds",
    "drain-seconds",
    "grantable",
    "cache",
    "compile-seconds",
    "compile-memory",
    "proxy",
    "name-servers",
    "operations",
    "operations-token-file",
    "otlp",
    "otlp-ratio",
    "log-format",
];

/// Tables, which only a file can have.
pub(super) const DIRECTORIES: &str = "directories";

/// Where a setting stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    Flag(&'static str),
    Variable(String),
    File(&'static str, PathBuf),
}

/// Everything that was said, and what is wrong with it so far.
pub(super) struct Sources {
    said: Vec<(&'static str, String, Place)>,
    /// The file, and the tables of directories in it.
    pub(super) file: Option<(PathBuf, Option<toml::Value>)>,
    pub(super) faults: Vec<String>,
}

impl Sources {
    /// # Errors
    /// When there is no such file. What is in it is judged together with the rest.
    pub(super) fn gather(command: &Serve, variable: impl Fn(&str) -> Option<OsString>) -> Result<Self, Own> {
        let mut sources = Self { said: Vec::new(), file: None, faults: Vec::new() };
        let flags = [
            &command.listen,
            &command.tls_certificate,
            &command.tls_key,
            &command.acme_names,
            &command.acme_directory,
            &command.acme_contact,
            &command.acme_terms_agreed,
            &command.acme_key_id,
            &command.acme_key_file,
            &command.acme_authorities,
            &command.origin,
            &command.proxies,
            &command.region,
            &command.requests_per_second,
            &command.requests_at_once,
            &command.password_characters,
            &command.runs_at_once,
            &command.runs_of_organization,
            &command.lease_seconds,
            &command.drain_seconds,
            &command.grantable,
            &command.cache,
            &command.compile_seconds,
            &command.compile_memory,
            &command.proxy,
            &command.name_servers,
            &command.operations,
            &command.operations_token_file,
            &command.otlp,
            &command.otlp_ratio,
            &command.log_format,
        ];
        for (name, value) in NAMES.into_iter().zip(flags) {
            sources.said.extend(value.iter().map(|value| (name, value.clone(), Place::Flag(name))));
        }
        for name in NAMES {
            let upper = format!("{PREFIX}{}", name.replace('-', "_").to_ascii_uppercase());
            match variable(&upper).map(OsString::into_string) {
                Some(Ok(value)) => sources.said.push((name, value, Place::Variable(upper))),
                Some(Err(_)) => sources.faults.push(format!("`{upper}`: it is no text in UTF-8")),
                None => {}
            }
        }
        if let Some(path) = config(command, variable) {
            let read = std::fs::read_to_string(&path);
            let text = read.map_err(|source| Own::Read { what: "settings", path: path.clone(), source })?;
            sources.read(&path, &text);
        }
        Ok(sources)
    }

    /// What counts for a setting, and where it stands.
    pub(super) fn find(&self, name: &str) -> Option<(&str, &Place)> {
        let found = self.said.iter().find(|(known, ..)| *known == name);
        found.map(|(_, value, place)| (value.as_str(), place))
    }

    fn read(&mut self, path: &Path, text: &str) {
        let table: toml::Table = match toml::from_str(text) {
            Ok(table) => table,
            Err(error) => {
                self.faults.push(format!("`{}`: {}", path.display(), error.message()));
                return;
            }
        };
        let mut directories = None;
        for (key, value) in table {
            if key == DIRECTORIES {
                directories = Some(value);
                continue;
            }
            let Some(name) = NAMES.into_iter().find(|name| *name == key) else {
                self.faults.push(format!("`{key}` in `{}`: {}", path.display(), unknown(&key)));
                continue;
            };
            let place = Place::File(name, path.to_owned());
            match written(&value) {
                Some(value) => self.said.push((name, value, place)),
                None => self
                    .faults
                    .push(format!("{place}: it is a text, a number, `true` or `false`, or a list of texts")),
            }
        }
        self.file = Some((path.to_owned(), directories));
    }
}

/// The file of settings.
pub(super) fn config(command: &Serve, variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    command.config.clone().or_else(|| variable("COFFERDAM_CONFIG").map(PathBuf::from))
}

/// A value as it would stand on the command line.
fn written(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Boolean(is_so) => Some(is_so.to_string()),
        toml::Value::Array(items) => {
            let texts: Option<Vec<&str>> = items.iter().map(toml::Value::as_str).collect();
            texts.map(|texts| texts.join(","))
        }
        _ => None,
    }
}

fn unknown(key: &str) -> String {
    let alike = |name: &&str| normalized_damerau_levenshtein(name, key);
    let nearest =
        NAMES.into_iter().chain([DIRECTORIES]).max_by(|one, other| alike(one).total_cmp(&alike(other)));
    match nearest.filter(|name| alike(name) >= SIMILARITY_MIN) {
        Some(name) => format!("there is no such setting; is `{name}` meant?"),
        None => format!("there is no such setting; there are `{}` and `{DIRECTORIES}`", NAMES.join("`, `")),
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) => write!(formatter, "`--{name}`"),
            Self::Variable(name) => write!(formatter, "`{name}`"),
            Self::File(name, path) => write!(formatter, "`{name}` in `{}`", path.display()),
        }
    }
}
