//! Texts that are secret, and tokens that we draw.
//!
//! A token is `cfd_<kind>_<58 characters>`: 32 random bytes and a checksum in base32. So scanners of repositories find it,
//! and what is mistyped or made up is refused before anything is looked up. Only its digest is kept: 256 random bits need no
//! slow hash.

use crate::error::Error;
use data_encoding::BASE32_NOPAD;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;
use vault::random_bytes;
use zeroize::Zeroizing;

const RANDOM_BYTES: usize = 32;
const CHECK_BYTES: usize = 4;

/// A text that is wiped when it is dropped, and that nothing prints, copies or serializes.
pub struct Secret(SecretString);

/// What a token is for. One of another kind is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// Makes the first operator.
    Setup,
    /// Makes a further operator.
    Operator,
    /// Makes somebody a member.
    Invitation,
    /// Shows that somebody has come in.
    Session,
    /// Lets a program act for somebody.
    Api,
    /// Lets another system leave messages.
    Event,
}

/// What is kept of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub(crate) struct TokenDigest([u8; 32]);

impl Secret {
    /// Takes the text over.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(SecretString::from(text))
    }

    /// The text, for as long as it is needed.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// For a thread of its own.
    pub(crate) fn copy(&self) -> Self {
        Self::new(self.expose().to_owned())
    }
}

impl TokenKind {
    fn prefix(self) -> &'static str {
        match self {
            Self::Setup => "cfd_setup_",
            Self::Operator => "cfd_operator_",
            Self::Invitation => "cfd_invitation_",
            Self::Session => "cfd_session_",
            Self::Api => "cfd_api_",
            Self::Event => "cfd_event_",
        }
    }

    /// Draws a token, and what is to be kept of it.
    pub(crate) fn draw(self) -> Result<(Secret, TokenDigest), Error> {
        let random = Zeroizing::new(random_bytes::<RANDOM_BYTES>().map_err(vault::SealError::from)?);
        let check = self.checksum(random.as_slice());
        let bytes = Zeroizing::new([random.as_slice(), &check].concat());
        let text = Zeroizing::new(BASE32_NOPAD.encode(&bytes));
        let token = format!("{}{}", self.prefix(), text.to_ascii_lowercase());
        let digest = TokenDigest(Sha256::digest(token.as_bytes()).into());
        Ok((Secret::new(token), digest))
    }

    /// What would be kept of this token; none: it is none of this kind.
    pub(crate) fn digest(self, token: &Secret) -> Option<TokenDigest> {
        let text = token.expose().strip_prefix(self.prefix())?;
        let is_lower = text.bytes().all(|byte| !byte.is_ascii_uppercase());
        let upper = Zeroizing::new(text.to_ascii_uppercase());
        let bytes = Zeroizing::new(BASE32_NOPAD.decode(upper.as_bytes()).ok().filter(|_| is_lower)?);
        let (random, check) = bytes.split_at_checked(RANDOM_BYTES)?;
        let is_whole = check.len() == CHECK_BYTES && check == self.checksum(random);
        is_whole.then(|| TokenDigest(Sha256::digest(token.expose().as_bytes()).into()))
    }

    fn checksum(self, random: &[u8]) -> [u8; CHECK_BYTES] {
        let mut crc = crc32fast::Hasher::new();
        crc.update(self.prefix().as_bytes());
        crc.update(random);
        crc.finalize().to_be_bytes()
    }
}

impl TokenDigest {
    /// Under what it is looked up: nobody finds the token by it.
    pub(crate) fn bytes(self) -> [u8; 32] {
        self.0
    }

    /// Whether they are the same, in a time that does not tell where they differ.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

/// An id: a word for what it is of, and 128 random bits.
pub(crate) fn draw_id(prefix: &str) -> Result<String, Error> {
    let random = random_bytes::<16>().map_err(vault::SealError::from)?;
    Ok(format!("{prefix}_{}", BASE32_NOPAD.encode(&random).to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::{Secret, TokenKind, draw_id};

    #[test]
    fn a_token_is_known_again_and_no_two_are_the_same() {
        let (token, kept) = TokenKind::Setup.draw().unwrap();
        let (other, _) = TokenKind::Setup.draw().unwrap();
        assert!(TokenKind::Setup.digest(&token).unwrap().is(&kept));
        assert!(!TokenKind::Setup.digest(&other).unwrap().is(&kept));
        assert_eq!(token.expose().len(), "cfd_setup_".len() + 58);
    }

    #[test]
    fn what_is_mistyped_or_made_up_is_no_token() {
        let (token, _) = TokenKind::Setup.draw().unwrap();
        let token = token.expose();
        let mut wrong: Vec<String> = (0..token.len()).map(|cut| token[..cut].to_owned()).collect();
        for at in 0..token.len() {
            let put = if &token[at..=at] == "a" { "b" } else { "a" };
            wrong.push(format!("{}{put}{}", &token[..at], &token[at + 1..]));
        }
        wrong.extend([
            token.to_uppercase(),
            format!("{token}a"),
            format!(" {token}"),
            format!("cfd_setup_{}", "a".repeat(58)),
        ]);
        for wrong in wrong {
            assert!(TokenKind::Setup.digest(&Secret::new(wrong.clone())).is_none(), "{wrong}");
        }
    }

    #[test]
    fn a_token_of_another_kind_is_none() {
        let (token, _) = TokenKind::Session.draw().unwrap();
        let moved = Secret::new(token.expose().replace("session", "api"));
        for kind in [TokenKind::Setup, TokenKind::Invitation, TokenKind::Api, TokenKind::Event] {
            assert!(kind.digest(&token).is_none() && kind.digest(&moved).is_none(), "{kind:?}");
        }
    }

    #[test]
    fn ids_are_short_and_differ() {
        let id = draw_id("usr").unwrap();
        assert_eq!(id.len(), 30);
        assert_ne!(id, draw_id("usr").unwrap());
    }
}
