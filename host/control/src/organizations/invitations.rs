//! Nobody gets into an organization but by an invitation: for one address of e-mail, once, within 72 hours.

use super::{MemberRole, Organizations, put, while_it_lasts};
use crate::access::Action;
use crate::audit::{Act, Event};
use crate::error::Error;
use crate::keeper::{Attempts, INSTALLATION, SCAN_RECORDS, decode, encode};
use crate::secret::{Secret, TokenDigest, TokenKind, draw_id};
use crate::tables::{INVITATION_TOKENS, INVITATIONS, Key};
use crate::users::Email;
use serde::{Deserialize, Serialize};
use storage::{Change, Life, Range, Revision};

pub(super) const LIFE_MS: u64 = 72 * HOUR_MS;
const HOUR_MS: u64 = 60 * 60 * 1_000;
/// Storage rounds the end of a life down to the day; until then we look at the clock ourselves.
pub(super) const DAY_MS: u64 = 24 * HOUR_MS;

/// An invitation that was made.
pub struct Invited {
    /// Its id, by which it is taken back.
    pub id: String,
    /// What the invited person needs. Shown once, and kept by nobody.
    pub token: Secret,
    /// Until when, in milliseconds since the epoch.
    pub until_ms: u64,
}

/// An invitation that nobody has taken up yet, without its token.
#[derive(Clone, PartialEq, Eq)]
pub struct Invitation {
    /// By which it is taken back.
    pub id: String,
    /// Whom it is for.
    pub email: Email,
    /// As what they will join.
    pub role: MemberRole,
    /// Until when, in milliseconds since the epoch.
    pub until_ms: u64,
}

#[derive(Serialize, Deserialize)]
struct InvitationRecord {
    email: String,
    role: MemberRole,
    until_ms: u64,
    digest: TokenDigest,
}

/// The digest of the token of a stored invitation.
pub(super) fn digest_of(stored: &[u8]) -> Result<TokenDigest, Error> {
    let record: InvitationRecord = decode(INVITATIONS, stored)?;
    Ok(record.digest)
}

/// Where an invitation lies.
#[derive(Serialize, Deserialize)]
struct Pointer {
    organization: String,
    invitation: String,
}

/// An invitation that holds, and what must still be so when it is taken up.
struct Held {
    organization: String,
    invitation: String,
    record: InvitationRecord,
    revision: Revision,
}

impl Organizations {
    /// Invites somebody.
    ///
    /// # Errors
    /// [`Error::BadEmail`], [`Error::Denied`], [`Error::UnknownOrganization`], or when storage refuses.
    pub async fn invite(
        &self,
        by: &str,
        organization: &str,
        email: &str,
        role: MemberRole,
    ) -> Result<Invited, Error> {
        self.authorize(by, organization, Action::InviteMembers).await?;
        self.send_invitation(by, organization, &Email::parse(email)?, role).await
    }

    pub(super) async fn send_invitation(
        &self,
        by: &str,
        organization: &str,
        email: &Email,
        role: MemberRole,
    ) -> Result<Invited, Error> {
        let (token, digest) = TokenKind::Invitation.draw()?;
        let id = draw_id("inv")?;
        let until_ms = self.keeper.now_ms() + LIFE_MS;
        let life = Life::Until(until_ms + DAY_MS);
        let pointer = Pointer { organization: organization.to_owned(), invitation: id.clone() };
        let at = digest.bytes();
        let record = InvitationRecord { email: email.as_str().to_owned(), role, until_ms, digest };
        let change = while_it_lasts(Change::new(INSTALLATION), organization)
            .put(INVITATIONS, Key::of(organization).id(&id), life, encode(INVITATIONS, &record)?)
            .put(INVITATION_TOKENS, at, life, encode(INVITATION_TOKENS, &pointer)?);
        let event = Event::done(Act::MemberInvited, by, &id).detail("role", role.name());
        let event = event.personal(&id, &[("email", email.as_str())]);
        self.audit.append_with(&self.log(organization), &event, change).await?;
        Ok(Invited { id, token, until_ms })
    }

    /// The invitations of an organization that can still be taken up.
    ///
    /// # Errors
    /// [`Error::Denied`], [`Error::UnknownOrganization`], or when storage cannot be read.
    pub async fn invitations(&self, by: &str, organization: &str) -> Result<Vec<Invitation>, Error> {
        self.authorize(by, organization, Action::InviteMembers).await?;
        let (prefix, mut after, mut all) = (Key::of(organization), None::<Vec<u8>>, Vec::new());
        let now_ms = self.keeper.now_ms();
        loop {
            let range = Range { prefix: &prefix, after: after.as_deref(), limit: SCAN_RECORDS };
            let page = self.keeper.page(INSTALLATION, INVITATIONS, range).await?;
            let Some((last, _)) = page.last() else { return Ok(all) };
            after = Some(last.clone());
            for (key, found) in page {
                let record: InvitationRecord = decode(INVITATIONS, found.value.expose())?;
                let id = Key::read_id(key.get(prefix.len()..).unwrap_or_default());
                let InvitationRecord { email, role, until_ms, .. } = record;
                if now_ms < until_ms {
                    all.push(Invitation { id, email: Email::parse(&email)?, role, until_ms });
                }
            }
        }
    }

