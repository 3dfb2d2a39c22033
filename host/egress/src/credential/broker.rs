//! Chooses the credentials of a request by their audiences, sees that they are fresh, and has them placed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::HeaderMap;
use manifest::credential::JwtBearer;
use manifest::{CredentialAsk, CredentialKind, Host, Scheme};
use zeroize::Zeroizing;

use super::ask::{endpoint, seconds, signed_token};
use super::error::Error;
use super::identity::Identity;
use super::kept::Kept;
use super::material::{Generation, Material, Secret, field};
use super::redeem::{Redeemer, clock_differs, unavailable};
use super::room::Room;
use super::settings::{Placed, Settings};
use super::{aws, hmac, place};
use crate::outlet::Outlet;
use crate::rebuild::Head;
use crate::{Body, Caps, Limit, OwnCalls, Result};

/// Places the credentials of one client.
pub(crate) struct Broker {
    placed: Vec<Arc<Placed>>,
    redeemer: RedeemerOf,
    kept_bytes_max: u64,
    /// For all bodies that are kept.
    room: Arc<Room>,
    watch: scrub::Watch,
    /// Of which state of a stored credential the values are watched.
    watched: Mutex<HashMap<String, Generation>>,
    /// Tokens that the host signed itself, by stored name, until they are old.
    signed: Mutex<HashMap<String, Signed>>,
    identities: Mutex<Vec<Identity>>,
}

/// All of a redeemer but its credential.
struct RedeemerOf {
    store: Arc<dyn super::port::Credentials>,
    calls: OwnCalls,
    outlet: Outlet,
}

struct Signed {
    generation: Generation,
    until_s: u64,
    token: Arc<Secret>,
}

/// A credential on a request, and what was placed of it.
pub(crate) struct Carried {
    placed: Arc<Placed>,
    material: Material,
}

impl Carried {
    /// The name under which it is kept.
    pub(crate) fn stored(&self) -> &str {
        &self.placed.stored
    }
}

/// The body of a request that carries a credential.
pub(crate) struct Payload {
    pub(crate) kept: Kept,
    /// Its length, where it is known.
    pub(crate) length: Option<u64>,
}

impl Broker {
    pub(crate) fn new(settings: Settings, calls: OwnCalls, outlet: Outlet, caps: &Caps) -> Self {
        // What is revealed is the guest's to place.
        let placed = settings.placed.into_iter().filter(|placed| !placed.ask.reveal).map(Arc::new).collect();
        let room = Room::of_client(caps.kept_bodies_bytes, Arc::clone(&outlet.room));
        let redeemer = RedeemerOf { store: settings.store, calls, outlet };
        let (signed, identities, watched) = (Mutex::default(), Mutex::default(), Mutex::default());
        let (kept_bytes_max, watch) = (caps.kept_body_bytes, settings.watch);
        Self { placed, redeemer, kept_bytes_max, room, watch, watched, signed, identities }
    }

    /// Scrubs what a server sends back.
    pub(crate) fn watch(&self) -> &scrub::Watch {
        &self.watch
    }

    /// Has what will be sent looked for from now on.
    fn watch_for(&self, placed: &Placed, material: &Material) {
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        if watched.get(&placed.stored) == Some(&material.generation()) {
            return;
        }
        watched.insert(placed.stored.clone(), material.generation());
        for value in sent_values(&placed.ask, material) {
            self.watch.add(&placed.stored, value.as_bytes());
        }
    }

    /// The credentials that this request carries: those whose audience it is in, as it will be sent. Signatures come
    /// last, because they are over everything else.
    pub(crate) fn chosen(&self, head: &Head) -> Vec<Arc<Placed>> {
        let origin = &head.target.origin;
        let scheme = if origin.secure { Scheme::Https } else { Scheme::Http };
        let host = match head.target.literal {
            Some(address) => Host::Address(address),
            None => match Host::parse(&origin.host) {
                Ok(host) => host,
                Err(_) => return Vec::new(),
            },
        };
        let path = head.target.path_and_query.path();
        let is_for =
            |placed: &&Arc<Placed>| placed.ask.is_for(scheme, &host, origin.port, head.method.as_str(), path);
        let mut chosen: Vec<Arc<Placed>> = self.placed.iter().filter(is_for).cloned().collect();
        // In the order of the manifest otherwise: the sort is stable.
        chosen.sort_by_key(|placed| is_signature(&placed.ask.kind));
        chosen
    }

