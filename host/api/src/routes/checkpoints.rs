//! Where a sync goes on: seen, edited, reset. Changed only while it does not run, and only by who repeats which sync is meant.

use super::of_sync::{OfSync, group, or_nothing, unit};
use crate::at::At;
use crate::body::{Sent, Told, sent_within};
use crate::caller::Caller;
use crate::etag::{Tag, tagged};
use crate::fault::Fault;
use crate::house::House;
use crate::page::{Page, PageQuery, Queried, write_cursor};
use crate::refusal::Refusal;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use control::{Act, Action, Event};
use http::{HeaderMap, StatusCode};
use records::{SealedRecords, UnitPosition};
use shown::{PositionEdit, PositionReset, ShownChange, ShownPosition, WasReset};

pub(crate) mod shown;

/// A position has 4 MiB, as the contract says. As a text within JSON each byte may take three: a quotation mark takes two, and
/// who writes ASCII alone writes six for a letter of two.
const POSITION_BODY_BYTES_MAX: usize = 3 * (4 << 20) + 1024;

/// Lists where the read groups of a sync stand. A long position is shown alone.
#[utoipa::path(get, path = "/v1/organizations/{organization}/syncs/{sync}/checkpoints", tag = "checkpoints",
    params(("organization" = String, Path, description = "The organization's id."),
        ("sync" = String, Path, description = "The sync's id."), PageQuery),
    responses((status = 200, body = Page<ShownPosition>)))]
pub(crate) async fn list(
    State(house): State<House>,
    caller: Caller,
    At(at): At<(String, String)>,
    Queried(query): Queried<PageQuery>,
) -> Result<Told<Page<ShownPosition>>, Refusal> {
    let of = OfSync::enter(&house, &caller, at, &[Action::ReadPositions]).await?;
    let name = of.list("checkpoints");
    let cut = query.cut(&name)?;
    let units = or_nothing(of.records.checkpoints(&of.sync).await)?;
    let page = Page::of(&name, &cut, units, |known| &known.unit);
    Ok(Told(StatusCode::OK, page.map(|known| ShownPosition::of(&of.sync, known).short())))
}

/// Shows where a read group stands.
#[utoipa::path(get, path = "/v1/organizations/{organization}/syncs/{sync}/checkpoints/groups/{group}",
    tag = "checkpoints",
    params(("organization" = String, Path, description = "The organization's id."),
        ("sync" = String, Path, description = "The sync's id."),
        ("group" = String, Path, description = "The read group.")),
    responses((status = 200, body = ShownPosition, headers(("ETag" = String)))))]
pub(crate) async fn show(
    State(house): State<House>,
    caller: Caller,
    At((organization, sync, group)): At<(String, String, String)>,
) -> Result<Response, Refusal> {
    let of = OfSync::enter(&house, &caller, (organization, sync), &[Action::ReadPositions]).await?;
    let known = find(&of, &group).await?;
    Ok(answer(&of, known))
}

/// Sets the position of a read group: the next run goes on from there.
#[utoipa::path(put, path = "/v1/organizations/{organization}/syncs/{sync}/checkpoints/groups/{group}",
    tag = "checkpoints",
    params(("organization" = String, Path, description = "The organization's id."),
        ("sync" = String, Path, description = "The sync's id."),
        ("group" = String, Path, description = "The read group.")), request_body = PositionEdit,
    responses((status = 200, body = ShownPosition, headers(("ETag" = String)))))]
pub(crate) async fn edit(
    State(house): State<House>,
    caller: Caller,
    At((organization, sync, group)): At<(String, String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let actions = [Action::EditPositions, Action::ReadPositions];
    let of = OfSync::enter(&house, &caller, (organization, sync), &actions).await?;
    // Before the body is read: it may be large.
    let sent: PositionEdit = sent_within(&headers, body, &house, POSITION_BODY_BYTES_MAX).await?;
    confirmed(&of, &sent.confirm)?;
    SealedRecords::check_position(&sent.position)?;
    let seen = find(&of, &group).await?.position;
    Tag::of(&seen).ok_or(Fault::Internal)?.expect(&headers)?;
    let event = Event::done(Act::PositionEdited, caller.id(), &of.sync);
    let unit = unit(&of.sync, &group);
    let deed = of.records.edit_checkpoint_seen(&of.sync, &unit, &sent.position, &seen);
    of.act(&house, event.detail("group", &*group), deed).await?;
    let known = find(&of, &group).await?;
    Ok(answer(&of, known))
}

/// Forgets positions: the next run reads from the start. A position belongs to all streams of its read group.
#[utoipa::path(post, path = "/v1/organizations/{organization}/syncs/{sync}/checkpoints/reset",
    tag = "checkpoints",
    params(("organization" = String, Path, description = "The organization's id."),
        ("sync" = String, Path, description = "The sync's id.")), request_body = PositionReset,
    responses((status = 200, body = WasReset)))]
