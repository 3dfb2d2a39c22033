//! The first operator is whoever has the setup token: no installation has a default password.

use super::Users;
use super::email::Email;
use crate::audit::{Act, Event, Log};
use crate::error::Error;
use crate::keeper::{INSTALLATION, encode};
use crate::secret::{Secret, TokenDigest, TokenKind};
use crate::tables::SETUP;
use serde::{Deserialize, Serialize};
use storage::{Change, Life};

pub(super) const AT: &[u8] = b"1";

/// How far the setup has come.
#[derive(Serialize, Deserialize)]
pub(super) enum Setup {
    Open(TokenDigest),
    Done,
}

impl Users {
    /// A token that makes the first operator, once; none: there is one already. A new one each time, and the ones before
    /// are void: whoever starts the installation is shown it.
    ///
    /// # Errors
    /// When storage cannot be read or written.
    pub async fn setup_token(&self) -> Result<Option<Secret>, Error> {
        let found = self.keeper.read(INSTALLATION, SETUP, AT).await?;
        if matches!(found, Some((Setup::Done, _))) {
            return Ok(None);
        }
        let (token, digest) = TokenKind::Setup.draw()?;
        let change =
            Change::new(INSTALLATION).expect(SETUP, AT, found.as_ref().map(|(_, revision)| revision));
        let change = change.put(SETUP, AT, Life::Standing, encode(SETUP, &Setup::Open(digest))?);
        self.keeper.storage.commit(change).await?;
        Ok(Some(token))
    }

    /// Makes the first operator; answers its id.
    ///
    /// # Errors
    /// [`Error::BadSetupToken`], [`Error::BadEmail`], [`Error::WeakPassword`], or when storage refuses.
    pub async fn create_first_operator(
        &self,
        token: &Secret,
        email: &str,
        password: &Secret,
    ) -> Result<String, Error> {
        let given = TokenKind::Setup.digest(token).ok_or(Error::BadSetupToken)?;
        let revision = match self.keeper.read(INSTALLATION, SETUP, AT).await? {
            Some((Setup::Open(kept), revision)) if kept.is(&given) => revision,
            _ => return Err(Error::BadSetupToken),
        };
        let email = Email::parse(email)?;
        let change = Change::new(INSTALLATION).expect(SETUP, AT, Some(&revision));
        let change = change.put(SETUP, AT, Life::Standing, encode(SETUP, &Setup::Done)?);
        let (user, change) = self.add(change, &email, password, true).await?;
        let event = Event::done(Act::OperatorCreated, &user, &user);
        let event = event.personal(&user, &[("email", email.as_str())]);
        // Else somebody has used the token meanwhile, or drawn a new one.
        let is_done = self.audit.try_append_with(&Log::installation(), &event, change).await?;
        if is_done { Ok(user) } else { Err(Error::BadSetupToken) }
    }
}
