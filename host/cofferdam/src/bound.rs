//! A connection of a sync, wherever its instances are: in this process, or in a worker.

use std::sync::Arc;

use pipeline::connector;
use pipeline::connector::Budget;
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
