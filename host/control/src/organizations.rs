//! Organizations: whose data it is. Each has members with roles, a region that never changes, and a key of its own.
//!
//! The region stands in the name under which storage seals what is the organization's, so it is bound into every record:
//! under another region nothing of it opens, and a process of another region refuses it before that.

mod deletion;
mod glass;
mod invitations;
mod members;
mod operators;
mod persons;
mod region;

pub use deletion::{Deletion, DeletionCertificate};
pub use glass::{Glass, GlassState};
pub use invitations::{Invitation, Invited};
pub use members::{Member, MemberRole};
pub use operators::OperatorInvitation;
pub use region::Region;

use crate::access::{Action, Actor, Reason, judge};
use crate::audit::{Act, Audit, Event, Log};
use crate::error::Error;
use crate::keeper::{INSTALLATION, Keeper, SCAN_RECORDS, decode, encode};
use crate::secret::draw_id;
use crate::tables::{CONDEMNED, Key, ORGANIZATIONS};
use crate::users::Users;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use storage::{Change, Life, Range, Revision};

const NAME_CHARACTERS_MAX: usize = 100;

/// The organizations of an installation, as a process of one region serves them.
pub struct Organizations {
    pub(crate) keeper: Keeper,
    pub(crate) users: Arc<Users>,
    pub(crate) audit: Arc<Audit>,
    region: Region,
    looks: glass::Looks,
}

/// What is known of an organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    /// Drawn when it was made.
    pub id: String,
    /// As people call it.
    pub name: String,
    /// Where it is at home.
    pub region: Region,
    /// When it was made, in milliseconds since the epoch.
    pub created_ms: u64,
    /// How many members it has.
    pub members: u32,
}

/// As it is stored. Each change of its members writes it, so these come one after the other.
#[derive(Clone, Serialize, Deserialize)]
struct OrganizationRecord {
    name: String,
    region: Region,
    created_ms: u64,
    members: u32,
    admins: u32,
    /// Its deletion is being carried out: for everybody there is no such organization any more.
    #[serde(default)]
    is_condemned: bool,
}

impl OrganizationRecord {
    fn shown(self, id: &str) -> Organization {
        let Self { name, region, created_ms, members, .. } = self;
        Organization { id: id.to_owned(), name, region, created_ms, members }
    }
}

impl Organizations {
    /// The organizations, for a process of this region.
    #[must_use]
    pub fn new(users: Arc<Users>, region: Region) -> Self {
        let audit = Arc::clone(&users.audit);
        Self { keeper: users.keeper.clone(), users, audit, region, looks: glass::Looks::default() }
    }

    /// Makes an organization in the region of this process, and invites its first admin.
    ///
    /// # Errors
    /// [`Error::Denied`] unless an operator does it, [`Error::BadName`], [`Error::BadEmail`], or when storage refuses.
    pub async fn create(
        &self,
        operator: &str,
        name: &str,
        admin_email: &str,
    ) -> Result<(Organization, Invited), Error> {
        let name = checked_name("organization", name)?;
        self.authorize_installation(operator, Action::CreateOrganization).await?;
        let email = crate::users::Email::parse(admin_email)?;
        let id = draw_id("org")?;
        // A crash behind this leaves a key that nothing is sealed by: see `mend`.
        self.keeper.storage.create_organization(&self.owner(&id)).await?;
        let created_ms = self.keeper.now_ms();
        let region = self.region.clone();
        let record =
            OrganizationRecord { name, region, created_ms, members: 0, admins: 0, is_condemned: false };
        let change = Change::new(INSTALLATION).expect(ORGANIZATIONS, Key::of(&id), None);
        let change = change.put(ORGANIZATIONS, Key::of(&id), Life::Standing, encode(ORGANIZATIONS, &record)?);
        let event =
            Event::done(Act::OrganizationCreated, operator, &id).detail("region", self.region.as_str());
        self.audit.append_with(&self.log(&id), &event, change).await?;
        let invited = self.send_invitation(operator, &id, &email, MemberRole::Admin).await?;
        Ok((record.shown(&id), invited))
    }

    /// An organization of this region.
    ///
    /// # Errors
    /// [`Error::UnknownOrganization`], [`Error::OtherRegion`], or when storage cannot be read.
    pub async fn get(&self, organization: &str) -> Result<Organization, Error> {
        Ok(self.record(organization).await?.0.shown(organization))
    }

    /// Every organization, whatever its region: names are all that an operator sees.
    ///
    /// # Errors
    /// When storage cannot be read.
    pub async fn all(&self) -> Result<Vec<Organization>, Error> {
        let (mut all, mut after) = (Vec::new(), None::<Vec<u8>>);
        loop {
            let range = Range { prefix: &[], after: after.as_deref(), limit: SCAN_RECORDS };
            let page = self.keeper.page(INSTALLATION, ORGANIZATIONS, range).await?;
            let Some((last, _)) = page.last() else { return Ok(all) };
            after = Some(last.clone());
            for (key, found) in page {
                let record: OrganizationRecord = decode(ORGANIZATIONS, found.value.expose())?;
                if record.is_condemned {
                    continue;
                }
                all.push(record.shown(&Key::read_id(&key)));
            }
        }
    }

