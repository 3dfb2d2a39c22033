//! Signed checkpoints: what a log had and what its tree was, in the format "C2SP tlog-checkpoint" in a "C2SP signed-note".
//!
//! ```text
//! cofferdam.audit/<deployment>/<log>
//! <number of entries>
//! <root in base64>
//!
//! — <name of the key> <base64 of: key hash 4 | ed25519 signature 64>
//! ```
//! So what other tools know of transparency logs also reads ours. Pure: knows no storage.

use super::tree::Hash;
use crate::error::Error;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use sha2::{Digest, Sha256};
use std::fmt;

/// The algorithm's number in a signed note.
const ED25519_NOTE: u8 = 1;
/// What stands before each signature: an em dash and a space.
const SIGNATURE: &str = "\u{2014} ";
/// No note of ours is longer; whoever hands one in may be anybody.
const NOTE_BYTES_MAX: usize = 4 << 10;

/// The key by which checkpoints are judged. Written `name+hash+key`, as other tools write theirs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteKey {
    name: String,
    public: [u8; 32],
}

/// The state of a log that somebody signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Of which log of which deployment.
    pub origin: String,
    /// How many entries it had.
    pub size: u64,
    /// The hash of its tree.
    pub root: [u8; 32],
}

/// Signs checkpoints of one deployment.
pub(crate) struct NoteSigner {
    pair: Ed25519KeyPair,
    key: NoteKey,
}

impl NoteKey {
    /// Reads what `Display` writes.
    ///
    /// # Errors
    /// [`Error::BadNoteKey`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        let key = || {
            let (name, rest) = text.trim().split_once('+')?;
            let (hash, key) = rest.split_once('+')?;
            let decoded = STANDARD.decode(key).ok()?;
            let (algorithm, public) = decoded.split_first()?;
            let key = Self { name: name.to_owned(), public: public.try_into().ok()? };
            let is_whole = *algorithm == ED25519_NOTE && is_name(name) && hash == hex(&key.hash());
            is_whole.then_some(key)
        };
        key().ok_or(Error::BadNoteKey)
    }

    fn hash(&self) -> [u8; 4] {
        let hash = Sha256::new().chain_update(&self.name).chain_update([b'\n', ED25519_NOTE]);
        let [a, b, c, d, ..]: Hash = hash.chain_update(self.public).finalize().into();
        [a, b, c, d]
    }

    /// What a note says, if this key signed it.
    ///
    /// # Errors
    /// [`Error::BadNote`], or [`Error::NoteNotSigned`] when it is a note and has no signature of this key.
    pub fn open(&self, note: &str) -> Result<Checkpoint, Error> {
        let (text, signatures) = parts(note).ok_or(Error::BadNote)?;
        let checkpoint = Checkpoint::parse(text).ok_or(Error::BadNote)?;
        if self.has_signed(text, signatures) {
            Ok(checkpoint)
        } else {
            Err(Error::NoteNotSigned { key: self.name.clone() })
        }
    }

    /// Whether one of these lines is a signature of this key under the text.
    fn has_signed(&self, text: &str, signatures: &str) -> bool {
        let is_ours = |line: &str| {
            let (name, signature) = line.strip_prefix(SIGNATURE)?.split_once(' ')?;
            let signature = STANDARD.decode(signature).ok()?;
            let (hash, signature) = signature.split_at_checked(4)?;
            let is_named = name == self.name && hash == self.hash();
            let public = UnparsedPublicKey::new(&ED25519, &self.public);
            (is_named && public.verify(text.as_bytes(), signature).is_ok()).then_some(())
        };
        signatures.lines().any(|line| is_ours(line).is_some())
    }
}

impl fmt::Display for NoteKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = [&[ED25519_NOTE], self.public.as_slice()].concat();
        write!(formatter, "{}+{}+{}", self.name, hex(&self.hash()), STANDARD.encode(key))
    }
}

impl Checkpoint {
    pub(crate) fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root))
    }

    /// Reads the text of a note that somebody else judges, or has judged.
    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let (origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
        // A number has one spelling: no sign, no zeros before it.
        let number: u64 = size.parse().ok().filter(|number: &u64| number.to_string() == size)?;
        let root = STANDARD.decode(root).ok()?.try_into().ok()?;
        (!origin.is_empty()).then(|| Self { origin: origin.to_owned(), size: number, root })
    }
}

