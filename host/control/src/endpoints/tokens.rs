//! Endpoints are made, get other tokens and keys, and are turned off. A former token or key is good for a while beside the new
//! one, so that the other system can be told in between.

use super::EventError;
use super::record::{EndpointRecord, HeadRecord, KeptSecret, KeptSecrets, KeptToken};
use super::{DAY_MS, Endpoints, signature};
use crate::access::Action;
use crate::audit::{Act, Event};
use crate::error::Error;
use crate::keeper::{Attempts, INSTALLATION, encode};
use crate::organizations::while_it_lasts;
use crate::secret::{Secret, TokenKind};
use crate::tables::{ENDPOINT_SECRETS, ENDPOINTS, EVENT_HEADS, EVENT_TOKENS, Key};
use storage::{Change, Life, Revision};

/// Whoever needs longer to tell the other system makes the change when it is there.
const OVERLAP_MS_MAX: u64 = 7 * DAY_MS;
/// The new one and the one before.
const SECRETS_MAX: usize = 2;
/// The new one and those that others hold still.
const TOKENS_MAX: usize = 8;

/// An endpoint, as members of its organization see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// When it was made, in milliseconds since the epoch.
    pub created_ms: u64,
    /// The tokens that are good now, the newest first; none: it is off.
    pub tokens: Vec<EndpointToken>,
    /// How its messages are signed, as the connector says; none: it says nothing of it.
    pub scheme: Option<&'static str>,
    /// Whether a key for that was entered. Without one, who has the token may leave messages.
    pub has_secret: bool,
}

/// A token, without itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndpointToken {
    /// When it was made, in milliseconds since the epoch.
    pub made_ms: u64,
    /// Until when it is good; none: until it is rotated or turned off.
    pub until_ms: Option<u64>,
}

impl Endpoints {
    /// Makes the endpoint of a sync, or turns it on again. The token is shown once and kept by nobody.
    ///
    /// # Errors
    /// [`EventError::IsOn`], [`EventError::NoWebhook`], [`Error::UnknownObject`], [`Error::Denied`], or when storage refuses.
    pub async fn create(
        &self,
        by: &str,
        organization: &str,
        sync: &str,
    ) -> Result<(Endpoint, Secret), Error> {
        self.organizations().may(by, organization, Action::ChangeSyncs).await?;
        if self.ask_of(organization, sync).await?.is_none() {
            return Err(Error::Event(EventError::NoWebhook { sync: sync.to_owned() }));
        }
        self.make_head(organization, sync).await?;
        self.renew(organization, sync, &Event::done(Act::EndpointCreated, by, sync), |record, now_ms| {
            if record.tokens.iter().any(|token| token.holds(now_ms)) {
                return Err(Error::Event(EventError::IsOn { sync: sync.to_owned() }));
            }
            Ok(())
        })
        .await
    }

    /// Gives an endpoint another token; those of before are good for so long beside it.
    ///
    /// # Errors
    /// [`EventError::BadOverlap`], [`Error::UnknownObject`] also where it is off, [`Error::Denied`], or when storage refuses.
    pub async fn rotate(
        &self,
        by: &str,
        organization: &str,
        sync: &str,
        overlap_ms: u64,
    ) -> Result<(Endpoint, Secret), Error> {
        self.organizations().may(by, organization, Action::ChangeSyncs).await?;
        check_overlap(overlap_ms)?;
        let event = Event::done(Act::EndpointRotated, by, sync).detail("overlap_ms", overlap_ms.to_string());
        self.renew(organization, sync, &event, |record, now_ms| {
            if !record.tokens.iter().any(|token| token.holds(now_ms)) {
                return Err(unknown(sync));
            }
            for token in &mut record.tokens {
                let until_ms = now_ms + overlap_ms;
                token.until_ms = Some(token.until_ms.map_or(until_ms, |earlier| earlier.min(until_ms)));
            }
            Ok(())
        })
        .await
    }

    /// Turns an endpoint off: no token of it is good any more. What waits is moved still.
    ///
    /// # Errors
    /// [`Error::UnknownObject`], [`Error::Denied`], or when storage refuses.
    pub async fn turn_off(&self, by: &str, organization: &str, sync: &str) -> Result<(), Error> {
        self.organizations().may(by, organization, Action::ChangeSyncs).await?;
        let event = Event::done(Act::EndpointTurnedOff, by, sync);
        let mut attempts = Attempts::at(ENDPOINTS);
        loop {
            let (mut record, seen) = self.endpoint_record(organization, sync).await?;
            let gone = std::mem::take(&mut record.tokens);
            let change = record.put(Change::new(INSTALLATION), (organization, sync), Some(&seen))?;
            let change =
                gone.iter().fold(change, |change, token| change.delete(EVENT_TOKENS, token.digest.bytes()));
            if self.try_append(organization, &event, change).await? {
                return Ok(());
            }
            attempts.again().await?;
        }
    }

