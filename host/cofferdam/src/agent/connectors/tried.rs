//! A connection or a sync that is only looked into: its connectors are made ready as for a run.

use std::sync::Arc;

use api::ConnectorFault;
use control::{CatalogField, CatalogStream};
use manifest::Role;
use measures::Measures;
use pipeline::model::StreamInfo;

use super::fault::blamed;
use crate::agent::reins::Reins;
use crate::agent::{Agent, figures};
use crate::document::{Document, Place, config_problem};
use crate::host::Host;
use crate::opened::Opened;
use crate::part::{Loaded, Part};
use crate::problem::Problems;

/// The name that a connection has here, where no sync gives it one.
const NAME: &str = "connection";

/// One connection.
pub(super) struct Tried {
    pub(super) part: Part,
    /// As what it is tried.
    pub(super) role: Role,
    _looked: Looked,
}

/// A sync with all of its connectors.
pub(super) struct Sync {
    pub(super) opened: Opened,
    _looked: Looked,
}

/// By what it is led. Its workers stay for as long as this does, and what was denied meanwhile is counted when it goes: also when
/// it took too long and is broken off.
struct Looked {
    reins: Reins,
    measures: Arc<Measures>,
}

impl Looked {
    fn new(agent: &Agent, organization: &str) -> Result<Self, Problems> {
        let reins = Reins::of(agent, organization)?;
        Ok(Self { reins, measures: Arc::clone(&agent.measures) })
    }

    fn host(&self) -> &Host {
        &self.reins.host
    }
}

impl Drop for Looked {
    fn drop(&mut self) {
        figures::denied(&self.measures, &self.reins.host.traffic);
    }
}

impl Tried {
    pub(super) async fn connection(agent: &Agent, organization: &str, id: &str) -> Result<Self, Problems> {
        let connections = agent.syncs.connections();
        let (said, roles) = connections.run_connection(organization, id, NAME).await?;
        let (place, role) = match roles.as_slice() {
            roles if roles.contains(&Role::Source) => (Place::Source, Role::Source),
            roles if roles.contains(&Role::Webhook) => (Place::Source, Role::Webhook),
            roles if roles.contains(&Role::Destination) => (Place::Destination, Role::Destination),
            _ => (Place::Transform(0), Role::Transform),
        };
        Self::made(agent, organization, &said, (place, role)).await
    }

    /// The connection from which the messages of a sync come.
    pub(super) async fn webhook(agent: &Agent, organization: &str, sync: &str) -> Result<Self, Problems> {
        let (sync, _) = agent.syncs.run_file(organization, sync).await?;
        Self::made(agent, organization, &sync.source, (Place::Source, Role::Webhook)).await
    }

    async fn made(
        agent: &Agent,
        organization: &str,
        said: &manifest::Connection,
        (place, role): (Place, Role),
    ) -> Result<Self, Problems> {
        let mut records = agent.records(organization).await?;
        let looked = Looked::new(agent, organization)?;
        let loaded = Loaded::new(looked.host(), place, said).await?;
        let faults = loaded.config_faults();
        if !faults.is_empty() {
            return Err(config_problem(NAME, faults).into());
        }
        let part = loaded.bind(looked.host(), NAME, &mut records).await?;
        Ok(Self { part, role, _looked: looked })
    }
}

impl Sync {
    pub(super) async fn of(agent: &Agent, organization: &str, id: &str) -> Result<Self, Problems> {
        let mut records = agent.records(organization).await?;
        let (sync, _) = agent.syncs.run_file(organization, id).await?;
        let looked = Looked::new(agent, organization)?;
        let opened = Opened::of(looked.host(), Document::of(sync), &mut records).await?;
        Ok(Self { opened, _looked: looked })
    }

    /// Those that it moves.
    pub(super) async fn streams(&self) -> Result<Vec<String>, ConnectorFault> {
        if let Some(chosen) = &self.opened.document.sync.streams {
            return Ok(chosen.iter().map(|stream| stream.name.clone()).collect());
        }
        let source: Arc<_> = self.opened.source.connection.source().map_err(super::wrong)?;
        let catalog = source.discover().await.map_err(|failure| blamed(&failure))?;
        Ok(catalog.streams.into_iter().map(|info| info.schema.stream).collect())
    }
}

/// Names and types.
pub(in crate::agent) fn shown(info: &StreamInfo) -> CatalogStream {
    let field = |field: &pipeline::model::Field| CatalogField {
        name: field.name.clone(),
        data_type: field.data_type.to_string(),
        nullable: field.nullable,
    };
    CatalogStream {
        name: info.schema.stream.clone(),
        group: info.group_name().to_owned(),
        fields: info.schema.schema.fields.iter().map(field).collect(),
        key: info.schema.keys.clone(),
        incremental: info.incremental,
    }
}
