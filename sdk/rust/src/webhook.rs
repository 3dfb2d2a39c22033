//! Turns messages that another system sends into rows.

use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use crate::{
    Catalog, Challenge, ChallengeAnswer, Message, Page, Result,
    bindings::webhook::exports::cofferdam::connector::webhook as exports, logging, parse_config,
};

/// A connector that understands messages. The host has received, checked and queued them before; the connector never
/// sees the secret of a signature.
///
/// ```
/// use std::time::Duration;
/// use cofferdam_sdk::{
///     Batch, Budget, Catalog, JsonLinesBuilder, Layout, Message, Operation, Page, PageBuilder, Result, Schema,
///     StreamInfo, StreamSchema, Webhook,
/// };
///
/// #[derive(serde::Deserialize)]
/// struct Config {}
///
/// struct Events;
///
/// fn schema() -> StreamSchema {
///     StreamSchema::new("events", Schema::open(), Layout::JsonLines)
/// }
///
/// impl Webhook for Events {
///     type Config = Config;
///
///     fn discover(_: &Config) -> Result<Catalog> {
///         Ok(Catalog::new([StreamInfo::new(schema())]))
///     }
///
///     fn rows(_: &Config, messages: Vec<Message>) -> Result<Page> {
///         let mut page = PageBuilder::unlimited();
///         let mut rows = JsonLinesBuilder::new();
///         for message in messages {
///             let pushed = std::str::from_utf8(&message.body).map(|body| rows.push_json(body));
///             if !matches!(pushed, Ok(Ok(()))) {
///                 page.reject_raw("events", message.body, "not_json", "the message is no JSON object");
///             }
///         }
///         page.add(Batch::new(&schema(), Operation::Insert, rows.finish()));
///         Ok(page.into_page())
///     }
/// }
///
/// cofferdam_sdk::export!(webhook = Events, manifest = "template/connector.toml");
///
/// let message = |sequence, body: &str| Message { sequence, headers: Vec::new(), body: body.into() };
/// let page = Events::rows(&Config {}, vec![message(1, r#"{"event": "opened"}"#), message(2, "oops")])?;
/// assert_eq!((page.batches[0].row_count(), page.rejects.len()), (1, 1));
/// # Ok::<(), cofferdam_sdk::Error>(())
/// ```
pub trait Webhook: 'static {
    /// The configuration. What does not fit it becomes a fault shown at its field.
    type Config: DeserializeOwned;

    /// What streams messages may become.
    fn discover(config: &Self::Config) -> Result<Catalog>;

    /// The rows of these messages. The page needs no checkpoint: the messages are numbered.
    fn rows(config: &Self::Config, messages: Vec<Message>) -> Result<Page>;

    /// Answer a request by which the other system asks whether the endpoint is ours. Pure: no HTTP, no files, a clock
    /// that stands still. By default there is none to answer: 404.
    fn answer_challenge(request: Challenge) -> Result<ChallengeAnswer> {
        let _ = request;
        Ok(ChallengeAnswer { status: 404, headers: Vec::new(), body: Vec::new() })
    }
}

/// Carries a [`Webhook`] over the contract.
#[doc(hidden)]
pub struct Exported<W>(PhantomData<W>);

impl<W: Webhook> exports::Guest for Exported<W> {
    fn discover(config: String) -> Result<Catalog> {
        logging::install();
        W::discover(&parse_config(&config)?)
    }

    fn rows(config: String, messages: Vec<Message>) -> Result<Page> {
        logging::install();
        W::rows(&parse_config(&config)?, messages)
    }

    fn answer_challenge(request: Challenge) -> Result<ChallengeAnswer> {
        logging::install();
        W::answer_challenge(request)
    }
}
