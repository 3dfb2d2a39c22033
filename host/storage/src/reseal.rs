//! Seals what remains of an organization anew, under a fresh generation of its key, and destroys the former ones. So
//! deleted records are erased, for many deletions at once, and keys are rotated.
//!
//! The order, each step of which may be the last before a crash:
//! 1. the key gets its next generation: what is sealed from now on is sealed under it;
//! 2. the organization's head gets another epoch, and the job its record, in one batch: a change that was sealed before the
//!    first step and comes after this one conflicts, and is sealed anew. What is deleted from now on waits for the next job;
//! 3. every record of an earlier generation is sealed anew, on condition that nobody has replaced it meanwhile;
//! 4. when a walk over all has found none left, the earlier generations are retired;
//! 5. the job's record goes.
//!
//! Nobody waits for a job. What has ended is left to end, and what does not open is left as it is and counted.

mod job;
mod outdated;
mod page;

pub(crate) use outdated::Outdated;

use crate::draft::ERASE_WITHIN_MS;
use crate::engine::{Batch, EngineError, Expect, Scan};
use crate::error::Error;
use crate::heads::Head;
use crate::key::{self, Space};
use crate::maintain::Pass;
use crate::storage::Storage;
use job::Job;

/// After half of the time that is promised, so that the other half is there for the job.
const ERASE_AFTER_MS: u64 = ERASE_WITHIN_MS / 2;
/// What a pass of maintenance reads before it lets other things happen; the next pass goes on.
const PASS_BYTES: u64 = 64 << 20;
/// Records of a page, whose batches an engine may commit as one group. Large ones end it earlier.
const PAGE: usize = 1_024;

/// How far sealing an organization anew has come, or how far it came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Resealing {
    /// The generation of the key under which everything will be sealed.
    pub generation: u32,
    /// Records that were sealed anew, by the job or because somebody read them.
    pub records: u64,
    /// The bytes of their values.
    pub bytes: u64,
    /// Records that do not open. Retiring the former generation takes nothing from them that was to be had.
    pub unreadable: u64,
    /// When it began, in milliseconds since the epoch.
    pub started_ms: u64,
}

impl Storage {
    /// Erases now what was deleted in an organization, and returns when it is erased; none: nothing was to be erased.
    ///
    /// A backup from before opens nothing of this organization any more, because the key that it was sealed under is
    /// destroyed with what was deleted: make a new one after it.
    ///
    /// # Errors
    /// When the engine or the keyring refuse. The next call, or maintenance, goes on from there.
    pub async fn erase_now(&self, organization: &str) -> Result<Option<Resealing>, Error> {
        let _one_job_at_a_time = self.resealing.lock().await;
        let mut done = None;
        if self.job(organization).await?.is_some() {
            done = Some(self.finish_job(organization).await?);
        }
        let head = self.stored(&Self::head_key(organization)?).await?;
        if Head::decode(head.as_deref())?.erase_since_ms.is_some() {
            self.begin_job(organization).await?;
            done = Some(self.finish_job(organization).await?);
        }
        Ok(done)
    }

    /// Gives an organization the next generation of its key, seals everything anew under it and destroys the former one.
    /// Erases what was deleted, as [`Storage::erase_now`] does.
    ///
    /// # Errors
    /// When there is no such organization, or the engine or the keyring refuse. The next call, or maintenance, goes on.
    pub async fn rotate_organization(&self, organization: &str) -> Result<Resealing, Error> {
        let _one_job_at_a_time = self.resealing.lock().await;
        if self.job(organization).await?.is_some() {
            self.finish_job(organization).await?;
        }
        self.begin_job(organization).await?;
        self.finish_job(organization).await
    }

