//! The operator's recovery key: shown once, kept on paper or in a safe, opens an export of the keyring.

use zeroize::{Zeroize, Zeroizing};

use super::{Kek, KekProvider, WantedKek};
use crate::deployment::{DeploymentId, KeyId};
use crate::envelope::key_id;
use crate::error::Error;
use crate::hex;
use crate::secret::Key;

const CHECK_BYTES: usize = 2;
const DIGITS_A_GROUP: usize = 4;

/// The operator's recovery key.
pub struct RecoveryKey(Key);

impl RecoveryKey {
    /// Draws one.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn random() -> Result<Self, Error> {
        Ok(Self(Key::random()?))
    }

    /// What is shown to the operator: 17 groups of four hex digits, the last of which tells a slip of the pen.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(32 + CHECK_BYTES));
        bytes.extend_from_slice(self.0.expose());
        bytes.extend_from_slice(&check(&self.0));
        let digits = hex::encode(&bytes);
        let mut text = Zeroizing::new(String::with_capacity(digits.len() * 5 / 4));
        for (index, digit) in digits.char_indices() {
            if index > 0 && index % DIGITS_A_GROUP == 0 {
                text.push('-');
            }
            text.push(digit);
        }
        text
    }

    /// Reads what the operator typed; spaces and dashes do not matter. Wiping the text is the caller's part.
    ///
    /// # Errors
    /// When it has another length, other characters, or a slip.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut digits = Zeroizing::new(Vec::with_capacity(text.len()));
        digits.extend(text.bytes().filter(|byte| *byte != b'-' && !byte.is_ascii_whitespace()));
        let problem = |problem| Error::RecoveryKey { problem };
        let mut bytes =
            hex::decode(&digits).ok_or_else(|| problem("has characters that are no hex digits"))?;
        let split = bytes.split_at_checked(32).filter(|(_, check)| check.len() == CHECK_BYTES);
        let (key, found) = split.ok_or_else(|| problem("does not have 68 hex digits"))?;
        let key = Key::from_slice(key).ok_or_else(|| problem("does not have 68 hex digits"))?;
        let is_right = found == check(&key);
        bytes.zeroize();
        if is_right { Ok(Self(key)) } else { Err(problem("has a wrong digit")) }
    }
}

/// Two bytes of the key's name, so that they say nothing of the key.
fn check(key: &Key) -> [u8; CHECK_BYTES] {
    let [first, second, ..] = *key_id(key).as_bytes();
    [first, second]
}

impl RecoveryKey {
    fn kek(&self) -> Result<Kek, Error> {
        let key = Key::filled(|bytes| {
            bytes.copy_from_slice(self.0.expose());
            Ok::<(), Error>(())
        })?;
        Ok(Kek::new(key, Vec::new()))
    }
}

impl KekProvider for RecoveryKey {
    fn name(&self) -> &'static str {
        "recovery key"
    }

    fn current(&self, _deployment: &DeploymentId) -> Result<Kek, Error> {
        self.kek()
    }

    fn find(&self, wanted: &WantedKek<'_>) -> Result<Kek, Error> {
        let kek = self.kek()?;
        if kek.id == wanted.id { Ok(kek) } else { Err(Error::ExportKey { wanted: wanted.id }) }
    }

    fn retire_others(&self, _deployment: &DeploymentId, _kept: &KeyId) -> Result<(), Error> {
        Ok(())
    }
}
