//! Tokens of the API: a program acts for a person in one organization, within scopes and for a time.
//!
//! Kept as digests, looked up by them. A token may never more than its person may at that moment: the role is judged at each
//! use, so who leaves an organization takes the tokens along.

use crate::access::{Action, Actor, Scope, judge_token};
use crate::audit::{Act, Event};
use crate::error::Error;
use crate::keeper::{INSTALLATION, SCAN_RECORDS, decode, encode};
use crate::organizations::{Organizations, while_it_lasts};
use crate::secret::{Secret, TokenDigest, TokenKind, draw_id};
use crate::tables::{Key, ORGANIZATION_TOKENS, TOKEN_USES, TOKENS};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use storage::{Change, Life, Range};

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;
/// A program that nobody looks at for a year is forgotten; its token should not be.
const LIFE_MS_MAX: u64 = 366 * DAY_MS;
const NAME_CHARACTERS_MAX: usize = 100;
/// How exactly the time of last use is known, which tells people whether a token is in use.
const USE_EVERY_MS: u64 = 60 * 60 * 1_000;

/// Every API token of an installation.
pub struct Tokens {
    organizations: Arc<Organizations>,
    /// When each use was written, so that a request costs no write.
    uses: Mutex<HashMap<String, u64>>,
}

/// What a token is to be.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// What people call it.
    pub name: String,
    /// What it may be used for.
    pub scopes: BTreeSet<Scope>,
    /// For how long it is good.
    pub life_ms: u64,
}

/// A token, without itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// By which it is revoked.
    pub id: String,
    /// Whose.
    pub user: String,
    /// In which organization.
    pub organization: String,
    /// What people call it.
    pub name: String,
    /// What it may be used for.
    pub scopes: BTreeSet<Scope>,
    /// When it was made, in milliseconds since the epoch.
    pub created_ms: u64,
    /// Until when it is good.
    pub until_ms: u64,
    /// When it was used last, to the hour; none: never.
    pub used_ms: Option<u64>,
}

#[derive(Clone, Serialize, Deserialize)]
struct TokenRecord {
    id: String,
    user: String,
    organization: String,
    name: String,
    scopes: BTreeSet<Scope>,
    created_ms: u64,
    until_ms: u64,
}

impl TokenRecord {
    fn shown(self, used_ms: Option<u64>) -> Token {
        let Self { id, user, organization, name, scopes, created_ms, until_ms } = self;
        Token { id, user, organization, name, scopes, created_ms, until_ms, used_ms }
    }
}

impl Tokens {
    /// The tokens of these organizations.
    #[must_use]
    pub fn new(organizations: Arc<Organizations>) -> Self {
        Self { organizations, uses: Mutex::default() }
    }

    /// Makes a token; the second is shown once and kept by nobody. By a person, never by a token.
    ///
    /// # Errors
    /// [`Error::BadName`], [`Error::BadLife`], [`Error::Denied`], [`Error::UnknownOrganization`], or when storage refuses.
    pub async fn create(
        &self,
        user: &str,
        organization: &str,
        new: NewToken,
    ) -> Result<(Token, Secret), Error> {
        let NewToken { name, scopes, life_ms } = new;
        let name = name.trim().to_owned();
        if !(1..=NAME_CHARACTERS_MAX).contains(&name.chars().count()) {
            return Err(Error::BadName { what: "token", reason: "its name must have 1 to 100 characters" });
        }
        if scopes.is_empty() || !(1..=LIFE_MS_MAX).contains(&life_ms) {
            return Err(Error::BadLife { days_max: LIFE_MS_MAX / DAY_MS });
        }
        self.organizations.authorize(user, organization, Action::CreateTokens).await?;
        let (token, digest) = TokenKind::Api.draw()?;
        let (id, created_ms) = (draw_id("tok")?, self.organizations.keeper.now_ms());
        let until_ms = created_ms + life_ms;
        let (user, organization) = (user.to_owned(), organization.to_owned());
        let record = TokenRecord { id, user, organization, name, scopes, created_ms, until_ms };
        // Storage rounds the end of a life down to the day.
        let life = Life::Until(until_ms + DAY_MS);
        let change = while_it_lasts(Change::new(INSTALLATION), &record.organization)
            .put(TOKENS, digest.bytes(), life, encode(TOKENS, &record)?)
            .put(ORGANIZATION_TOKENS, at(&record), life, encode(ORGANIZATION_TOKENS, &digest)?);
        let scopes: Vec<String> =
            record.scopes.iter().map(|scope| format!("{scope:?}").to_lowercase()).collect();
        let event =
            Event::done(Act::TokenCreated, &record.user, &record.id).detail("scopes", scopes.join(" "));
        let log = self.organizations.log(&record.organization);
        self.organizations.audit.append_with(&log, &event, change).await?;
        Ok((record.shown(None), token))
    }

