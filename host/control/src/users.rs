//! People: who they are, and how they show that it is them.
//!
//! A person is known by an address of e-mail and shows a password, and beside it a second factor where one was set up.
//! Addresses are kept sealed and looked up by a keyed hash; of passwords and recovery codes only hashes are kept.

mod delays;
mod email;
mod hashing;
mod login;
mod operator;
mod operators;
mod password;
mod policy;
mod second;

pub use email::Email;
pub use login::Login;
pub use policy::{PasswordPolicy, Weakness};
pub use second::SecondFactorSetup;

use crate::audit::{Audit, Event, Log};
use crate::error::Error;
use crate::keeper::{INSTALLATION, Keeper, encode};
use crate::secret::{Secret, draw_id};
use crate::tables::{EMAILS, Key, PASSWORDS, SECOND_FACTORS, TOTP_SECRETS, USERS};
use delays::{Account, Delays};
use hashing::Hashing;
use second::SecondFactor;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use storage::{Change, Clock, KeyedHasher, Life, Revision};
use vault::Argon2Parameters;

/// How people show that it is them.
#[derive(Clone)]
pub struct UsersOptions {
    /// What a guess at a password costs: see [`Argon2Parameters::calibrate`].
    pub cost: Argon2Parameters,
    /// How many passwords are hashed at once: as many processors as may be spent on it.
    pub hashing_at_once: usize,
    /// How long passwords must be.
    pub policy: PasswordPolicy,
    /// By which codes of second factors are judged. Not the time of storage, which never goes back: the phone's does.
    pub clock: Arc<dyn Clock>,
}

/// Every person of an installation.
pub struct Users {
    pub(crate) keeper: Keeper,
    pub(crate) audit: Arc<Audit>,
    hashing: Hashing,
    delays: Delays,
    emails: KeyedHasher,
    policy: PasswordPolicy,
    clock: Arc<dyn Clock>,
}

/// What is known of a person.
#[derive(Clone, PartialEq, Eq)]
pub struct User {
    /// Drawn when the person was made known; the only thing of it that stands in keys and entries.
    pub id: String,
    /// In its one spelling.
    pub email: Email,
    /// When it was made known, in milliseconds since the epoch.
    pub created_ms: u64,
    /// Whether it runs the installation.
    pub is_operator: bool,
    /// Whether a second factor is asked for.
    pub has_second_factor: bool,
}

/// As it is stored.
#[derive(Clone, Serialize, Deserialize)]
struct UserRecord {
    email: String,
    created_ms: u64,
    is_operator: bool,
}

impl Users {
    /// The people of this installation.
    ///
    /// # Errors
    /// When storage cannot be read or written.
    pub async fn open(audit: Arc<Audit>, options: UsersOptions) -> Result<Self, Error> {
        let UsersOptions { cost, hashing_at_once, policy, clock } = options;
        let keeper = audit.keeper.clone();
        let emails = keeper.storage.keyed_hasher(INSTALLATION, "emails").await?;
        let (hashing, delays) = (Hashing::new(cost, hashing_at_once)?, Delays::default());
        Ok(Self { keeper, audit, hashing, delays, emails, policy, clock })
    }

    /// A person.
    ///
    /// # Errors
    /// [`Error::UnknownUser`], or when storage cannot be read.
    pub async fn get(&self, user: &str) -> Result<User, Error> {
        let (record, _) = self.record(user).await?;
        let second: Option<(SecondFactor, Revision)> = self.second_factor(user).await?;
        Ok(User {
            id: user.to_owned(),
            email: Email::parse(&record.email)?,
            created_ms: record.created_ms,
            is_operator: record.is_operator,
            has_second_factor: second.is_some_and(|(second, _)| second.is_enabled()),
        })
    }

    /// The id of the person with this address; none: nobody has it.
    pub(crate) async fn find(&self, email: &Email) -> Result<Option<String>, Error> {
        let found = self.keeper.read(INSTALLATION, EMAILS, &self.account(email.as_str())).await?;
        Ok(found.map(|(id, _)| id))
    }

    /// Adds to a change what makes a person known; answers its id too.
    pub(crate) async fn add(
        &self,
        change: Change,
        email: &Email,
        password: &Secret,
        is_operator: bool,
    ) -> Result<(String, Change), Error> {
        self.policy.check(password, email, false)?;
        if self.find(email).await?.is_some() {
            return Err(Error::EmailTaken);
        }
        let hash = self.hashing.hash(password).await?;
        let user = draw_id("usr")?;
        let created_ms = self.keeper.now_ms();
        let record = UserRecord { email: email.as_str().to_owned(), created_ms, is_operator };
        let at = self.account(email.as_str());
        let change = change
            .expect(EMAILS, at, None)
            .put(EMAILS, at, Life::Standing, encode(EMAILS, &user)?)
            .put(USERS, Key::of(&user), Life::Standing, encode(USERS, &record)?)
            .put(PASSWORDS, Key::of(&user), Life::Standing, encode(PASSWORDS, &hash)?);
        Ok((user, change))
    }

    /// Removes everything by which a person is known, with this entry.
    pub(crate) async fn remove(&self, user: &str, event: &Event) -> Result<(), Error> {
        let (record, seen) = self.record(user).await?;
        let at = Key::of(user);
        let change = match record.is_operator {
            true => self.leaving(Change::new(INSTALLATION), user).await?,
            false => Change::new(INSTALLATION),
        };
        let change = change
            .expect(USERS, at.clone(), Some(&seen))
            .delete(EMAILS, self.account(&record.email))
            .delete(PASSWORDS, at.clone())
            .delete(SECOND_FACTORS, at.clone())
            .delete(TOTP_SECRETS, at.clone())
            .delete(USERS, at);
        self.audit.append_with(&Log::installation(), event, change).await?;
        Ok(())
    }

    async fn record(&self, user: &str) -> Result<(UserRecord, Revision), Error> {
        let found = self.keeper.read(INSTALLATION, USERS, &Key::of(user)).await?;
        found.ok_or_else(|| Error::UnknownUser { user: user.to_owned() })
    }

    /// Under what an address is looked up, and counted, whether anybody has it or not.
    fn account(&self, email: &str) -> Account {
        self.emails.hash(email.as_bytes())
    }

    /// So that nobody's password is hashed.
    #[cfg(test)]
    pub(crate) async fn take_hashing_turns(&self) -> tokio::sync::OwnedSemaphorePermit {
        self.hashing.take_turns().await
    }

    #[cfg(test)]
    pub(crate) fn waiting_for_hashing(&self) -> usize {
        self.hashing.waiting()
    }
}
