//! What the API asks of connectors while somebody waits for the answer. They run in workers of their organization, as in a run,
//! and nothing of it is kept here.

mod fault;
mod tried;

use std::time::Duration;

use api::{Blame, Challenge, ChallengeAnswer, ConnectorFault, Connectors, Inspected};
use async_trait::async_trait;
use bytes::Bytes;
use control::CatalogStream;
use manifest::Role;
use records::Preview;
use worker::NotCompiled;

use super::{Agent, events};
use crate::problem::{Own, Problem};
use crate::sample::{Sample, Sampled, sampled};
use crate::units::now_ms;
use fault::{blamed, fault, unready};
use tried::Tried;

pub(super) use tried::shown;

/// A person waits, and most systems answer in a second.
const CHECK_TIME: Duration = Duration::from_secs(30);
/// Some systems have thousands of objects, which are looked at one by one.
const LOOK_TIME: Duration = Duration::from_secs(60);
/// Systems that ask wait for some seconds.
const CHALLENGE_TIME: Duration = Duration::from_secs(10);
/// Streams of one preview: more is nothing that anybody looks at.
const STREAMS_MAX: usize = 20;

#[async_trait]
impl Connectors for Agent {
    async fn inspect(&self, organization: &str, component: Bytes) -> Result<Inspected, ConnectorFault> {
        let bytes = Bytes::clone(&component);
        let read = tokio::task::spawn_blocking(move || runtime::Inspection::of(&bytes)).await;
        let read =
            read.map_err(|error| fault(Blame::Host, Problem::bug(format!("reading a component: {error}"))))?;
        let inspection = read.map_err(|error| fault(Blame::Caller, error.into()))?;
        let _turn = self.uploads.of(organization).await;
        let code = self.crews.compiler().code(&inspection, &component).await;
        code.map_err(|error| fault(whose_fault(&error), error.into()))?;
        Ok(Inspected { digest: inspection.digest, manifest: inspection.manifest_text })
    }

    async fn check(&self, organization: &str, connection: &str) -> Result<(), ConnectorFault> {
        within(CHECK_TIME, connection, async {
            let tried = Tried::connection(self, organization, connection).await.map_err(unready)?;
            let bound = &tried.part.connection;
            let checked = match tried.role {
                Role::Destination => bound.destination().map_err(wrong)?.check().await,
                Role::Transform => bound.transform().map_err(wrong)?.check().await,
                Role::Source => bound.source().map_err(wrong)?.check().await,
                // It reaches nobody before messages come.
                Role::Webhook => bound.webhook().map_err(wrong)?.discover().await.map(|_| ()),
            };
            checked.map_err(|failure| blamed(&failure))
        })
        .await
    }

    async fn discover(
        &self,
        organization: &str,
        connection: &str,
    ) -> Result<Vec<CatalogStream>, ConnectorFault> {
        within(LOOK_TIME, connection, async {
            let tried = Tried::connection(self, organization, connection).await.map_err(unready)?;
            let bound = &tried.part.connection;
            let found = match tried.role {
                Role::Webhook => events::catalog(&bound.webhook().map_err(wrong)?).await,
                _ => bound.source().map_err(wrong)?.discover().await,
            };
            let catalog = found.map_err(|failure| blamed(&failure))?;
            pipeline::secrets::refuse_in_schemas(&tried.part.connection.secrets(), "source", &catalog)
                .map_err(|error| fault(Blame::Connector, error.into()))?;
            Ok(catalog.streams.iter().map(shown).collect())
        })
        .await
    }

    async fn preview(
        &self,
        organization: &str,
        sync: &str,
        rows: usize,
    ) -> Result<Vec<Preview>, ConnectorFault> {
        within(LOOK_TIME, sync, async {
            let tried = tried::Sync::of(self, organization, sync).await.map_err(unready)?;
            let mut previews = Vec::new();
            for stream in tried.streams().await?.into_iter().take(STREAMS_MAX) {
                let sample = Sample::new(u32::try_from(rows).unwrap_or(u32::MAX));
                let report = sampled(&tried.opened, &stream, &sample).await.map_err(unready)?;
                let groups = report.groups.iter().filter_map(|group| group.error.as_ref());
                if let Some(error) = report.error.iter().chain(groups).next() {
                    return Err(fault::of_run(&error.error));
                }
                let at_ms = now_ms();
                let shown = |Sampled { schema, batches }| Preview { at_ms, schema, batches };
                previews.extend(sample.take().into_iter().map(shown));
            }
            Ok(previews)
        })
        .await
    }

    async fn answer_challenge(
        &self,
        organization: &str,
        sync: &str,
        challenge: Challenge,
    ) -> Result<ChallengeAnswer, ConnectorFault> {
        within(CHALLENGE_TIME, sync, async {
            let tried = Tried::webhook(self, organization, sync).await.map_err(unready)?;
            let Challenge { method, path, headers } = challenge;
            let challenge = runtime::Challenge { method, path, headers, body: Vec::new() };
            let webhook = tried.part.connection.webhook().map_err(wrong)?;
            let answered = webhook.answer_challenge(challenge).await.map_err(|failure| blamed(&failure))?;
            let runtime::ChallengeAnswer { status, headers, body } = answered;
            Ok(ChallengeAnswer { status, headers, body })
        })
        .await
    }
}

/// What was begun is broken off when its time is over: whoever waits is told, and its instance is dropped.
async fn within<T>(
    time: Duration,
    connection: &str,
    work: impl Future<Output = Result<T, ConnectorFault>>,
) -> Result<T, ConnectorFault> {
    let late = || Own::NoAnswer { connection: connection.to_owned(), seconds: time.as_secs() };
    tokio::time::timeout(time, work).await.unwrap_or_else(|_| Err(fault(Blame::System, late().into())))
}

/// A component that ends the process around its compiler is refused as one that the compiler refuses.
fn whose_fault(error: &NotCompiled) -> Blame {
    match error {
        NotCompiled::Refused { .. } | NotCompiled::Lost { .. } => Blame::Caller,
        _ => Blame::Host,
    }
}

fn wrong(error: runtime::Error) -> ConnectorFault {
    fault(Blame::Caller, error.into())
}
