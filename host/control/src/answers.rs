//! Answers that were given, for whoever sends a request again because the answer was lost: the request is done once.
//!
//! Whoever asks names the request by a key of their own. That it was begun is durable before it is done, so after a crash
//! nobody is told that it was not; that it was done may then be unknown, and is said to be.

use crate::error::Error;
use crate::keeper::{INSTALLATION, Keeper, encode};
use crate::secret::draw_id;
use crate::tables::ANSWERS;
use crate::users::Users;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use storage::{Change, Life};

/// Who comes later than a day has something else in mind. Storage rounds it down to the hour.
const LIFE_MS: u64 = 24 * 60 * 60 * 1_000;

/// Every answer of an installation that may be given again.
pub struct Answers {
    keeper: Keeper,
    /// What another process has begun is not under way any more: one process has the data directory.
    process: String,
}

/// A request that may come again.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The id of whoever asks. Others may use the same key.
    pub caller: &'a str,
    /// By which it is known again.
    pub key: &'a str,
    /// A digest of all that it says.
    pub digest: [u8; 32],
}

/// What was answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Of HTTP.
    pub status: u16,
    /// Of what is told beside the body.
    pub headers: Vec<(String, String)>,
    /// What was told; none: it held a secret, and is kept by nobody.
    pub body: Option<String>,
}

/// What is known of a request when it comes.
#[derive(Debug, PartialEq, Eq)]
pub enum Begun {
    /// It is new, and now begun.
    New,
    /// It was done.
    Again(Answer),
    /// The key is that of another request.
    Other,
    /// It is being done.
    UnderWay,
    /// It was begun by a process that has ended: whether it was done is not known.
    Unknown,
}

#[derive(Serialize, Deserialize)]
struct AnswerRecord {
    request: [u8; 32],
    process: String,
    answer: Option<Answer>,
}

impl Answers {
    /// The answers of the installation of these people, for one process.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn new(users: &Users) -> Result<Self, Error> {
        Ok(Self { keeper: users.keeper.clone(), process: draw_id("prc")? })
    }

    /// Begins a request, unless it was begun.
    ///
    /// # Errors
    /// When storage refuses.
    pub async fn begin(&self, asked: Asked<'_>) -> Result<Begun, Error> {
        loop {
            let found = self.keeper.read::<AnswerRecord>(INSTALLATION, ANSWERS, &at(asked)).await?;
            if let Some((record, _)) = found {
                return Ok(self.judge(record, asked));
            }
            let change = Change::new(INSTALLATION).expect(ANSWERS, at(asked), None);
            if self.keeper.try_commit(self.put(change, asked, None)?).await?.is_none() {
                return Ok(Begun::New);
            }
            // Somebody was faster: what they have begun is read in the next round, or is given up by then.
        }
    }

    /// Keeps what was answered to a request that was begun here.
    ///
    /// # Errors
    /// When storage refuses.
    pub async fn finish(&self, asked: Asked<'_>, answer: Answer) -> Result<(), Error> {
        let change = self.put(Change::new(INSTALLATION), asked, Some(answer))?;
        self.keeper.storage.commit(change).await?;
        Ok(())
    }

    /// Nothing was done for a request that was begun here: it may come again.
    ///
    /// # Errors
    /// When storage refuses.
    pub async fn give_up(&self, asked: Asked<'_>) -> Result<(), Error> {
        self.keeper.storage.commit(Change::new(INSTALLATION).delete(ANSWERS, at(asked))).await?;
        Ok(())
    }

    fn judge(&self, record: AnswerRecord, asked: Asked<'_>) -> Begun {
        match record.answer {
            _ if record.request != asked.digest => Begun::Other,
            Some(answer) => Begun::Again(answer),
            None if record.process == self.process => Begun::UnderWay,
            None => Begun::Unknown,
        }
    }

    fn put(&self, change: Change, asked: Asked<'_>, answer: Option<Answer>) -> Result<Change, Error> {
        let record = AnswerRecord { request: asked.digest, process: self.process.clone(), answer };
        let life = Life::Until(self.keeper.now_ms() + LIFE_MS);
        Ok(change.put(ANSWERS, at(asked), life, encode(ANSWERS, &record)?))
    }
}

/// A digest, because the key is somebody's own words.
fn at(asked: Asked<'_>) -> [u8; 32] {
    let caller = u64::try_from(asked.caller.len()).unwrap_or(u64::MAX);
    let hash = Sha256::new().chain_update(caller.to_be_bytes()).chain_update(asked.caller);
    hash.chain_update(asked.key).finalize().into()
}
