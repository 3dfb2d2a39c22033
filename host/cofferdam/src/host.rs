//! The composition root: the engine and the way out, which a process has once, and what all connectors of one run share.

use std::path::PathBuf;
use std::sync::Arc;

use cassette::{Cassette, Connection, Player};
use egress::{Dns, DnsResolver, Egress, Proxy};
use measures::Measures;
use runtime::{Runtime, Settings, Stop, Stopper};
use worker::{Compiler, Crew, Passing};

use crate::arguments::{Cache, Network};
use crate::components::Components;
use crate::logs::{self, GuestLogs};
use crate::output::Output;
use crate::places;
use crate::problem::Problems;
use crate::progress::Screen;
use crate::taken::Taken;
use crate::traffic::Traffic;
use crate::workers;

/// One command has two ends and a few transforms, each for a few read groups at one time.
pub(crate) const LIVE_INSTANCES: usize = 64;
/// Guests of one sync: reading, transforming and writing overlap, and more than this never run at once for long.
const GUEST_THREADS_MAX: usize = 4;

/// What a process has once, however many runs it has. Cheap to clone; all clones are one.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) runtime: Runtime,
    pub(crate) egress: Egress,
    /// How this process reaches others, for who has to make a way out of his own.
    pub(crate) network: Network,
    /// What is counted of all of that; on the command line nobody asks for it.
    pub(crate) measures: Arc<Measures>,
}

/// The abilities of one run, or of one command.
pub(crate) struct Host {
    pub(crate) shared: Shared,
    /// Where its connectors are found by what its document calls them.
    pub(crate) components: Components,
    pub(crate) traffic: Traffic,
    pub(crate) logs: Arc<GuestLogs>,
    pub(crate) screen: Screen,
    pub(crate) stopper: Stopper,
    pub(crate) stop: Stop,
    /// What was taken back while the command went on.
    pub(crate) taken: Taken,
    /// Where the run is recorded or replayed.
    pub(crate) cassette: Option<Cassette>,
    /// Where connectors run in processes of their own.
    pub(crate) crew: Option<Crew>,
}

impl Shared {
    pub(crate) fn new(settings: Settings, network: &Network) -> Result<Self, Problems> {
        let (runtime, egress) = (Runtime::new(settings)?, Egress::new(ways_out(network))?);
        Ok(Self { runtime, egress, network: network.clone(), measures: Arc::default() })
    }
}

impl Host {
    /// For a command, whose document names its connectors by their files.
    pub(crate) fn new(cache: Cache, network: &Network, output: &Output) -> Result<Self, Problems> {
        let screen = Screen::new(output);
        logs::show_own(output, &screen);
        let shared = Shared::new(settings(places::cache(cache.cache)?), network)?;
        let logs = GuestLogs::new(output, &screen);
        Ok(Self::of(shared, Components::Files, (logs, screen)))
    }

    /// For one run of many, whose connectors run in these workers.
    pub(crate) fn of_run(shared: Shared, components: Components, crew: Crew, screen: Screen) -> Self {
        Self { crew: Some(crew), ..Self::of(shared, components, (GuestLogs::unseen(), screen)) }
    }

    fn of(shared: Shared, components: Components, (logs, screen): (Arc<GuestLogs>, Screen)) -> Self {
        let (stopper, stop) = Stopper::new();
        Self {
            shared,
            components,
            traffic: Traffic::default(),
            logs,
            screen,
            stopper,
            stop,
            taken: Taken::default(),
            cassette: None,
            crew: None,
        }
    }

    pub(crate) fn with_workers(self) -> Result<Self, Problems> {
        let compiler = workers::compiler(self.shared.runtime.clone(), Compiler::MEMORY_BYTES);
        let crew = Crew::new(compiler, Arc::new(Passing::default()))?;
        Ok(Self { crew: Some(crew), ..self })
    }

    pub(crate) fn recording_or_replaying(self, cassette: Cassette) -> Self {
        Self { cassette: Some(cassette), ..self }
    }

    /// What is replayed.
    pub(crate) fn replay(&self) -> Option<&Player> {
        match &self.cassette {
            Some(Cassette::Replay(player)) => Some(player),
            _ => None,
        }
    }

    /// A connection as the recording that is replayed has it.
    pub(crate) fn recorded(&self, connection: &str) -> Option<&Connection> {
        self.replay()?.head().connections.get(connection)
    }

    /// Why recording or replaying cannot go on.
    pub(crate) fn cassette_fault(&self) -> Option<cassette::Error> {
        match self.cassette.as_ref()? {
            Cassette::Record(recorder) => recorder.fault(),
            Cassette::Replay(player) => player.fault(),
        }
    }
}

/// The engine of one command, and of each worker of a server.
pub(crate) fn settings(cache: PathBuf) -> Settings {
    let mut settings = Settings::new(cache);
    settings.live_instances = LIVE_INSTANCES;
    settings.guest_threads = settings.guest_threads.min(GUEST_THREADS_MAX);
    settings
}

/// How all that leaves this machine goes.
pub(crate) fn ways_out(network: &Network) -> egress::Settings {
    let dns = Dns { servers: network.name_servers.clone(), hosts_file: network.hosts_file };
    egress::Settings {
        resolver: Arc::new(DnsResolver::new(dns)),
        proxy: network.proxy.map(Proxy::new),
        ..egress::Settings::default()
    }
}