    /// Is the start of a body kept for these, to be signed or sent again?
    pub(crate) fn keeps(chosen: &[Arc<Placed>]) -> bool {
        chosen.iter().any(|placed| is_signature(&placed.ask.kind) || endpoint(&placed.ask.kind).is_some())
    }

    /// A body to be sent with them.
    pub(crate) fn keep(&self, body: Body, length: Option<u64>) -> Payload {
        Payload { kept: Kept::new(body, self.kept_bytes_max, Arc::clone(&self.room)), length }
    }

    /// Places each of these on the request, or fails. The body is there where one [`Self::keeps`] it.
    pub(crate) async fn place(
        &self,
        chosen: &[Arc<Placed>],
        head: &mut Head,
        payload: Option<&Payload>,
    ) -> Result<Vec<Carried>> {
        let mut all = Vec::with_capacity(chosen.len());
        for placed in chosen {
            let material = self.fresh(placed).await?;
            self.place_one(placed, &material, head, payload).await?;
            all.push(Carried { placed: Arc::clone(placed), material });
        }
        Ok(all)
    }

    /// Is there anything that could be renewed, and would it help?
    pub(crate) fn is_renewed(&self, carried: &[Carried]) -> bool {
        let refreshes = &self.redeemer.outlet.refreshes;
        carried.iter().any(|one| {
            endpoint(&one.placed.ask.kind).is_some()
                && !refreshes.is_useless(&self.redeemer(&one.placed), one.material.generation())
        })
    }

    /// What was just renewed was refused again.
    pub(crate) fn was_useless(&self, carried: &[Carried]) {
        for one in carried.iter().filter(|one| endpoint(&one.placed.ask.kind).is_some()) {
            let redeemer = self.redeemer(&one.placed);
            self.redeemer.outlet.refreshes.was_useless(&redeemer, one.material.generation());
        }
    }

    /// Do servers judge these by the time when they were made?
    pub(crate) fn is_dated(&self, carried: &[Carried]) -> bool {
        carried.iter().any(|one| match &one.placed.ask.kind {
            CredentialKind::JwtBearer(jwt) => jwt.token_url.is_none(),
            kind => is_signature(kind),
        })
    }

    /// By how many seconds a server's clock is ahead of this machine's, where that is more than servers forgive.
    pub(crate) fn clock_differs(&self, headers: &HeaderMap) -> Option<i64> {
        clock_differs(headers, self.redeemer.outlet.now())
    }

    /// Renews what was refused.
    pub(crate) async fn renew(&self, carried: &[Carried]) -> Result<()> {
        for one in carried.iter().filter(|one| endpoint(&one.placed.ask.kind).is_some()) {
            let redeemer = self.redeemer(&one.placed);
            self.redeemer.outlet.refreshes.renew(redeemer, &one.material).await?;
        }
        Ok(())
    }

    /// For which of these a body that was not kept for the sake of this limit cannot be sent again.
    pub(crate) fn body_not_kept(&self, carried: &[Carried], limit: Limit) -> Error {
        let names: Vec<&str> = carried.iter().map(|one| one.placed.ask.name.as_str()).collect();
        Error::BodyNotKept { credential: names.join("`, `"), limit, allowed: self.allowed(limit) }
    }

    /// A body is not kept for the sake of this limit, and must be.
    pub(crate) fn over(&self, limit: Limit) -> crate::Error {
        crate::Error::Limit { limit, allowed: self.allowed(limit) }
    }

    fn allowed(&self, limit: Limit) -> u64 {
        self.room.allowed(limit).unwrap_or(self.kept_bytes_max)
    }

    fn redeemer(&self, placed: &Arc<Placed>) -> Redeemer {
        let RedeemerOf { store, calls, outlet } = &self.redeemer;
        Redeemer {
            placed: Arc::clone(placed),
            store: Arc::clone(store),
            calls: calls.clone(),
            outlet: outlet.clone(),
        }
    }

