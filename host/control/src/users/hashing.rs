//! Hashes passwords by argon2id, on threads that may block, a few at once: each takes tens of megabytes, and whoever tries
//! many passwords must not take the memory or the processors of everybody else.

use crate::error::Error;
use crate::secret::Secret;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use subtle::ConstantTimeEq;
use tokio::sync::Semaphore;
use vault::{Argon2Parameters, random_bytes};
use zeroize::Zeroize;

const SALT_BYTES: usize = 16;
const HASH_BYTES: usize = 32;
/// So many more may wait for their turn. Behind them a person would wait for longer than anybody does.
const WAITING_MAX: usize = 64;

/// What is kept of a password.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct PasswordRecord {
    memory_kib: u32,
    passes: u32,
    salt: [u8; SALT_BYTES],
    hash: [u8; HASH_BYTES],
}

/// What became of a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) matches: bool,
    /// It was hashed at another cost than that of today.
    pub(super) is_outdated: bool,
}

pub(super) struct Hashing {
    cost: Argon2Parameters,
    turns: Arc<Semaphore>,
    places: Semaphore,
    #[cfg(test)]
    places_max: usize,
    /// For people that nobody knows: as much work, and never right.
    nobody: PasswordRecord,
}

impl Hashing {
    pub(super) fn new(cost: Argon2Parameters, at_once: usize) -> Result<Self, Error> {
        let at_once = at_once.max(1);
        let (salt, hash) = (random()?, random()?);
        let nobody = PasswordRecord { memory_kib: cost.memory_kib(), passes: cost.passes(), salt, hash };
        let places = Semaphore::new(at_once + WAITING_MAX);
        Ok(Self {
            cost,
            turns: Arc::new(Semaphore::new(at_once)),
            places,
            #[cfg(test)]
            places_max: at_once + WAITING_MAX,
            nobody,
        })
    }

    pub(super) async fn hash(&self, password: &Secret) -> Result<PasswordRecord, Error> {
        let (cost, salt) = (self.cost, random()?);
        let hash = self.work(cost, password, salt).await?;
        Ok(PasswordRecord { memory_kib: cost.memory_kib(), passes: cost.passes(), salt, hash })
    }

    /// Without a record as much is done, and it does not match.
    pub(super) async fn verify(
        &self,
        password: &Secret,
        record: Option<&PasswordRecord>,
    ) -> Result<Verdict, Error> {
        let PasswordRecord { memory_kib, passes, salt, hash } = record.unwrap_or(&self.nobody);
        let cost = Argon2Parameters::new(*memory_kib, *passes).map_err(|_| Error::Hashing)?;
        let found = self.work(cost, password, *salt).await?;
        let matches = bool::from(found.ct_eq(hash)) && record.is_some();
        Ok(Verdict { matches, is_outdated: cost != self.cost })
    }

    #[cfg(test)]
    pub(super) async fn take_turns(&self) -> tokio::sync::OwnedSemaphorePermit {
        let all = u32::try_from(self.turns.available_permits()).unwrap();
        Arc::clone(&self.turns).acquire_many_owned(all).await.unwrap()
    }

    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.places_max - self.places.available_permits()
    }

    async fn work(
        &self,
        cost: Argon2Parameters,
        password: &Secret,
        salt: [u8; SALT_BYTES],
    ) -> Result<[u8; HASH_BYTES], Error> {
        let _place = self.places.try_acquire().map_err(|_| Error::Busy)?;
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|_| Error::Hashing)?;
        let password = password.copy();
        let hashing = tokio::task::spawn_blocking(move || {
            let hash = argon2id(cost, &password, &salt);
            // Also when nobody waits for the answer any more, the turn ends with the work.
            drop(turn);
            hash
        });
        hashing.await.map_err(|_| Error::Hashing)?
    }
}

fn random<const LENGTH: usize>() -> Result<[u8; LENGTH], Error> {
    Ok(random_bytes().map_err(vault::SealError::from)?)
}

