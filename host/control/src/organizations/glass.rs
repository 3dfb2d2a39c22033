//! Break-glass: an operator looks into an organization, because an admin of it lets them. For a time, and at what that
//! admin selected; that they look is in the organization's audit log.

use super::{MemberRole, Organizations, unknown, while_it_lasts};
use crate::access::{Action, Actor, Reason, judge};
use crate::audit::{Act, Event};
use crate::error::Error;
use crate::keeper::{INSTALLATION, SCAN_RECORDS, decode, encode};
use crate::secret::draw_id;
use crate::tables::{GLASSES, Key};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use storage::{Change, Life, Range, Revision};

const HOUR_MS: u64 = 60 * 60 * 1_000;
/// Who needs longer asks again.
const LOOK_MS_MAX: u64 = 8 * HOUR_MS;
/// What nobody has allowed within a day was not urgent.
const REQUEST_MS: u64 = 24 * HOUR_MS;
/// For how long it can still be seen who asked.
const KEPT_MS: u64 = 32 * 24 * HOUR_MS;
const REASON_CHARACTERS_MAX: usize = 200;
/// Within this time a look is not noted again.
const NOTED_MS: u64 = 60 * 1_000;

/// Somebody's wish to look into an organization, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Glass {
    /// Who asked.
    pub operator: String,
    /// Why.
    pub reason: String,
    /// When, in milliseconds since the epoch.
    pub requested_ms: u64,
    /// What became of it.
    pub state: GlassState,
}

/// What became of the wish to look into an organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GlassState {
    /// No admin has said anything yet.
    Requested,
    /// An admin allowed it.
    Approved {
        /// Who.
        admin: String,
        /// Until when, in milliseconds since the epoch.
        until_ms: u64,
        /// What may be looked at beside metadata.
        selected: BTreeSet<Action>,
    },
    /// It was refused, or ended before its time.
    Ended,
}

/// Which looks are in the log already, and since when.
#[derive(Debug, Default)]
pub(super) struct Looks(Mutex<HashMap<(String, Action), u64>>);

impl Looks {
    fn known(&self) -> MutexGuard<'_, HashMap<(String, Action), u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_noted(&self, look: &(String, Action), now_ms: u64) -> bool {
        let mut known = self.known();
        // By the difference: a clock that was set back forgets too.
        known.retain(|_, at_ms| at_ms.abs_diff(now_ms) < NOTED_MS);
        known.contains_key(look)
    }

    fn note(&self, look: (String, Action), now_ms: u64) {
        self.known().insert(look, now_ms);
    }
}

impl Organizations {
    /// An operator asks to look into an organization; answers the id of the request. The reason is in the clear in the
    /// organization's log: it must tell nothing of anyone.
    ///
    /// # Errors
    /// [`Error::Denied`], [`Error::BadName`] for a reason that is none, [`Error::UnknownOrganization`], or when storage
    /// refuses.
    pub async fn request_glass(
        &self,
        operator: &str,
        organization: &str,
        reason: &str,
    ) -> Result<String, Error> {
        self.authorize(operator, organization, Action::RequestBreakGlass).await?;
        let reason = reason.trim().to_owned();
        if !(1..=REASON_CHARACTERS_MAX).contains(&reason.chars().count()) {
            return Err(Error::BadName { what: "reason", reason: "it must have 1 to 200 characters" });
        }
        let id = draw_id("glass")?;
        let event = Event::done(Act::BreakGlassRequested, operator, &id).detail("reason", &reason);
        let requested_ms = self.keeper.now_ms();
        let operator = operator.to_owned();
        let glass = Glass { operator, reason, requested_ms, state: GlassState::Requested };
        let change = self.put_glass(organization, &id, &glass, None)?;
        self.audit.append_with(&self.log(organization), &event, change).await?;
        Ok(id)
    }

    /// An admin lets the operator look, for so long, at metadata and what is selected.
    ///
    /// # Errors
    /// [`Error::Denied`] also when something cannot be selected, [`Error::BadGlass`] when there is no such request any more
    /// or the time is none, [`Error::UnknownOrganization`], or when storage refuses.
    pub async fn approve_glass(
        &self,
        admin: &str,
        organization: &str,
        id: &str,
        look_ms: u64,
        selected: BTreeSet<Action>,
    ) -> Result<(), Error> {
        self.authorize(admin, organization, Action::ApproveBreakGlass).await?;
        if let Some(never) = selected.iter().find(|action| !action.is_selectable()) {
            return Err(Error::Denied { action: never.name(), reason: Reason::NotSelected });
        }
        let (glass, revision) = self.glass(organization, id).await?;
        let now_ms = self.keeper.now_ms();
        let is_open = glass.state == GlassState::Requested && now_ms < glass.requested_ms + REQUEST_MS;
        // Two people: whoever asked may have become an admin meanwhile.
        if !is_open || glass.operator == admin || !(1..=LOOK_MS_MAX).contains(&look_ms) {
            return Err(Error::BadGlass);
        }
        let names: Vec<String> = selected.iter().map(|action| action.name()).collect();
        let until_ms = now_ms + look_ms;
        let event = Event::done(Act::BreakGlassApproved, admin, id).detail("selected", names.join(" "));
        let event = event.detail("until_ms", until_ms.to_string());
        let state = GlassState::Approved { admin: admin.to_owned(), until_ms, selected };
        let change = self.put_glass(organization, id, &Glass { state, ..glass }, Some(&revision))?;
        self.audit.append_with(&self.log(organization), &event, change).await?;
        Ok(())
    }

