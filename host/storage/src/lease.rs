//! Leases: one holder of a name at a time, and a token by which whoever held it before is told from it.
//!
//! A lease's record is `until u64 | process 16`, its fence's the newest token. They are two, so that renewing a lease does
//! not disturb the changes that are fenced by it.

use crate::change::Change;
use crate::engine::{Batch, EngineError, Expect};
use crate::error::Error;
use crate::key::{self, Space};
use crate::storage::Storage;

/// A name that is held. Not released when it is dropped: it ends by itself, or with its process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    pub(crate) organization: String,
    pub(crate) name: String,
    pub(crate) token: u64,
    until_ms: u64,
}

impl Lease {
    /// Higher than that of every lease of this name before, also after a restore of an older backup.
    #[must_use]
    pub fn token(&self) -> u64 {
        self.token
    }

    /// Until when nobody else gets it, in milliseconds since the epoch.
    #[must_use]
    pub fn until_ms(&self) -> u64 {
        self.until_ms
    }
}

struct Keys {
    lease: Vec<u8>,
    fence: Vec<u8>,
}

impl Storage {
    /// Takes a name for so long. What an earlier process held is free where nobody else can have the engine open.
    ///
    /// # Errors
    /// [`Error::Leased`] when somebody holds it.
    pub async fn lease(&self, organization: &str, name: &str, ttl_ms: u64) -> Result<Lease, Error> {
        let keys = Self::lease_keys(organization, name)?;
        // Without a key an organization has nothing, and its lease would stay for ever.
        self.keys.read().current_generation(organization)?;
        loop {
            let held = self.stored(&keys.lease).await?;
            if let Some(until_ms) = held.as_deref().and_then(|held| self.held_until_ms(held)) {
                return Err(Error::Leased { name: name.to_owned(), until_ms });
            }
            let fence = self.stored(&keys.fence).await?;
            let now_ms = self.now_ms();
            // Beginning at the time, tokens rise also where a restore has brought an older fence back.
            let token = fence.as_deref().map_or(0, number).saturating_add(1).max(now_ms);
            let until_ms = now_ms.saturating_add(ttl_ms);
            let batch = Batch {
                expect: vec![
                    Expect { key: keys.lease.clone(), value: held },
                    Expect { key: keys.fence.clone(), value: fence },
                ],
                put: vec![
                    (keys.lease.clone(), self.held(until_ms)),
                    (keys.fence.clone(), token.to_be_bytes().to_vec()),
                ],
                delete: Vec::new(),
            };
            match self.engine.commit(batch).await {
                Ok(_) => {
                    let (organization, name) = (organization.to_owned(), name.to_owned());
                    return Ok(Lease { organization, name, token, until_ms });
                }
                // Somebody was faster; the next round says who.
                Err(EngineError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Holds it for so long from now on.
    ///
    /// # Errors
    /// [`Error::Fenced`] when somebody else has it by now.
    pub async fn renew(&self, lease: &mut Lease, ttl_ms: u64) -> Result<(), Error> {
        let until_ms = self.now_ms().saturating_add(ttl_ms);
        self.set_until(lease, until_ms).await?;
        lease.until_ms = until_ms;
        Ok(())
    }

    /// Gives it back. One that somebody else has by now is fine.
    ///
    /// # Errors
    /// When the engine refuses.
    pub async fn release(&self, lease: Lease) -> Result<(), Error> {
        match self.set_until(&lease, 0).await {
            Err(Error::Fenced { .. }) => Ok(()),
            result => result,
        }
    }

    async fn set_until(&self, lease: &Lease, until_ms: u64) -> Result<(), Error> {
        let keys = Self::lease_keys(&lease.organization, &lease.name)?;
        let token = Some(lease.token.to_be_bytes().to_vec());
        let batch = Batch {
            expect: vec![Expect { key: keys.fence, value: token }],
            put: vec![(keys.lease, self.held(until_ms))],
            delete: Vec::new(),
        };
        match self.engine.commit(batch).await {
            Err(EngineError::Conflict { .. }) => Err(Error::Fenced { name: lease.name.clone() }),
            result => Ok(result.map(drop)?),
        }
    }

    fn held(&self, until_ms: u64) -> Vec<u8> {
        [until_ms.to_be_bytes().as_slice(), &self.process].concat()
    }

    /// None when it is free.
    fn held_until_ms(&self, held: &[u8]) -> Option<u64> {
        let (until, process) = held.split_first_chunk()?;
        let until_ms = u64::from_be_bytes(*until);
        let is_void = process != self.process && self.engine.is_exclusive();
        (!is_void && until_ms > self.now_ms()).then_some(until_ms)
    }

    fn lease_keys(organization: &str, name: &str) -> Result<Keys, Error> {
        let lease = key::named(Space::Leases, organization, name)?;
        Ok(Keys { lease, fence: key::named(Space::Fences, organization, name)? })
    }
}

fn number(bytes: &[u8]) -> u64 {
    bytes.try_into().map_or(0, u64::from_be_bytes)
}

impl Lease {
    /// A change of the lease's organization that is fenced by it.
    #[must_use]
    pub fn change(&self) -> Change {
        Change::new(self.organization.clone()).fenced_by(self)
    }
}
