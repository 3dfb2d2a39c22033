//! The source of a reprocess: looks to the pipeline like any other.

use super::choice::Reprocess;
use super::reader::ReprocessReader;
use crate::error::Error;
use async_trait::async_trait;
use pipeline::connector::{Reader, Source};
use pipeline::failure::{Cause, Failure};
use pipeline::model::{Catalog, OpenRead, Pushdown, StreamInfo};
use std::sync::Arc;

pub(super) struct ReprocessSource(pub(super) Arc<Reprocess>);

#[async_trait]
impl Source for ReprocessSource {
    async fn check(&self) -> Result<(), Failure> {
        Ok(())
    }

    async fn discover(&self) -> Result<Catalog, Failure> {
        let streams = self.0.streams().await.map_err(|error| failure("discover", &error))?;
        let prefix = format!("{}/", self.0.sync);
        let info = |found: super::choice::FoundStream| StreamInfo {
            schema: found.schema.as_ref().clone(),
            group: Some(found.unit.strip_prefix(&prefix).unwrap_or(&found.unit).to_owned()),
            cursor_fields: Vec::new(),
            incremental: true,
            pushdown: Pushdown::default(),
            estimated_rows: None,
            description: None,
        };
        Ok(Catalog { streams: streams.into_values().map(info).collect(), groups: Vec::new() })
    }

    async fn open(&self, read: OpenRead) -> Result<Box<dyn Reader>, Failure> {
        let streams: Vec<String> = read.selections.iter().map(|selection| selection.stream.clone()).collect();
        let chunks = self.0.chunks(Some(&streams)).await.map_err(|error| failure("open", &error))?;
        streams.iter().for_each(|stream| self.0.plan.open(stream));
        Ok(Box::new(ReprocessReader::new(Arc::clone(&self.0), chunks, read.schemas)))
    }
}

/// Storage that cannot be read is the host's fault, and another attempt does not change it.
pub(super) fn failure(call: &str, error: &Error) -> Failure {
    Failure {
        cause: Cause::Host(format!("{error} ({})", error.code())),
        connector: "source".into(),
        call: call.into(),
        log_tail: Vec::new(),
        denials: Vec::new(),
    }
}
