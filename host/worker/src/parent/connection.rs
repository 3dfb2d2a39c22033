//! A component bound to one configuration and one set of rights, whose instances are in a worker.

use manifest::Role;
use pipeline::connector::Budget;
use pipeline::failure::{Cause, Failure};
use runtime::{Directory, Grants, Limits};
use scrub::Watch;
use std::sync::Arc;
use tokio::sync::Mutex;
use tokio::task::AbortHandle;

use super::component::Loaded;
use super::crew::Crew;
use super::link::{Link, Outcome};
use super::losses::CRASHES_MAX;
use super::served::Served;
use super::sight::Sight;
use crate::error::NotCompiled;
use crate::message::{Call, ToWorker};

/// Texts are cut in a worker before anybody looks for secrets in them: there they may be longer than the highest limit by
/// what a secret may have, so that one that is cut lies behind what is kept here.
const ERROR_TEXT_SLACK: u64 = 64 << 10;

/// As `runtime::Connection`, with its instances in a worker. Cheap to clone; all clones share one budget.
#[derive(Clone)]
pub struct Connection {
    inner: Arc<Inner>,
}

struct Inner {
    crew: Crew,
    loaded: Loaded,
    config: String,
    directories: Vec<Directory>,
    _sight: Sight,
    served: Arc<Served>,
    attached: Mutex<Option<Attached>>,
}

/// A connection as one worker has it.
#[derive(Clone)]
pub(super) struct Attached {
    pub(super) link: Arc<Link>,
    pub(super) connection: u32,
    _bound: Arc<Bound>,
    _stops: Arc<Stops>,
}

/// Gives the connection up when it is dropped.
struct Bound {
    link: Arc<Link>,
    connection: u32,
}

impl Drop for Bound {
    fn drop(&mut self) {
        let connection = self.connection;
        self.link.shared.state().connections.remove(&connection);
        self.link.shared.send(&ToWorker::Unbind { connection });
    }
}

/// Passes wishes to stop on for as long as it lives.
struct Stops(AbortHandle);

impl Drop for Stops {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Connection {
    /// Bind a component. No worker is needed yet. A run that is recorded or replayed has none: what `grants` say of that is
    /// not looked at.
    pub fn new(crew: &Crew, loaded: Loaded, config: &serde_json::Value, grants: Grants) -> Self {
        let directories: Vec<_> = grants.directories.iter().map(whole).collect();
        let sight = crew.sees(&directories);
        let manifest = &loaded.inspection.manifest;
        let identity =
            (manifest.name.clone(), manifest.version.to_string(), loaded.inspection.digest.clone());
        let served = Arc::new(Served::new(identity, grants));
        let (crew, config) = (crew.clone(), config.to_string());
        let attached = Mutex::new(None);
        Self { inner: Arc::new(Inner { crew, loaded, config, directories, _sight: sight, served, attached }) }
    }

    /// The connector's name.
    pub fn name(&self) -> &str {
        &self.inner.served.name
    }

    /// What the host refused it so far, each with the line that would allow it.
    pub fn denials(&self) -> Vec<String> {
        self.inner.served.denials()
    }

    /// The secrets that were placed for it so far, and what was found of them in what it got and gave.
    pub fn secrets(&self) -> Watch {
        self.inner.served.secrets.clone()
    }

    /// What it used so far of each limit.
    pub fn budget(&self) -> Budget {
        self.inner.served.budget()
    }

    pub(super) fn plays(&self, role: Role) -> Result<(), runtime::Error> {
        let roles = &self.inner.loaded.inspection.roles;
        if roles.contains(&role) {
            return Ok(());
        }
        let found: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
        Err(runtime::Error::WrongRole { wanted: role.as_str().to_owned(), found: found.join(", ") })
    }

    pub(super) fn served(&self) -> &Arc<Served> {
        &self.inner.served
    }