    /// Lets an operator do what no operator may because an admin lets them look at it, or not. None: no admin lets them look at
    /// anything now.
    pub(super) async fn look(
        &self,
        operator: &str,
        organization: &str,
        action: Action,
    ) -> Result<Option<Actor>, Error> {
        let now_ms = self.keeper.now_ms();
        let mut refused = None;
        for (id, glass) in self.all_glasses(organization).await? {
            let selected = match glass.state {
                GlassState::Approved { until_ms, selected, .. }
                    if glass.operator == operator && now_ms < until_ms =>
                {
                    selected
                }
                _ => continue,
            };
            let actor = Actor::Glass { selected };
            match judge(&actor, action) {
                Ok(()) => {
                    let event = Event::done(Act::BreakGlassUsed, operator, &id);
                    self.note_look(organization, (&id, action), event).await?;
                    return Ok(Some(actor));
                }
                Err(reason) => refused = Some((id, reason)),
            }
        }
        let Some((id, reason)) = refused else { return Ok(None) };
        let event = Event::refused(Act::BreakGlassUsed, operator, &id);
        self.audit.append(&self.log(organization), &event.detail("action", action.name())).await?;
        Err(Error::Denied { action: action.name(), reason })
    }

    /// That somebody looks is in the log once a minute: one request asks more than once whether it may, and who goes through a
    /// list asks for each page.
    async fn note_look(
        &self,
        organization: &str,
        (id, action): (&str, Action),
        event: Event,
    ) -> Result<(), Error> {
        let (look, now_ms) = ((id.to_owned(), action), self.keeper.now_ms());
        if self.looks.is_noted(&look, now_ms) {
            return Ok(());
        }
        self.audit.append(&self.log(organization), &event.detail("action", action.name())).await?;
        self.looks.note(look, now_ms);
        Ok(())
    }

    /// Refuses a request, or ends the look before its time: an admin, or whoever asked.
    ///
    /// # Errors
    /// [`Error::BadGlass`], [`Error::Denied`], [`Error::UnknownOrganization`], or when storage refuses.
    pub async fn end_glass(&self, by: &str, organization: &str, id: &str) -> Result<(), Error> {
        let is_admin = self.role(organization, by).await? == Some(MemberRole::Admin);
        let found = self.glass(organization, id).await;
        if !is_admin && found.as_ref().map_or("", |(glass, _)| &glass.operator) != by {
            self.authorize(by, organization, Action::ApproveBreakGlass).await?;
        }
        let (glass, revision) = found?;
        let glass = Glass { state: GlassState::Ended, ..glass };
        let change = self.put_glass(organization, id, &glass, Some(&revision))?;
        let event = Event::done(Act::BreakGlassEnded, by, id);
        self.audit.append_with(&self.log(organization), &event, change).await?;
        Ok(())
    }

    /// A request, as an admin or whoever asked sees it.
    ///
    /// # Errors
    /// [`Error::BadGlass`] when there is none that this person may see.
    pub async fn read_glass(&self, by: &str, organization: &str, id: &str) -> Result<Glass, Error> {
        self.record(organization).await?;
        let is_admin = self.role(organization, by).await? == Some(MemberRole::Admin);
        let (glass, _) = self.glass(organization, id).await?;
        if is_admin || glass.operator == by { Ok(glass) } else { Err(unknown(organization)) }
    }

    /// The requests that this person may see, by their ids: an admin all of the organization's, an operator their own.
    ///
    /// # Errors
    /// [`Error::UnknownOrganization`] for everybody else, or when storage cannot be read.
    pub async fn glasses(&self, by: &str, organization: &str) -> Result<Vec<(String, Glass)>, Error> {
        let is_admin = match self.actor(by, organization).await? {
            Actor::Admin => true,
            Actor::Operator => false,
            _ => {
                self.authorize(by, organization, Action::ApproveBreakGlass).await?;
                return Err(unknown(organization));
            }
        };
        let all = self.all_glasses(organization).await?.into_iter();
        Ok(all.filter(|(_, glass)| is_admin || glass.operator == by).collect())
    }

    async fn all_glasses(&self, organization: &str) -> Result<Vec<(String, Glass)>, Error> {
        let (prefix, mut after, mut all) = (Key::of(organization), None::<Vec<u8>>, Vec::new());
        loop {
            let range = Range { prefix: &prefix, after: after.as_deref(), limit: SCAN_RECORDS };
            let page = self.keeper.page(INSTALLATION, GLASSES, range).await?;
            let Some((last, _)) = page.last() else { return Ok(all) };
            after = Some(last.clone());
            for (key, found) in page {
                let id = Key::read_id(key.get(prefix.len()..).unwrap_or_default());
                all.push((id, decode(GLASSES, found.value.expose())?));
            }
        }
    }

    async fn glass(&self, organization: &str, id: &str) -> Result<(Glass, Revision), Error> {
        let found = self.keeper.read(INSTALLATION, GLASSES, &Key::of(organization).id(id)).await?;
        found.ok_or(Error::BadGlass)
    }

    fn put_glass(
        &self,
        organization: &str,
        id: &str,
        glass: &Glass,
        revision: Option<&Revision>,
    ) -> Result<Change, Error> {
        let at = Key::of(organization).id(id);
        let change = while_it_lasts(Change::new(INSTALLATION), organization);
        let change = change.expect(GLASSES, at.clone(), revision);
        let life = Life::Until(self.keeper.now_ms() + KEPT_MS);
        Ok(change.put(GLASSES, at, life, encode(GLASSES, glass)?))
    }
}
