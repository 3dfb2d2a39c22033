//! Who runs the installation. There is always somebody.

use super::operator::{AT, Setup};
use super::{User, UserRecord, Users};
use crate::audit::{Act, Event, Log};
use crate::error::Error;
use crate::keeper::{Attempts, INSTALLATION, SCAN_RECORDS, decode, encode};
use crate::tables::{Key, SETUP, USERS};
use storage::{Change, Life, Range};

impl Users {
    /// Every operator, by id.
    pub(crate) async fn operators(&self) -> Result<Vec<User>, Error> {
        let (mut all, mut after) = (Vec::new(), None::<Vec<u8>>);
        loop {
            let range = Range { prefix: &[], after: after.as_deref(), limit: SCAN_RECORDS };
            let page = self.keeper.page(INSTALLATION, USERS, range).await?;
            let Some((last, _)) = page.last() else { return Ok(all) };
            after = Some(last.clone());
            for (key, found) in page {
                let record: UserRecord = decode(USERS, found.value.expose())?;
                if record.is_operator {
                    all.push(self.get(&Key::read_id(&key)).await?);
                }
            }
        }
    }

    /// Adds to a change that takes an operator away that somebody else is one. Each such change writes the record of the setup,
    /// so that of two operators who go at once one is told.
    pub(crate) async fn leaving(&self, change: Change, user: &str) -> Result<Change, Error> {
        let found = self.keeper.read::<Setup>(INSTALLATION, SETUP, AT).await?;
        let (setup, revision) = found.ok_or(Error::LastOperator)?;
        if self.operators().await?.iter().all(|other| other.id == user) {
            return Err(Error::LastOperator);
        }
        let change = change.expect(SETUP, AT, Some(&revision));
        Ok(change.put(SETUP, AT, Life::Standing, encode(SETUP, &setup)?))
    }

    /// Adds to a change that somebody who is known becomes an operator.
    pub(crate) async fn promote(&self, change: Change, user: &str) -> Result<Change, Error> {
        self.with_operator(change, user, true).await
    }

    /// Somebody is no operator any more, and stays a person.
    ///
    /// # Errors
    /// [`Error::LastOperator`], [`Error::UnknownUser`] for who is none, or when storage refuses.
    pub(crate) async fn dismiss(&self, by: &str, user: &str) -> Result<(), Error> {
        let mut attempts = Attempts::at(USERS);
        loop {
            if !self.get(user).await?.is_operator {
                return Err(Error::UnknownUser { user: user.to_owned() });
            }
            let change = self.leaving(Change::new(INSTALLATION), user).await?;
            let change = self.with_operator(change, user, false).await?;
            let event = Event::done(Act::OperatorRemoved, by, user);
            if self.audit.try_append_with(&Log::installation(), &event, change).await? {
                return Ok(());
            }
            attempts.again().await?;
        }
    }

    async fn with_operator(&self, change: Change, user: &str, is_operator: bool) -> Result<Change, Error> {
        let (record, seen) = self.record(user).await?;
        let (at, record) = (Key::of(user), UserRecord { is_operator, ..record });
        let change = change.expect(USERS, at.clone(), Some(&seen));
        Ok(change.put(USERS, at, Life::Standing, encode(USERS, &record)?))
    }
}
