//! Sends a request with its credentials, and once more when they were refused and could be renewed.

use std::borrow::Cow;
use std::sync::Arc;

use http::{Response, StatusCode};
use hyper::body::Incoming;

use crate::caps::Allowed;
use crate::credential::{Broker, Carried, Payload, Placed};
use crate::exchange::Exchange;
use crate::lease::Lease;
use crate::rebuild::{Head, Outgoing};
use crate::record::Record;
use crate::{Body, Client, Result};

/// The head of a response, and what it came over.
pub(crate) struct Delivered {
    pub(crate) response: Response<Incoming>,
    pub(crate) lease: Lease,
    pub(crate) exchange: Arc<Exchange>,
}

impl Client {
    /// Sends what was judged. Nothing of the request changes after its credentials were placed.
    pub(crate) async fn carry(
        &self,
        outgoing: Outgoing,
        timeouts: &Allowed,
        exchange: Arc<Exchange>,
        record: &mut Record,
    ) -> Result<Delivered> {
        let Outgoing { head, body, length } = outgoing;
        let chosen = self.shared.broker.as_ref().map(|broker| (broker, broker.chosen(&head)));
        let Some((broker, chosen)) = chosen.filter(|(_, chosen)| !chosen.is_empty()) else {
            let upload = self.upload(&head, body, length, &exchange).await?;
            let (response, lease) = self.deliver(head, upload, timeouts, &exchange, record).await?;
            return Ok(Delivered { response, lease, exchange });
        };
        let carrying = Carrying { client: self, broker, chosen: &chosen, length, timeouts };
        if !Broker::keeps(&chosen) {
            // Nobody will want the request again: nothing is kept of it.
            let (delivered, carried) = carrying.attempt(head, Sent::Once(body), exchange, record).await?;
            tell_clock(broker, &carried, &delivered.response);
            return Ok(delivered);
        }
        let payload = broker.keep(body, length);
        let kept = Sent::Kept(&payload);
        let (first, carried) = carrying.attempt(head.clone(), kept, exchange, record).await?;
        tell_clock(broker, &carried, &first.response);
        if first.response.status() != StatusCode::UNAUTHORIZED || !broker.is_renewed(&carried) {
            return Ok(first);
        }
        let exchange = Arc::clone(&first.exchange);
        // The refusal is of no use to anybody; its connection closes.
        drop(first);
        self.until(&exchange, broker.renew(&carried)).await?;
        if let Some(limit) = payload.kept.over() {
            return Err(broker.body_not_kept(&carried, limit).into());
        }
        let exchange = exchange.again();
        record.again(Arc::clone(&exchange));
        let (second, carried) = carrying.attempt(head, Sent::Kept(&payload), exchange, record).await?;
        if second.response.status() == StatusCode::UNAUTHORIZED {
            broker.was_useless(&carried);
        }
        Ok(second)
    }
}

/// A signature that a server finds too old or too early says nothing of clocks: the operator is told.
fn tell_clock(broker: &Broker, carried: &[Carried], response: &Response<Incoming>) {
    let is_refused = matches!(response.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
    if is_refused
        && broker.is_dated(carried)
        && let Some(differs_s) = broker.clock_differs(response.headers())
    {
        tracing::warn!(
            differs_s,
            "a signed request was refused, and the server's clock differs from this machine's"
        );
    }
}

/// What the attempts of one request share.
struct Carrying<'a> {
    client: &'a Client,
    broker: &'a Broker,
    chosen: &'a [Arc<Placed>],
    /// Of the body, where it is known.
    length: Option<u64>,
    timeouts: &'a Allowed,
}

/// The body of one attempt.
enum Sent<'a> {
    Once(Body),
    Kept(&'a Payload),
}

impl Carrying<'_> {
    async fn attempt(
        &self,
        mut head: Head,
        sent: Sent<'_>,
        exchange: Arc<Exchange>,
        record: &mut Record,
    ) -> Result<(Delivered, Vec<Carried>)> {
        let payload = match sent {
            Sent::Once(_) => None,
            Sent::Kept(payload) => Some(payload),
        };
        let placing = self.broker.place(self.chosen, &mut head, payload);
        let carried = self.client.until(&exchange, placing).await?;
        let names = names(&carried);
        head.target.origin.credentials = Some(names.as_ref().into());
        record.carries(names.into_owned());
        let body = match sent {
            Sent::Once(body) => body,
            Sent::Kept(payload) => payload.kept.again().map_err(|limit| self.broker.over(limit))?,
        };
        let upload = self.client.upload(&head, body, self.length, &exchange).await?;
        let (response, lease) = self.client.deliver(head, upload, self.timeouts, &exchange, record).await?;
        Ok((Delivered { response, lease, exchange }, carried))
    }
}

/// Under which names they are kept, in their order.
fn names(carried: &[Carried]) -> Cow<'_, str> {
    match carried {
        [one] => one.stored().into(),
        several => several.iter().map(Carried::stored).collect::<Vec<_>>().join(", ").into(),
    }
}