    /// Gives an organization another name.
    ///
    /// # Errors
    /// [`Error::BadName`], [`Error::Denied`], [`Error::UnknownOrganization`], or when storage refuses.
    pub async fn rename(&self, by: &str, organization: &str, name: &str) -> Result<(), Error> {
        let name = checked_name("organization", name)?;
        self.authorize(by, organization, Action::RenameOrganization).await?;
        let (record, revision) = self.record(organization).await?;
        let renamed = OrganizationRecord { name, ..record };
        let change = put(Change::new(INSTALLATION), organization, &renamed, &revision)?;
        let event = Event::done(Act::OrganizationRenamed, by, organization);
        self.audit.append_with(&self.log(organization), &event, change).await?;
        Ok(())
    }

    /// As what somebody acts in an organization. An operator that is a member acts as one.
    ///
    /// # Errors
    /// [`Error::UnknownOrganization`], [`Error::OtherRegion`], or when storage cannot be read.
    pub async fn actor(&self, user: &str, organization: &str) -> Result<Actor, Error> {
        self.record(organization).await?;
        Ok(match self.role(organization, user).await? {
            Some(MemberRole::Admin) => Actor::Admin,
            Some(MemberRole::User) => Actor::User,
            None if self.users.get(user).await?.is_operator => Actor::Operator,
            None => Actor::Outsider,
        })
    }

    /// Lets somebody do something in an organization, or not: what is refused is in the audit log, and so is an operator's look
    /// at what an admin of it selected.
    ///
    /// # Errors
    /// [`Error::Denied`]; [`Error::UnknownOrganization`] also for who is no member, so that nobody finds out what is there.
    pub async fn authorize(&self, user: &str, organization: &str, action: Action) -> Result<Actor, Error> {
        let actor = self.actor(user, organization).await?;
        let Err(reason) = judge(&actor, action) else { return Ok(actor) };
        if actor == Actor::Operator
            && let Some(glass) = self.look(user, organization, action).await?
        {
            return Ok(glass);
        }
        Err(self.denied(user, action, reason, Some(organization)).await?)
    }

    /// Lets somebody do something to the installation as a whole, or not: what is refused is in its audit log.
    ///
    /// # Errors
    /// [`Error::Denied`] unless it is an operator, or when storage cannot be read.
    pub async fn authorize_installation(&self, user: &str, action: Action) -> Result<(), Error> {
        if self.users.get(user).await?.is_operator {
            return Ok(());
        }
        Err(self.denied(user, action, Reason::NeedsOperator, None).await?)
    }

    /// The error of a denial, which is in the log by now.
    pub(crate) async fn denied(
        &self,
        user: &str,
        action: Action,
        reason: Reason,
        organization: Option<&str>,
    ) -> Result<Error, Error> {
        let log = organization.map_or_else(Log::installation, |organization| self.log(organization));
        let event = Event::refused(Act::Denied, user, organization.unwrap_or(INSTALLATION));
        self.audit.append(&log, &event.detail("action", action.name())).await?;
        Ok(match (reason, organization) {
            (Reason::NotAMember, Some(organization)) => unknown(organization),
            _ => Error::Denied { action: action.name(), reason },
        })
    }

    /// The time by which everything here is judged: it never goes back.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        self.keeper.now_ms()
    }

    /// The log of an organization of this region.
    #[must_use]
    pub fn log(&self, organization: &str) -> Log {
        Log::of(&self.owner(organization))
    }

    /// Under what storage keeps what is this organization's: nothing of another region has this name.
    #[must_use]
    pub fn owner(&self, organization: &str) -> String {
        format!("{}/{organization}", self.region.as_str())
    }

    async fn record(&self, organization: &str) -> Result<(OrganizationRecord, Revision), Error> {
        let found = self.keeper.read(INSTALLATION, ORGANIZATIONS, &Key::of(organization)).await?;
        let (record, revision): (OrganizationRecord, Revision) =
            found.ok_or_else(|| unknown(organization))?;
        if record.region != self.region {
            let (found, here) = (record.region.to_string(), self.region.to_string());
            return Err(Error::OtherRegion { organization: organization.to_owned(), found, here });
        }
        // A record that was moved here from another region names a key that is not there.
        if !record.is_condemned && self.keeper.knows(&self.owner(organization)) {
            Ok((record, revision))
        } else {
            Err(unknown(organization))
        }
    }
}

/// Adds to a change by which something new comes to be of an organization that this is not being deleted: what came behind
/// the removing would stay for ever.
pub(crate) fn while_it_lasts(change: Change, organization: &str) -> Change {
    change.expect(CONDEMNED, Key::of(organization), None)
}

fn put(
    change: Change,
    organization: &str,
    record: &OrganizationRecord,
    revision: &Revision,
) -> Result<Change, Error> {
    let change = change.expect(ORGANIZATIONS, Key::of(organization), Some(revision));
    let value = encode(ORGANIZATIONS, record)?;
    Ok(change.put(ORGANIZATIONS, Key::of(organization), Life::Standing, value))
}

fn unknown(organization: &str) -> Error {
    Error::UnknownOrganization { organization: organization.to_owned() }
}

/// A name as people give it, without what is around it.
pub(crate) fn checked_name(what: &'static str, name: &str) -> Result<String, Error> {
    let trimmed = name.trim();
    let reason = match trimmed.chars().count() {
        0 => Some("it is empty"),
        count if count > NAME_CHARACTERS_MAX => Some("it has more than 100 characters"),
        _ if trimmed.chars().any(char::is_control) => Some("it has control characters"),
        _ => None,
    };
    match reason {
        Some(reason) => Err(Error::BadName { what, reason }),
        None => Ok(trimmed.to_owned()),
    }
}
