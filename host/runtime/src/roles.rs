//! The roles of a connector, whatever version of the contract it speaks.

mod webhook;

pub(crate) use webhook::WebhookPort;
pub use webhook::{Challenge, ChallengeAnswer, Message};

use crate::connection::Connection;
use crate::error::Error;
use async_trait::async_trait;
use manifest::Role;
use pipeline::connector::{self, Budget, Reader, Transformer, Writer};
use pipeline::failure::Failure;
use pipeline::model::{Catalog, OpenRead, Page, StreamSchema, TransformPlan};

/// A connection whose connector is a source.
pub struct Source(Box<dyn connector::Source>);

impl Source {
    /// # Errors
    /// [`Error::WrongRole`] when the component is no source.
    pub fn new(connection: Connection) -> Result<Self, Error> {
        Ok(Self(connection.linked_as(Role::Source)?.source(connection)))
    }
}

#[async_trait]
impl connector::Source for Source {
    async fn check(&self) -> Result<(), Failure> {
        self.0.check().await
    }

    async fn discover(&self) -> Result<Catalog, Failure> {
        self.0.discover().await
    }

    async fn open(&self, read: OpenRead) -> Result<Box<dyn Reader>, Failure> {
        self.0.open(read).await
    }

    fn budget(&self) -> Budget {
        self.0.budget()
    }
}

/// A connection whose connector is a destination.
pub struct Destination(Box<dyn connector::Destination>);

impl Destination {
    /// # Errors
    /// [`Error::WrongRole`] when the component is no destination.
    pub fn new(connection: Connection) -> Result<Self, Error> {
        Ok(Self(connection.linked_as(Role::Destination)?.destination(connection)))
    }
}

#[async_trait]
impl connector::Destination for Destination {
    async fn check(&self) -> Result<(), Failure> {
        self.0.check().await
    }

    async fn open(&self, unit: String, fence: Option<u64>) -> Result<Box<dyn Writer>, Failure> {
        self.0.open(unit, fence).await
    }

    fn budget(&self) -> Budget {
        self.0.budget()
    }
}

/// A connection whose connector is a transform.
pub struct Transform(Box<dyn connector::Transform>);

impl Transform {
    /// # Errors
    /// [`Error::WrongRole`] when the component is no transform.
    pub fn new(connection: Connection) -> Result<Self, Error> {
        Ok(Self(connection.linked_as(Role::Transform)?.transform(connection)))
    }
}

#[async_trait]
impl connector::Transform for Transform {
    async fn check(&self) -> Result<(), Failure> {
        self.0.check().await
    }

    async fn plan(&self, inputs: Vec<StreamSchema>) -> Result<TransformPlan, Failure> {
        self.0.plan(inputs).await
    }

    async fn open(
        &self,
        inputs: Vec<StreamSchema>,
        outputs: Vec<StreamSchema>,
    ) -> Result<Box<dyn Transformer>, Failure> {
        self.0.open(inputs, outputs).await
    }

    fn budget(&self) -> Budget {
        self.0.budget()
    }
}

/// A connection whose connector understands messages.
pub struct Webhook(Box<dyn WebhookPort>);

impl Webhook {
    /// # Errors
    /// [`Error::WrongRole`] when the component is no webhook.
    pub fn new(connection: Connection) -> Result<Self, Error> {
        Ok(Self(connection.linked_as(Role::Webhook)?.webhook(connection)))
    }

    /// What streams messages may become.
    ///
    /// # Errors
    /// A [`Failure`] of the connector.
    pub async fn discover(&self) -> Result<Catalog, Failure> {
        self.0.discover().await
    }

    /// The rows of these messages, held against the streams' schemas. The sequence number of the last message takes the place
    /// of whatever checkpoint the page carries.
    ///
    /// # Errors
    /// A [`Failure`] of the connector.
    pub async fn rows(&self, messages: Vec<Message>, schemas: &[StreamSchema]) -> Result<Page, Failure> {
        self.0.rows(messages, schemas).await
    }

    /// Answer a challenge, in an instance that reaches nothing and whose clocks and randomness stand still.
    ///
    /// # Errors
    /// A [`Failure`] of the connector.
    pub async fn answer_challenge(&self, challenge: Challenge) -> Result<ChallengeAnswer, Failure> {
        self.0.answer_challenge(challenge).await
    }
}
