//! Further operators: one invites somebody, who becomes one by that. As with members, an invitation is for one address, is
//! taken up once, and ends by itself.

use super::Organizations;
use super::invitations::{DAY_MS, Invited, LIFE_MS};
use crate::access::Action;
use crate::audit::{Act, Event, Log};
use crate::error::Error;
use crate::keeper::{Attempts, INSTALLATION, SCAN_RECORDS, decode, encode};
use crate::secret::{Secret, TokenDigest, TokenKind, draw_id};
use crate::tables::{Key, OPERATOR_INVITATION_TOKENS, OPERATOR_INVITATIONS};
use crate::users::{Email, User};
use serde::{Deserialize, Serialize};
use storage::{Change, Life, Range, Revision};

/// An invitation to run the installation that nobody has taken up yet, without its token.
#[derive(Clone, PartialEq, Eq)]
pub struct OperatorInvitation {
    /// By which it is taken back.
    pub id: String,
    /// Whom it is for.
    pub email: Email,
    /// Until when, in milliseconds since the epoch.
    pub until_ms: u64,
}

#[derive(Serialize, Deserialize)]
struct Record {
    email: String,
    until_ms: u64,
    digest: TokenDigest,
}

/// An invitation that holds, as it was found.
struct Held {
    id: String,
    record: Record,
    revision: Revision,
}

impl Organizations {
    /// Everybody who runs the installation.
    ///
    /// # Errors
    /// [`Error::Denied`] unless an operator asks, or when storage cannot be read.
    pub async fn operators(&self, by: &str) -> Result<Vec<User>, Error> {
        self.authorize_installation(by, Action::RunInstallation).await?;
        self.users.operators().await
    }

    /// Invites somebody to run the installation.
    ///
    /// # Errors
    /// [`Error::BadEmail`], [`Error::Denied`] unless an operator does it, or when storage refuses.
    pub async fn invite_operator(&self, by: &str, email: &str) -> Result<Invited, Error> {
        self.authorize_installation(by, Action::RunInstallation).await?;
        let email = Email::parse(email)?;
        let (token, digest) = TokenKind::Operator.draw()?;
        let id = draw_id("inv")?;
        let until_ms = self.keeper.now_ms() + LIFE_MS;
        let life = Life::Until(until_ms + DAY_MS);
        let record = Record { email: email.as_str().to_owned(), until_ms, digest };
        let record = encode(OPERATOR_INVITATIONS, &record)?;
        let change = Change::new(INSTALLATION).put(OPERATOR_INVITATIONS, Key::of(&id), life, record).put(
            OPERATOR_INVITATION_TOKENS,
            digest.bytes(),
            life,
            encode(OPERATOR_INVITATION_TOKENS, &id)?,
        );
        let event = Event::done(Act::OperatorInvited, by, &id).personal(&id, &[("email", email.as_str())]);
        self.audit.append_with(&Log::installation(), &event, change).await?;
        Ok(Invited { id, token, until_ms })
    }

    /// The invitations to run the installation that can still be taken up.
    ///
    /// # Errors
    /// [`Error::Denied`] unless an operator asks, or when storage cannot be read.
    pub async fn operator_invitations(&self, by: &str) -> Result<Vec<OperatorInvitation>, Error> {
        self.authorize_installation(by, Action::RunInstallation).await?;
        let (mut all, mut after) = (Vec::new(), None::<Vec<u8>>);
        let now_ms = self.keeper.now_ms();
        loop {
            let range = Range { prefix: &[], after: after.as_deref(), limit: SCAN_RECORDS };
            let page = self.keeper.page(INSTALLATION, OPERATOR_INVITATIONS, range).await?;
            let Some((last, _)) = page.last() else { return Ok(all) };
            after = Some(last.clone());
            for (key, found) in page {
                let Record { email, until_ms, .. } = decode(OPERATOR_INVITATIONS, found.value.expose())?;
                if now_ms < until_ms {
                    let (id, email) = (Key::read_id(&key), Email::parse(&email)?);
                    all.push(OperatorInvitation { id, email, until_ms });
                }
            }
        }
    }

