//! Who asks, and what they may do where.

use crate::fault::Fault;
use crate::house::House;
use crate::refusal::Refusal;
use axum::extract::FromRequestParts;
use control::{Action, Actor, Entrance, Error, Reason, Secret, Session, Token, judge, judge_token};
use http::request::Parts;
use std::net::IpAddr;
use std::sync::Arc;

/// Who asks.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) address: IpAddr,
    pub(crate) as_whom: AsWhom,
    /// What was shown.
    pub(crate) shown: Arc<Secret>,
}

/// As whom somebody asks.
#[derive(Clone)]
pub(crate) enum AsWhom {
    /// A person who has come in.
    Person(Session),
    /// A program, for a person, in one organization.
    Program { token: Token, actor: Actor },
}

/// A person who has come in. No token is one.
pub(crate) struct Person {
    pub(crate) session: Session,
    pub(crate) address: IpAddr,
    pub(crate) shown: Arc<Secret>,
}

impl Caller {
    /// The id of the person who asks, or for whom a program does.
    pub(crate) fn user(&self) -> &str {
        match &self.as_whom {
            AsWhom::Person(session) => &session.user,
            AsWhom::Program { token, .. } => &token.user,
        }
    }

    /// By what they are counted, and their requests known again.
    pub(crate) fn id(&self) -> &str {
        match &self.as_whom {
            AsWhom::Person(session) => &session.user,
            AsWhom::Program { token, .. } => &token.id,
        }
    }

    /// Lets them do something in an organization, or not, and from this address, or not. Whoever may not know that it is
    /// there learns neither that nor from where it is reached.
    pub(crate) async fn enter(
        &self,
        house: &House,
        organization: &str,
        action: Action,
    ) -> Result<(), Refusal> {
        let of = &house.parts.organizations;
        match &self.as_whom {
            AsWhom::Program { token, .. } if token.organization != organization => {
                return Err(unknown(organization));
            }
            AsWhom::Program { token, actor } => {
                if judge_token(actor, &token.scopes, action).is_err() {
                    // Once more by whoever writes it down.
                    house.parts.tokens.authorize(&self.shown, action).await?;
                }
            }
            AsWhom::Person(session) => {
                let actor = of.actor(&session.user, organization).await;
                if !matches!(&actor, Ok(actor) if judge(actor, action).is_ok()) {
                    let judged = of.authorize(&session.user, organization, action).await;
                    judged.map_err(|error| hide(error, organization))?;
                }
            }
        }
        let zones = of.zones(organization).await?;
        if zones.allow(Entrance::Api, self.address) { Ok(()) } else { Err(Fault::OutsideZone.into()) }
    }
}

/// That an organization is at home elsewhere is nothing for those who may not know that it is there; who may, sees its
/// region in the list of their organizations.
fn hide(error: Error, organization: &str) -> Refusal {
    match error {
        Error::OtherRegion { .. } => unknown(organization),
        error => error.into(),
    }
}

impl From<Person> for Caller {
    fn from(person: Person) -> Self {
        let Person { session, address, shown } = person;
        Self { address, as_whom: AsWhom::Person(session), shown }
    }
}

pub(crate) fn unknown(organization: &str) -> Refusal {
    Error::UnknownOrganization { organization: organization.to_owned() }.into()
}

impl FromRequestParts<House> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &House) -> Result<Self, Refusal> {
        // Put there by `authenticate`.
        parts.extensions.get::<Self>().cloned().ok_or_else(|| Fault::NotSignedIn.into())
    }
}

impl FromRequestParts<House> for Person {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, house: &House) -> Result<Self, Refusal> {
        let caller = <Caller as FromRequestParts<House>>::from_request_parts(parts, house).await?;
        match caller.as_whom {
            AsWhom::Person(session) => Ok(Self { session, address: caller.address, shown: caller.shown }),
            AsWhom::Program { .. } => {
                let (action, reason) = ("be_a_person".to_owned(), Reason::NeedsPerson);
                Err(Error::Denied { action, reason }.into())
            }
        }
    }
}
