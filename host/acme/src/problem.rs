//! What the library and the other side call wrong, as our errors.

use crate::error::Error;
use crate::wire::{Elsewhere, Wire};
use instant_acme::Problem;

/// What all kinds of problems begin with (RFC 8555 §6.7).
const KINDS: &str = "urn:ietf:params:acme:error:";
/// Words of others that are told. A problem is a sentence or two.
const SAID_CHARACTERS_MAX: usize = 400;
/// That a nonce was not taken: the same once more is what the protocol asks for.
pub(crate) const BAD_NONCE: &str = "badNonce";

/// What went wrong while this was under way.
pub(crate) fn wrong(doing: &'static str, error: instant_acme::Error, wire: &Wire) -> Error {
    match error {
        instant_acme::Error::Api(problem) => refused(doing, &problem, wire),
        instant_acme::Error::Timeout(_) => Error::TooSlow { doing },
        instant_acme::Error::Crypto | instant_acme::Error::KeyRejected => {
            Error::Key { reason: error.to_string() }
        }
        instant_acme::Error::Other(other) => match other.downcast::<egress::Error>() {
            Ok(source) => Error::Unreachable { doing, source },
            Err(other) => match other.downcast::<Elsewhere>() {
                Ok(elsewhere) => Error::NotAcme { doing, reason: elsewhere.to_string() },
                Err(other) => Error::NotAcme { doing, reason: plain(&other.to_string()) },
            },
        },
        // Of JSON it is told where it breaks, and nothing of what stands there.
        other => {
            let status = wire.status().map_or_else(String::new, |status| format!("status {status}, "));
            Error::NotAcme { doing, reason: format!("{status}{}", plain(&other.to_string())) }
        }
    }
}

fn refused(doing: &'static str, problem: &Problem, wire: &Wire) -> Error {
    let (kind, said) = (kind(problem), said(problem));
    match kind.as_str() {
        "rateLimited" => Error::Limited { doing, retry_after: wire.retry_after(), said },
        "accountDoesNotExist" => Error::Account { doing, is_unknown: true, said },
        "unauthorized"
        | "externalAccountRequired"
        | "userActionRequired"
        | "invalidContact"
        | "unsupportedContact" => Error::Account { doing, is_unknown: false, said },
        _ => Error::Refused { doing, kind, said },
    }
}

/// The kind of a problem, as in `badNonce`.
fn kind(problem: &Problem) -> String {
    let kind = problem.r#type.as_deref().unwrap_or_default();
    plain(kind.strip_prefix(KINDS).unwrap_or(kind))
}

/// The words of the other side.
pub(crate) fn said(problem: &Problem) -> String {
    let text = problem.to_string();
    plain(text.strip_prefix("API error: ").unwrap_or(&text))
}

/// One line without what would steer a terminal, and not too long.
pub(crate) fn plain(text: &str) -> String {
    let plain = |character: char| if character.is_control() { ' ' } else { character };
    let mut line: String = text.chars().take(SAID_CHARACTERS_MAX).map(plain).collect();
    if text.chars().nth(SAID_CHARACTERS_MAX).is_some() {
        line.push('…');
    }
    line
}
