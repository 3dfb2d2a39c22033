//! The workers of one organization. All of its connectors share one, until one takes that with it: from then on whoever was being
//! called has a worker of its own, so that the next loss says who it is; and who lost three gets none.

use runtime::{CODE_KEY_BYTES, Directory, Runtime};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Mutex as AsyncMutex;

use super::link::Link;
use super::losses::Losses;
use super::process::Process;
use super::served::Served;
use super::sight::{Sight, View};
use crate::compiler::Compiler;
use crate::error::Error;
use crate::message::{Setup, VERSION};
use crate::walls::Walls;

/// What a worker's memory may come to beside what is only read and beside tables and stacks, which the engine has from the beginning: a
/// few instances at their default limit, or one at the ceiling, of all that it runs at one time.
const MEMORY_BYTES: u64 = 4 << 30;
/// On a busy machine an answer may come so much later than the limit on its call.
const GRACE: Duration = Duration::from_secs(15);

/// The workers of one organization, and its own half of them. Cheap to clone; the last clone ends them.
#[derive(Clone)]
pub struct Crew {
    inner: Arc<Inner>,
}

struct Inner {
    compiler: Compiler,
    code_key: [u8; CODE_KEY_BYTES],
    grace: Duration,
    /// By the digest of the component that has it for itself; none: of all others.
    links: AsyncMutex<HashMap<Option<String>, Arc<Link>>>,
    /// What the connections that are there see, each as often as one does.
    directories: Arc<Mutex<Vec<Directory>>>,
    losses: Arc<dyn Losses>,
}

impl Crew {
    /// A crew whose components this compiles, for workers of the same program. No worker is started yet.
    ///
    /// # Errors
    /// [`Error::Start`] where the system has no randomness.
    pub fn new(compiler: Compiler, losses: Arc<dyn Losses>) -> Result<Self, Error> {
        let mut code_key = [0; CODE_KEY_BYTES];
        getrandom::fill(&mut code_key).map_err(|error| Error::Start {
            action: "make a key for compiled code",
            source: std::io::Error::other(error.to_string()),
        })?;
        let inner = Inner {
            compiler,
            code_key,
            grace: GRACE,
            links: AsyncMutex::default(),
            directories: Arc::default(),
            losses,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    pub(super) fn runtime(&self) -> &Runtime {
        self.inner.compiler.runtime()
    }

    /// What compiles its components.
    pub fn compiler(&self) -> &Compiler {
        &self.inner.compiler
    }

    pub(super) fn code_key(&self) -> &[u8; CODE_KEY_BYTES] {
        &self.inner.code_key
    }

    /// A connection is there that sees these, for as long as the answer lives. To be said before the first call: walls are
    /// never lowered, so a worker that stands already is replaced by one that sees them.
    pub(super) fn sees(&self, directories: &[Directory]) -> Sight {
        lock(&self.inner.directories).extend_from_slice(directories);
        Sight { all: Arc::clone(&self.inner.directories), own: directories.to_vec() }
    }

    /// What somebody sees, each once.
    fn seen(&self) -> Vec<Directory> {
        let mut seen: Vec<Directory> = Vec::new();
        for directory in lock(&self.inner.directories).iter() {
            if !seen.contains(directory) {
                seen.push(directory.clone());
            }
        }
        seen
    }

    /// Starts the worker that all connectors share, if none is there, and says which of its walls hold.
    ///
    /// # Errors
    /// As [`Error`] says.
    pub async fn start(&self) -> Result<Walls, Error> {
        let mut links = self.inner.links.lock().await;
        Ok(self.link(&mut links, None, self.seen()).await?.walls.clone())
    }

    /// Ends workers in which nothing is bound; the next call starts another.
    pub async fn rest(&self) {
        // Whoever is about to bind has a share by the time this has the lock.
        self.inner.links.lock().await.retain(|_, link| Arc::strong_count(link) > 1);
    }

    /// Which components took workers with them.
    pub(super) fn losses(&self) -> &dyn Losses {
        &*self.inner.losses
    }

    /// The worker in which this connection runs, started if there is none.
    pub(super) async fn link_of(
        &self,
        served: &Served,
        directories: &[Directory],
    ) -> Result<Arc<Link>, Error> {
        let losses = self.losses().count(&served.digest).await;
        let mut links = self.inner.links.lock().await;
        if losses > 0 {
            return self.link(&mut links, Some(served.digest.clone()), directories.to_vec()).await;
        }
        self.link(&mut links, None, self.seen()).await
    }

    async fn link(
        &self,
        links: &mut HashMap<Option<String>, Arc<Link>>,
        whose: Option<String>,
        directories: Vec<Directory>,
    ) -> Result<Arc<Link>, Error> {
        let views: Vec<View> = directories.into_iter().map(View::of).collect();
        let fits = |link: &&Arc<Link>| {
            // Nobody is held up by the end of one in which nothing is bound, and the next one sees no more than it has to.
            let sees_more = Arc::strong_count(link) == 1 && link.sees_beside(&views);
            !link.shared.is_lost() && link.sees(&views) && !sees_more
        };
        if let Some(link) = links.get(&whose).filter(fits) {
            return Ok(Arc::clone(link));
        }
        let link = Arc::new(self.started(views).await?);
        links.insert(whose, Arc::clone(&link));
        Ok(link)
    }

    async fn started(&self, views: Vec<View>) -> Result<Link, Error> {
        let inner = &self.inner;
        let runtime = self.runtime();
        let (process, socket) = Process::start(inner.compiler.program())
            .map_err(|source| Error::Start { action: "start a worker", source })?;
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let setup = Setup {
            version: VERSION,
            directories: views.iter().map(|view| view.directory.clone()).collect(),
            memory_bytes: MEMORY_BYTES.saturating_add(runtime.reserved_data_bytes()),
            pooled: runtime.is_pooled(),
            live_instances: count(runtime.live_instances()),
            guest_threads: count(runtime.guest_threads()),
            ceilings: runtime.ceilings().clone(),
            code_key: inner.code_key,
        };
        let losses = Arc::clone(&inner.losses);
        let mut link = Link::new(socket, Some(process), (setup, inner.grace), losses).await?;
        link.views = views;
        Ok(link)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
