//! Deletes an organization, in two steps. An admin asks for it and types its name; after a time, or when another admin agrees,
//! it is carried out: its key is destroyed, what the installation keeps of it is removed, and a certificate stands in the
//! installation's log.
//!
//! From the moment at which it is carried out there is no such organization for anybody. What a crash leaves of it is removed
//! by [`Organizations::mend`].

mod purge;

use super::{OrganizationRecord, Organizations, Region, put};
use crate::access::Action;
use crate::audit::{Act, Event, Log};
use crate::error::Error;
use crate::filed::Left;
use crate::keeper::{Attempts, INSTALLATION, SCAN_RECORDS, decode, encode};
use crate::tables::{CONDEMNED, DELETIONS, Key, ORGANIZATIONS, TOMBSTONES};
use serde::{Deserialize, Serialize};
use storage::{Change, Life, Range, Revision};

/// Time for whoever did not ask for it to learn of it and to say something: a long weekend.
const WAIT_MS: u64 = 72 * 60 * 60 * 1_000;

/// That an organization is to be deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deletion {
    /// Who asked for it.
    pub requested_by: String,
    /// When, in milliseconds since the epoch.
    pub requested_ms: u64,
    /// From when on one admin alone may have it carried out.
    pub due_ms: u64,
    /// Who had it carried out; none: nobody yet.
    #[serde(default)]
    confirmed_by: Option<String>,
}

/// That an organization was deleted. The same stands in the log of the installation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeletionCertificate {
    /// The organization.
    pub organization: String,
    /// Where it was at home.
    pub region: Region,
    /// Who asked for it.
    pub requested_by: String,
    /// Who agreed.
    pub confirmed_by: String,
    /// When nothing of it could be read any more, in milliseconds since the epoch.
    pub deleted_ms: u64,
    /// How many entries its log had at its end. They stay, without what was personal.
    pub log_entries: u64,
    /// The root of its log's tree then, in hexadecimal digits.
    pub log_root: String,
}

impl Organizations {
    /// Asks for an organization to be deleted. `name` is what it is called, typed once more. Asked for again, it stays what
    /// it was.
    ///
    /// # Errors
    /// [`Error::WrongName`], [`Error::Denied`], [`Error::UnknownOrganization`], or when storage refuses.
    pub async fn request_deletion(
        &self,
        by: &str,
        organization: &str,
        name: &str,
    ) -> Result<Deletion, Error> {
        self.authorize(by, organization, Action::DeleteOrganization).await?;
        self.check_name(organization, name).await?;
        let mut attempts = Attempts::at(DELETIONS);
        loop {
            if let Some((deletion, _)) = self.deletion_record(organization).await? {
                return Ok(deletion);
            }
            let requested_ms = self.keeper.now_ms();
            let due_ms = requested_ms + WAIT_MS;
            let requested_by = by.to_owned();
            let deletion = Deletion { requested_by, requested_ms, due_ms, confirmed_by: None };
            let at = Key::of(organization);
            let change = Change::new(INSTALLATION).expect(DELETIONS, at.clone(), None);
            let change = change.put(DELETIONS, at, Life::Standing, encode(DELETIONS, &deletion)?);
            let event = Event::done(Act::DeletionRequested, by, organization);
            if self.audit.try_append_with(&self.log(organization), &event, change).await? {
                return Ok(deletion);
            }
            attempts.again().await?;
        }
    }

    /// What was asked for; none: nobody asked for it.
    ///
    /// # Errors
    /// [`Error::Denied`], [`Error::UnknownOrganization`], or when storage cannot be read.
    pub async fn deletion(&self, by: &str, organization: &str) -> Result<Option<Deletion>, Error> {
        self.authorize(by, organization, Action::ListMembers).await?;
        Ok(self.deletion_record(organization).await?.map(|(deletion, _)| deletion))
    }

    /// Takes the wish back, as any admin may.
    ///
    /// # Errors
    /// [`Error::NoDeletion`], [`Error::Denied`], [`Error::UnknownOrganization`], or when storage refuses.
    pub async fn withdraw_deletion(&self, by: &str, organization: &str) -> Result<(), Error> {
        self.authorize(by, organization, Action::DeleteOrganization).await?;
        let (_, seen) = self.deletion_record(organization).await?.ok_or(Error::NoDeletion)?;
        let at = Key::of(organization);
        let change = Change::new(INSTALLATION).expect(DELETIONS, at.clone(), Some(&seen));
        let change = change.discard(DELETIONS, at);
        let event = Event::done(Act::DeletionWithdrawn, by, organization);
        // Else somebody was faster; what they did is seen by whoever asks again.
        let is_done = self.audit.try_append_with(&self.log(organization), &event, change).await?;
        if is_done { Ok(()) } else { Err(Error::NoDeletion) }
    }

    /// Has the deletion carried out: by another admin than the one who asked for it, or by anyone of them after the time. When
    /// it answers, nothing of the organization can be read any more.
    ///
    /// # Errors
    /// [`Error::DeletionWaits`], [`Error::NoDeletion`], [`Error::WrongName`], [`Error::Denied`], or when storage refuses.
    pub async fn confirm_deletion(
        &self,
        by: &str,
        organization: &str,
        name: &str,
    ) -> Result<DeletionCertificate, Error> {
        self.authorize(by, organization, Action::DeleteOrganization).await?;
        self.check_name(organization, name).await?;
        let mut attempts = Attempts::at(DELETIONS);
        loop {
            let (deletion, seen) = self.deletion_record(organization).await?.ok_or(Error::NoDeletion)?;
            if deletion.requested_by == by && self.keeper.now_ms() < deletion.due_ms {
                return Err(Error::DeletionWaits { due_ms: deletion.due_ms });
            }
            let deletion = Deletion { confirmed_by: Some(by.to_owned()), ..deletion };
            let (record, revision) = self.record(organization).await?;
            let record = OrganizationRecord { is_condemned: true, ..record };
            let at = Key::of(organization);
            let change = put(Change::new(INSTALLATION), organization, &record, &revision)?
                .expect(DELETIONS, at.clone(), Some(&seen))
                .put(CONDEMNED, at.clone(), Life::Standing, Vec::new())
                .put(DELETIONS, at, Life::Standing, encode(DELETIONS, &deletion)?);
            let event = Event::done(Act::DeletionConfirmed, by, organization);
            if self.audit.try_append_with(&self.log(organization), &event, change).await? {
                return self.carry_out(organization, &deletion).await;
            }
            attempts.again().await?;
        }
    }