    /// An endpoint.
    ///
    /// # Errors
    /// [`Error::UnknownObject`], [`Error::Denied`], [`Error::UnknownOrganization`], or when storage cannot be read.
    pub async fn show(&self, by: &str, organization: &str, sync: &str) -> Result<Endpoint, Error> {
        self.organizations().may(by, organization, Action::ReadConfigurations).await?;
        let (record, _) = self.endpoint_record(organization, sync).await?;
        self.shown(organization, sync, record).await
    }

    /// Enters the key by which the sender signs. The one of before is good for so long beside it. Nobody reads it.
    ///
    /// # Errors
    /// [`EventError::BadSigningSecret`], [`EventError::BadOverlap`], [`Error::UnknownObject`], [`Error::Denied`], or when storage refuses.
    pub async fn set_secret(
        &self,
        by: &str,
        organization: &str,
        sync: &str,
        (secret, overlap_ms): (&Secret, u64),
    ) -> Result<(), Error> {
        self.organizations().may(by, organization, Action::EnterCredentials).await?;
        check_overlap(overlap_ms)?;
        let ask = self.ask_of(organization, sync).await?;
        let scheme = ask.as_ref().and_then(|ask| ask.signature.as_ref());
        let reason = "the connector does not say how its messages are signed";
        let scheme = scheme.ok_or(Error::Event(EventError::BadSigningSecret { reason }))?;
        signature::check_secret(scheme, secret.expose())
            .map_err(|reason| Error::Event(EventError::BadSigningSecret { reason }))?;
        self.endpoint_record(organization, sync).await?;
        let keeper = &self.organizations().keeper;
        let owner = self.organizations().owner(organization);
        let kept = keeper.read::<KeptSecrets>(&owner, ENDPOINT_SECRETS, &Key::of(sync)).await?;
        let mut kept = kept.map(|(kept, _)| kept).unwrap_or_default();
        let until_ms = keeper.now_ms() + overlap_ms;
        for former in &mut kept.secrets {
            former.until_ms = Some(former.until_ms.map_or(until_ms, |earlier| earlier.min(until_ms)));
        }
        kept.secrets.insert(0, KeptSecret { text: secret.expose().to_owned(), until_ms: None });
        kept.secrets.truncate(SECRETS_MAX);
        let value = encode(ENDPOINT_SECRETS, &kept)?;
        let change = Change::new(owner).put(ENDPOINT_SECRETS, Key::of(sync), Life::Standing, value);
        keeper.storage.commit(change).await?;
        // Behind it: a key that is there and not told of is checked, which shuts out and lets nobody in.
        self.note_secret(organization, sync, &Event::done(Act::EndpointSecretEntered, by, sync), true).await
    }

    /// Removes the keys: from then on who has the token may leave messages, signed or not.
    ///
    /// # Errors
    /// [`Error::UnknownObject`], [`Error::Denied`], or when storage refuses.
    pub async fn remove_secret(&self, by: &str, organization: &str, sync: &str) -> Result<(), Error> {
        self.organizations().may(by, organization, Action::EnterCredentials).await?;
        self.endpoint_record(organization, sync).await?;
        // Before it: that nobody checks any more is in the log by then.
        let event = Event::done(Act::EndpointSecretRemoved, by, sync);
        self.note_secret(organization, sync, &event, false).await?;
        let change = Change::new(self.organizations().owner(organization));
        let change = change.delete(ENDPOINT_SECRETS, Key::of(sync));
        self.organizations().keeper.storage.commit(change).await?;
        Ok(())
    }

    async fn note_secret(
        &self,
        organization: &str,
        sync: &str,
        event: &Event,
        has_secret: bool,
    ) -> Result<(), Error> {
        let mut attempts = Attempts::at(ENDPOINTS);
        loop {
            let (record, seen) = self.endpoint_record(organization, sync).await?;
            let record = EndpointRecord { has_secret, ..record };
            let change = record.put(Change::new(INSTALLATION), (organization, sync), Some(&seen))?;
            if self.try_append(organization, event, change).await? {
                return Ok(());
            }
            attempts.again().await?;
        }
    }

