//! The source of a sync whose connector understands messages: looks to the pipeline like any other. It reads what waits at the
//! sync's event endpoint, in order, lets the connector make rows of it, and forgets what the destination has committed.
//!
//! The number of the last message is the checkpoint, and all streams are one read group: messages have one order.

mod aside;

use std::sync::Arc;

use async_trait::async_trait;
use control::{Endpoints, EventMessage};
use pipeline::connector::{Budget, Reader, Source};
use pipeline::failure::{Cause, Failure};
use pipeline::model::{
    Catalog, OpenRead, Page, PageBudget, Pushdown, RejectedRow, SourceReject, Step, StreamInfo, StreamSchema,
};
use runtime::Message;

use crate::bound::{Bound, Webhook};
use aside::{Giving, Rows};

const GROUP: &str = "events";

/// What waits at the event endpoint of a sync.
pub(super) struct Events {
    pub(super) endpoints: Arc<Endpoints>,
    pub(super) organization: String,
    pub(super) sync: String,
    pub(super) connection: Bound,
    pub(super) webhook: Webhook,
    /// The run is not tried again.
    pub(super) is_last: bool,
}

/// A source over it.
pub(super) struct EventSource(pub(super) Arc<Events>);

struct EventReader {
    events: Arc<Events>,
    /// Of every stream: a connector is not told which of them were chosen.
    schemas: Vec<StreamSchema>,
    chosen: Vec<String>,
    /// Up to which message all is read.
    after: u64,
    giving: Giving,
}

/// What messages become, as it is read here.
pub(super) async fn catalog(webhook: &Webhook) -> Result<Catalog, Failure> {
    let found = webhook.discover().await?;
    let read = |info: StreamInfo| StreamInfo {
        group: Some(GROUP.to_owned()),
        cursor_fields: Vec::new(),
        incremental: true,
        // Messages are what they are: the pipeline filters and leaves out fields itself.
        pushdown: Pushdown::default(),
        estimated_rows: None,
        ..info
    };
    Ok(Catalog { streams: found.streams.into_iter().map(read).collect(), groups: Vec::new() })
}

impl Events {
    fn failure(&self, call: &str, error: &control::Error) -> Failure {
        Failure {
            cause: Cause::Host(format!("{error} ({})", error.code())),
            connector: self.connection.name().to_owned(),
            call: call.to_owned(),
            log_tail: Vec::new(),
            denials: Vec::new(),
        }
    }
}

#[async_trait]
impl Source for EventSource {
    async fn check(&self) -> Result<(), Failure> {
        self.0.webhook.discover().await.map(|_| ())
    }

    async fn discover(&self) -> Result<Catalog, Failure> {
        catalog(&self.0.webhook).await
    }

    async fn open(&self, read: OpenRead) -> Result<Box<dyn Reader>, Failure> {
        let after = read.checkpoint.as_deref().and_then(|text| text.parse().ok()).unwrap_or(0);
        let mut reader = EventReader {
            events: Arc::clone(&self.0),
            schemas: catalog(&self.0.webhook).await?.streams.into_iter().map(|info| info.schema).collect(),
            chosen: read.selections.into_iter().map(|selection| selection.stream).collect(),
            after,
            giving: Giving::new(self.0.is_last),
        };
        // What a run before this one has committed and could not say so any more.
        reader.forget(after, "source.open").await?;
        Ok(Box::new(reader))
    }

    fn budget(&self) -> Budget {
        self.0.connection.budget()
    }
}

impl EventReader {
    async fn forget(&mut self, up_to: u64, call: &str) -> Result<(), Failure> {
        let Events { endpoints, organization, sync, .. } = self.events.as_ref();
        let forgotten = endpoints.committed(organization, sync, up_to).await;
        forgotten.map_err(|error| self.events.failure(call, &error))
    }

    /// The rows of the first of these messages.
    async fn page(&mut self, messages: &[EventMessage]) -> Result<Page, Failure> {
        let Self { events, schemas, chosen, giving, .. } = self;
        let stream = chosen.first().map_or("", String::as_str);
        giving.page(messages, stream, &Understanding { webhook: &events.webhook, schemas }).await
    }
}

/// The connector, and what it may make of messages.
struct Understanding<'a> {
    webhook: &'a Webhook,
    schemas: &'a [StreamSchema],
}

#[async_trait]
impl Rows for Understanding<'_> {
    async fn rows(&self, messages: &[EventMessage]) -> Result<Page, Failure> {
        self.webhook.rows(messages.iter().map(message).collect(), self.schemas).await
    }
}

#[async_trait]
impl Reader for EventReader {
    async fn next(&mut self, _budget: PageBudget) -> Result<Step, Failure> {
        let Events { endpoints, organization, sync, .. } = self.events.as_ref();
        let read = endpoints.read(organization, sync, self.after).await;
        let messages = read.map_err(|error| self.events.failure("reader.next", &error))?;
        if messages.is_empty() {
            return Ok(Step::End);
        }
        let page = self.page(&messages).await?;
        self.after = page.checkpoint.as_deref().and_then(|text| text.parse().ok()).unwrap_or(self.after);
        Ok(Step::Page(choose(page, &self.chosen)))
    }

    async fn committed(&mut self, checkpoint: String) -> Result<(), Failure> {
        match checkpoint.parse() {
            Ok(up_to) => self.forget(up_to, "reader.committed").await,
            Err(_) => Ok(()),
        }
    }

    fn budget(&self) -> Budget {
        self.events.connection.budget()
    }
}

fn message(waiting: &EventMessage) -> Message {
    let EventMessage { sequence, headers, body, .. } = waiting.clone();
    Message { sequence, headers, body }
}

/// What became of the page's messages in these streams. Rejects name batches by their places, which move.
fn choose(page: Page, chosen: &[String]) -> Page {
    let is_chosen = |stream: &String| chosen.contains(stream);
    let mut next = 0;
    let places: Vec<Option<u32>> = page
        .batches
        .iter()
        .map(|batch| {
            let place = is_chosen(&batch.stream).then_some(next);
            next += u32::from(place.is_some());
            place
        })
        .collect();
    let moved = |reject: SourceReject| {
        let row = match reject.row {
            RejectedRow::At { batch, row } => {
                let batch = places.get(usize::try_from(batch).ok()?).copied().flatten()?;
                RejectedRow::At { batch, row }
            }
            raw @ RejectedRow::Raw(_) => raw,
        };
        is_chosen(&reject.stream).then_some(SourceReject { row, ..reject })
    };
    Page {
        rejects: page.rejects.into_iter().filter_map(moved).collect(),
        batches: page.batches.into_iter().filter(|batch| is_chosen(&batch.stream)).collect(),
        ..page
    }
}

#[cfg(test)]
mod tests;
