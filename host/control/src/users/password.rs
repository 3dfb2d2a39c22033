//! A person gets another password.

use super::Users;
use super::email::Email;
use crate::audit::{Act, Event, Log};
use crate::error::Error;
use crate::keeper::{INSTALLATION, encode};
use crate::secret::Secret;
use crate::tables::{Key, PASSWORDS};
use std::net::IpAddr;
use storage::{Change, Life};

impl Users {
    /// Sets another password, by whoever knows the one of now.
    ///
    /// # Errors
    /// [`Error::LoginRefused`] when the old one is wrong, [`Error::WeakPassword`], or when storage refuses.
    pub async fn change_password(
        &self,
        user: &str,
        old: &Secret,
        new: &Secret,
        address: IpAddr,
    ) -> Result<(), Error> {
        self.confirm(user, old, address).await?;
        let (record, _) = self.record(user).await?;
        let second = self.second_factor(user).await?;
        let has_second_factor = second.as_ref().is_some_and(|(second, _)| second.is_enabled());
        self.policy.check(new, &Email::parse(&record.email)?, has_second_factor)?;
        let kept = self.keeper.get(INSTALLATION, PASSWORDS, &Key::of(user)).await?;
        let hash = encode(PASSWORDS, &self.hashing.hash(new).await?)?;
        let change = Change::new(INSTALLATION)
            .expect(PASSWORDS, Key::of(user), kept.as_ref().map(|kept| &kept.revision))
            // A short one leans on the second factor, which must not go meanwhile.
            .expect(
                crate::tables::SECOND_FACTORS,
                Key::of(user),
                second.as_ref().map(|(_, revision)| revision),
            )
            .put(PASSWORDS, Key::of(user), Life::Standing, hash);
        let event = Event::done(Act::PasswordChanged, user, user);
        let event = event.personal(user, &[("address", &address.to_string())]);
        self.audit.append_with(&Log::installation(), &event, change).await?;
        Ok(())
    }
}
