//! Sessions: somebody came in, and need not show who they are again for a while.
//!
//! They are kept by the server; the token is a random name of one. A session ends 120 minutes after it was used last and 12
//! hours after it began, whichever is first. The time is that of storage, which never goes back: a clock that is set back
//! lengthens nothing.
//!
//! Sessions in use are held in memory, so that a request costs no write: the time of last use goes to disk once a minute.
//! One process has the data directory, so what is revoked here is revoked everywhere.

use crate::audit::{Act, Event, Log};
use crate::error::Error;
use crate::keeper::{INSTALLATION, Keeper, SCAN_RECORDS, decode, encode};
use crate::secret::{Secret, TokenDigest, TokenKind, draw_id};
use crate::tables::{Key, SESSIONS, USER_SESSIONS};
use crate::users::{Login, Users};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use storage::{Change, Life, Range};

const MINUTE_MS: u64 = 60_000;
/// OWASP's longest for what is of low risk, as offices want it.
const IDLE_MS: u64 = 120 * MINUTE_MS;
/// A working day.
const LIFE_MS: u64 = 12 * 60 * MINUTE_MS;
/// Storage rounds the end of a life down to the hour; until then we look at the time ourselves.
const ROUNDING_MS: u64 = 60 * MINUTE_MS;
/// How old the time of last use on disk may be. After a crash a session ends that much earlier.
const WRITE_EVERY_MS: u64 = MINUTE_MS;
/// About 200 bytes each. Those beyond are read from disk at each request.
const HELD_MAX: usize = 50_000;

/// Every session of an installation.
pub struct Sessions {
    keeper: Keeper,
    users: Arc<Users>,
    held: Mutex<Holding>,
}

/// The sessions in memory.
#[derive(Default)]
struct Holding {
    sessions: HashMap<TokenDigest, Held>,
    /// How often one was ended: what was read before that may be one of those, and is not held.
    ended: u64,
}

/// A session, as its person sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// By which it is revoked. Not its token.
    pub id: String,
    /// Whose.
    pub user: String,
    /// When it began, in milliseconds since the epoch.
    pub created_ms: u64,
    /// When it was used last; on disk up to a minute earlier.
    pub seen_ms: u64,
    /// From where it was begun.
    pub address: IpAddr,
}

#[derive(Clone, Serialize, Deserialize)]
struct SessionRecord {
    id: String,
    user: String,
    created_ms: u64,
    seen_ms: u64,
    address: IpAddr,
}

struct Held {
    record: SessionRecord,
    written_ms: u64,
}

impl SessionRecord {
    fn is_over(&self, now_ms: u64) -> bool {
        now_ms >= self.created_ms + LIFE_MS || now_ms >= self.seen_ms + IDLE_MS
    }

    fn life(&self) -> Life {
        Life::Until(self.created_ms + LIFE_MS + ROUNDING_MS)
    }

    fn shown(self) -> Session {
        let Self { id, user, created_ms, seen_ms, address } = self;
        Session { id, user, created_ms, seen_ms, address }
    }
}

impl Sessions {
    /// The sessions of these people.
    #[must_use]
    pub fn new(users: Arc<Users>) -> Self {
        Self { keeper: users.keeper.clone(), users, held: Mutex::default() }
    }

    /// Lets somebody in; answers the session and its token, which is always a new one: a session that the client had
    /// before, which somebody else may have put there, ends.
    ///
    /// # Errors
    /// As [`Users::login`].
    pub async fn log_in(
        &self,
        login: Login<'_>,
        before: Option<&Secret>,
    ) -> Result<(Session, Secret), Error> {
        let user = self.users.login(login).await?;
        if let Some(before) = before {
            self.log_out(before).await?;
        }
        self.begin(user, login.address).await
    }

    /// A session of somebody who has shown who they are.
    pub(crate) async fn begin(&self, user: String, address: IpAddr) -> Result<(Session, Secret), Error> {
        let (token, digest) = TokenKind::Session.draw()?;
        let now_ms = self.keeper.now_ms();
        let id = draw_id("ses")?;
        let record = SessionRecord { id, user, created_ms: now_ms, seen_ms: now_ms, address };
        let change = Change::new(INSTALLATION)
            .put(SESSIONS, digest.bytes(), record.life(), encode(SESSIONS, &record)?)
            .put(USER_SESSIONS, at(&record), record.life(), encode(USER_SESSIONS, &digest)?);
        self.keeper.storage.commit(change).await?;
        Ok((record.shown(), token))
    }

