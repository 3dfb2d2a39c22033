//! What happens in an organization, as it happens (Server-Sent Events): ids, states and counts.
//!
//! Whoever listens is looked at anew every few seconds, and hears no more once they may not: their session ended, their token
//! was revoked, they are no member any more or come from outside of the organization's ranges.

mod shown;

use crate::at::At;
use crate::authenticate::still;
use crate::caller::Caller;
use crate::house::House;
use crate::listeners::Place;
use crate::refusal::Refusal;
use axum::extract::State;
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use control::{Action, Listener};
use futures::stream::unfold;
use http::{HeaderMap, HeaderName};
use shown::{ShownEvent, event};
use std::collections::VecDeque;
use std::convert::Infallible;
use tokio::time::{Instant, Interval, interval_at};

const LAST_EVENT_ID: &str = "last-event-id";
/// Proxies that gather an answer before they pass it on are asked not to.
const NOT_GATHERED: (HeaderName, &str) = (HeaderName::from_static("x-accel-buffering"), "no");

/// Tells what happens to syncs and runs from now on, or from behind the event that `Last-Event-ID` names. The first event is
/// `here`, or `missed` where something has happened meanwhile that is told no more: then read anew what you have read before.
/// What an event says may be older than what a list says by now.
#[utoipa::path(get, path = "/v1/organizations/{organization}/live", tag = "runs",
    params(("organization" = String, Path, description = "The organization's id."),
        ("Last-Event-ID" = Option<String>, Header, description = "The `id` of the last event that was heard.")),
    responses((status = 200, content_type = "text/event-stream", body = ShownEvent,
        description = "Events without end, each with an `id`, and the `data` of this form.")))]
pub(crate) async fn listen(
    State(house): State<House>,
    caller: Caller,
    At(id): At<String>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    caller.enter(&house, &id, Action::ReadRuns).await?;
    let place = house.listeners.take(caller.id(), &house.options.limits)?;
    // What cannot be one of ours was not heard from here.
    let after = headers.get(LAST_EVENT_ID).map(|id| id.to_str().unwrap_or_default());
    let listener = house.parts.syncs.live().listen(&id, after);
    let look = house.options.limits.look;
    let looks = interval_at(Instant::now() + look, look);
    let pending = VecDeque::new();
    let listening = Listening { house, caller, organization: id, listener, looks, pending, _place: place };
    let events = unfold(listening, async |mut listening| {
        let event = listening.next().await?;
        Some((Ok::<_, Infallible>(event), listening))
    });
    Ok(([NOT_GATHERED], Sse::new(events)).into_response())
}

/// Somebody who listens.
struct Listening {
    house: House,
    caller: Caller,
    organization: String,
    listener: Listener,
    looks: Interval,
    /// Heard, and not told yet.
    pending: VecDeque<Event>,
    _place: Place,
}

impl Listening {
    /// The next event to tell; none: there is nothing more to hear for them.
    async fn next(&mut self) -> Option<Event> {
        let Self { house, listener, looks, pending, .. } = self;
        let heard = async {
            if pending.is_empty() {
                pending.extend(listener.next().await?.into_iter().map(event));
            }
            pending.pop_front()
        };
        tokio::select! {
            // Whoever is told more than they read is looked at too.
            biased;
            () = house.draining() => None,
            _ = looks.tick() => {
                // A sign of life, also for proxies that end what is quiet.
                self.may().await.then(|| Event::default().comment(""))
            }
            event = heard => event,
        }
    }

    async fn may(&self) -> bool {
        match still(&self.house, &self.caller).await {
            Ok(Some(caller)) => caller.enter(&self.house, &self.organization, Action::ReadRuns).await.is_ok(),
            Ok(None) | Err(_) => false,
        }
    }
}