    /// Draws a token, and lets `change` say what becomes of those before, or that it cannot be.
    async fn renew(
        &self,
        organization: &str,
        sync: &str,
        event: &Event,
        change: impl Fn(&mut EndpointRecord, u64) -> Result<(), Error>,
    ) -> Result<(Endpoint, Secret), Error> {
        let keeper = &self.organizations().keeper;
        let (token, digest) = TokenKind::Event.draw()?;
        let mut attempts = Attempts::at(ENDPOINTS);
        loop {
            let now_ms = keeper.now_ms();
            let found = EndpointRecord::read(keeper, organization, sync).await?;
            let fresh = || EndpointRecord { created_ms: now_ms, ..EndpointRecord::default() };
            let (mut record, seen) =
                found.map_or_else(|| (fresh(), None), |(record, seen)| (record, Some(seen)));
            change(&mut record, now_ms)?;
            let step = while_it_lasts(Change::new(INSTALLATION), organization);
            let step = self.expect_sync(step, organization, sync).await?;
            let (kept, mut gone): (Vec<_>, Vec<_>) =
                record.tokens.into_iter().partition(|token| token.holds(now_ms));
            record.tokens = vec![KeptToken { digest, made_ms: now_ms, until_ms: None }];
            record.tokens.extend(kept);
            gone.extend(record.tokens.drain(TOKENS_MAX.min(record.tokens.len())..));
            let mut step = record.put(step, (organization, sync), seen.as_ref())?;
            for token in &record.tokens {
                step = token.put(step, (organization, sync))?;
            }
            let step = gone.iter().fold(step, |step, token| step.discard(EVENT_TOKENS, token.digest.bytes()));
            if self.try_append(organization, event, step).await? {
                return Ok((self.shown(organization, sync, record).await?, token));
            }
            attempts.again().await?;
        }
    }

    /// Messages are numbered from 1, and go on from where they were when an endpoint is turned on again.
    async fn make_head(&self, organization: &str, sync: &str) -> Result<(), Error> {
        let keeper = &self.organizations().keeper;
        let value = encode(EVENT_HEADS, &HeadRecord { next: 1 })?;
        let change = Change::new(self.organizations().owner(organization));
        let change = change.expect(EVENT_HEADS, Key::of(sync), None);
        keeper.try_commit(change.put(EVENT_HEADS, Key::of(sync), Life::Standing, value)).await?;
        Ok(())
    }

    /// Adds to a change that the sync is there and is not removed meanwhile.
    async fn expect_sync(&self, change: Change, organization: &str, sync: &str) -> Result<Change, Error> {
        let kind = crate::syncs::KIND;
        let filed = self.organizations().head::<crate::syncs::Kept>(organization, kind, sync).await?;
        Ok(change.expect(kind.heads, Key::of(organization).id(sync), Some(&filed.seen)))
    }

    pub(super) async fn endpoint_record(
        &self,
        organization: &str,
        sync: &str,
    ) -> Result<(EndpointRecord, Revision), Error> {
        let found = EndpointRecord::read(&self.organizations().keeper, organization, sync).await?;
        found.ok_or_else(|| unknown(sync))
    }

    /// Makes a change true with its entry; false: somebody else was faster, and nothing was done.
    pub(super) async fn try_append(
        &self,
        organization: &str,
        event: &Event,
        change: Change,
    ) -> Result<bool, Error> {
        let organizations = self.organizations();
        match organizations.audit.append_with(&organizations.log(organization), event, change).await {
            Err(Error::Storage(storage::Error::Conflict { .. })) => Ok(false),
            done => done.map(|_| true),
        }
    }

    async fn shown(&self, organization: &str, sync: &str, record: EndpointRecord) -> Result<Endpoint, Error> {
        let ask = self.ask_of(organization, sync).await?;
        let now_ms = self.organizations().keeper.now_ms();
        let tokens = record.tokens.iter().filter(|token| token.holds(now_ms));
        Ok(Endpoint {
            created_ms: record.created_ms,
            tokens: tokens
                .map(|token| EndpointToken { made_ms: token.made_ms, until_ms: token.until_ms })
                .collect(),
            scheme: ask.and_then(|ask| ask.signature.as_ref().map(manifest::SignatureScheme::as_str)),
            has_secret: record.has_secret,
        })
    }
}

fn check_overlap(overlap_ms: u64) -> Result<(), Error> {
    if overlap_ms <= OVERLAP_MS_MAX {
        Ok(())
    } else {
        Err(Error::Event(EventError::BadOverlap { days_max: OVERLAP_MS_MAX / DAY_MS }))
    }
}

pub(super) fn unknown(sync: &str) -> Error {
    Error::UnknownObject { what: "event endpoint of the sync", id: sync.to_owned() }
}