    /// Whose session this is. It is used by that.
    ///
    /// # Errors
    /// [`Error::SessionEnded`] for whatever is no session any more, or when storage cannot be read.
    pub async fn authenticate(&self, token: &Secret) -> Result<Session, Error> {
        let digest = TokenKind::Session.digest(token).ok_or(Error::SessionEnded)?;
        let now_ms = self.keeper.now_ms();
        if let Some((record, is_due)) = self.touch(digest, now_ms)? {
            if is_due {
                self.write(digest, &record).await?;
            }
            return Ok(record.shown());
        }
        let ended = self.held().ended;
        let found = self.keeper.read::<SessionRecord>(INSTALLATION, SESSIONS, &digest.bytes()).await?;
        let (record, revision) =
            found.filter(|(record, _)| !record.is_over(now_ms)).ok_or(Error::SessionEnded)?;
        let record = SessionRecord { seen_ms: now_ms, ..record };
        // Whoever ends it meanwhile deletes the record, which is not written again then.
        let change = Change::new(INSTALLATION).expect(SESSIONS, digest.bytes(), Some(&revision));
        let change = change.put(SESSIONS, digest.bytes(), record.life(), encode(SESSIONS, &record)?);
        if self.keeper.try_commit(change).await?.is_none() {
            self.hold(digest, record.clone(), ended);
        } else if self.keeper.get(INSTALLATION, SESSIONS, &digest.bytes()).await?.is_none() {
            return Err(Error::SessionEnded);
        }
        Ok(record.shown())
    }

    /// Whose session this is. It is not used by that: who only listens does not keep it alive.
    ///
    /// # Errors
    /// As [`Sessions::authenticate`].
    pub async fn look(&self, token: &Secret) -> Result<Session, Error> {
        let digest = TokenKind::Session.digest(token).ok_or(Error::SessionEnded)?;
        let held = self.held().sessions.get(&digest).map(|held| held.record.clone());
        let record = match held {
            Some(record) => Some(record),
            None => {
                let found = self.keeper.read(INSTALLATION, SESSIONS, &digest.bytes()).await?;
                found.map(|(record, _)| record)
            }
        };
        let record = record.filter(|record: &SessionRecord| !record.is_over(self.keeper.now_ms()));
        record.map(SessionRecord::shown).ok_or(Error::SessionEnded)
    }

    /// Ends this session; one that is none is fine.
    ///
    /// # Errors
    /// When storage refuses.
    pub async fn log_out(&self, token: &Secret) -> Result<(), Error> {
        let Some(digest) = TokenKind::Session.digest(token) else { return Ok(()) };
        let found = self.keeper.read::<SessionRecord>(INSTALLATION, SESSIONS, &digest.bytes()).await?;
        match found {
            Some((record, _)) => self.end(digest, &record).await,
            None => Ok(()),
        }
    }

    /// The sessions of a person, the newest last.
    ///
    /// # Errors
    /// When storage cannot be read.
    pub async fn list(&self, user: &str) -> Result<Vec<Session>, Error> {
        let mut sessions: Vec<Session> =
            self.of(user).await?.into_iter().map(|(_, record)| record.shown()).collect();
        sessions.sort_by_key(|session| session.created_ms);
        Ok(sessions)
    }

    /// Ends one of a person's sessions.
    ///
    /// # Errors
    /// [`Error::SessionEnded`] when there is none of this id, or when storage refuses.
    pub async fn revoke(&self, user: &str, session: &str) -> Result<(), Error> {
        let of = self.of(user).await?;
        let found = of.into_iter().find(|(_, record)| record.id == session);
        let (digest, record) = found.ok_or(Error::SessionEnded)?;
        self.end(digest, &record).await?;
        let event = Event::done(Act::SessionRevoked, user, session);
        self.users.audit.append(&Log::installation(), &event).await?;
        Ok(())
    }

    /// Ends every session of a person but one, if one is named; answers how many.
    ///
    /// # Errors
    /// When storage refuses.
    pub async fn revoke_all(&self, user: &str, but: Option<&str>) -> Result<usize, Error> {
        let mut ended = 0;
        for (digest, record) in self.of(user).await? {
            if but != Some(record.id.as_str()) {
                self.end(digest, &record).await?;
                ended += 1;
            }
        }
        let event = Event::done(Act::SessionRevoked, user, user).detail("sessions", ended.to_string());
        self.users.audit.append(&Log::installation(), &event).await?;
        Ok(ended)
    }

