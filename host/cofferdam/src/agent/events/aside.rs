//! Gives messages to a connector: many in one call, and fewer where that fails. A message on which it fails by itself holds up
//! none of those behind it: after some tries it is set aside, as a row that was rejected.

use async_trait::async_trait;
use control::EventMessage;
use pipeline::failure::{Cause, Failure, GuestError};
use pipeline::model::{Page, RejectedRow, SourceReject};

/// A connector that fails on a message does so each time, unless it asks others. Queues elsewhere begin with as many.
const TRIES: u32 = 3;
const CODE: &str = "message_failed";

/// A connector that makes rows of messages, in a fresh instance for each call.
#[async_trait]
pub(super) trait Rows: Sync {
    async fn rows(&self, messages: &[EventMessage]) -> Result<Page, Failure>;
}

/// How many messages a connector gets.
pub(super) struct Giving {
    /// The rows of more are too many for a page.
    fits: usize,
    /// One of more failed the call. Rises again behind it.
    at_once: usize,
    /// The run is not tried again: what may pass by itself has had its time.
    is_last: bool,
}

/// What a call failed by.
enum Blame {
    /// By what it was given.
    Message,
    /// Perhaps by what it was given, perhaps by something that passes.
    Passing,
    /// By something that no message brings about.
    Other,
}

impl Giving {
    pub(super) fn new(is_last: bool) -> Self {
        Self { fits: usize::MAX, at_once: usize::MAX, is_last }
    }

    /// The rows of the first of these messages, or that it was set aside. `stream`: where it is shown then.
    pub(super) async fn page(
        &mut self,
        messages: &[EventMessage],
        stream: &str,
        connector: &impl Rows,
    ) -> Result<Page, Failure> {
        let mut tries = 0;
        loop {
            let count = messages.len().min(self.fits).min(self.at_once);
            let failure = match connector.rows(messages.get(..count).unwrap_or_default()).await {
                Ok(page) => {
                    self.at_once = self.at_once.saturating_mul(2);
                    return Ok(page);
                }
                Err(failure) => failure,
            };
            let blame = blame(&failure.cause);
            match (messages, blame) {
                _ if count > 1 && is_over_a_page(&failure) => self.fits = count / 2,
                (_, Blame::Other) => return Err(failure),
                (_, Blame::Passing) if !self.is_last => return Err(failure),
                _ if count > 1 => self.at_once = count / 2,
                ([first, behind @ ..], blame) => {
                    tries += 1;
                    if tries < TRIES {
                        continue;
                    }
                    // While the one behind it fails as well, it is not this one.
                    let next = behind.get(..1);
                    if matches!(blame, Blame::Passing) && !goes_through(connector, next).await {
                        return Err(failure);
                    }
                    return Ok(set_aside(first, stream, &failure));
                }
                ([], _) => return Err(failure),
            }
        }
    }
}

async fn goes_through(connector: &impl Rows, message: Option<&[EventMessage]>) -> bool {
    let Some(message) = message else { return false };
    connector.rows(message).await.is_ok()
}

fn set_aside(message: &EventMessage, stream: &str, failure: &Failure) -> Page {
    let (sequence, code) = (message.sequence, failure.code());
    // The guest's stack stands in the lines behind it.
    let why = failure.cause.to_string();
    let why = why.lines().next().unwrap_or_default();
    tracing::warn!(connector = failure.connector, sequence, code, "a message was set aside");
    let reject = SourceReject {
        stream: stream.to_owned(),
        row: RejectedRow::Raw(message.body.clone()),
        code: CODE.to_owned(),
        message: format!("message {sequence} failed {TRIES} times ({code}): {why}"),
        retryable: false,
    };
    Page {
        batches: Vec::new(),
        rejects: vec![reject],
        checkpoint: Some(sequence.to_string()),
        transaction_end: false,
    }
}

fn blame(cause: &Cause) -> Blame {
    match cause {
        Cause::Guest(GuestError::Data(_) | GuestError::Bug(_))
        | Cause::Trap { .. }
        | Cause::Limit { .. }
        | Cause::Contract(_) => Blame::Message,
        Cause::Guest(GuestError::Transient { .. }) => Blame::Passing,
        Cause::Guest(_)
        | Cause::Load { .. }
        | Cause::Cassette { .. }
        | Cause::NoRoom(_)
        | Cause::OutOfMemory(_)
        // Another connector of the organization may have taken it along; what does so three times is quarantined.
        | Cause::WorkerLost(_)
        | Cause::Quarantined(_)
        | Cause::Host(_)
        | Cause::Stopped => Blame::Other,
    }
}

fn is_over_a_page(failure: &Failure) -> bool {
    matches!(&failure.cause, Cause::Limit { name, .. } if name == "page_rows" || name == "page_bytes")
}

#[cfg(test)]
mod tests;
