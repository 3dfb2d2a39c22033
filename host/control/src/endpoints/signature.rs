//! Holds a message against its signature, as the connector says that its sender signs.
//!
//! What is signed and when is the sender's word; that it is the sender's is shown by a key that only the two sides have. Where
//! the time is signed, a message that somebody has kept is of no use to them later.

use super::record::KeptSecret;
use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use manifest::credential::{Digest, Encoding, KeyEncoding, SignedPart, TimestampForm};
use manifest::{HmacHeader, SignatureScheme};
use ring::{digest, hmac};
use zeroize::Zeroizing;

/// What Standard Webhooks allows.
const STANDARD_KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;
const SECRET_BYTES_MAX: usize = 1_024;
/// Senders give two while they change their key.
const SIGNATURES_MAX: usize = 16;

const NOT_SIGNED: &str = "it has no signature";
const NOT_ITS: &str = "its signature is not that of this message by a key that was entered";
const NOT_SHOWN: &str = "it shows no name and password";
const NOT_ITS_NAME: &str = "the name and password that it shows were not entered";
const NO_TIME: &str = "it has no time that can be read";
const OFF: &str = "its time is too far from ours";

/// Headers in their order, names in lower case.
pub(super) type Headers = [(String, String)];

/// Whether a text can be the key of this scheme.
pub(super) fn check_secret(scheme: &SignatureScheme, text: &str) -> Result<(), &'static str> {
    if text.len() > SECRET_BYTES_MAX {
        return Err("it is longer than any key");
    }
    let bytes = key_bytes(scheme, text)?;
    match scheme {
        SignatureScheme::StandardWebhooks { .. } if !STANDARD_KEY_BYTES.contains(&bytes.len()) => {
            Err("a key of Standard Webhooks has 24 to 64 bytes")
        }
        SignatureScheme::Basic if !text.contains(':') => {
            Err("it is written as `name:password`, with a colon between them")
        }
        _ if bytes.is_empty() => Err("it is empty"),
        _ => Ok(()),
    }
}

/// Whether one of these keys signed just this message, at about this time.
pub(super) fn verify(
    scheme: &SignatureScheme,
    secrets: &[&KeptSecret],
    (headers, body): (&Headers, &[u8]),
    now_ms: u64,
) -> Result<(), &'static str> {
    let (parts, time_ms) = match scheme {
        SignatureScheme::StandardWebhooks { .. } => standard(headers)?,
        SignatureScheme::HmacHeader(settings) => templated(settings, headers, body)?,
        SignatureScheme::Basic => return shown(headers, secrets),
    };
    let given = signatures(scheme, headers);
    if given.is_empty() {
        return Err(NOT_SIGNED);
    }
    let is_signed = secrets.iter().any(|secret| {
        let Ok(key) = key(scheme, &secret.text) else { return false };
        let mut context = hmac::Context::with_key(&key);
        parts.iter().for_each(|part| context.update(part.as_deref().unwrap_or(body)));
        let tag = context.sign();
        // Compared in a time that does not tell where they differ.
        given.iter().any(|given| subtle::ConstantTimeEq::ct_eq(tag.as_ref(), given.as_slice()).into())
    });
    if !is_signed {
        return Err(NOT_ITS);
    }
    // Only now: who signs for another time learns no more than who does not sign.
    match (time_ms, scheme.tolerance_ms()) {
        (Some(time_ms), Some(tolerance_ms)) if now_ms.abs_diff(time_ms) > tolerance_ms => Err(OFF),
        _ => Ok(()),
    }
}

/// Whether the message shows one of these names and passwords. Compared by hashes, in a time that does not tell where they
/// differ nor how long they are.
fn shown(headers: &Headers, secrets: &[&KeptSecret]) -> Result<(), &'static str> {
    let shown = only(headers, "authorization").and_then(|value| value.split_once(' '));
    let (scheme, word) = shown.ok_or(NOT_SHOWN)?;
    let word = unbase64(word.trim()).filter(|_| scheme.eq_ignore_ascii_case("basic")).ok_or(NOT_SHOWN)?;
    let digest = |bytes: &[u8]| digest::digest(&digest::SHA256, bytes);
    let given = digest(&Zeroizing::new(word));
    let is_one = secrets.iter().fold(subtle::Choice::from(0), |found, secret| {
        found | subtle::ConstantTimeEq::ct_eq(given.as_ref(), digest(secret.text.as_bytes()).as_ref())
    });
    if is_one.into() { Ok(()) } else { Err(NOT_ITS_NAME) }
}

/// What is signed, a part without bytes being the body, and the time that is signed.
type Signed = (Vec<Option<Vec<u8>>>, Option<u64>);

fn standard(headers: &Headers) -> Result<Signed, &'static str> {
    let id = only(headers, "webhook-id").ok_or("it has no `webhook-id`")?;
    let time = only(headers, "webhook-timestamp").ok_or(NO_TIME)?;
    let time_ms = read_time(TimestampForm::Seconds, time).ok_or(NO_TIME)?;
    Ok((vec![Some(format!("{id}.{time}.").into_bytes()), None], Some(time_ms)))
}