    /// Takes an invitation back; one that is not there is fine.
    ///
    /// # Errors
    /// [`Error::Denied`], [`Error::UnknownOrganization`], or when storage refuses.
    pub async fn revoke_invitation(
        &self,
        by: &str,
        organization: &str,
        invitation: &str,
    ) -> Result<(), Error> {
        self.authorize(by, organization, Action::InviteMembers).await?;
        let at = Key::of(organization).id(invitation);
        let mut attempts = Attempts::at(INVITATIONS);
        loop {
            let found = self.keeper.read::<InvitationRecord>(INSTALLATION, INVITATIONS, &at).await?;
            let Some((record, revision)) = found else { return Ok(()) };
            let change = Change::new(INSTALLATION)
                .expect(INVITATIONS, at.clone(), Some(&revision))
                .delete(INVITATIONS, at.clone())
                .delete(INVITATION_TOKENS, record.digest.bytes());
            let event = Event::done(Act::InvitationRevoked, by, invitation);
            if self.audit.try_append_with(&self.log(organization), &event, change).await? {
                return Ok(());
            }
            // Taken up or taken back by somebody else meanwhile.
            attempts.again().await?;
        }
    }

    /// Takes an invitation up for somebody who is known, and has come in; answers the organization.
    ///
    /// # Errors
    /// [`Error::BadInvitation`] whatever is wrong with it, [`Error::AlreadyMember`], or when storage refuses.
    pub async fn accept(&self, token: &Secret, user: &str) -> Result<String, Error> {
        let mut attempts = Attempts::at(INVITATIONS);
        loop {
            let held = self.held(token).await?;
            if self.users.get(user).await?.email.as_str() != held.record.email {
                return Err(Error::BadInvitation);
            }
            if self.role(&held.organization, user).await?.is_some() {
                return Err(Error::AlreadyMember);
            }
            if self.take_up(&held, user, Change::new(INSTALLATION)).await? {
                return Ok(held.organization);
            }
            attempts.again().await?;
        }
    }

    /// Takes an invitation up for somebody who is not known yet, and is by this; answers the person's id and the
    /// organization. The address is theirs: the token was sent there.
    ///
    /// # Errors
    /// [`Error::BadInvitation`], [`Error::EmailTaken`], [`Error::WeakPassword`], or when storage refuses.
    pub async fn accept_as_new(&self, token: &Secret, password: &Secret) -> Result<(String, String), Error> {
        let mut attempts = Attempts::at(INVITATIONS);
        loop {
            let held = self.held(token).await?;
            let email = Email::parse(&held.record.email)?;
            let (user, change) = self.users.add(Change::new(INSTALLATION), &email, password, false).await?;
            if self.take_up(&held, &user, change).await? {
                return Ok((user, held.organization));
            }
            attempts.again().await?;
        }
    }

    async fn held(&self, token: &Secret) -> Result<Held, Error> {
        let digest = TokenKind::Invitation.digest(token).ok_or(Error::BadInvitation)?;
        let pointer = self.keeper.read(INSTALLATION, INVITATION_TOKENS, &digest.bytes()).await?;
        let (Pointer { organization, invitation }, _) = pointer.ok_or(Error::BadInvitation)?;
        let at = Key::of(&organization).id(&invitation);
        let found = self.keeper.read::<InvitationRecord>(INSTALLATION, INVITATIONS, &at).await?;
        match found {
            Some((record, revision)) if self.keeper.now_ms() < record.until_ms => {
                Ok(Held { organization, invitation, record, revision })
            }
            _ => Err(Error::BadInvitation),
        }
    }

    /// False: somebody else was faster.
    async fn take_up(&self, held: &Held, user: &str, change: Change) -> Result<bool, Error> {
        let Held { organization, invitation, record, revision } = held;
        let (known, seen) = self.record(organization).await?;
        let known = known.with_role(None, Some(record.role)).ok_or(Error::LastAdmin)?;
        let at = Key::of(organization).id(invitation);
        let change = put(change, organization, &known, &seen)?
            .expect(INVITATIONS, at.clone(), Some(revision))
            .delete(INVITATIONS, at)
            .delete(INVITATION_TOKENS, record.digest.bytes());
        let change = self.join(change, organization, user, record.role)?;
        let event = Event::done(Act::MemberJoined, user, organization).detail("role", record.role.name());
        let event = event.detail("invitation", invitation).personal(user, &[("email", &record.email)]);
        self.audit.try_append_with(&self.log(organization), &event, change).await
    }
}
