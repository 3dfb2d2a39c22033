//! What an operator should know of the keyring, without any key.

use std::fmt;
use std::path::PathBuf;

use super::Keyring;
use crate::bucket::Bucket;
use crate::deployment::{DeploymentId, KeyId};
use crate::error::Error;

/// What deleting means here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deletion {
    /// Each shred erases the shred key in this slot, and with it every earlier copy of the keyring.
    Erasing {
        /// The slot.
        slot: PathBuf,
    },
    /// An interrupted shred waits to be finished by the process that has the keyring, or the next one that opens it.
    Unfinished {
        /// The slot.
        slot: PathBuf,
    },
    /// The keyring has no slot: whoever kept an earlier copy of it, and has the KEK, reads what was deleted.
    LogicalOnly,
}

impl fmt::Display for Deletion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Erasing { slot } => write!(formatter, "erasing, by the slot `{}`", slot.display()),
            Self::Unfinished { slot } => {
                write!(formatter, "an interrupted shred is not finished in the slot `{}`", slot.display())
            }
            Self::LogicalOnly => formatter.write_str(
                "logical only: without a slot for a shred key, earlier copies of the keyring still open what was deleted",
            ),
        }
    }
}

/// What an operator should know of the keyring.
#[derive(Clone, Debug)]
pub struct Status {
    /// The deployment.
    pub deployment: DeploymentId,
    /// How often the keyring was written.
    pub sequence: u64,
    /// How often keys were destroyed; an export with fewer is to be made anew.
    pub shreds: u64,
    /// Where the KEK comes from.
    pub provider: &'static str,
    /// The KEK's name.
    pub kek: KeyId,
    /// What deleting means.
    pub deletion: Deletion,
    /// How many organizations have a key.
    pub organizations: usize,
    /// Those whose earlier generations wait for their records to be sealed anew, with the number of generations.
    pub rotating: Vec<(String, usize)>,
    /// The buckets that have a key, without the standing one.
    pub buckets: Vec<Bucket>,
}

impl Keyring {
    /// What an operator should know of the keyring.
    ///
    /// # Errors
    /// When the slot cannot be read.
    pub fn status(&self) -> Result<Status, Error> {
        let rotating = self.body.organizations.iter().filter(|(_, generations)| generations.len() > 1);
        Ok(Status {
            deployment: self.header.deployment,
            sequence: self.header.sequence,
            shreds: self.body.shreds,
            provider: self.location.kek.name(),
            kek: self.header.kek,
            deletion: self.deletion()?,
            organizations: self.body.organizations.len(),
            rotating: rotating.map(|(id, generations)| (id.clone(), generations.len())).collect(),
            buckets: self.buckets().filter(|bucket| *bucket != Bucket::Standing).collect(),
        })
    }

    fn deletion(&self) -> Result<Deletion, Error> {
        let Some(slot) = self.location.slot.as_ref().filter(|_| self.header.shred.is_some()) else {
            return Ok(Deletion::LogicalOnly);
        };
        let slot = slot.path().to_owned();
        Ok(if self.is_unfinished()? { Deletion::Unfinished { slot } } else { Deletion::Erasing { slot } })
    }
}