fn templated(settings: &HmacHeader, headers: &Headers, body: &[u8]) -> Result<Signed, &'static str> {
    let time = match (
        &settings.timestamp_header,
        settings.fields.as_ref().and_then(|fields| fields.timestamp.as_ref()),
    ) {
        (Some(header), _) => only(headers, header),
        (None, Some(field)) => fields(settings, headers, field).next(),
        (None, None) => None,
    };
    let time_ms = match time {
        Some(time) => Some(read_time(settings.timestamp, time).ok_or(NO_TIME)?),
        None if settings.signs_time() => return Err(NO_TIME),
        None => None,
    };
    let part = |part: &SignedPart| match part {
        SignedPart::Body => None,
        SignedPart::Text(text) => Some(text.clone().into_bytes()),
        SignedPart::BodyHash => Some(hex(digest::digest(hash(settings.hash), body).as_ref()).into_bytes()),
        SignedPart::Timestamp => Some(time.unwrap_or_default().to_owned().into_bytes()),
        SignedPart::Header(name) => {
            let values: Vec<&str> = all(headers, name).collect();
            Some(values.join(", ").into_bytes())
        }
        // No manifest has them here.
        _ => Some(Vec::new()),
    };
    Ok((settings.sign.parts().iter().map(part).collect(), time_ms))
}

/// The signatures that the message has, as bytes. What cannot be one is none.
fn signatures(scheme: &SignatureScheme, headers: &Headers) -> Vec<Vec<u8>> {
    let decoded: Vec<Option<Vec<u8>>> = match scheme {
        SignatureScheme::StandardWebhooks { .. } => {
            let lists = all(headers, "webhook-signature").flat_map(|list| list.split_ascii_whitespace());
            lists.filter_map(|one| one.strip_prefix("v1,")).take(SIGNATURES_MAX).map(unbase64).collect()
        }
        // Nothing is signed.
        SignatureScheme::Basic => Vec::new(),
        SignatureScheme::HmacHeader(settings) => {
            let decode = |text: &str| match settings.encoding {
                Encoding::Hex => unhex(text),
                Encoding::Base64 | Encoding::Base64url => unbase64(text),
            };
            match &settings.fields {
                Some(names) => {
                    fields(settings, headers, &names.signature).take(SIGNATURES_MAX).map(decode).collect()
                }
                None => {
                    let texts = all(headers, &settings.header).take(SIGNATURES_MAX);
                    texts.map(|text| decode(text.trim().strip_prefix(settings.prefix.as_str())?)).collect()
                }
            }
        }
    };
    decoded.into_iter().flatten().collect()
}

/// The values of a field of the signature's header, which is written `t=1,v1=ab,v1=cd`.
fn fields<'h>(
    settings: &'h HmacHeader,
    headers: &'h Headers,
    name: &'h str,
) -> impl Iterator<Item = &'h str> {
    let fields = all(headers, &settings.header).flat_map(|value| value.split(','));
    fields.filter_map(move |field| {
        let (key, value) = field.split_once('=')?;
        (key.trim() == name).then(|| value.trim())
    })
}

fn all<'h>(headers: &'h Headers, name: &'h str) -> impl Iterator<Item = &'h str> {
    headers.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
}

/// A header that stands twice could be read in two ways.
pub(super) fn only<'h>(headers: &'h Headers, name: &'h str) -> Option<&'h str> {
    let mut values = all(headers, name);
    values.next().filter(|_| values.next().is_none())
}

fn read_time(form: TimestampForm, text: &str) -> Option<u64> {
    match form {
        TimestampForm::Seconds => text.parse::<u64>().ok()?.checked_mul(1_000),
        TimestampForm::Milliseconds => text.parse().ok(),
        TimestampForm::Rfc3339 => u64::try_from(text.parse::<jiff::Timestamp>().ok()?.as_millisecond()).ok(),
    }
}

fn key(scheme: &SignatureScheme, text: &str) -> Result<hmac::Key, &'static str> {
    let algorithm = match scheme {
        SignatureScheme::StandardWebhooks { .. } | SignatureScheme::Basic => hmac::HMAC_SHA256,
        SignatureScheme::HmacHeader(settings) => match settings.hash {
            Digest::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Digest::Sha256 => hmac::HMAC_SHA256,
            Digest::Sha512 => hmac::HMAC_SHA512,
        },
    };
    Ok(hmac::Key::new(algorithm, &key_bytes(scheme, text)?))
}

fn key_bytes(scheme: &SignatureScheme, text: &str) -> Result<Zeroizing<Vec<u8>>, &'static str> {
    let (encoding, text) = match scheme {
        SignatureScheme::StandardWebhooks { .. } => {
            let text = text.trim();
            (KeyEncoding::Base64, text.strip_prefix("whsec_").unwrap_or(text))
        }
        SignatureScheme::HmacHeader(settings) => (settings.key_encoding, text),
        SignatureScheme::Basic => (KeyEncoding::Text, text),
    };
    Ok(Zeroizing::new(match encoding {
        KeyEncoding::Text => text.as_bytes().to_vec(),
        KeyEncoding::Hex => unhex(text.trim()).ok_or("it is not written in hexadecimal digits")?,
        KeyEncoding::Base64 => unbase64(text.trim()).ok_or("it is not written in base64")?,
    }))
}

fn hash(of: Digest) -> &'static digest::Algorithm {
    match of {
        Digest::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
        Digest::Sha256 => &digest::SHA256,
        Digest::Sha512 => &digest::SHA512,
    }
}

fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    data_encoding::HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok()
}

/// Either alphabet, padded or not.
fn unbase64(text: &str) -> Option<Vec<u8>> {
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let text = Zeroizing::new(text.replace('-', "+").replace('_', "/"));
    GeneralPurpose::new(&alphabet::STANDARD, config).decode(text.as_bytes()).ok()
}

#[cfg(test)]
mod tests;