impl NoteSigner {
    /// The signer whose key is made of this seed; none when it has not 32 bytes.
    pub(crate) fn from_seed(name: &str, seed: &[u8]) -> Option<Self> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).ok()?;
        let public = pair.public_key().as_ref().try_into().ok()?;
        is_name(name).then(|| Self { pair, key: NoteKey { name: name.to_owned(), public } })
    }

    pub(crate) fn key(&self) -> &NoteKey {
        &self.key
    }

    pub(crate) fn sign(&self, checkpoint: &Checkpoint) -> String {
        let text = checkpoint.text();
        let signature = self.pair.sign(text.as_bytes());
        let signature = STANDARD.encode([self.key.hash().as_slice(), signature.as_ref()].concat());
        format!("{text}\n{SIGNATURE}{} {signature}\n", self.key.name)
    }
}

/// The signed text with its last line break, and the lines of signatures.
fn parts(note: &str) -> Option<(&str, &str)> {
    if note.len() > NOTE_BYTES_MAX || note.chars().any(|char| char.is_control() && char != '\n') {
        return None;
    }
    let at = note.rfind("\n\n")?;
    let (text, signatures) = note.split_at_checked(at + 1)?;
    let signatures = signatures.strip_prefix('\n')?;
    signatures.ends_with('\n').then_some((text, signatures))
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains('+') && !name.chars().any(char::is_whitespace)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::{Checkpoint, NoteKey, NoteSigner};

    fn signer() -> NoteSigner {
        NoteSigner::from_seed("cofferdam.audit/07", &[7; 32]).unwrap()
    }

    fn checkpoint() -> Checkpoint {
        Checkpoint { origin: "cofferdam.audit/07/installation".into(), size: 12, root: [9; 32] }
    }

    #[test]
    fn a_note_says_what_was_signed() {
        let note = signer().sign(&checkpoint());
        assert_eq!(signer().key().open(&note).unwrap(), checkpoint());
        let key = NoteKey::parse(&signer().key().to_string()).unwrap();
        assert_eq!(key.open(&note).unwrap(), checkpoint());
    }

    /// The key of the Go checksum database, and a note of the implementation that the format comes from.
    #[test]
    fn keys_and_notes_of_other_tools_are_read() {
        let go = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8";
        assert_eq!(NoteKey::parse(go).unwrap().to_string(), go);
        let key = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
        let text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
        let signature = "PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=";
        let note = format!("{text}\n\u{2014} {signature}\n");
        let key = NoteKey::parse(key).unwrap();
        let (signed, signatures) = super::parts(&note).unwrap();
        assert_eq!(signed, text);
        assert!(key.has_signed(signed, signatures));
        assert!(!key.has_signed(&text.replace("your", "our"), signatures));
        // Its text is no checkpoint.
        assert_eq!(key.open(&note).unwrap_err().code(), "CD1205");
    }

    #[test]
    fn a_note_that_was_changed_anywhere_says_nothing() {
        let (note, key) = (signer().sign(&checkpoint()), signer().key().clone());
        for at in note.char_indices().map(|(at, _)| at).filter(|at| note.is_char_boundary(at + 1)) {
            for put in ["0", "A", "\n", ""] {
                let changed = format!("{}{put}{}", &note[..at], &note[at + 1..]);
                if changed != note {
                    assert!(key.open(&changed).is_err(), "{at}: {changed}");
                }
            }
        }
        for cut in (0..note.len()).filter(|cut| note.is_char_boundary(*cut)) {
            assert!(key.open(&note[..cut]).is_err());
        }
    }

    #[test]
    fn a_note_of_another_key_is_named_so() {
        let other = NoteSigner::from_seed("cofferdam.audit/07", &[8; 32]).unwrap();
        let error = other.key().open(&signer().sign(&checkpoint())).unwrap_err();
        assert_eq!(error.code(), "CD1206");
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let good = signer().key().to_string();
        for bad in
            ["", "a", "a+b", "a+b+c", &good.replace("07", "08"), &good[..good.len() - 4], "+00000000+AQ=="]
        {
            assert_eq!(NoteKey::parse(bad).unwrap_err().code(), "CD1204", "{bad}");
        }
    }

    #[test]
    fn a_number_has_one_spelling() {
        for size in ["012", "+12", "-1", " 12", "12 ", "1e1", "18446744073709551616", ""] {
            assert_eq!(
                Checkpoint::parse(&format!(
                    "o\n{size}\n{}\n",
                    "CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk="
                )),
                None,
                "{size}"
            );
        }
    }
}
