//! Removes a person: what tells who they are, by what they came in, and where they are a member.

use super::Organizations;
use crate::access::{Action, Reason};
use crate::audit::{Act, Event, Log};
use crate::error::Error;
use crate::keeper::SCAN_RECORDS;
use crate::organizations::MemberRole;
use crate::sessions::Sessions;
use std::collections::BTreeSet;

impl Organizations {
    /// Removes a person, who may do so too, or an operator. In every log of this region what tells who they are becomes
    /// unreadable; the entries stay. After a crash it is to be done again, and goes on.
    ///
    /// # Errors
    /// [`Error::LastAdmin`] while an organization would be without one, [`Error::LastOperator`], [`Error::Denied`],
    /// [`Error::UnknownUser`], or when storage refuses.
    pub async fn delete_person(&self, by: &str, user: &str, sessions: &Sessions) -> Result<(), Error> {
        if by != user && !self.users.get(by).await?.is_operator {
            return Err(self.denied(by, Action::RunInstallation, Reason::NeedsOperator, None).await?);
        }
        if self.users.get(user).await?.is_operator
            && self.users.operators().await?.iter().all(|other| other.id == user)
        {
            return Err(Error::LastOperator);
        }
        for organization in self.of_user(user).await? {
            let (record, _) = self.record(&organization).await?;
            if record.admins <= 1 && self.role(&organization, user).await? == Some(MemberRole::Admin) {
                return Err(Error::LastAdmin);
            }
        }
        sessions.revoke_all(user, None).await?;
        for organization in self.all().await? {
            if organization.region != self.region || !self.keeper.knows(&self.owner(&organization.id)) {
                continue;
            }
            // Forgotten before they are no member any more: whoever goes on after a crash finds them by that.
            self.forget(&self.log(&organization.id), user).await?;
        }
        self.forget(&Log::installation(), user).await?;
        for organization in self.of_user(user).await? {
            let event = Event::done(Act::MemberRemoved, by, user);
            match self.rewrite(&organization, user, &event, None).await {
                // Another admin was faster.
                Err(Error::UnknownUser { .. }) => {}
                done => done?,
            }
        }
        let event = Event::done(Act::UserDeleted, by, user);
        self.users.remove(user, &event).await
    }

    /// An invitation's address is that of whoever took it up, and is sealed under the invitation.
    async fn forget(&self, log: &Log, user: &str) -> Result<(), Error> {
        let (mut from, mut persons) = (0, BTreeSet::from([user.to_owned()]));
        loop {
            let page = self.audit.read(log, from, SCAN_RECORDS).await?;
            let Some(last) = page.last() else { break };
            from = last.number + 1;
            let by_invitation = [Act::MemberJoined.name(), Act::OperatorCreated.name()];
            let joined = page.iter().filter(|entry| by_invitation.contains(&entry.act));
            let joined = joined.filter(|entry| entry.actor == user);
            persons.extend(joined.filter_map(|entry| entry.details.get("invitation").cloned()));
        }
        for person in persons {
            self.audit.forget_person(log, &person).await?;
        }
        Ok(())
    }
}
