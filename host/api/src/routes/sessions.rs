//! One's own sessions.

use crate::at::At;
use crate::body::Told;
use crate::caller::Person;
use crate::house::House;
use crate::page::{Page, PageQuery, Queried};
use crate::refusal::Refusal;
use axum::extract::State;
use control::Session;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

/// A session.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShownSession {
    id: String,
    created_ms: u64,
    /// When it was used last, to the minute.
    seen_ms: u64,
    /// From where it was begun.
    address: String,
    /// Whether it is the one that asks.
    is_this: bool,
}

/// How many sessions were ended.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Ended {
    ended: usize,
}

impl ShownSession {
    pub(crate) fn of(session: Session, is_this: bool) -> Self {
        let Session { id, created_ms, seen_ms, address, .. } = session;
        Self { id, created_ms, seen_ms, address: address.to_string(), is_this }
    }
}

/// Lists one's sessions.
#[utoipa::path(get, path = "/v1/sessions", tag = "people", params(PageQuery),
    responses((status = 200, body = Page<ShownSession>)))]
pub(crate) async fn list(
    State(house): State<House>,
    person: Person,
    Queried(query): Queried<PageQuery>,
) -> Result<Told<Page<ShownSession>>, Refusal> {
    let cut = query.cut("sessions")?;
    let all = house.parts.sessions.list(&person.session.user).await?;
    let page = Page::of("sessions", &cut, all, |session| &session.id);
    let show = |session: Session| {
        let is_this = session.id == person.session.id;
        ShownSession::of(session, is_this)
    };
    Ok(Told(StatusCode::OK, page.map(show)))
}

/// Ends one of one's sessions.
#[utoipa::path(delete, path = "/v1/sessions/{session}", tag = "people",
    params(("session" = String, Path, description = "The session's id.")), responses((status = 204)))]
pub(crate) async fn end(
    State(house): State<House>,
    person: Person,
    At(session): At<String>,
) -> Result<StatusCode, Refusal> {
    house.parts.sessions.revoke(&person.session.user, &session).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends every other of one's sessions.
#[utoipa::path(delete, path = "/v1/sessions", tag = "people", responses((status = 200, body = Ended)))]
pub(crate) async fn end_others(State(house): State<House>, person: Person) -> Result<Told<Ended>, Refusal> {
    let session = &person.session;
    let ended = house.parts.sessions.revoke_all(&session.user, Some(&session.id)).await?;
    Ok(Told(StatusCode::OK, Ended { ended }))
}
