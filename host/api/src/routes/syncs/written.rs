//! Syncs as people write them. The same as `sync.toml` says, with connections by their ids.

mod options;
mod schedule;
mod streams;

pub(crate) use schedule::WrittenSchedule;

use super::super::words;
use control::{SchemaChanges, SyncSpec};
use options::{WrittenRejects, WrittenRun};
use serde::{Deserialize, Serialize};
use streams::WrittenStream;
use utoipa::ToSchema;

/// What a sync does.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Sync)]
pub(crate) struct WrittenSync {
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// The connection from which rows come.
    source: String,
    /// The connections that change rows on their way, in this order.
    #[serde(default)]
    #[schema(max_items = 16)]
    transforms: Vec<String>,
    /// The connection to which rows go.
    destination: String,
    /// The streams that move; none: every stream of the source, appended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_items = 1)]
    streams: Option<Vec<WrittenStream>>,
    #[serde(default)]
    rejects: WrittenRejects,
    #[serde(default)]
    run: WrittenRun,
    /// What becomes of changes of the source's schema. A key or cursor that is lost pauses in any case.
    #[serde(default)]
    #[schema(schema_with = words::schema_changes)]
    schema_changes: SchemaChanges,
    /// When it is due; none: only when somebody or something starts it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    schedule: Option<WrittenSchedule>,
}

impl From<WrittenSync> for SyncSpec {
    fn from(written: WrittenSync) -> Self {
        let WrittenSync { name, source, transforms, destination, streams, .. } = written;
        let WrittenSync { rejects, run, schema_changes, schedule, .. } = written;
        Self {
            name,
            source,
            transforms,
            destination,
            streams: streams.map(|streams| streams.into_iter().map(Into::into).collect()),
            rejects: rejects.into(),
            run: run.into(),
            schema_changes,
            schedule: schedule.map(Into::into),
        }
    }
}

impl From<SyncSpec> for WrittenSync {
    fn from(spec: SyncSpec) -> Self {
        let SyncSpec { name, source, transforms, destination, streams, .. } = spec;
        let SyncSpec { rejects, run, schema_changes, schedule, .. } = spec;
        Self {
            name,
            source,
            transforms,
            destination,
            streams: streams.map(|streams| streams.into_iter().map(Into::into).collect()),
            rejects: rejects.into(),
            run: run.into(),
            schema_changes,
            schedule: schedule.map(Into::into),
        }
    }
}