    /// Sets another password, and ends every other session: whoever knew the old one is out.
    ///
    /// # Errors
    /// As [`Users::change_password`].
    pub async fn change_password(
        &self,
        session: &Session,
        old: &Secret,
        new: &Secret,
        address: IpAddr,
    ) -> Result<(), Error> {
        self.users.change_password(&session.user, old, new, address).await?;
        self.revoke_all(&session.user, Some(&session.id)).await?;
        Ok(())
    }

    async fn of(&self, user: &str) -> Result<Vec<(TokenDigest, SessionRecord)>, Error> {
        let (prefix, mut after, mut all) = (Key::of(user), None::<Vec<u8>>, Vec::new());
        let now_ms = self.keeper.now_ms();
        loop {
            let range = Range { prefix: &prefix, after: after.as_deref(), limit: SCAN_RECORDS };
            let page = self.keeper.page(INSTALLATION, USER_SESSIONS, range).await?;
            let Some((last, _)) = page.last() else { return Ok(all) };
            after = Some(last.clone());
            for (_, found) in page {
                let digest: TokenDigest = decode(USER_SESSIONS, found.value.expose())?;
                let held = self.held().sessions.get(&digest).map(|held| held.record.clone());
                let record = match held {
                    Some(record) => Some(record),
                    None => {
                        let found = self.keeper.read(INSTALLATION, SESSIONS, &digest.bytes()).await?;
                        found.map(|(record, _)| record)
                    }
                };
                all.extend(record.filter(|record| !record.is_over(now_ms)).map(|record| (digest, record)));
            }
        }
    }

    async fn end(&self, digest: TokenDigest, record: &SessionRecord) -> Result<(), Error> {
        let change =
            Change::new(INSTALLATION).delete(SESSIONS, digest.bytes()).delete(USER_SESSIONS, at(record));
        self.keeper.storage.commit(change).await?;
        let mut held = self.held();
        held.ended += 1;
        held.sessions.remove(&digest);
        Ok(())
    }

    /// The session, used now, and whether that is to be written; none: it is not held.
    fn touch(&self, digest: TokenDigest, now_ms: u64) -> Result<Option<(SessionRecord, bool)>, Error> {
        let mut held = self.held();
        let Some(session) = held.sessions.get_mut(&digest) else { return Ok(None) };
        if session.record.is_over(now_ms) {
            held.sessions.remove(&digest);
            return Err(Error::SessionEnded);
        }
        session.record.seen_ms = session.record.seen_ms.max(now_ms);
        let is_due = now_ms >= session.written_ms + WRITE_EVERY_MS;
        if is_due {
            session.written_ms = now_ms;
        }
        Ok(Some((session.record.clone(), is_due)))
    }

    /// Writes the time of last use, unless the session was ended meanwhile.
    async fn write(&self, digest: TokenDigest, record: &SessionRecord) -> Result<(), Error> {
        let Some(found) = self.keeper.get(INSTALLATION, SESSIONS, &digest.bytes()).await? else {
            self.held().sessions.remove(&digest);
            return Err(Error::SessionEnded);
        };
        let change = Change::new(INSTALLATION).expect(SESSIONS, digest.bytes(), Some(&found.revision));
        let change = change.put(SESSIONS, digest.bytes(), record.life(), encode(SESSIONS, record)?);
        self.keeper.try_commit(change).await?;
        Ok(())
    }

    /// Holds a session, unless one was ended since `ended` was read.
    fn hold(&self, digest: TokenDigest, record: SessionRecord, ended: u64) {
        let mut held = self.held();
        let now_ms = record.seen_ms;
        if held.sessions.len() >= HELD_MAX {
            held.sessions.retain(|_, session| !session.record.is_over(now_ms));
        }
        if held.sessions.len() < HELD_MAX && held.ended == ended {
            held.sessions.insert(digest, Held { record, written_ms: now_ms });
        }
    }

    fn held(&self) -> MutexGuard<'_, Holding> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn at(record: &SessionRecord) -> Key {
    Key::of(&record.user).id(&record.id)
}
