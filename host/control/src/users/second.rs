//! The second factor: codes of an authenticator (RFC 6238), and recovery codes for when it is lost.

use super::Users;
use super::email::Email;
use crate::audit::{Act, Event, Log};
use crate::error::Error;
use crate::keeper::{Attempts, INSTALLATION, encode, unreadable};
use crate::secret::Secret;
use crate::tables::{Key, SECOND_FACTORS, TOTP_SECRETS};
use data_encoding::BASE32_NOPAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::net::IpAddr;
use storage::{Change, Life, Revision};
use totp_rs::{Builder, Totp};
use vault::random_bytes;
use zeroize::Zeroizing;

/// What RFC 4226 recommends, and what authenticators expect.
const SECRET_BYTES: usize = 20;
const RECOVERY_CODES: usize = 10;
/// 80 bits: no slow hash is needed for what nobody can guess.
const RECOVERY_BYTES: usize = 10;

/// What a person enters into an authenticator.
pub struct SecondFactorSetup {
    /// To be typed.
    pub secret: Secret,
    /// The same as an address that authenticators read, to be shown as a picture.
    pub url: Secret,
}

/// What is known of a second factor, without its secret.
#[derive(Serialize, Deserialize)]
pub(super) struct SecondFactor {
    is_enabled: bool,
    /// The step of the newest code that was accepted. No code of it or an earlier one is accepted again.
    last_step: u64,
    /// Hashes of the recovery codes that are left.
    recovery: Vec<[u8; 32]>,
}

impl SecondFactor {
    pub(super) fn is_enabled(&self) -> bool {
        self.is_enabled
    }
}

impl Users {
    /// Draws the secret of a second factor. Nothing is asked for until [`Users::enable_second_factor`].
    ///
    /// # Errors
    /// [`Error::SecondFactorState`] when there is one, or when storage refuses.
    pub async fn begin_second_factor(&self, user: &str) -> Result<SecondFactorSetup, Error> {
        let (record, _) = self.record(user).await?;
        let found = self.second_factor(user).await?;
        if found.as_ref().is_some_and(|(second, _)| second.is_enabled) {
            return Err(Error::SecondFactorState { is_enabled: true });
        }
        let secret = Zeroizing::new(random_bytes::<SECRET_BYTES>().map_err(vault::SealError::from)?);
        let totp = totp(secret.as_slice(), Some(&Email::parse(&record.email)?))?;
        let url = totp.to_url().map_err(|_| unreadable(TOTP_SECRETS, &"it has no address"))?;
        let typed = BASE32_NOPAD.encode(secret.as_slice());
        let second = SecondFactor { is_enabled: false, last_step: 0, recovery: Vec::new() };
        let at = Key::of(user);
        let change = Change::new(INSTALLATION)
            .expect(SECOND_FACTORS, at.clone(), found.as_ref().map(|(_, revision)| revision))
            .put(SECOND_FACTORS, at.clone(), Life::Standing, encode(SECOND_FACTORS, &second)?)
            .put(TOTP_SECRETS, at, Life::Standing, secret.to_vec());
        self.keeper.storage.commit(change).await?;
        Ok(SecondFactorSetup { secret: Secret::new(typed), url: Secret::new(url) })
    }

    /// Asks for the second factor from now on, if this code shows that the authenticator has the secret. Answers recovery
    /// codes, each of which stands once for a code.
    ///
    /// # Errors
    /// [`Error::BadCode`], [`Error::SecondFactorState`] when none was begun or it is there already, or when storage refuses.
    pub async fn enable_second_factor(&self, user: &str, code: &Secret) -> Result<Vec<Secret>, Error> {
        let found = self.second_factor(user).await?.filter(|(second, _)| !second.is_enabled);
        let Some((mut second, revision)) = found else {
            let is_enabled = self.second_factor(user).await?.is_some();
            return Err(Error::SecondFactorState { is_enabled });
        };
        second.last_step = self.step_of(user, code).await?.ok_or(Error::BadCode)?;
        second.is_enabled = true;
        let mut codes = Vec::with_capacity(RECOVERY_CODES);
        for _ in 0..RECOVERY_CODES {
            let code = recovery_code()?;
            second.recovery.push(recovery_hash(&code));
            codes.push(code);
        }
        let change = put(user, &second, &revision)?;
        let event = Event::done(Act::SecondFactorEnabled, user, user);
        self.audit.append_with(&Log::installation(), &event, change).await?;
        Ok(codes)
    }

