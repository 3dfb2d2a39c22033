//! Members: who is in an organization, in which role. An organization that had an admin keeps one.

use super::{OrganizationRecord, Organizations, put};
use crate::access::Action;
use crate::audit::{Act, Event};
use crate::error::Error;
use crate::keeper::{Attempts, INSTALLATION, SCAN_RECORDS, decode, encode};
use crate::tables::{Key, MEMBERS, MEMBERSHIPS, ORGANIZATIONS};
use serde::{Deserialize, Serialize};
use storage::{Change, Life, Range};

/// What a member may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MemberRole {
    /// Rules over the organization.
    Admin,
    /// Works in it.
    User,
}

/// A member of an organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The person's id.
    pub user: String,
    /// In this organization.
    pub role: MemberRole,
    /// Since when, in milliseconds since the epoch.
    pub since_ms: u64,
}

#[derive(Serialize, Deserialize)]
struct MemberRecord {
    role: MemberRole,
    since_ms: u64,
}

impl MemberRole {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::User => "user",
        }
    }
}

impl OrganizationRecord {
    /// With somebody in another role than before; none of it: not there. None: nobody would rule over it any more.
    pub(super) fn with_role(mut self, before: Option<MemberRole>, after: Option<MemberRole>) -> Option<Self> {
        let is_admin = |role: Option<MemberRole>| u32::from(role == Some(MemberRole::Admin));
        let is_there = |role: Option<MemberRole>| u32::from(role.is_some());
        self.members = (self.members + is_there(after)).saturating_sub(is_there(before));
        self.admins = (self.admins + is_admin(after)).saturating_sub(is_admin(before));
        (self.admins > 0 || before != Some(MemberRole::Admin)).then_some(self)
    }
}

impl Organizations {
    /// Members of an organization, as a member sees them.
    ///
    /// # Errors
    /// [`Error::Denied`], [`Error::UnknownOrganization`], or when storage cannot be read.
    pub async fn members(&self, by: &str, organization: &str) -> Result<Vec<Member>, Error> {
        self.authorize(by, organization, Action::ListMembers).await?;
        let (prefix, mut after, mut members) = (Key::of(organization), None::<Vec<u8>>, Vec::new());
        loop {
            let range = Range { prefix: &prefix, after: after.as_deref(), limit: SCAN_RECORDS };
            let page = self.keeper.page(INSTALLATION, MEMBERS, range).await?;
            let Some((last, _)) = page.last() else { return Ok(members) };
            after = Some(last.clone());
            for (key, found) in page {
                let MemberRecord { role, since_ms } = decode(MEMBERS, found.value.expose())?;
                let user = Key::read_id(key.get(prefix.len()..).unwrap_or_default());
                members.push(Member { user, role, since_ms });
            }
        }
    }

    /// The organizations that somebody is a member of, whatever their region.
    ///
    /// # Errors
    /// When storage cannot be read.
    pub async fn of_user(&self, user: &str) -> Result<Vec<String>, Error> {
        let (prefix, mut after, mut all) = (Key::of(user), None::<Vec<u8>>, Vec::new());
        loop {
            let range = Range { prefix: &prefix, after: after.as_deref(), limit: SCAN_RECORDS };
            let page = self.keeper.page(INSTALLATION, MEMBERSHIPS, range).await?;
            let Some((last, _)) = page.last() else { return Ok(all) };
            after = Some(last.clone());
            all.extend(page.iter().map(|(key, _)| Key::read_id(key.get(prefix.len()..).unwrap_or_default())));
        }
    }

    /// Gives a member another role.
    ///
    /// # Errors
    /// [`Error::LastAdmin`], [`Error::Denied`], [`Error::UnknownUser`] for who is no member, or when storage refuses.
    pub async fn change_role(
        &self,
        by: &str,
        organization: &str,
        user: &str,
        role: MemberRole,
    ) -> Result<(), Error> {
        self.authorize(by, organization, Action::ChangeMembers).await?;
        let event = Event::done(Act::RoleChanged, by, user).detail("role", role.name());
        self.rewrite(organization, user, &event, Some(role)).await
    }

    /// Removes a member, who may do so too.
    ///
    /// # Errors
    /// [`Error::LastAdmin`], [`Error::Denied`], [`Error::UnknownUser`] for who is no member, or when storage refuses.
    pub async fn remove_member(&self, by: &str, organization: &str, user: &str) -> Result<(), Error> {
        let action = if by == user { Action::Leave } else { Action::ChangeMembers };
        self.authorize(by, organization, action).await?;
        let event = Event::done(Act::MemberRemoved, by, user);
        self.rewrite(organization, user, &event, None).await
    }

    pub(super) async fn role(&self, organization: &str, user: &str) -> Result<Option<MemberRole>, Error> {
        let found = self.keeper.read(INSTALLATION, MEMBERS, &Key::of(organization).id(user)).await?;
        Ok(found.map(|(MemberRecord { role, .. }, _)| role))
    }

    /// Adds to a change what makes somebody a member, with the organization's record as it is then.
    pub(super) fn join(
        &self,
        change: Change,
        organization: &str,
        user: &str,
        role: MemberRole,
    ) -> Result<Change, Error> {
        let member = MemberRecord { role, since_ms: self.keeper.now_ms() };
        let at = Key::of(organization).id(user);
        Ok(change
            .expect(MEMBERS, at.clone(), None)
            .put(MEMBERS, at, Life::Standing, encode(MEMBERS, &member)?)
            .put(MEMBERSHIPS, Key::of(user).id(organization), Life::Standing, Vec::new()))
    }

    /// Changes a member's role and the organization's record together; no role: the member is removed.
    pub(super) async fn rewrite(
        &self,
        organization: &str,
        user: &str,
        event: &Event,
        role: Option<MemberRole>,
    ) -> Result<(), Error> {
        let mut attempts = Attempts::at(ORGANIZATIONS);
        loop {
            let (record, revision) = self.record(organization).await?;
            let at = Key::of(organization).id(user);
            let found = self.keeper.read::<MemberRecord>(INSTALLATION, MEMBERS, &at).await?;
            let (member, seen) = found.ok_or_else(|| Error::UnknownUser { user: user.to_owned() })?;
            let record = record.with_role(Some(member.role), role).ok_or(Error::LastAdmin)?;
            let batch = put(Change::new(INSTALLATION), organization, &record, &revision)?;
            let batch = batch.expect(MEMBERS, at.clone(), Some(&seen));
            let batch = match role {
                Some(role) => {
                    let member = MemberRecord { role, ..member };
                    batch.put(MEMBERS, at, Life::Standing, encode(MEMBERS, &member)?)
                }
                None => batch.delete(MEMBERS, at).delete(MEMBERSHIPS, Key::of(user).id(organization)),
            };
            if self.audit.try_append_with(&self.log(organization), event, batch).await? {
                return Ok(());
            }
            attempts.again().await?;
        }
    }
}
