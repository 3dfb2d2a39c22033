//! The role `webhook`: messages become a page; challenges are answered in a world that stands still.

use super::bindings::streams;
use super::bindings::webhook::{self as guest, Guest};
use super::{Linked, from_guest, no_role};
use crate::connection::Connection;
use crate::imports::wasi::World;
use crate::instance::{Instance, Opening, Refused};
use crate::roles::{Challenge, ChallengeAnswer, Message, WebhookPort};
use crate::state::State;
use async_trait::async_trait;
use pipeline::failure::Failure;
use pipeline::model::{Catalog, Page, PageBudget, StreamSchema};
use pipeline::validate::{self, PageContext};
use std::collections::BTreeMap;
use std::sync::Arc;
use wasmtime::Store;

/// A connection whose connector understands messages.
pub(super) struct Webhook {
    pub(super) connection: Connection,
    pub(super) linked: Arc<Linked>,
}

impl Webhook {
    async fn instance(&self, call: &'static str, world: World) -> Result<Instance<Guest>, Failure> {
        let linked = self.linked.clone();
        let opening = Opening { call, about: String::new(), world };
        Instance::new(&self.connection, opening, move |store| {
            Box::pin(async move { Ok(Ok(instantiate(&linked, store).await?)) })
        })
        .await
    }
}

#[async_trait]
impl WebhookPort for Webhook {
    async fn discover(&self) -> Result<Catalog, Failure> {
        const CALL: &str = "webhook.discover";
        let mut instance = self.instance(CALL, World::Real).await?;
        let connection = self.connection.clone();
        instance
            .call(CALL, move |live| {
                Box::pin(async move {
                    let found = live.role.call_discover(&mut live.store, &connection.inner.config).await?;
                    let found = found.map_err(|error| connection.guest_error(error));
                    Ok(found.and_then(|found| connection.catalog(found)))
                })
            })
            .await
    }

    async fn rows(&self, messages: Vec<Message>, schemas: &[StreamSchema]) -> Result<Page, Failure> {
        const CALL: &str = "webhook.rows";
        let mut instance = self.instance(CALL, World::Real).await?;
        let connection = self.connection.clone();
        let last = messages.last().map(|message| message.sequence.to_string());
        let streams = schemas.iter().map(|schema| (schema.stream.clone(), schema.clone())).collect();
        instance
            .call(CALL, move |live| {
                Box::pin(async move {
                    let headers: Vec<_> = messages.iter().map(|message| lend(&message.headers)).collect();
                    let parts = messages.iter().zip(&headers);
                    let params: Vec<_> = parts
                        .map(|(message, headers)| guest::Message {
                            sequence: message.sequence,
                            headers,
                            body: &message.body,
                        })
                        .collect();
                    let page =
                        live.role.call_rows(&mut live.store, &connection.inner.config, &params).await?;
                    let page = page.map_err(|error| connection.guest_error(error));
                    Ok(page.and_then(|page| judged(page, last, &streams, &connection)))
                })
            })
            .await
    }

    async fn answer_challenge(&self, challenge: Challenge) -> Result<ChallengeAnswer, Failure> {
        const CALL: &str = "webhook.answer-challenge";
        let mut instance = self.instance(CALL, World::Still).await?;
        let connection = self.connection.clone();
        instance
            .call(CALL, move |live| {
                Box::pin(async move {
                    let headers = lend(&challenge.headers);
                    let request = guest::Challenge {
                        method: &challenge.method,
                        path: &challenge.path,
                        headers: &headers,
                        body: &challenge.body,
                    };
                    let answer = live.role.call_answer_challenge(&mut live.store, request).await?;
                    Ok(answer.map_err(|error| connection.guest_error(error)).and_then(|answer| {
                        if (200..=599).contains(&answer.status) {
                            let guest::ChallengeAnswer { status, headers, body } = answer;
                            return Ok(ChallengeAnswer { status, headers, body });
                        }
                        Err(connection.broken(&format!("{} is no status of an answer", answer.status)))
                    }))
                })
            })
            .await
    }
}

/// A page of the messages up to this one, once it is as the contract wants it.
fn judged(
    page: streams::Page,
    last: Option<String>,
    streams: &BTreeMap<String, StreamSchema>,
    connection: &Connection,
) -> Result<Page, Refused> {
    let meter = &connection.inner.meter;
    let mut page = from_guest::page(page, meter).map_err(|what| connection.broken(&what))?;
    page.checkpoint = last;
    meter.peaks.page(&page);
    let limits = connection.inner.grants.limits.sizes();
    let most = |limit: u64| u32::try_from(limit).unwrap_or(u32::MAX);
    let budget = PageBudget {
        max_rows: most(meter.limits.page_rows),
        max_bytes: most(meter.limits.page_bytes),
        deadline_ms: 0,
    };
    validate::page(&page, &PageContext { streams, budget, limits: &limits })?;
    Ok(page)
}

async fn instantiate(linked: &Linked, store: &mut Store<State>) -> wasmtime::Result<Guest> {
    let indices = linked.webhook.as_ref().ok_or_else(no_role)?;
    let instance = linked.pre.instantiate_async(&mut *store).await?;
    indices.load(&mut *store, &instance)
}

fn lend(headers: &[(String, String)]) -> Vec<(&str, &str)> {
    headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}
