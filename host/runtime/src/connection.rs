//! One connector with its configuration, rights and limits: what every call into it shares during one run.

use crate::component::Component;
use crate::contract::Linked;
use crate::error::Error;
use crate::habits::Whose;
use crate::imports::directory::Directory;
use crate::imports::http::{HttpOut, NoHttp};
use crate::limits::Limits;
use crate::logs::{LogSink, NoLogs};
use crate::meter::Counters;
use crate::stop::Stop;
use cassette::Reel;
use manifest::Role;
use pipeline::connector::Budget;
use scrub::Watch;
use std::sync::Arc;
use tokio::runtime::Handle;

/// What a connector is given for one run.
pub struct Grants {
    /// The directories that it sees.
    pub directories: Vec<Directory>,
    /// Its way out.
    pub http: Arc<dyn HttpOut>,
    /// Its limits.
    pub limits: Limits,
    /// Where its log lines go.
    pub logs: Arc<dyn LogSink>,
    /// The wish to stop the run.
    pub stop: Stop,
    /// Raised when a directory is taken back from it: from then on nothing of it reaches the host, and what goes on ends.
    /// Files that it has open could not be closed otherwise.
    pub cut_off: Stop,
    /// Its share of a cassette, where the run is recorded or replayed.
    pub reel: Option<Reel>,
}

impl Grants {
    /// Nothing but the default limits.
    pub fn none() -> Self {
        Self {
            directories: Vec::new(),
            http: Arc::new(NoHttp),
            limits: Limits::defaults(),
            logs: Arc::new(NoLogs),
            stop: Stop::never(),
            cut_off: Stop::never(),
            reel: None,
        }
    }
}

/// A component bound to one configuration and one set of rights. Cheap to clone; all clones share one budget.
#[derive(Clone)]
pub struct Connection {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) component: Component,
    /// The configuration as JSON text.
    pub(crate) config: String,
    /// Its habits are those of all its connections that are configured like this one.
    pub(crate) whose: Whose,
    pub(crate) grants: Grants,
    /// What all instances of the connector use together.
    pub(crate) meter: Arc<Counters>,
    pub(crate) io: Handle,
}

impl Connection {
    /// Bind a component. Must be called on the runtime whose threads do the host's network.
    ///
    /// # Errors
    /// [`Error::Engine`] outside of an async runtime.
    pub fn new(component: Component, config: &serde_json::Value, grants: Grants) -> Result<Self, Error> {
        let io = Handle::try_current().map_err(|error| Error::Engine { message: error.to_string() })?;
        let meter = Arc::new(Counters::new(grants.limits.clone(), grants.http.secrets()));
        let config = with_program(&component, config).to_string();
        let whose = component.habits().whose(&config);
        Ok(Self { inner: Arc::new(Inner { component, config, whose, grants, meter, io }) })
    }

    pub(crate) fn linked_as(&self, role: Role) -> Result<Arc<dyn Linked>, Error> {
        self.inner.component.linked_as(role)
    }

    /// The connector's name.
    pub fn name(&self) -> &str {
        &self.inner.component.inspection().manifest.name
    }

    /// What the host refused it so far, each with the line that would allow it.
    pub fn denials(&self) -> Vec<String> {
        self.inner.meter.denials()
    }

    /// The secrets that were placed for it so far, and what was found of them in what it got and gave.
    pub fn secrets(&self) -> Watch {
        self.inner.meter.secrets.clone()
    }

    /// What it used so far of each limit.
    pub fn budget(&self) -> Budget {
        let Inner { grants, meter, .. } = &*self.inner;
        let is_replay = grants.reel.as_ref().is_some_and(Reel::is_replay);
        meter.report(if is_replay { meter.replayed.usage() } else { grants.http.usage() })
    }
}

/// A packaged low-code connector finds its program under this key of its configuration.
pub const PROGRAM_KEY: &str = "$program";

fn with_program(component: &Component, config: &serde_json::Value) -> serde_json::Value {
    let mut config = config.clone();
    if let (Some(program), Some(members)) = (&component.inspection().program, config.as_object_mut()) {
        members.insert(PROGRAM_KEY.to_owned(), serde_json::Value::String(program.clone()));
    }
    config
}
