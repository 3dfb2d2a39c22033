//! What the API asks of connectors.

use api::{Blame, ConnectorFault, Connectors, Inspected};
use async_trait::async_trait;
use bytes::Bytes;
use control::CatalogStream;
use records::Preview;

use super::Agent;
use crate::problem::Problem;

#[async_trait]
impl Connectors for Agent {
    async fn inspect(&self, component: Bytes) -> Result<Inspected, ConnectorFault> {
        let read = tokio::task::spawn_blocking(move || runtime::Inspection::of(&component)).await;
        let read =
            read.map_err(|error| fault(Blame::Host, Problem::bug(format!("reading a component: {error}"))))?;
        let inspection = read.map_err(|error| fault(Blame::Caller, error.into()))?;
        Ok(Inspected { digest: inspection.digest, manifest: inspection.manifest_text })
    }

    async fn check(&self, _: &str, _: &str) -> Result<(), ConnectorFault> {
        Err(fault(Blame::Host, Problem::bug("no connection is tried here yet")))
    }

    async fn discover(&self, _: &str, _: &str) -> Result<Vec<CatalogStream>, ConnectorFault> {
        Err(fault(Blame::Host, Problem::bug("no connection is looked into here yet")))
    }

    async fn preview(&self, _: &str, _: &str, _: usize) -> Result<Vec<Preview>, ConnectorFault> {
        Err(fault(Blame::Host, Problem::bug("no rows are shown here yet")))
    }
}

fn fault(blame: Blame, problem: Problem) -> ConnectorFault {
    let hint = problem.hints.first().map(|hint| hint.text.clone()).unwrap_or_default();
    let Problem { code, message, causes, .. } = problem;
    let message = std::iter::once(message).chain(causes).collect::<Vec<_>>().join(": ");
    ConnectorFault { blame, code, message, hint, retry_after_ms: None }
}