fn argon2id(
    cost: Argon2Parameters,
    password: &Secret,
    salt: &[u8; SALT_BYTES],
) -> Result<[u8; HASH_BYTES], Error> {
    let parameters = Params::new(cost.memory_kib(), cost.passes(), 1, Some(HASH_BYTES));
    let parameters = parameters.map_err(|_| Error::Hashing)?;
    let mut blocks = Vec::new();
    blocks.try_reserve_exact(parameters.block_count()).map_err(|_| Error::Hashing)?;
    blocks.resize(parameters.block_count(), Block::default());
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters);
    let mut hash = [0; HASH_BYTES];
    let text = password.expose().as_bytes();
    let hashed = argon2.hash_password_into_with_memory(text, salt, &mut hash, &mut blocks);
    blocks.zeroize();
    hashed.map_err(|_| Error::Hashing)?;
    Ok(hash)
}

#[cfg(test)]
mod tests {
    use super::{Hashing, PasswordRecord, WAITING_MAX};
    use crate::secret::Secret;
    use std::sync::Arc;
    use vault::Argon2Parameters;

    fn hashing(passes: u32) -> Hashing {
        Hashing::new(Argon2Parameters::new(19 * 1024, passes).unwrap(), 2).unwrap()
    }

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    #[tokio::test]
    async fn the_right_password_matches_and_no_other() {
        let hashing = hashing(2);
        let record = hashing.hash(&secret("ketchup")).await.unwrap();
        assert_ne!(record.hash, hashing.hash(&secret("ketchup")).await.unwrap().hash);
        for (password, matches) in [("ketchup", true), ("ketchup ", false), ("Ketchup", false), ("", false)] {
            let verdict = hashing.verify(&secret(password), Some(&record)).await.unwrap();
            assert_eq!((verdict.matches, verdict.is_outdated), (matches, false), "{password}");
        }
    }

    #[tokio::test]
    async fn a_hash_of_another_cost_matches_and_is_outdated() {
        let record = hashing(2).hash(&secret("ketchup")).await.unwrap();
        let verdict = hashing(3).verify(&secret("ketchup"), Some(&record)).await.unwrap();
        assert!(verdict.matches && verdict.is_outdated);
    }

    /// The salt and hash of nobody are random: no password is theirs, not even by chance of the record.
    #[tokio::test]
    async fn nobody_has_a_password_and_costs_as_much() {
        let hashing = hashing(2);
        assert!(!hashing.verify(&secret(""), None).await.unwrap().matches);
        let PasswordRecord { memory_kib, passes, .. } = hashing.nobody;
        assert_eq!((memory_kib, passes), (hashing.cost.memory_kib(), hashing.cost.passes()));
    }

    #[tokio::test]
    async fn a_record_whose_cost_no_machine_bears_is_refused_before_the_work() {
        let hashing = hashing(2);
        let mut record = hashing.hash(&secret("ketchup")).await.unwrap();
        record.memory_kib = u32::MAX;
        assert_eq!(hashing.verify(&secret("ketchup"), Some(&record)).await.unwrap_err().code(), "CD1226");
    }

    #[tokio::test]
    async fn few_are_hashed_at_once_some_wait_and_more_are_sent_away() {
        let hashing = Arc::new(hashing(2));
        let turns = Arc::clone(&hashing.turns).acquire_many_owned(2).await.unwrap();
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..WAITING_MAX + 2 {
            let hashing = Arc::clone(&hashing);
            tasks.spawn(async move { hashing.hash(&secret("ketchup")).await.map(|_| ()) });
        }
        while hashing.places.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(hashing.hash(&secret("ketchup")).await.map(|_| ()).unwrap_err().code(), "CD1225");
        assert!(tasks.try_join_next().is_none(), "nobody is hashed while others have the turns");
        tasks.abort_all();
        while tasks.join_next().await.is_some() {}
        drop(turns);
        hashing.hash(&secret("ketchup")).await.map(|_| ()).unwrap();
    }
}