    /// How far the job of an organization has come; none: there is none.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn resealing(&self, organization: &str) -> Result<Option<Resealing>, Error> {
        Ok(self.job(organization).await?.map(|job| job.done))
    }

    /// Since when deleted records of an organization wait to be erased; none: none do.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn erase_due_since_ms(&self, organization: &str) -> Result<Option<u64>, Error> {
        let head = self.stored(&Self::head_key(organization)?).await?;
        Ok(Head::decode(head.as_deref())?.erase_since_ms)
    }

    /// Goes on with what is begun, begins what is due, and stops after so much of it that nothing else has to wait long.
    pub(crate) async fn reseal_in_passing(&self, pass: &mut Pass) -> Result<(), Error> {
        pass.records_resealed += self.reseal_what_was_read().await?;
        // Somebody waits for a job of his own, which is done when he has it.
        let Ok(_one_job_at_a_time) = self.resealing.try_lock() else { return Ok(()) };
        for organization in self.due_organizations().await? {
            if self.job(&organization).await?.is_none() {
                self.begin_job(&organization).await?;
            }
            let mut bytes = 0;
            while bytes < PASS_BYTES {
                let Some(job) = self.job(&organization).await? else { break };
                let before = job.done.records;
                let (job, read) = self.reseal_page(&organization, job).await?;
                bytes += read;
                pass.records_resealed += job.done.records.saturating_sub(before);
                if job.is_finished() {
                    self.end_job(&organization).await?;
                    pass.organizations_erased.push(organization.clone());
                    break;
                }
            }
        }
        Ok(())
    }

    async fn due_organizations(&self) -> Result<Vec<String>, Error> {
        let now_ms = self.time.believed_ms();
        let mut due: Vec<String> =
            self.with_keyring(|keyring| keyring.rotating().map(str::to_owned).collect());
        for (space, is_due) in [
            (Space::Jobs, (|_, _| true) as fn(&[u8], u64) -> bool),
            (Space::Heads, |head, now_ms| {
                let since_ms = Head::decode(Some(head)).ok().and_then(|head| head.erase_since_ms);
                since_ms.is_some_and(|since_ms| since_ms.saturating_add(ERASE_AFTER_MS) <= now_ms)
            }),
        ] {
            let mut after = None;
            loop {
                let scan = Scan { prefix: vec![space as u8], after, limit: 1_000 };
                let entries = self.engine.scan(scan).await?;
                let Some((last, _)) = entries.last() else { break };
                after = Some(last.clone());
                let entries = entries.iter().filter(|(_, value)| is_due(value, now_ms));
                due.extend(entries.filter_map(|(key, _)| key::organization_of(key).map(str::to_owned)));
            }
        }
        due.sort();
        due.dedup();
        due.retain(|organization| self.has_organization(organization));
        Ok(due)
    }

    /// Steps 1 and 2. A generation that a crash has left without a job is one more that this job retires.
    async fn begin_job(&self, organization: &str) -> Result<(), Error> {
        let id = organization.to_owned();
        let generation = self.keys.change(move |keyring| keyring.rotate_organization(&id)).await?;
        let (head_key, job_key) = (Self::head_key(organization)?, key::of(Space::Jobs, organization)?);
        let job = Job::new(generation, self.now_ms());
        loop {
            let head = self.stored(&head_key).await?;
            let batch = Batch {
                expect: vec![Expect { key: head_key.clone(), value: head }],
                put: vec![(head_key.clone(), Head::fresh()?.encode()), (job_key.clone(), job.encode())],
                delete: Vec::new(),
            };
            match self.engine.commit(batch).await {
                // Something was deleted between the two steps: it counts among what this job erases.
                Err(EngineError::Conflict { .. }) => {}
                result => {
                    self.heads.forget(organization);
                    return Ok(result.map(drop)?);
                }
            }
        }
    }

    async fn finish_job(&self, organization: &str) -> Result<Resealing, Error> {
        let mut done = Resealing::default();
        while let Some(job) = self.job(organization).await? {
            let (job, _) = self.reseal_page(organization, job).await?;
            done = job.done;
            if job.is_finished() {
                self.end_job(organization).await?;
            }
        }
        Ok(done)
    }

    /// Steps 4 and 5.
    async fn end_job(&self, organization: &str) -> Result<(), Error> {
        let id = organization.to_owned();
        self.keys.change(move |keyring| keyring.retire_generations(&id)).await?;
        let delete = vec![key::of(Space::Jobs, organization)?];
        self.engine.commit(Batch { delete, ..Batch::default() }).await?;
        Ok(())
    }

    async fn job(&self, organization: &str) -> Result<Option<Job>, Error> {
        let stored = self.stored(&key::of(Space::Jobs, organization)?).await?;
        stored.map(|bytes| Job::decode(&bytes)).transpose()
    }

    /// The next records behind the job's cursor; answers the job as it is kept now, and how many bytes were read.
    async fn reseal_page(&self, organization: &str, mut job: Job) -> Result<(Job, u64), Error> {
        let prefix = key::of(Space::Records, organization)?;
        let scan = Scan { prefix, after: job.cursor.take(), limit: PAGE };
        let entries = self.engine.scan(scan).await?;
        let read = entries.iter().map(|(key, value)| (key.len() + value.len()) as u64).sum();
        match entries.last() {
            Some((last, _)) => job.cursor = Some(last.clone()),
            None => job.end_walk(),
        }
        self.reseal_entries(organization, entries, &mut job).await?;
        let put = vec![(key::of(Space::Jobs, organization)?, job.encode())];
        self.engine.commit(Batch { put, ..Batch::default() }).await?;
        Ok((job, read))
    }
}
