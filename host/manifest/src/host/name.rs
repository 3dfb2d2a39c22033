//! A host as a URL names it: a DNS name or an address literal. Strict on purpose: whatever two programs might read
//! in two ways (decimal addresses, full-width digits, trailing dots) is refused rather than repaired.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

use super::Error;

/// RFC 1035, section 2.3.4.
const LABEL_BYTES_MAX: usize = 63;

/// 255 bytes on the wire are 253 characters of text without the last dot.
const NAME_BYTES_MAX: usize = 253;

/// A host: a name in lower case, or an address.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Host {
    /// A DNS name of ASCII labels, in lower case, without a trailing dot.
    Name(String),
    /// An address literal.
    Address(IpAddr),
}

impl Host {
    /// Read a host; an IPv6 address may stand in brackets.
    ///
    /// # Errors
    /// Everything that is not exactly one name or one address in its usual spelling.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.is_empty() {
            return Err(Error::EmptyHost);
        }
        if text.contains(':') || text.starts_with('[') {
            return parse_ipv6(text);
        }
        if !text.is_ascii() {
            return Err(not_ascii(text));
        }
        if let Some(character) = text.chars().find(|character| !is_name_character(*character)) {
            return Err(Error::Character { character, text: text.to_owned() });
        }
        let name = text.to_ascii_lowercase();
        check_labels(&name)?;
        if ends_in_number(&name) {
            return parse_ipv4(&name);
        }
        Ok(Self::Name(name))
    }
}

impl fmt::Display for Host {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => formatter.write_str(name),
            Self::Address(IpAddr::V4(address)) => address.fmt(formatter),
            Self::Address(IpAddr::V6(address)) => write!(formatter, "[{address}]"),
        }
    }
}

impl TryFrom<String> for Host {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        Self::parse(&text)
    }
}

impl From<Host> for String {
    fn from(host: Host) -> Self {
        host.to_string()
    }
}

fn parse_ipv6(text: &str) -> Result<Host, Error> {
    let inner = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    if inner.contains('%') {
        return Err(Error::Zone { text: text.to_owned() });
    }
    let address: Ipv6Addr = inner.parse().map_err(|_| Error::BrokenIpv6 { text: text.to_owned() })?;
    Ok(Host::Address(IpAddr::V6(address)))
}

/// What IDNA makes of the text goes into the hint only: full-width digits and circled letters become others there.
fn not_ascii(text: &str) -> Error {
    let ascii = idna::domain_to_ascii(text).ok().filter(|ascii| Host::parse(ascii).is_ok());
    Error::NotAscii { text: text.to_owned(), ascii }
}

/// Letters, digits and hyphens, and the underscore, which hosts of object storages have.
fn is_name_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.')
}

fn check_labels(name: &str) -> Result<(), Error> {
    if name.len() > 1 && name.ends_with('.') && !name.ends_with("..") {
        return Err(Error::TrailingDot { text: name.to_owned() });
    }
    for label in name.split('.') {
        let owned = || label.to_owned();
        if label.is_empty() {
            return Err(Error::EmptyLabel { text: name.to_owned() });
        }
        if label.len() > LABEL_BYTES_MAX {
            return Err(Error::LongLabel { label: owned() });
        }
        if label.starts_with('-') || label.ends_with('-') {
            return Err(Error::Hyphen { label: owned() });
        }
        if label.starts_with("xn--") && idna::domain_to_unicode(label).1.is_err() {
            return Err(Error::BrokenIdnaLabel { label: owned() });
        }
    }
    if name.len() > NAME_BYTES_MAX {
        return Err(Error::LongName { bytes: name.len() });
    }
    Ok(())
}

/// The URL standard's rule: a host whose last label is a number is an IPv4 address or nothing.
fn ends_in_number(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or_default();
    let hexadecimal =
        last.strip_prefix("0x").is_some_and(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
    hexadecimal || last.bytes().all(|digit| digit.is_ascii_digit())
}

fn parse_ipv4(name: &str) -> Result<Host, Error> {
    let address: Result<Ipv4Addr, _> = name.parse();
    let error = |_| Error::NumericSpelling { text: name.to_owned(), address: read_as_old_programs_do(name) };
    address.map(|address| Host::Address(IpAddr::V4(address))).map_err(error)
}

/// The address that `inet_aton` and browsers read: 1 to 4 decimal, octal or hexadecimal numbers, the last one filling
/// what is left. Only to tell the user; never to connect.
fn read_as_old_programs_do(name: &str) -> Option<Ipv4Addr> {
    let numbers: Vec<u64> = name.split('.').map(read_number).collect::<Option<_>>()?;
    let (last, leading) = numbers.split_last()?;
    if leading.len() > 3 || leading.iter().any(|number| *number > 255) {
        return None;
    }
    let last_bits = 32 - 8 * leading.len();
    if *last >= 1 << last_bits {
        return None;
    }
    let high = leading.iter().fold(0, |sum, number| sum << 8 | number) << last_bits;
    u32::try_from(high | last).ok().map(Ipv4Addr::from)
}

fn read_number(text: &str) -> Option<u64> {
    if let Some(digits) = text.strip_prefix("0x") {
        return if digits.is_empty() { Some(0) } else { u64::from_str_radix(digits, 16).ok() };
    }
    let radix = if text.len() > 1 && text.starts_with('0') { 8 } else { 10 };
    u64::from_str_radix(text, radix).ok()
}
