//! The role `webhook` over a worker. What it brings is judged here once more, as in the other roles.

use manifest::Role;
use pipeline::failure::Failure;
use pipeline::model::{Catalog, Page, PageBudget, StreamSchema};
use pipeline::validate::{self, PageContext};
use runtime::{Challenge, ChallengeAnswer, Message};
use std::collections::BTreeMap;

use super::connection::Connection;
use super::roles::{other, violated};
use crate::message::{Brought, Call};

/// A connection whose connector understands messages.
pub struct Webhook(Connection);

impl Webhook {
    /// # Errors
    /// `runtime::Error::WrongRole` when the component is no webhook.
    pub fn new(connection: Connection) -> Result<Self, runtime::Error> {
        connection.plays(Role::Webhook)?;
        Ok(Self(connection))
    }

    /// What streams messages may become.
    ///
    /// # Errors
    /// A [`Failure`] of the connector, or of its worker.
    pub async fn discover(&self) -> Result<Catalog, Failure> {
        const CALL: &str = "webhook.discover";
        let served = self.0.served();
        let attached = self.0.attached(CALL).await?;
        let Brought::Catalog(catalog) = attached.call(served, Call::WebhookDiscover).await? else {
            return Err(other(&attached, served, CALL));
        };
        let judged = validate::catalog(&catalog, &served.limits.sizes());
        judged.map_err(|fault| violated(served, CALL, fault))?;
        Ok(catalog)
    }

    /// The rows of these messages, held against the streams' schemas; the last sequence number is the checkpoint.
    ///
    /// # Errors
    /// A [`Failure`] of the connector, or of its worker.
    pub async fn rows(&self, messages: Vec<Message>, schemas: &[StreamSchema]) -> Result<Page, Failure> {
        const CALL: &str = "webhook.rows";
        let served = self.0.served();
        let attached = self.0.attached(CALL).await?;
        let last = messages.last().map(|message| message.sequence.to_string());
        let call = Call::Rows { messages, schemas: schemas.to_vec() };
        let Brought::Page(mut page) = attached.call(served, call).await? else {
            return Err(other(&attached, served, CALL));
        };
        served.page(&mut page);
        page.checkpoint = last;
        let streams: BTreeMap<_, _> =
            schemas.iter().map(|schema| (schema.stream.clone(), schema.clone())).collect();
        let most = PageBudget { max_rows: u32::MAX, max_bytes: u32::MAX, deadline_ms: 0 };
        let budget = served.limits.within(most);
        let limits = served.limits.sizes();
        let judged = validate::page(&page, &PageContext { streams: &streams, budget, limits: &limits });
        judged.map_err(|fault| violated(served, CALL, fault))?;
        Ok(page)
    }

    /// Answers a challenge, in an instance that reaches nothing.
    ///
    /// # Errors
    /// A [`Failure`] of the connector, or of its worker.
    pub async fn answer_challenge(&self, challenge: Challenge) -> Result<ChallengeAnswer, Failure> {
        const CALL: &str = "webhook.answer-challenge";
        let served = self.0.served();
        let attached = self.0.attached(CALL).await?;
        match attached.call(served, Call::AnswerChallenge { challenge }).await? {
            Brought::Answer(answer) if (200..=599).contains(&answer.status) => Ok(answer),
            _ => Err(other(&attached, served, CALL)),
        }
    }
}
