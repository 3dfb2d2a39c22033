//! A connection of a sync, wherever its instances are: in this process, or in a worker.

use std::sync::Arc;

use pipeline::connector;
use pipeline::connector::Budget;
use pipeline::failure::Failure;
use pipeline::model::{Catalog, Page, StreamSchema};
use runtime::{Challenge, ChallengeAnswer, Message};
use scrub::Watch;

/// A component bound to its configuration and rights.
#[derive(Clone)]
pub(crate) enum Bound {
    Here(runtime::Connection),
    InWorker(worker::Connection),
}

impl Bound {
    /// The connector's name.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Here(connection) => connection.name(),
            Self::InWorker(connection) => connection.name(),
        }
    }

    /// What it used so far of each limit.
    pub(crate) fn budget(&self) -> Budget {
        match self {
            Self::Here(connection) => connection.budget(),
            Self::InWorker(connection) => connection.budget(),
        }
    }

    /// The secrets that were placed for it so far.
    pub(crate) fn secrets(&self) -> Watch {
        match self {
            Self::Here(connection) => connection.secrets(),
            Self::InWorker(connection) => connection.secrets(),
        }
    }

    pub(crate) fn source(&self) -> Result<Arc<dyn connector::Source>, runtime::Error> {
        Ok(match self {
            Self::Here(connection) => Arc::new(runtime::Source::new(connection.clone())?),
            Self::InWorker(connection) => Arc::new(worker::Source::new(connection.clone())?),
        })
    }

    pub(crate) fn webhook(&self) -> Result<Webhook, runtime::Error> {
        Ok(match self {
            Self::Here(connection) => Webhook::Here(runtime::Webhook::new(connection.clone())?),
            Self::InWorker(connection) => Webhook::InWorker(worker::Webhook::new(connection.clone())?),
        })
    }

    pub(crate) fn transform(&self) -> Result<Arc<dyn connector::Transform>, runtime::Error> {
        Ok(match self {
            Self::Here(connection) => Arc::new(runtime::Transform::new(connection.clone())?),
            Self::InWorker(connection) => Arc::new(worker::Transform::new(connection.clone())?),
        })
    }

    pub(crate) fn destination(&self) -> Result<Arc<dyn connector::Destination>, runtime::Error> {
        Ok(match self {
            Self::Here(connection) => Arc::new(runtime::Destination::new(connection.clone())?),
            Self::InWorker(connection) => Arc::new(worker::Destination::new(connection.clone())?),
        })
    }
}

/// A connector that understands messages.
pub(crate) enum Webhook {
    Here(runtime::Webhook),
    InWorker(worker::Webhook),
}

impl Webhook {
    pub(crate) async fn discover(&self) -> Result<Catalog, Failure> {
        match self {
            Self::Here(webhook) => webhook.discover().await,
            Self::InWorker(webhook) => webhook.discover().await,
        }
    }

    pub(crate) async fn rows(
        &self,
        messages: Vec<Message>,
        schemas: &[StreamSchema],
    ) -> Result<Page, Failure> {
        match self {
            Self::Here(webhook) => webhook.rows(messages, schemas).await,
            Self::InWorker(webhook) => webhook.rows(messages, schemas).await,
        }
    }

    pub(crate) async fn answer_challenge(&self, challenge: Challenge) -> Result<ChallengeAnswer, Failure> {
        match self {
            Self::Here(webhook) => webhook.answer_challenge(challenge).await,
            Self::InWorker(webhook) => webhook.answer_challenge(challenge).await,
        }
    }
}
