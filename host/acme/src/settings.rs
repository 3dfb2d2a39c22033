//! What an operator says of ACME, and what may be said.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::Uri;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// The directory of Let's Encrypt.
pub const LETS_ENCRYPT: &str = "https://acme-v02.api.letsencrypt.org/directory";

/// As long as a name may be in DNS, written out.
const NAME_CHARACTERS_MAX: usize = 253;
/// As long as one part of it may be.
const LABEL_CHARACTERS_MAX: usize = 63;
/// RFC 5321 §4.5.3.1.3.
const CONTACT_CHARACTERS_MAX: usize = 254;
/// What HMAC with SHA-256 is worth nothing below (RFC 7518 §3.2).
const EXTERNAL_KEY_BYTES_MIN: usize = 16;

/// Which certificate is wanted, and of whom.
pub struct Settings {
    /// Where the directory is.
    pub directory: Uri,
    /// What the certificate is to hold for, as [`name`] reads them.
    pub names: Vec<String>,
    /// An address of e-mail, for whoever issues certificates.
    pub contact: Option<String>,
    /// The account elsewhere to which the one here is bound.
    pub external: Option<ExternalAccount>,
}

/// An account at whoever issues certificates, which was made by other means (RFC 8555 §7.3.4).
pub struct ExternalAccount {
    /// What its key is called there.
    pub id: String,
    /// The key itself.
    pub key: Zeroizing<Vec<u8>>,
}

impl Settings {
    /// Under what the account is kept: another directory, contact or external account is another account.
    pub(crate) fn account(&self) -> [u8; 32] {
        let external = self.external.as_ref().map_or("", |external| external.id.as_str());
        let directory = self.directory.to_string();
        digest(&[directory.as_str(), self.contact.as_deref().unwrap_or_default(), external])
    }

    /// Of everything that decides what an attempt comes to. Whoever changes something does not wait for what came before.
    pub(crate) fn digest(&self) -> [u8; 32] {
        let account = BASE64_URL_SAFE_NO_PAD.encode(self.account());
        let names = self.names.iter().map(String::as_str);
        digest(&std::iter::once(account.as_str()).chain(names).collect::<Vec<_>>())
    }
}

fn digest(parts: &[&str]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        // The length keeps the parts apart.
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finalize().into()
}

/// A directory: over `https` alone, because who reads the way there could order in our name.
#[must_use]
pub fn directory(text: &str) -> Option<Uri> {
    let uri: Uri = text.trim().parse().ok()?;
    let has_host = uri.host().is_some_and(|host| !host.is_empty());
    let is_plain = !text.contains(['@', '#']) && uri.query().is_none();
    (uri.scheme_str() == Some("https") && has_host && is_plain).then_some(uri)
}

/// A name in DNS, in small letters. No wildcard, which `tls-alpn-01` proves nobody, and no address.
#[must_use]
pub fn name(text: &str) -> Option<String> {
    let name = text.trim().to_ascii_lowercase();
    let is_label = |label: &str| {
        let is_long = label.is_empty() || label.len() > LABEL_CHARACTERS_MAX;
        let is_bare = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        !is_long && is_bare && !label.starts_with('-') && !label.ends_with('-')
    };
    // The last part of an address is a number, and that of a name never is.
    let last = name.rsplit('.').next().unwrap_or_default();
    let is_address = last.bytes().all(|byte| byte.is_ascii_digit());
    let is_name = name.len() <= NAME_CHARACTERS_MAX && !is_address && name.split('.').all(is_label);
    is_name.then_some(name)
}

/// An address of e-mail.
#[must_use]
pub fn contact(text: &str) -> Option<String> {
    let text = text.trim();
    let (before, after) = text.rsplit_once('@')?;
    // What a URL gives a meaning, and several addresses in one, are nobody's name.
    let is_plain = before.bytes().all(|byte| byte.is_ascii_graphic() && !b"@,;?%#<>\"\\".contains(&byte));
    (text.len() <= CONTACT_CHARACTERS_MAX && !before.is_empty() && is_plain && name(after).is_some())
        .then(|| text.to_owned())
}

/// The key of an external account as it is handed out: base64 for URLs.
#[must_use]
pub fn external_key(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let key = BASE64_URL_SAFE_NO_PAD.decode(text.trim().trim_end_matches('=')).ok().map(Zeroizing::new)?;
    (key.len() >= EXTERNAL_KEY_BYTES_MIN).then_some(key)
}