    /// What is kept, with a token that does not end while the request is under way.
    async fn fresh(&self, placed: &Arc<Placed>) -> Result<Material> {
        let kept = self.redeemer.store.material(&placed.stored).await;
        let kept = kept.map_err(|source| unavailable(placed, source))?;
        if endpoint(&placed.ask.kind).is_none() {
            return Ok(kept);
        }
        let redeemer = self.redeemer(placed);
        let now = seconds(self.redeemer.outlet.now());
        let has_token = kept.get(field::ACCESS_TOKEN).is_some();
        // Whoever kept a token may have said only when it ends.
        let renewed_at = kept.seconds(field::REFRESH_AT).or_else(|| kept.seconds(field::EXPIRES_AT));
        let is_due = renewed_at.is_some_and(|at| at <= now);
        if has_token && !is_due {
            return Ok(kept);
        }
        let holds = has_token && kept.seconds(field::EXPIRES_AT).is_none_or(|end| end > now);
        let refreshes = &self.redeemer.outlet.refreshes;
        if holds && refreshes.rests(&redeemer) {
            return Ok(kept);
        }
        match refreshes.renew(redeemer, &kept).await {
            Err(error) if holds => {
                tracing::warn!(%error, "a credential that still holds could not be renewed");
                Ok(kept)
            }
            outcome => Ok(outcome?),
        }
    }

    async fn place_one(
        &self,
        placed: &Placed,
        material: &Material,
        head: &mut Head,
        payload: Option<&Payload>,
    ) -> Result<()> {
        let wrong = |problem| Error::Place { credential: placed.ask.name.clone(), problem };
        let body = match self.body_of(&placed.ask.kind, head, payload) {
            WantedBody::None => None,
            WantedBody::Whole => Some(self.whole(payload).await?),
        };
        let now = || self.redeemer.outlet.now();
        self.watch_for(placed, material);
        let done = match &placed.ask.kind {
            CredentialKind::AwsSigv4(aws) => {
                let service = aws.service.fixed().unwrap_or_default();
                let region = aws.region.fixed().unwrap_or_default();
                let body = body.map_or(aws::Body::Unsigned, |body| aws::Body::Hashed(body.sha256_hex()));
                aws::place(head, &aws::Scope { service, region, now: now() }, material, body)
            }
            CredentialKind::Hmac(settings) => {
                let parts: Vec<Bytes> = body.map(|body| body.parts).unwrap_or_default();
                hmac::place(head, settings, material, &parts, now())
            }
            CredentialKind::Mtls => self.identity(placed, material, head),
            CredentialKind::JwtBearer(jwt) if jwt.token_url.is_none() => self
                .signed_token(placed, jwt, material)
                .and_then(|token| place::header(head, &jwt.header, &jwt.prefix, token.expose())),
            kind => place_text(kind, material, head),
        };
        done.map_err(|problem| wrong(problem).into())
    }

    /// How much of the body must be read before the request can be signed.
    fn body_of(&self, kind: &CredentialKind, head: &Head, payload: Option<&Payload>) -> WantedBody {
        match kind {
            CredentialKind::Hmac(hmac) if hmac.sign.needs_body() => WantedBody::Whole,
            CredentialKind::AwsSigv4(aws) => {
                let is_kept = |length| length <= self.kept_bytes_max && self.room.has(length);
                let is_small = payload.and_then(|payload| payload.length).is_some_and(is_kept);
                let may_be_unsigned = head.target.origin.secure
                    && aws.service.fixed().is_some_and(aws::takes_unsigned)
                    && !matches!(head.method, http::Method::GET | http::Method::HEAD);
                if may_be_unsigned && !is_small { WantedBody::None } else { WantedBody::Whole }
            }
            _ => WantedBody::None,
        }
    }

    async fn whole(&self, payload: Option<&Payload>) -> Result<super::kept::Whole> {
        let too_large = || self.over(Limit::KeptBodyBytes);
        let Payload { kept, length } = payload.ok_or_else(too_large)?;
        if length.is_some_and(|length| length > self.kept_bytes_max) {
            return Err(too_large());
        }
        kept.fill().await?.map_err(|limit| self.over(limit))
    }