    /// The certificate of an organization that was deleted; none: it was not.
    ///
    /// # Errors
    /// [`Error::Denied`] unless an operator asks, or when storage cannot be read.
    pub async fn deletion_certificate(
        &self,
        operator: &str,
        organization: &str,
    ) -> Result<Option<DeletionCertificate>, Error> {
        if !self.users.get(operator).await?.is_operator {
            let (action, reason) = (Action::ReadInstallationAudit, crate::access::Reason::NeedsOperator);
            return Err(self.denied(operator, action, reason, None).await?);
        }
        let found = self.keeper.read(INSTALLATION, TOMBSTONES, &Key::of(organization)).await?;
        Ok(found.map(|(certificate, _)| certificate))
    }

    /// Goes on with what a crash has ended: deletions that are to be carried out, the making of organizations that came to
    /// nothing, and the removing of what was deleted or came to be of no use. To be called when a process starts, before anybody is served.
    /// Answers of what others may keep something still, and whose it was.
    ///
    /// # Errors
    /// When storage refuses.
    pub async fn mend(&self) -> Result<Vec<(String, Left)>, Error> {
        for (organization, deletion) in self.deletions().await? {
            if deletion.confirmed_by.is_some() && self.is_of_this_region(&organization).await? {
                self.carry_out(&organization, &deletion).await?;
            }
        }
        self.destroy_keys_without_organization().await?;
        let left = self.erase_what_is_gone().await?;
        self.remove_unused_components().await?;
        Ok(left)
    }

    /// Each step may be made again: a crash may come between any two of them.
    async fn carry_out(&self, organization: &str, deletion: &Deletion) -> Result<DeletionCertificate, Error> {
        let owner = self.owner(organization);
        if self.keeper.knows(&owner) {
            self.keeper.storage.delete_organization(&owner).await?;
        }
        let deleted_ms = self.keeper.now_ms();
        self.purge(organization).await?;
        let head = self.audit.head(&self.log(organization)).await?;
        let certificate = DeletionCertificate {
            organization: organization.to_owned(),
            region: self.region.clone(),
            requested_by: deletion.requested_by.clone(),
            confirmed_by: deletion.confirmed_by.clone().unwrap_or_default(),
            deleted_ms,
            log_entries: head.size,
            log_root: head.root.iter().map(|byte| format!("{byte:02x}")).collect(),
        };
        let at = Key::of(organization);
        let value = encode(TOMBSTONES, &certificate)?;
        let change = Change::new(INSTALLATION)
            .delete(ORGANIZATIONS, at.clone())
            .discard(DELETIONS, at.clone())
            .put(TOMBSTONES, at, Life::Standing, value);
        let event = Event::done(Act::OrganizationShredded, &certificate.confirmed_by, organization)
            .detail("requested_by", &certificate.requested_by)
            .detail("region", certificate.region.as_str())
            .detail("log_entries", certificate.log_entries.to_string())
            .detail("log_root", &certificate.log_root);
        self.audit.append_with(&Log::installation(), &event, change).await?;
        Ok(certificate)
    }

    /// An organization's key is drawn before there is an organization; a crash between the two leaves the key.
    async fn destroy_keys_without_organization(&self) -> Result<(), Error> {
        let prefix = self.owner("");
        for owner in self.keeper.storage.organizations() {
            let Some(organization) = owner.strip_prefix(&prefix) else { continue };
            if self.keeper.get(INSTALLATION, ORGANIZATIONS, &Key::of(organization)).await?.is_none() {
                self.keeper.storage.delete_organization(&owner).await?;
            }
        }
        Ok(())
    }

    async fn deletions(&self) -> Result<Vec<(String, Deletion)>, Error> {
        let (mut all, mut after) = (Vec::new(), None::<Vec<u8>>);
        loop {
            let range = Range { prefix: &[], after: after.as_deref(), limit: SCAN_RECORDS };
            let page = self.keeper.page(INSTALLATION, DELETIONS, range).await?;
            let Some((last, _)) = page.last() else { return Ok(all) };
            after = Some(last.clone());
            for (key, found) in page {
                all.push((Key::read_id(&key), decode(DELETIONS, found.value.expose())?));
            }
        }
    }

    async fn deletion_record(&self, organization: &str) -> Result<Option<(Deletion, Revision)>, Error> {
        self.keeper.read(INSTALLATION, DELETIONS, &Key::of(organization)).await
    }

    async fn is_of_this_region(&self, organization: &str) -> Result<bool, Error> {
        let found = self.keeper.read(INSTALLATION, ORGANIZATIONS, &Key::of(organization)).await?;
        let record: Option<(OrganizationRecord, Revision)> = found;
        Ok(record.is_some_and(|(record, _)| record.region == self.region))
    }

    async fn check_name(&self, organization: &str, name: &str) -> Result<(), Error> {
        let (record, _) = self.record(organization).await?;
        if record.name == name.trim() { Ok(()) } else { Err(Error::WrongName) }
    }
}
