//! What a sync does, as people write it, and as a run gets it: the same as `sync.toml` says, with connections by their ids.

use super::Syncs;
use crate::error::Error;
use crate::schedules::ScheduleSpec;
use manifest::{Rejects, RunOptions, StreamSelection, SyncFile};
use serde::{Deserialize, Serialize};

/// What a sync does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SyncSpec {
    /// What people call it.
    pub name: String,
    /// The connection from which rows come.
    pub source: String,
    /// The connections that change them on their way, in this order.
    #[serde(default)]
    pub transforms: Vec<String>,
    /// The connection to which they go.
    pub destination: String,
    /// The streams that move; none: every stream of the source, appended.
    #[serde(default)]
    pub streams: Option<Vec<StreamSelection>>,
    /// What becomes of rejected rows.
    #[serde(default)]
    pub rejects: Rejects,
    /// How a run goes.
    #[serde(default)]
    pub run: RunOptions,
    /// What becomes of changes of the source's schema.
    #[serde(default)]
    pub schema_changes: SchemaChanges,
    /// When it is due; none: only when somebody or something starts it.
    #[serde(default)]
    pub schedule: Option<ScheduleSpec>,
}

/// What becomes of changes of the source's schema. A key or cursor that is lost pauses in any case.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SchemaChanges {
    /// New fields move too.
    Propagate,
    /// New fields stay where they are.
    Ignore,
    /// The sync pauses until somebody has looked.
    #[default]
    Pause,
}

impl Syncs {
    /// What a run of this sync is to do, as a document would say it. Its connectors are named by the digests of their
    /// components: where those lie is known by whoever runs them. Of the rights there are those that an admin consented to,
    /// and of the credentials those that were entered for what is asked now.
    ///
    /// # Errors
    /// [`Error::UnknownObject`], [`Error::DirectoryNotOffered`], or when storage cannot be read.
    pub async fn run_file(&self, organization: &str, id: &str) -> Result<(SyncFile, SchemaChanges), Error> {
        let (_, spec) = self.whole(organization, id).await?;
        let source = self.end(organization, &spec.source, "source").await?;
        let destination = self.end(organization, &spec.destination, "destination").await?;
        let mut transforms = Vec::new();
        for (index, transform) in spec.transforms.iter().enumerate() {
            transforms.push(self.end(organization, transform, &format!("transform-{}", index + 1)).await?);
        }
        let SyncSpec { streams, rejects, run, schema_changes, .. } = spec;
        let name = id.to_owned();
        Ok((SyncFile { name, source, transforms, destination, streams, rejects, run }, schema_changes))
    }

    async fn end(&self, organization: &str, id: &str, name: &str) -> Result<manifest::Connection, Error> {
        let connection = self.connections.read(organization, id).await?;
        self.connections.document(organization, connection, name)
    }
}
