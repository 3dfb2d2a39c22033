//! Executes what the server decides: takes runs from the queue, so many at one time, lets their connectors run in workers of
//! their organization, and says how they ended. Beside that, what the API asks of connectors.
//!
//! Knows what is to be done by the queue alone, and tells what became of it there: it may be in another process one day.

mod connectors;
mod crews;
mod each;
mod ended;
mod events;
mod figures;
mod held;
mod job;
mod kept;
mod losses;
mod reins;
mod schedule;
mod schema;
mod told;
mod traced;

use std::sync::Arc;
use std::time::Duration;

use control::{Endpoints, Installations, Organizations, Queue, Scheduler, Syncs, Taking};
use measures::Measures;
use records::{RecordsByOrganization, SealedRecords};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::components::KeptComponents;
use crate::host::Shared;
use crate::problem::Problems;
use crate::progress::Screen;
use crate::workers;
use crews::Crews;
use each::OneEach;

pub(crate) use kept::Found;

/// When storage says nothing, it is asked again after this.
const AFTER_FAILURE: Duration = Duration::from_secs(5);

/// What an agent is made of.
pub(crate) struct Parts {
    pub(crate) shared: Shared,
    pub(crate) components: Arc<dyn KeptComponents>,
    pub(crate) organizations: Arc<Organizations>,
    pub(crate) records: Arc<RecordsByOrganization>,
    pub(crate) queue: Arc<Queue>,
    pub(crate) endpoints: Arc<Endpoints>,
    pub(crate) screen: Screen,
    pub(crate) measures: Arc<Measures>,
}

/// How an agent works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Options {
    /// Runs at one time.
    pub(crate) runs_at_once: usize,
    /// How long runs may take to come to their next commit when the process ends.
    pub(crate) drain: Duration,
    /// Memory that one compilation may take.
    pub(crate) compile_memory_bytes: u64,
}

/// Whoever runs connectors for a server.
pub(crate) struct Agent {
    shared: Shared,
    components: Arc<dyn KeptComponents>,
    crews: Arc<Crews>,
    /// An organization's uploads are compiled one after the other, so that it waits for itself.
    uploads: OneEach,
    organizations: Arc<Organizations>,
    records: Arc<RecordsByOrganization>,
    syncs: Arc<Syncs>,
    queue: Arc<Queue>,
    endpoints: Arc<Endpoints>,
    screen: Screen,
    measures: Arc<Measures>,
    options: Options,
    /// Runs come to their next commit and end.
    draining: CancellationToken,
    /// Runs end at once.
    cut: CancellationToken,
}

impl Agent {
    pub(crate) fn new(parts: Parts, options: Options) -> Arc<Self> {
        let Parts { shared, components, organizations, records, queue, .. } = parts;
        let Parts { endpoints, screen, measures, .. } = parts;
        let compiler = workers::compiler(shared.runtime.clone(), options.compile_memory_bytes);
        let crews = Crews::new(compiler, Arc::new(Installations::new(Arc::clone(&organizations))));
        let (syncs, draining, cut) = (queue.syncs(), CancellationToken::new(), CancellationToken::new());
        Arc::new(Self {
            shared,
            components,
            crews,
            uploads: OneEach::default(),
            organizations,
            records,
            syncs,
            queue,
            endpoints,
            screen,
            measures,
            options,
            draining,
            cut,
        })
    }

    /// Executes runs until [`Self::drain`] is called and none is under way any more.
    pub(crate) async fn run(self: Arc<Self>) {
        let scheduling =
            tokio::spawn(schedule::run(Scheduler::new(Arc::clone(&self.queue)), self.draining.clone()));
        let turns = Arc::new(Semaphore::new(self.options.runs_at_once));
        let mut runs = JoinSet::new();
        loop {
            while runs.try_join_next().is_some() {}
            let turn = tokio::select! {
                turn = Arc::clone(&turns).acquire_owned() => turn,
                () = self.draining.cancelled() => break,
            };
            let wake_ms = match self.queue.take().await {
                Ok(Taking::Run(taken)) => {
                    let agent = Arc::clone(&self);
                    runs.spawn(async move {
                        held::execute(agent, taken).await;
                        drop(turn);
                    });
                    continue;
                }
                Ok(Taking::Nothing { wake_ms }) => wake_ms,
                Err(error) => {
                    tracing::warn!(code = error.code(), "no run could be taken: {error}");
                    Some(schedule::after(AFTER_FAILURE))
                }
            };
            tokio::select! {
                () = self.queue.changed() => {}
                () = schedule::at(wake_ms) => {}
                () = self.draining.cancelled() => break,
            }
        }
        self.end(runs).await;
        scheduling.abort();
    }

    /// Takes no more runs, lets each go to its next commit, and gives it back. After the time for that they are broken off.
    pub(crate) fn drain(&self) {
        self.draining.cancel();
    }

    async fn end(&self, mut runs: JoinSet<()>) {
        let all = async { while runs.join_next().await.is_some() {} };
        if tokio::time::timeout(self.options.drain, all).await.is_ok() {
            return;
        }
        self.cut.cancel();
        while runs.join_next().await.is_some() {}
    }

    /// The records of an organization of this region, while there is one.
    async fn records(&self, organization: &str) -> Result<Arc<SealedRecords>, Problems> {
        self.organizations.get(organization).await?;
        Ok(self.records.of(&self.organizations.owner(organization)))
    }
}
