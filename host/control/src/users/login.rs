//! Somebody comes in, or does not. What is answered, and for how long it takes, does not tell whether anybody knows the
//! address.

use super::Users;
use super::delays::Attempt;
use super::email::Email;
use super::hashing::{PasswordRecord, Verdict};
use crate::audit::{Act, Event, Log};
use crate::error::Error;
use crate::keeper::{INSTALLATION, encode};
use crate::secret::Secret;
use crate::tables::{Key, PASSWORDS};
use std::net::IpAddr;
use std::time::Duration;
use storage::{Change, Life};

/// The person of whom entries tell where nobody knows the address that was given. What was given may be anything, a password
/// in the wrong field too, so it is not kept.
const NOBODY: &str = "nobody";

/// What somebody shows to come in.
#[derive(Clone, Copy)]
pub struct Login<'a> {
    /// As it was typed.
    pub email: &'a str,
    /// As it was typed.
    pub password: &'a Secret,
    /// A code of the second factor, or a recovery code.
    pub second: Option<&'a Secret>,
    /// Where it comes from: the address of the network that is believed.
    pub address: IpAddr,
}

impl Users {
    /// Judges who somebody is; answers the person's id. Waits while it must be slowed down: see [`Error::TooManyAttempts`].
    ///
    /// # Errors
    /// [`Error::LoginRefused`] whatever is wrong; [`Error::SecondFactorNeeded`] when the password is right and a code is
    /// needed beside it; [`Error::TooManyAttempts`], [`Error::Busy`], or when storage refuses.
    pub async fn login(&self, login: Login<'_>) -> Result<String, Error> {
        let email = Email::parse(login.email).ok();
        let spelled = email.as_ref().map_or(login.email, Email::as_str);
        let attempt = self.delays.begin(self.account(spelled), login.address, self.keeper.now_ms())?;
        let user = match &email {
            Some(email) => self.find(email).await?,
            None => None,
        };
        let judged = self.judge(&attempt, user.as_deref(), login).await;
        match (&judged, user) {
            (Ok(()), Some(user)) => {
                let event = Event::done(Act::LoggedIn, &user, &user);
                let event =
                    event.personal(&user, &[("email", spelled), ("address", &login.address.to_string())]);
                self.audit.append(&Log::installation(), &event).await?;
                self.delays.succeed(&attempt);
                Ok(user)
            }
            (Err(Error::LoginRefused), user) => {
                self.note_refusal(&attempt, user.as_deref(), login.address).await?;
                Err(Error::LoginRefused)
            }
            (Ok(()), None) => Err(Error::LoginRefused),
            (Err(_), _) => {
                // Neither a guess that was wrong nor one that was right.
                self.delays.withdraw(&attempt);
                judged.and(Err(Error::LoginRefused))
            }
        }
    }

    async fn judge(&self, attempt: &Attempt, user: Option<&str>, login: Login<'_>) -> Result<(), Error> {
        tokio::time::sleep(Duration::from_millis(attempt.wait_ms)).await;
        let verdict = self.verify(user.unwrap_or(NOBODY), login.password).await?;
        let Some(user) = user.filter(|_| verdict.matches) else { return Err(Error::LoginRefused) };
        if let Some((second, _)) = self.second_factor(user).await?.filter(|(second, _)| second.is_enabled()) {
            drop(second);
            let code = login.second.ok_or(Error::SecondFactorNeeded)?;
            if !self.accept_code(user, code).await? {
                return Err(Error::LoginRefused);
            }
        }
        if verdict.is_outdated {
            self.hash_anew(user, login.password).await?;
        }
        Ok(())
    }

    /// Whether this is the person's password. Takes as long where there is no such person.
    pub(super) async fn verify(&self, user: &str, password: &Secret) -> Result<Verdict, Error> {
        let found = self.keeper.read::<PasswordRecord>(INSTALLATION, PASSWORDS, &Key::of(user)).await?;
        self.hashing.verify(password, found.as_ref().map(|(record, _)| record)).await
    }

    /// Somebody who is in shows the password again, for what needs more than that.
    ///
    /// # Errors
    /// [`Error::LoginRefused`], [`Error::TooManyAttempts`], [`Error::UnknownUser`], or when storage cannot be read.
    pub async fn confirm(&self, user: &str, password: &Secret, address: IpAddr) -> Result<(), Error> {
        let (record, _) = self.record(user).await?;
        let attempt = self.delays.begin(self.account(&record.email), address, self.keeper.now_ms())?;
        tokio::time::sleep(Duration::from_millis(attempt.wait_ms)).await;
        match self.verify(user, password).await {
            Ok(Verdict { matches: true, .. }) => {
                self.delays.succeed(&attempt);
                Ok(())
            }
            Ok(_) => {
                self.note_refusal(&attempt, Some(user), address).await?;
                Err(Error::LoginRefused)
            }
            Err(error) => {
                self.delays.withdraw(&attempt);
                Err(error)
            }
        }
    }

    /// One entry for the first failure in a row and then for twice as many: whoever tries passwords by the million must not
    /// fill the log.
    async fn note_refusal(
        &self,
        attempt: &Attempt,
        user: Option<&str>,
        address: IpAddr,
    ) -> Result<(), Error> {
        if !attempt.failures.is_power_of_two() {
            return Ok(());
        }
        let user = user.unwrap_or(NOBODY);
        let event =
            Event::refused(Act::LoginRefused, user, user).detail("failures", attempt.failures.to_string());
        let event = event.personal(user, &[("address", &address.to_string())]);
        self.audit.append(&Log::installation(), &event).await?;
        Ok(())
    }

    /// At the cost of today. Who was faster has changed the password, and that one counts.
    async fn hash_anew(&self, user: &str, password: &Secret) -> Result<(), Error> {
        let Some(found) = self.keeper.get(INSTALLATION, PASSWORDS, &Key::of(user)).await? else {
            return Ok(());
        };
        let hash = encode(PASSWORDS, &self.hashing.hash(password).await?)?;
        let change = Change::new(INSTALLATION).expect(PASSWORDS, Key::of(user), Some(&found.revision));
        let change = change.put(PASSWORDS, Key::of(user), Life::Standing, hash);
        self.keeper.try_commit(change).await?;
        Ok(())
    }
}