    /// What a token is, and as what its person acts in its organization at this moment. It is used by that.
    ///
    /// # Errors
    /// [`Error::BadToken`] whatever is wrong with it, or when storage cannot be read.
    pub async fn authenticate(&self, token: &Secret) -> Result<(Token, Actor), Error> {
        let digest = TokenKind::Api.digest(token).ok_or(Error::BadToken)?;
        let found = self.organizations.keeper.read(INSTALLATION, TOKENS, &digest.bytes()).await?;
        let (record, _): (TokenRecord, _) = found.ok_or(Error::BadToken)?;
        let now_ms = self.organizations.keeper.now_ms();
        if now_ms >= record.until_ms {
            return Err(Error::BadToken);
        }
        let actor = match self.organizations.actor(&record.user, &record.organization).await {
            Ok(actor @ (Actor::Admin | Actor::User)) => actor,
            Ok(_) | Err(Error::UnknownUser { .. } | Error::UnknownOrganization { .. }) => {
                return Err(Error::BadToken);
            }
            Err(error) => return Err(error),
        };
        self.note_use(&record, now_ms).await?;
        Ok((record.shown(Some(now_ms)), actor))
    }

    /// Lets a token be used for something, or not: what is refused is in the audit log.
    ///
    /// # Errors
    /// [`Error::Denied`], [`Error::BadToken`], or when storage cannot be read.
    pub async fn authorize(&self, token: &Secret, action: Action) -> Result<Token, Error> {
        let (token, actor) = self.authenticate(token).await?;
        match judge_token(&actor, &token.scopes, action) {
            Ok(()) => Ok(token),
            Err(reason) => {
                let organization = Some(token.organization.as_str());
                Err(self.organizations.denied(&token.id, action, reason, organization).await?)
            }
        }
    }

    /// The tokens of an organization: an admin sees all, others their own.
    ///
    /// # Errors
    /// [`Error::Denied`], [`Error::UnknownOrganization`], or when storage cannot be read.
    pub async fn list(&self, by: &str, organization: &str) -> Result<Vec<Token>, Error> {
        let actor = self.organizations.authorize(by, organization, Action::CreateTokens).await?;
        let mut tokens = Vec::new();
        for (_, record) in self.of(organization).await? {
            if actor == Actor::Admin || record.user == by {
                let keeper = &self.organizations.keeper;
                let used = keeper.read(INSTALLATION, TOKEN_USES, &Key::of(&record.id)).await?;
                tokens.push(record.shown(used.map(|(used_ms, _)| used_ms)));
            }
        }
        Ok(tokens)
    }

    /// Revokes a token: one's own, or as an admin anybody's.
    ///
    /// # Errors
    /// [`Error::BadToken`] when there is none of this id, [`Error::Denied`], or when storage refuses.
    pub async fn revoke(&self, by: &str, organization: &str, id: &str) -> Result<(), Error> {
        self.organizations.authorize(by, organization, Action::CreateTokens).await?;
        let found = self.of(organization).await?.into_iter().find(|(_, record)| record.id == id);
        let (digest, record) = found.ok_or(Error::BadToken)?;
        if record.user != by {
            self.organizations.authorize(by, organization, Action::RevokeTokens).await?;
        }
        let change = Change::new(INSTALLATION)
            .delete(TOKENS, digest.bytes())
            .delete(ORGANIZATION_TOKENS, at(&record))
            .delete(TOKEN_USES, Key::of(id));
        let event = Event::done(Act::TokenRevoked, by, id);
        let log = self.organizations.log(organization);
        self.organizations.audit.append_with(&log, &event, change).await?;
        Ok(())
    }

    async fn of(&self, organization: &str) -> Result<Vec<(TokenDigest, TokenRecord)>, Error> {
        let keeper = &self.organizations.keeper;
        let (prefix, mut after, mut all) = (Key::of(organization), None::<Vec<u8>>, Vec::new());
        let now_ms = keeper.now_ms();
        loop {
            let range = Range { prefix: &prefix, after: after.as_deref(), limit: SCAN_RECORDS };
            let page = keeper.page(INSTALLATION, ORGANIZATION_TOKENS, range).await?;
            let Some((last, _)) = page.last() else { return Ok(all) };
            after = Some(last.clone());
            for (_, found) in page {
                let digest: TokenDigest = decode(ORGANIZATION_TOKENS, found.value.expose())?;
                let record = keeper.read::<TokenRecord>(INSTALLATION, TOKENS, &digest.bytes()).await?;
                let record = record.map(|(record, _)| record).filter(|record| now_ms < record.until_ms);
                all.extend(record.map(|record| (digest, record)));
            }
        }
    }

    /// At most one write an hour for each token.
    async fn note_use(&self, record: &TokenRecord, now_ms: u64) -> Result<(), Error> {
        let is_due = {
            let mut uses = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
            let written = uses.get(&record.id).copied();
            let is_due = written.is_none_or(|written_ms| now_ms >= written_ms + USE_EVERY_MS);
            if is_due {
                uses.insert(record.id.clone(), now_ms);
            }
            is_due
        };
        if is_due {
            let life = Life::Until(record.until_ms + DAY_MS);
            let value = encode(TOKEN_USES, &now_ms)?;
            let change = Change::new(INSTALLATION).put(TOKEN_USES, Key::of(&record.id), life, value);
            self.organizations.keeper.storage.commit(change).await?;
        }
        Ok(())
    }
}

fn at(record: &TokenRecord) -> Key {
    Key::of(&record.organization).id(&record.id)
}