    fn identity(&self, placed: &Placed, material: &Material, head: &mut Head) -> Result<(), &'static str> {
        if !head.target.origin.secure {
            return Err("is a client certificate, which needs `https`");
        }
        let mut identities = self.identities.lock().unwrap_or_else(PoisonError::into_inner);
        let known = identities.iter().find(|known| known.is(&placed.stored, material.generation()));
        let identity = match known {
            Some(known) => known.clone(),
            None => {
                let made = Identity::new(placed, material)?;
                // An earlier generation is good for nothing any more.
                identities.retain(|known| !known.is_of(&placed.stored));
                identities.push(made.clone());
                made
            }
        };
        head.target.origin.identity = Some(identity);
        Ok(())
    }

    /// A token that the host signed, used for three quarters of its life.
    fn signed_token(
        &self,
        placed: &Placed,
        jwt: &JwtBearer,
        material: &Material,
    ) -> Result<Arc<Secret>, &'static str> {
        let now = self.redeemer.outlet.now();
        let now_s = seconds(now);
        let mut signed = self.signed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = signed.get(&placed.stored)
            && known.generation == material.generation()
            && (now_s..=now_s.saturating_add(jwt.lifetime_ms / 1000)).contains(&known.until_s)
        {
            return Ok(Arc::clone(&known.token));
        }
        let token = Arc::new(Secret::new(signed_token(jwt, material, now)?));
        self.watch.add(&placed.stored, token.expose().as_bytes());
        let until_s = now_s.saturating_add(jwt.lifetime_ms / 1000 / 4 * 3);
        let (generation, kept) = (material.generation(), Arc::clone(&token));
        signed.insert(placed.stored.clone(), Signed { generation, until_s, token: kept });
        Ok(token)
    }
}

/// What of a credential leaves the host, to the servers of its audience or to the provider behind them: not what only
/// makes a signature.
fn sent_values(ask: &CredentialAsk, material: &Material) -> Vec<Zeroizing<String>> {
    let kind = &ask.kind;
    let names: &[&str] = match kind {
        CredentialKind::Bearer => &["token"],
        CredentialKind::Header(_) | CredentialKind::Query(_) => &["value"],
        CredentialKind::Basic => &["password"],
        CredentialKind::AwsSigv4(_) => &["session_token"],
        CredentialKind::OAuth2(_) => &[field::ACCESS_TOKEN, field::REFRESH_TOKEN, "client_secret"],
        CredentialKind::JwtBearer(_) => &[field::ACCESS_TOKEN],
        CredentialKind::Hmac(_) | CredentialKind::Mtls => &[],
    };
    let fields = names.iter().filter_map(|name| material.get(name));
    let mut values: Vec<Zeroizing<String>> = fields.map(|text| Zeroizing::new(text.to_owned())).collect();
    if matches!(kind, CredentialKind::Basic) {
        let name = material.get("username").unwrap_or_default();
        let password = material.get("password");
        values.push(place::encoded_pair(name, password.unwrap_or_default()));
        let is_secret = ask.entered_fields().iter().any(|field| field.name == "username" && field.secret);
        if is_secret || password.is_none() {
            // Some services take a key as the user's name, and no password.
            values.push(Zeroizing::new(name.to_owned()));
        }
    }
    values
}

enum WantedBody {
    None,
    Whole,
}

fn is_signature(kind: &CredentialKind) -> bool {
    matches!(kind, CredentialKind::Hmac(_) | CredentialKind::AwsSigv4(_))
}

/// The kinds whose value stands in the request as it is.
fn place_text(kind: &CredentialKind, material: &Material, head: &mut Head) -> Result<(), &'static str> {
    let value = || material.get("value").ok_or("has no value");
    let token = || material.get(field::ACCESS_TOKEN).ok_or("has no token yet");
    match kind {
        CredentialKind::Bearer => {
            let token = material.get("token").ok_or("has no token")?;
            place::authorization(head, "Bearer ", token)
        }
        CredentialKind::Header(header) => place::header(head, &header.header, &header.prefix, value()?),
        CredentialKind::Query(query) => place::parameter(head, &query.parameter, value()?),
        CredentialKind::Basic => {
            let username = material.get("username").unwrap_or_default();
            let password = material.get("password").unwrap_or_default();
            if username.is_empty() && password.is_empty() {
                return Err("has neither a user's name nor a password");
            }
            place::basic(head, username, password)
        }
        CredentialKind::OAuth2(oauth2) => place::header(head, &oauth2.header, &oauth2.prefix, token()?),
        CredentialKind::JwtBearer(jwt) => place::header(head, &jwt.header, &jwt.prefix, token()?),
        CredentialKind::Hmac(_) | CredentialKind::AwsSigv4(_) | CredentialKind::Mtls => {
            Err("is of a kind that is placed otherwise")
        }
    }
}