pub(crate) async fn reset(
    State(house): State<House>,
    caller: Caller,
    At(at): At<(String, String)>,
    Sent(sent): Sent<PositionReset>,
) -> Result<Told<WasReset>, Refusal> {
    let of = OfSync::enter(&house, &caller, at, &[Action::EditPositions]).await?;
    confirmed(&of, &sent.confirm)?;
    let unit = wanted(&of, &sent).await?;
    let event = Event::done(Act::PositionsReset, caller.id(), &of.sync);
    let which = unit.as_ref().map_or("every", |unit| group(&of.sync, unit));
    let deed = async { or_nothing(of.records.reset_checkpoint(&of.sync, unit.as_deref()).await) };
    let units = of.act(&house, event.detail("group", which), deed).await?;
    let reset = units.iter().map(|unit| group(&of.sync, unit).to_owned()).collect();
    Ok(Told(StatusCode::OK, WasReset { reset }))
}

/// Lists what people did to positions of a sync, the oldest first.
#[utoipa::path(get, path = "/v1/organizations/{organization}/syncs/{sync}/checkpoints/changes",
    tag = "checkpoints",
    params(("organization" = String, Path, description = "The organization's id."),
        ("sync" = String, Path, description = "The sync's id."), PageQuery),
    responses((status = 200, body = Page<ShownChange>)))]
pub(crate) async fn changes(
    State(house): State<House>,
    caller: Caller,
    At(at): At<(String, String)>,
    Queried(query): Queried<PageQuery>,
) -> Result<Told<Page<ShownChange>>, Refusal> {
    let of = OfSync::enter(&house, &caller, at, &[Action::ReadPositions]).await?;
    let name = of.list("position changes");
    let cut = query.cut(&name)?;
    let skip = match cut.after.map(|after| after.parse::<usize>()) {
        None => 0,
        Some(Ok(skip)) => skip,
        Some(Err(_)) => return Err(Fault::BadCursor.into()),
    };
    // They are kept for good and only become more.
    let all = of.records.position_changes(&of.sync).await?;
    let end = skip.saturating_add(cut.limit);
    let next = (end < all.len()).then(|| write_cursor(&name, &end.to_string()));
    let some = all.into_iter().skip(skip).take(cut.limit);
    let items = some.map(|change| ShownChange::of(&of.sync, change)).collect();
    Ok(Told(StatusCode::OK, Page { items, next }))
}

fn answer(of: &OfSync, known: UnitPosition) -> Response {
    let tag = Tag::of(&known.position);
    tagged(tag, Told(StatusCode::OK, ShownPosition::of(&of.sync, known)))
}

/// What cannot be undone is not done by a request that was meant for another sync.
fn confirmed(of: &OfSync, confirm: &str) -> Result<(), Fault> {
    if confirm == of.sync {
        return Ok(());
    }
    let message = "expected the id of the sync, which says that it is meant".to_owned();
    Err(Fault::BadBody { place: "`confirm`".to_owned(), message })
}

async fn find(of: &OfSync, group: &str) -> Result<UnitPosition, Refusal> {
    let wanted = unit(&of.sync, group);
    let units = or_nothing(of.records.checkpoints(&of.sync).await)?;
    let found = units.into_iter().find(|known| known.unit == wanted);
    found.ok_or_else(|| unknown("read group", group).into())
}

/// The unit that is meant; none: all.
async fn wanted(of: &OfSync, sent: &PositionReset) -> Result<Option<String>, Refusal> {
    match (&sent.group, &sent.stream, sent.all) {
        (None, None, true) => Ok(None),
        (Some(group), None, false) => Ok(Some(find(of, group).await?.unit)),
        (None, Some(stream), false) => {
            let units = or_nothing(of.records.checkpoints(&of.sync).await)?;
            let found = units.into_iter().find(|known| known.streams.contains_key(stream));
            Ok(Some(found.ok_or_else(|| unknown("stream", stream))?.unit))
        }
        _ => {
            let message = "expected one of `group`, `stream` and `all: true`".to_owned();
            Err(Fault::BadBody { place: "the body".to_owned(), message }.into())
        }
    }
}

fn unknown(what: &'static str, name: &str) -> control::Error {
    control::Error::UnknownObject { what, id: name.to_owned() }
}
