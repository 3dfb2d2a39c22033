//! One redemption: the mark, the request, the answer, and what is kept of it.

use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use http::{HeaderMap, Response};

use super::answer::{self, Fault, Tokens};
use super::ask::{asking, seconds};
use super::error::Error;
use super::material::{Material, Secret, field};
use super::port::{Credentials, StoreError};
use super::settings::Placed;
use crate::OwnCalls;
use crate::outlet::Outlet;

/// A token is renewed this long before it ends, so that a request that is under way does not outlive it, and a clock
/// that is wrong by less does no harm.
const AHEAD_S_MAX: u64 = 60;
/// Clocks that differ by more than this explain a refusal: providers allow five minutes, mostly.
const CLOCK_DIFFERS_S: i64 = 300;

/// What is needed to renew one credential.
#[derive(Clone)]
pub(crate) struct Redeemer {
    pub(super) placed: Arc<Placed>,
    pub(super) store: Arc<dyn Credentials>,
    pub(super) calls: OwnCalls,
    pub(super) outlet: Outlet,
}

/// Why there is nothing to place.
pub(super) fn unavailable(placed: &Placed, source: StoreError) -> Error {
    Error::Unavailable { credential: placed.ask.name.clone(), stored: placed.stored.clone(), source }
}

impl Redeemer {
    /// What is kept now.
    pub(super) async fn kept(&self) -> Result<Material, Arc<Error>> {
        let kept = self.store.material(&self.placed.stored).await;
        kept.map_err(|source| Arc::new(self.unavailable(source)))
    }

    fn unavailable(&self, source: StoreError) -> Error {
        unavailable(&self.placed, source)
    }

    fn name(&self) -> String {
        self.placed.ask.name.clone()
    }

    /// Spends what is kept for new tokens, which are durable when this returns.
    pub(super) async fn redeem(&self) -> Result<Material, Error> {
        let redeemed = self.asked_anew().await;
        self.store.redeemed(&self.placed.stored, redeemed.is_ok());
        redeemed
    }

    async fn asked_anew(&self) -> Result<Material, Error> {
        let stored = &self.placed.stored;
        let kept = self.store.material(stored).await.map_err(|source| self.unavailable(source))?;
        let asking = asking(&self.placed.ask.kind, &kept, self.outlet.now())
            .map_err(|problem| Error::Place { credential: self.name(), problem })?;
        if asking.spends && !kept.is_redeeming() {
            match self.store.mark(stored, kept.generation()).await {
                Ok(()) => {}
                Err(StoreError::Superseded) => return self.of_others().await,
                Err(source) => return Err(self.unavailable(source)),
            }
        }
        let answer = self.calls.send(stored, asking.request).await;
        let answer = answer.map_err(|error| Error::Endpoint {
            credential: self.name(),
            endpoint: asking.endpoint.clone(),
            problem: error.full_text(),
        })?;
        match answer::read(answer.status(), answer.headers(), answer.body()) {
            Ok(tokens) => self.persist(&kept, self.with(&kept, tokens)).await,
            Err((fault, rotated)) => {
                self.keep_after(&kept, &fault, rotated, asking.spends).await?;
                Err(self.told(fault, &kept, asking.endpoint, &answer))
            }
        }
    }

    /// Keeps it, unless somebody has changed what was seen.
    async fn persist(&self, seen: &Material, fresh: Material) -> Result<Material, Error> {
        match self.store.persist(&self.placed.stored, seen.generation(), fresh.clone()).await {
            Ok(generation) => Ok(fresh.at(generation).redeeming(false)),
            Err(StoreError::Superseded) => self.of_others().await,
            Err(source) => Err(self.unavailable(source)),
        }
    }

    /// Somebody entered it anew, or another process renewed it, while this one was at it: theirs counts.
    async fn of_others(&self) -> Result<Material, Error> {
        self.store.material(&self.placed.stored).await.map_err(|source| self.unavailable(source))
    }

    fn with(&self, kept: &Material, tokens: Tokens) -> Material {
        let now = seconds(self.outlet.now());
        let mut fresh = kept.clone().with(field::ACCESS_TOKEN, tokens.access);
        fresh = fresh.without(field::EXPIRES_AT).without(field::REFRESH_AT);
        if let Some(refresh) = tokens.refresh {
            fresh = fresh.with(field::REFRESH_TOKEN, refresh);
        }
        if let Some(life) = tokens.expires_in_s {
            let ahead = AHEAD_S_MAX.min(life / 4);
            let text = |seconds: u64| Secret::new(seconds.to_string());
            fresh = fresh.with(field::EXPIRES_AT, text(now.saturating_add(life)));
            fresh = fresh.with(field::REFRESH_AT, text(now.saturating_add(life - ahead)));
        }
        fresh
    }

    /// A refusal for another reason than the token leaves the token unspent; and a new one that came beside a useless
    /// answer is the only one that is still good.
    async fn keep_after(
        &self,
        kept: &Material,
        fault: &Fault,
        rotated: Option<Secret>,
        spends: bool,
    ) -> Result<(), Error> {
        if let Some(token) = rotated {
            return self.persist(kept, kept.clone().with(field::REFRESH_TOKEN, token)).await.map(drop);
        }
        if !spends || !matches!(fault, Fault::Wrong(_)) {
            return Ok(());
        }
        match self.store.unmark(&self.placed.stored, kept.generation()).await {
            Ok(()) | Err(StoreError::Superseded) => Ok(()),
            Err(source) => Err(self.unavailable(source)),
        }
    }

    fn told(&self, fault: Fault, kept: &Material, endpoint: String, answer: &Response<Bytes>) -> Error {
        let credential = self.name();
        match fault {
            Fault::Spent(_) if kept.is_redeeming() => Error::Lost { credential, endpoint },
            Fault::Spent(word) | Fault::Wrong(word) => {
                let clock_differs_s = clock_differs(answer.headers(), self.outlet.now());
                Error::Refused { credential, endpoint, answer: word, clock_differs_s }
            }
            Fault::Later(problem) => Error::Endpoint { credential, endpoint, problem },
            Fault::Broken(problem) => Error::Answer { credential, endpoint, problem },
        }
    }
}

/// By how many seconds the server's clock is ahead, where that could be why it refuses.
pub(super) fn clock_differs(headers: &HeaderMap, now: SystemTime) -> Option<i64> {
    let theirs = httpdate::parse_http_date(headers.get(http::header::DATE)?.to_str().ok()?).ok()?;
    let theirs = i64::try_from(seconds(theirs)).ok()?;
    let ours = i64::try_from(seconds(now)).ok()?;
    Some(theirs - ours).filter(|differs| differs.abs() > CLOCK_DIFFERS_S)
}
