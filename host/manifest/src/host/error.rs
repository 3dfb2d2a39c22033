//! Why a host or a pattern is refused, and what would be right.

use std::net::Ipv4Addr;

use crate::fault::Code;
use crate::text::quoted;

/// A host, a host pattern or a path that means nothing, or more than it should.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Nothing where a host should stand.
    #[error("the host is empty")]
    EmptyHost,
    /// A character that no host has.
    #[error("{} stands in {}, no host has it", quoted(&.character.to_string()), quoted(.text))]
    Character {
        /// The character.
        character: char,
        /// The text around it.
        text: String,
    },
    /// A name in another script.
    #[error("{} is not ASCII", quoted(.text))]
    NotAscii {
        /// The name.
        text: String,
        /// The name as DNS carries it, if there is one.
        ascii: Option<String>,
    },
    /// A label that claims to be encoded by IDNA and is not.
    #[error("{} is not a valid encoded label", quoted(.label))]
    BrokenIdnaLabel {
        /// The label.
        label: String,
    },
    /// `example.com.`
    #[error("{} ends with a dot", quoted(.text))]
    TrailingDot {
        /// The name.
        text: String,
    },
    /// `a..b`
    #[error("{} has an empty label", quoted(.text))]
    EmptyLabel {
        /// The name.
        text: String,
    },
    /// A label of more than 63 bytes.
    #[error("the label {} is longer than 63 bytes", quoted(.label))]
    LongLabel {
        /// The label.
        label: String,
    },
    /// A name of more than 253 bytes.
    #[error("the name is {bytes} bytes long, at most 253 are allowed")]
    LongName {
        /// Its length.
        bytes: usize,
    },
    /// A label that starts or ends with a hyphen.
    #[error("the label {} starts or ends with a hyphen", quoted(.label))]
    Hyphen {
        /// The label.
        label: String,
    },
    /// An address in another spelling than four decimal numbers, which some programs would read as an address.
    #[error("{} is an address in disguise", quoted(.text))]
    NumericSpelling {
        /// The host.
        text: String,
        /// The address that it spells, if it spells one.
        address: Option<Ipv4Addr>,
    },
    /// Brackets around what is no IPv6 address.
    #[error("{} is not an IPv6 address", quoted(.text))]
    BrokenIpv6 {
        /// What stands there.
        text: String,
    },
    /// `fe80::1%eth0`
    #[error("{} names a zone; only this machine knows what it means", quoted(.text))]
    Zone {
        /// The address.
        text: String,
    },
    /// No `://`.
    #[error("{} has no scheme", quoted(.text))]
    MissingScheme {
        /// The pattern.
        text: String,
    },
    /// Another scheme than `http` and `https`.
    #[error("the scheme {} is neither `http` nor `https`", quoted(.scheme))]
    Scheme {
        /// The scheme.
        scheme: String,
    },
    /// `user@host`
    #[error("{} holds `@`: what stands before it is no part of the host", quoted(.text))]
    UserInfo {
        /// The pattern.
        text: String,
    },
    /// A path, a query or a fragment in a pattern's `url`.
    #[error("{} goes on after the host and the port", quoted(.text))]
    AfterHost {
        /// The pattern.
        text: String,
        /// The path, if it is one.
        path: Option<String>,
    },
    /// A port that is none.
    #[error("{} is not a port", quoted(.text))]
    Port {
        /// What stands there.
        text: String,
    },
    /// A `*` that does not stand for whole labels before at least two others.
    #[error("{} is too wide: `*` stands first, before at least two labels", quoted(.text))]
    Wildcard {
        /// The pattern.
        text: String,
    },
    /// A `${…}` that is not one.
    #[error("{} is not a substitution of a whole label", quoted(.text))]
    Placeholder {
        /// What stands there.
        text: String,
    },
    /// A method that is none, or that no connector may use.
    #[error("{} is not a method that a connector may use", quoted(.method))]
    Method {
        /// The method.
        method: String,
    },
    /// A list of methods without any.
    #[error("the list of methods is empty: nothing would be allowed")]
    NoMethod,
    /// A path prefix that cannot be compared.
    #[error("the path prefix {} {reason}", quoted(.path))]
    PathPrefix {
        /// The prefix.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A value of the configuration that the pattern needs is not there.
    #[error("the configuration has no text at {}", quoted(.pointer))]
    MissingValue {
        /// JSON Pointer into the configuration.
        pointer: String,
    },
    /// A value of the configuration that may not stand in a host.
    #[error("the value at {} cannot stand in a host: {reason}", quoted(.pointer))]
    Value {
        /// JSON Pointer into the configuration.
        pointer: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A setting that is no text of its kind.
    #[error("{} {reason}", quoted(.text))]
    SettingText {
        /// What stands there.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A value of the configuration that may not stand in a setting.
    #[error("the value at {} cannot stand in this setting: {reason}", quoted(.pointer))]
    Setting {
        /// JSON Pointer into the configuration.
        pointer: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A URL that the host may not call with secrets.
    #[error("{} {reason}", quoted(.url))]
    Endpoint {
        /// The URL.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl Error {
    /// JSON Pointer of the configuration value that is at fault, if one is.
    #[must_use]
    pub fn pointer(&self) -> Option<&str> {
        match self {
            Self::MissingValue { pointer } | Self::Value { pointer, .. } | Self::Setting { pointer, .. } => {
                Some(pointer)
            }
            _ => None,
        }
    }

    /// The kind of fault.
    #[must_use]
    pub fn kind(&self) -> Code {
        match self {
            Self::MissingValue { .. } | Self::Value { .. } | Self::Setting { .. } => Code::WrongSubstitution,
            Self::SettingText { .. } | Self::Endpoint { .. } => Code::WrongValue,
            _ => Code::WrongHost,
        }
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.kind().as_str()
    }

    /// What would be right.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NotAscii { ascii: Some(ascii), .. } => format!("write {}", quoted(ascii)),
            Self::NumericSpelling { address: Some(address), .. } => format!("write `{address}`"),
            Self::TrailingDot { text } => format!("write {}", quoted(text.trim_end_matches('.'))),
            Self::MissingScheme { text } => format!("write {}", quoted(&format!("https://{text}"))),
            Self::AfterHost { path: Some(path), .. } if path == "/" => "leave out the last `/`".to_owned(),
            Self::AfterHost { path: Some(path), .. } => format!("write `path_prefix = \"{path}\"`"),
            Self::Wildcard { .. } => "write `*.example.com`, or each host by itself".to_owned(),
            Self::Endpoint { url, .. } if url.starts_with("http://") => {
                format!("write {}", quoted(&url.replacen("http://", "https://", 1)))
            }
            Self::Port { .. } => "a port is a number from 1 to 65535 without leading zeros".to_owned(),
            Self::Placeholder { .. } => "write `${config.name}` between dots, or alone".to_owned(),
            Self::Method { method } if method.chars().any(|letter| letter.is_ascii_lowercase()) => {
                format!("write {}", quoted(&method.to_ascii_uppercase()))
            }
            _ => return None,
        })
    }
}