    /// Asks for no second factor any more. The password must be long enough to stand alone.
    ///
    /// # Errors
    /// [`Error::LoginRefused`] when the password is wrong, [`Error::WeakPassword`] when it is too short without a second
    /// factor, [`Error::SecondFactorState`] when there is none, or when storage refuses.
    pub async fn disable_second_factor(
        &self,
        user: &str,
        password: &Secret,
        address: IpAddr,
    ) -> Result<(), Error> {
        self.confirm(user, password, address).await?;
        let found = self.second_factor(user).await?.filter(|(second, _)| second.is_enabled);
        let (_, revision) = found.ok_or(Error::SecondFactorState { is_enabled: false })?;
        let (record, _) = self.record(user).await?;
        self.policy.check(password, &Email::parse(&record.email)?, false)?;
        let at = Key::of(user);
        let change = Change::new(INSTALLATION).expect(SECOND_FACTORS, at.clone(), Some(&revision));
        let change = change.delete(SECOND_FACTORS, at.clone()).delete(TOTP_SECRETS, at);
        let event = Event::done(Act::SecondFactorDisabled, user, user);
        self.audit.append_with(&Log::installation(), &event, change).await?;
        Ok(())
    }

    /// Whether this is a code that was not used before. It is used by that.
    pub(super) async fn accept_code(&self, user: &str, code: &Secret) -> Result<bool, Error> {
        let mut attempts = Attempts::at(SECOND_FACTORS);
        loop {
            let Some((mut second, revision)) = self.second_factor(user).await? else { return Ok(false) };
            match self.step_of(user, code).await? {
                Some(step) if step > second.last_step => second.last_step = step,
                Some(_) => return Ok(false),
                None => {
                    let (hash, left) = (recovery_hash(code), second.recovery.len());
                    second.recovery.retain(|kept| *kept != hash);
                    if second.recovery.len() == left {
                        return Ok(false);
                    }
                }
            }
            // Whoever is told that the step is used must find it so for ever.
            if self.keeper.try_commit(put(user, &second, &revision)?).await?.is_none() {
                return Ok(true);
            }
            attempts.again().await?;
        }
    }

    pub(super) async fn second_factor(&self, user: &str) -> Result<Option<(SecondFactor, Revision)>, Error> {
        self.keeper.read(INSTALLATION, SECOND_FACTORS, &Key::of(user)).await
    }

    /// The step that this is the code of, now, one step earlier or one later; none: of none of them.
    async fn step_of(&self, user: &str, code: &Secret) -> Result<Option<u64>, Error> {
        let found = self.keeper.get(INSTALLATION, TOTP_SECRETS, &Key::of(user)).await?;
        let secret = found.ok_or_else(|| unreadable(TOTP_SECRETS, &"it is not there"))?;
        let totp = totp(secret.value.expose(), None)?;
        let typed: Zeroizing<String> = Zeroizing::new(code.expose().split_whitespace().collect());
        Ok(totp.check(&typed, self.clock.now_ms() / 1_000))
    }
}

fn totp(secret: &[u8], email: Option<&Email>) -> Result<Totp, Error> {
    let builder = Builder::new().with_secret(secret.to_vec()).with_issuer(Some("Cofferdam"));
    let builder = match email {
        Some(email) => builder.with_account_name(email.as_str()),
        None => builder,
    };
    builder.build().map_err(|_| unreadable(TOTP_SECRETS, &"it is no secret"))
}

fn put(user: &str, second: &SecondFactor, revision: &Revision) -> Result<Change, Error> {
    let change = Change::new(INSTALLATION).expect(SECOND_FACTORS, Key::of(user), Some(revision));
    Ok(change.put(SECOND_FACTORS, Key::of(user), Life::Standing, encode(SECOND_FACTORS, second)?))
}

/// Four groups of four characters.
fn recovery_code() -> Result<Secret, Error> {
    let random = Zeroizing::new(random_bytes::<RECOVERY_BYTES>().map_err(vault::SealError::from)?);
    let text = Zeroizing::new(BASE32_NOPAD.encode(random.as_slice()).to_ascii_lowercase());
    let mut code = String::with_capacity(text.len() + 3);
    for (at, char) in text.chars().enumerate() {
        if at > 0 && at % 4 == 0 {
            code.push('-');
        }
        code.push(char);
    }
    Ok(Secret::new(code))
}

/// However it was typed.
fn recovery_hash(code: &Secret) -> [u8; 32] {
    let is_sign = |char: &char| char.is_ascii_alphanumeric();
    let typed: Zeroizing<String> = Zeroizing::new(code.expose().chars().filter(is_sign).collect());
    let lower = Zeroizing::new(typed.to_ascii_lowercase());
    Sha256::digest(lower.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::totp;

    /// RFC 6238, appendix B, in six digits.
    #[test]
    fn codes_are_those_of_the_standard() {
        let totp = totp(b"12345678901234567890", None).unwrap();
        for (time_s, code) in
            [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (20_000_000_000, "353130")]
        {
            assert_eq!(totp.check(code, time_s), Some(time_s / 30));
            assert_eq!(totp.check(code, time_s + 30), Some(time_s / 30));
            assert_eq!(totp.check(code, time_s - 30), Some(time_s / 30));
            assert_eq!(totp.check(code, time_s + 60), None);
            // Before the first minute there is no step two steps earlier.
            assert_eq!(totp.check(code, time_s.saturating_sub(60)).is_some(), time_s < 60);
        }
    }
}