    /// Takes such an invitation back; one that is not there is fine.
    ///
    /// # Errors
    /// [`Error::Denied`] unless an operator does it, or when storage refuses.
    pub async fn revoke_operator_invitation(&self, by: &str, id: &str) -> Result<(), Error> {
        self.authorize_installation(by, Action::RunInstallation).await?;
        let mut attempts = Attempts::at(OPERATOR_INVITATIONS);
        loop {
            let found = self.keeper.read::<Record>(INSTALLATION, OPERATOR_INVITATIONS, &Key::of(id)).await?;
            let Some((record, revision)) = found else { return Ok(()) };
            let held = Held { id: id.to_owned(), record, revision };
            let event = Event::done(Act::InvitationRevoked, by, id);
            if self.audit.try_append_with(&Log::installation(), &event, spent(&held)).await? {
                return Ok(());
            }
            // Taken up or taken back by somebody else meanwhile.
            attempts.again().await?;
        }
    }

    /// Whether a token is of an invitation to run the installation, and none into an organization.
    #[must_use]
    pub fn invites_operator(&self, token: &Secret) -> bool {
        TokenKind::Operator.digest(token).is_some()
    }

    /// Takes such an invitation up for somebody who is known, and has come in.
    ///
    /// # Errors
    /// [`Error::BadInvitation`] whatever is wrong with it, [`Error::AlreadyMember`], or when storage refuses.
    pub async fn accept_operator(&self, token: &Secret, user: &str) -> Result<(), Error> {
        let mut attempts = Attempts::at(OPERATOR_INVITATIONS);
        loop {
            let held = self.held_for_operator(token).await?;
            let known = self.users.get(user).await?;
            if known.email.as_str() != held.record.email {
                return Err(Error::BadInvitation);
            }
            if known.is_operator {
                return Err(Error::AlreadyMember);
            }
            let change = self.users.promote(spent(&held), user).await?;
            if self.made_operator(&held, user, change).await? {
                return Ok(());
            }
            attempts.again().await?;
        }
    }

    /// Takes such an invitation up for somebody who is not known yet, and is by this; answers the person's id.
    ///
    /// # Errors
    /// [`Error::BadInvitation`], [`Error::EmailTaken`], [`Error::WeakPassword`], or when storage refuses.
    pub async fn accept_operator_as_new(&self, token: &Secret, password: &Secret) -> Result<String, Error> {
        let mut attempts = Attempts::at(OPERATOR_INVITATIONS);
        loop {
            let held = self.held_for_operator(token).await?;
            let email = Email::parse(&held.record.email)?;
            let (user, change) = self.users.add(spent(&held), &email, password, true).await?;
            if self.made_operator(&held, &user, change).await? {
                return Ok(user);
            }
            attempts.again().await?;
        }
    }

    /// Somebody runs the installation no more: an operator takes it from another, or goes.
    ///
    /// # Errors
    /// [`Error::LastOperator`], [`Error::Denied`] unless an operator does it, [`Error::UnknownUser`] for who is none, or when
    /// storage refuses.
    pub async fn dismiss_operator(&self, by: &str, user: &str) -> Result<(), Error> {
        self.authorize_installation(by, Action::RunInstallation).await?;
        self.users.dismiss(by, user).await
    }

    async fn held_for_operator(&self, token: &Secret) -> Result<Held, Error> {
        let digest = TokenKind::Operator.digest(token).ok_or(Error::BadInvitation)?;
        let found = self.keeper.read(INSTALLATION, OPERATOR_INVITATION_TOKENS, &digest.bytes()).await?;
        let (id, _): (String, Revision) = found.ok_or(Error::BadInvitation)?;
        let found = self.keeper.read::<Record>(INSTALLATION, OPERATOR_INVITATIONS, &Key::of(&id)).await?;
        match found {
            Some((record, revision)) if self.keeper.now_ms() < record.until_ms => {
                Ok(Held { id, record, revision })
            }
            _ => Err(Error::BadInvitation),
        }
    }

    /// False: somebody else was faster.
    async fn made_operator(&self, held: &Held, user: &str, change: Change) -> Result<bool, Error> {
        let event = Event::done(Act::OperatorCreated, user, user).detail("invitation", &held.id);
        let event = event.personal(user, &[("email", &held.record.email)]);
        self.audit.try_append_with(&Log::installation(), &event, change).await
    }
}

/// What is done with an invitation that is no more.
fn spent(Held { id, record, revision }: &Held) -> Change {
    Change::new(INSTALLATION)
        .expect(OPERATOR_INVITATIONS, Key::of(id), Some(revision))
        .delete(OPERATOR_INVITATIONS, Key::of(id))
        .delete(OPERATOR_INVITATION_TOKENS, record.digest.bytes())
}
