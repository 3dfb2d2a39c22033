//! The KEK made of a passphrase by argon2id. Salt and parameters are the hint, kept beside the wrapped root key.

use argon2::{Algorithm, Argon2, Block, Params, Version};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroize;

use super::{Kek, KekProvider, WantedKek};
use crate::codec::Reader;
use crate::deployment::{DeploymentId, KeyId};
use crate::error::Error;
use crate::secret::{Key, random_bytes};

const HINT_VERSION: u8 = 1;
const SALT_BYTES: usize = 16;
/// A new keyring takes no shorter passphrase: eight random characters of a keyboard are within reach of whoever has the
/// keyring, twelve are not.
const CHARACTERS_MIN: usize = 12;
/// OWASP's least for argon2id.
const MEMORY_KIB_MIN: u32 = 19 * 1024;
/// What a hint may ask of this machine before the passphrase is known to be right.
const MEMORY_KIB_MAX: u32 = 4 << 20;
const PASSES_MIN: u32 = 2;
const PASSES_MAX: u32 = 1_000;
/// RFC 9106's second choice has 64 MiB; a process with less to spare cannot serve either.
const MEMORY_KIB_CALIBRATED: u32 = 64 * 1024;
const PASSES_CALIBRATED_MIN: u32 = 3;

/// What an operator types. Taken as it is: the same characters in another Unicode form are another passphrase.
pub struct Passphrase(SecretString);

impl Passphrase {
    /// Takes the text over; it is wiped when the passphrase is dropped.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(SecretString::from(text))
    }
}

/// How much work a guess costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Argon2Parameters {
    memory_kib: u32,
    passes: u32,
}

impl Argon2Parameters {
    /// These parameters, with one lane.
    ///
    /// # Errors
    /// When they are below what is safe or above what a machine bears.
    pub fn new(memory_kib: u32, passes: u32) -> Result<Self, Error> {
        check("memory in KiB", memory_kib, MEMORY_KIB_MIN, MEMORY_KIB_MAX)?;
        check("passes", passes, PASSES_MIN, PASSES_MAX)?;
        Ok(Self { memory_kib, passes })
    }

    /// As many passes over 64 MiB as this machine makes in `target_ms`, at least three. `clock_ms` is a clock that does
    /// not go back.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn calibrate(target_ms: u64, clock_ms: &dyn Fn() -> u64) -> Result<Self, Error> {
        let least = Self::new(MEMORY_KIB_CALIBRATED, PASSES_CALIBRATED_MIN)?;
        let start_ms = clock_ms();
        least.key(&Passphrase::new("calibration".to_owned()), &[0; SALT_BYTES])?;
        let took_ms = clock_ms().saturating_sub(start_ms).max(1);
        let passes = u64::from(PASSES_CALIBRATED_MIN).saturating_mul(target_ms) / took_ms;
        let most = u64::from(PASSES_MAX);
        let passes = u32::try_from(passes.min(most)).unwrap_or(PASSES_MAX).max(PASSES_CALIBRATED_MIN);
        Self::new(MEMORY_KIB_CALIBRATED, passes)
    }

    /// The memory of one hash.
    #[must_use]
    pub fn memory_kib(self) -> u32 {
        self.memory_kib
    }

    /// How often it is gone through.
    #[must_use]
    pub fn passes(self) -> u32 {
        self.passes
    }

    fn key(self, passphrase: &Passphrase, salt: &[u8; SALT_BYTES]) -> Result<Key, Error> {
        let unusable = || Error::Argon2 {
            name: "memory in KiB",
            found: self.memory_kib,
            least: MEMORY_KIB_MIN,
            most: MEMORY_KIB_MAX,
        };
        let parameters = Params::new(self.memory_kib, self.passes, 1, Some(32)).map_err(|_| unusable())?;
        // What a hint asks for may be more than there is; that is an error and not the end of the process.
        let mut blocks = Vec::new();
        blocks.try_reserve_exact(parameters.block_count()).map_err(|_| unusable())?;
        blocks.resize(parameters.block_count(), Block::default());
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters);
        let text = passphrase.0.expose_secret().as_bytes();
        let key = Key::filled(|key| argon2.hash_password_into_with_memory(text, salt, key, &mut blocks));
        blocks.zeroize();
        key.map_err(|_| unusable())
    }
}

fn check(name: &'static str, found: u32, least: u32, most: u32) -> Result<(), Error> {
    if (least..=most).contains(&found) { Ok(()) } else { Err(Error::Argon2 { name, found, least, most }) }
}

/// A passphrase, and what new KEKs cost.
pub struct PassphraseKek {
    passphrase: Passphrase,
    parameters: Argon2Parameters,
}

impl PassphraseKek {
    /// `parameters` are those of new KEKs; an existing one is found by the parameters that it was made with.
    #[must_use]
    pub fn new(passphrase: Passphrase, parameters: Argon2Parameters) -> Self {
        Self { passphrase, parameters }
    }
}

impl KekProvider for PassphraseKek {
    fn name(&self) -> &'static str {
        "passphrase"
    }

    fn current(&self, _deployment: &DeploymentId) -> Result<Kek, Error> {
        let characters = self.passphrase.0.expose_secret().chars().count();
        if characters < CHARACTERS_MIN {
            return Err(Error::WeakPassphrase { found: characters, least: CHARACTERS_MIN });
        }
        let salt = random_bytes()?;
        let key = self.parameters.key(&self.passphrase, &salt)?;
        Ok(Kek::new(key, encode_hint(self.parameters, &salt)))
    }

    fn find(&self, wanted: &WantedKek<'_>) -> Result<Kek, Error> {
        let (memory_kib, passes, salt) = decode_hint(wanted.hint)
            .ok_or_else(|| Error::KekUnknown { provider: "passphrase".to_owned(), wanted: wanted.id })?;
        let key = Argon2Parameters::new(memory_kib, passes)?.key(&self.passphrase, &salt)?;
        let kek = Kek::new(key, wanted.hint.to_vec());
        if kek.id == wanted.id { Ok(kek) } else { Err(Error::WrongPassphrase) }
    }

    fn retire_others(&self, _deployment: &DeploymentId, _kept: &KeyId) -> Result<(), Error> {
        Ok(())
    }
}

fn encode_hint(parameters: Argon2Parameters, salt: &[u8; SALT_BYTES]) -> Vec<u8> {
    let mut hint = vec![HINT_VERSION];
    hint.extend_from_slice(&parameters.memory_kib.to_be_bytes());
    hint.extend_from_slice(&parameters.passes.to_be_bytes());
    hint.extend_from_slice(salt);
    hint
}

/// None: this keyring was made by another provider.
fn decode_hint(hint: &[u8]) -> Option<(u32, u32, [u8; SALT_BYTES])> {
    let mut reader = Reader::new(hint);
    let version = reader.u8()?;
    let decoded = (reader.u32()?, reader.u32()?, reader.array()?);
    reader.end()?;
    (version == HINT_VERSION).then_some(decoded)
}
