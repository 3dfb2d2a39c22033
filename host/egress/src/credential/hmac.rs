//! A keyed hash over the parts of a request that the manifest names.

use std::time::SystemTime;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use http::header::{HOST, HeaderName, HeaderValue};
use manifest::credential::{Digest, Encoding, Hmac, KeyEncoding, SignedPart, TimestampForm};
use ring::{digest, hmac};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use zeroize::Zeroizing;

use super::ask::nonce;
use super::kept::hex;
use super::material::Material;
use crate::headers;
use crate::rebuild::Head;

/// Signs the head in place over it and these parts of the body; the error says what is wrong with the credential.
pub(super) fn place(
    head: &mut Head,
    settings: &Hmac,
    material: &Material,
    body: &[Bytes],
    now: SystemTime,
) -> Result<(), &'static str> {
    let key = key(settings, material.get("key").ok_or("has no key")?)?;
    let signing = Signing {
        settings,
        body,
        timestamp: timestamp(settings.timestamp, now)?,
        nonce: nonce()?,
        key_id: material.get("key_id").unwrap_or_default(),
    };
    for name in settings.headers() {
        headers::remove(&mut head.headers, name);
    }
    let others = [
        (&settings.timestamp_header, signing.timestamp.as_str()),
        (&settings.nonce_header, signing.nonce.as_str()),
        (&settings.key_id_header, signing.key_id),
    ];
    for (name, value) in others {
        if let Some(name) = name {
            insert(head, name, value, false)?;
        }
    }
    let signature = signing.signature(head, &key);
    insert(head, &settings.header, &format!("{}{signature}", settings.prefix), true)
}

fn insert(head: &mut Head, name: &str, value: &str, is_sensitive: bool) -> Result<(), &'static str> {
    let name: HeaderName = name.parse().map_err(|_| "goes into a header that cannot be one")?;
    let mut value = HeaderValue::from_str(value).map_err(|_| "cannot stand in a header")?;
    value.set_sensitive(is_sensitive);
    head.headers.insert(name, value);
    Ok(())
}

struct Signing<'a> {
    settings: &'a Hmac,
    body: &'a [Bytes],
    timestamp: String,
    nonce: String,
    key_id: &'a str,
}

impl Signing<'_> {
    fn signature(&self, head: &Head, key: &hmac::Key) -> String {
        let mut context = hmac::Context::with_key(key);
        for part in self.settings.sign.parts() {
            match part {
                SignedPart::Body => self.body.iter().for_each(|part| context.update(part)),
                other => context.update(&self.part(other, head)),
            }
        }
        let tag = context.sign();
        match self.settings.encoding {
            Encoding::Hex => hex(tag.as_ref()),
            Encoding::Base64 => STANDARD.encode(tag.as_ref()),
            Encoding::Base64url => URL_SAFE_NO_PAD.encode(tag.as_ref()),
        }
    }

    fn part(&self, part: &SignedPart, head: &Head) -> Vec<u8> {
        let target = &head.target.path_and_query;
        let text = match part {
            SignedPart::Header(name) => return values(head, name),
            SignedPart::Host => return values(head, HOST.as_str()),
            SignedPart::Text(text) => text.clone(),
            SignedPart::Method => head.method.to_string(),
            SignedPart::Path => target.path().to_owned(),
            SignedPart::Query => target.query().unwrap_or_default().to_owned(),
            SignedPart::Target => target.as_str().to_owned(),
            SignedPart::Url => {
                let authority = head.target.authority.to_str().unwrap_or_default();
                format!("{}://{authority}{}", head.target.origin.scheme(), target.as_str())
            }
            SignedPart::Body => String::new(),
            SignedPart::BodyHash => self.body_hash(),
            SignedPart::Timestamp => self.timestamp.clone(),
            SignedPart::Nonce => self.nonce.clone(),
            SignedPart::KeyId => self.key_id.to_owned(),
        };
        text.into_bytes()
    }

    fn body_hash(&self) -> String {
        let mut context = digest::Context::new(match self.settings.hash {
            Digest::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Digest::Sha256 => &digest::SHA256,
            Digest::Sha512 => &digest::SHA512,
        });
        self.body.iter().for_each(|part| context.update(part));
        hex(context.finish().as_ref())
    }
}

/// The values of a header as a server joins them (RFC 9110 §5.3).
fn values(head: &Head, name: &str) -> Vec<u8> {
    let values: Vec<&[u8]> = head.headers.get_all(name).iter().map(HeaderValue::as_bytes).collect();
    values.join(&b", "[..])
}

fn key(settings: &Hmac, text: &str) -> Result<hmac::Key, &'static str> {
    let bytes = Zeroizing::new(match settings.key_encoding {
        KeyEncoding::Text => text.as_bytes().to_vec(),
        KeyEncoding::Hex => unhex(text).ok_or("has a key that is not written in hexadecimal digits")?,
        KeyEncoding::Base64 => unbase64(text).ok_or("has a key that is not written in base64")?,
    });
    let algorithm = match settings.hash {
        Digest::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        Digest::Sha256 => hmac::HMAC_SHA256,
        Digest::Sha512 => hmac::HMAC_SHA512,
    };
    Ok(hmac::Key::new(algorithm, &bytes))
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let text = text.trim();
    let digits = |at: usize| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
    if text.is_empty() || !text.len().is_multiple_of(2) || !text.bytes().all(|byte| byte.is_ascii_hexdigit())
    {
        return None;
    }
    (0..text.len()).step_by(2).map(digits).collect()
}

/// Either alphabet, padded or not.
fn unbase64(text: &str) -> Option<Vec<u8>> {
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let text = Zeroizing::new(text.trim().replace('-', "+").replace('_', "/"));
    GeneralPurpose::new(&alphabet::STANDARD, config)
        .decode(text.as_bytes())
        .ok()
        .filter(|key| !key.is_empty())
}

fn timestamp(form: TimestampForm, now: SystemTime) -> Result<String, &'static str> {
    let time = OffsetDateTime::from(now);
    match form {
        TimestampForm::Seconds => Ok(time.unix_timestamp().to_string()),
        TimestampForm::Milliseconds => Ok((time.unix_timestamp_nanos() / 1_000_000).to_string()),
        TimestampForm::Rfc3339 => {
            let whole = time.replace_nanosecond(0).unwrap_or(time);
            whole.format(&Rfc3339).map_err(|_| "cannot be used: this machine's clock is outside of time")
        }
    }
}

#[cfg(test)]
#[path = "hmac_tests.rs"]
mod tests;