    /// The worker in which it runs now; another one where the last was lost.
    pub(super) async fn attached(&self, call: &str) -> Result<Attached, Failure> {
        let Inner { crew, served, attached, .. } = &*self.inner;
        let mut attached = attached.lock().await;
        if let Some(there) = attached.as_ref().filter(|there| !there.link.shared.is_lost()) {
            return Ok(there.clone());
        }
        let crashes = crew.losses().count(&served.digest).await;
        if crashes >= CRASHES_MAX {
            let (name, version) = (&served.name, &served.version);
            let why = format!("{name} {version} took {crashes} worker processes with it");
            return Err(served.failure(call, Cause::Quarantined(why)));
        }
        *attached = None;
        let there = self.attach(call).await?;
        *attached = Some(there.clone());
        Ok(there)
    }

    async fn attach(&self, call: &str) -> Result<Attached, Failure> {
        let Inner { crew, loaded, config, directories, served, .. } = &*self.inner;
        let link = crew.link_of(served, directories).await.map_err(|error| {
            let source =
                std::error::Error::source(&error).map_or_else(String::new, |source| format!(": {source}"));
            served.failure(call, Cause::WorkerLost(served.text(&format!("{error}{source}"))))
        })?;
        let code = match link.knows(&served.digest).await {
            // Most runs of a server find a worker that has their connectors.
            true => Vec::new(),
            false => self.code().await.map_err(|cause| served.failure(call, cause))?,
        };
        served.used().begin_anew();
        let number = link.shared.number();
        let connection = u32::try_from(number).unwrap_or(u32::MAX);
        link.shared.state().connections.insert(connection, Arc::clone(served));
        let bound = Bound { link: Arc::clone(&link), connection };
        let component = link.component(connection, served, (&loaded.bytes, &code)).await?;
        let limits = Limits {
            error_text_bytes: crew.runtime().ceilings().error_text_bytes.saturating_add(ERROR_TEXT_SLACK),
            ..served.used().left_of(&served.limits)
        };
        let (config, directories) = (config.clone(), directories.clone());
        let bind = Call::Bind { component, config, limits: Box::new(limits), directories };
        link.shared.call(connection, served, bind).await?;
        // Not before it is bound: of a connection that it does not know a worker stops nothing.
        let stops =
            Stops(tokio::spawn(stop(Arc::clone(&link), connection, Arc::clone(served))).abort_handle());
        Ok(Attached { link, connection, _bound: Arc::new(bound), _stops: Arc::new(stops) })
    }
}

impl Connection {
    /// The code for a worker of its crew. One that takes the compiler's process with it has taken a worker.
    async fn code(&self) -> Result<Vec<u8>, Cause> {
        let Inner { crew, loaded, served, .. } = &*self.inner;
        let error = match loaded.code(crew.compiler(), crew.code_key()).await {
            Ok(code) => return Ok(code),
            Err(error) => error,
        };
        if let NotCompiled::Lost { how, .. } = &error {
            crew.losses().note(&served.digest, how).await;
        }
        Err(match error {
            NotCompiled::Refused { code, message } => Cause::Load { code, message },
            // Nobody knows yet whether time heals it.
            lost => Cause::WorkerLost(served.text(&lost.to_string())),
        })
    }
}

/// A worker stands in another directory than we do. What lies below a root stays as it is: links there count for nothing.
fn whole(directory: &Directory) -> Directory {
    if directory.root.is_some() {
        return directory.clone();
    }
    let path = std::fs::canonicalize(&directory.path).unwrap_or_else(|_| directory.path.clone());
    Directory { path, ..directory.clone() }
}

async fn stop(link: Arc<Link>, connection: u32, served: Arc<Served>) {
    let (mut stop, mut cut_off) = (served.stop.clone(), served.cut_off.clone());
    tokio::select! {
        () = stop.requested() => link.shared.send(&ToWorker::Stop { connection }),
        () = cut_off.requested() => {}
    }
    // It may be wished after the other.
    cut_off.requested().await;
    link.shared.send(&ToWorker::CutOff { connection });
}

impl Attached {
    pub(super) async fn call(&self, served: &Served, what: Call<'_>) -> Outcome {
        self.link.shared.call(self.connection, served, what).await
    }
}
