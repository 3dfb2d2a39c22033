//! What every attack must leave behind: a run that failed by a typed error which names what happened, recorded with the run; a
//! neighbour whose own run beside it is whole; and no task that is still alive.

mod broken;
mod fallen;
pub(crate) mod held;
pub(crate) mod room;

use crate::harness::{budget, eventually, guest_bytes, runtime, schema_of, tight};
use crate::hostile_wat::build::{Guest, component};
use crate::network::Kept;
use async_trait::async_trait;
use egress::{Caps, ClientSettings, Egress};
use fallen::Fallen;
use grants::{Basis, Rights};
use manifest::Role;
use pipeline::clock::SystemClock;
use pipeline::connector::{self, Budget, Reader, Source as _};
use pipeline::failure::Failure;
use pipeline::model::{Catalog, OpenRead, Pushdown, StreamInfo};
use pipeline::records::{MemoryRecords, RunRecords as _};
use pipeline::report::{Outcome, RunReport};
use pipeline::run::{NoObserver, Run, RunSpec};
use runtime::{Component, Connection, Destination, Grants, HttpOut, Limits, Runtime, Source};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

/// One attack of the list.
pub(crate) struct Attack {
    /// Its test, whose name begins with the case of the list.
    pub(crate) test: &'static str,
    pub(crate) by: By,
    pub(crate) expect: Expect,
}

/// Who attacks.
pub(crate) enum By {
    /// The guest `hostile`: the attack's name, and the call in which it runs.
    Configured(&'static str, &'static str),
    /// A component put together by hand.
    HandMade(Guest<'static>),
}

/// What must come of it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Expect {
    /// This limit is named.
    Limit(&'static str),
    /// The connector crashed, with these words.
    Trap(&'static str),
    /// It broke the contract, with these words.
    Contract(&'static str),
    /// It is told as its own fault, with these words.
    Bug(&'static str),
    /// It says that the data cannot be read, with these words.
    Data(&'static str),
    /// It says that the configuration is wrong, with these words.
    Config(&'static str),
    /// The run ends with this code and these words.
    Run(&'static str, &'static str),
}

impl Expect {
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Limit(_) => "CD0501",
            Self::Trap(_) => "CD0610",
            Self::Contract(_) => "CD0611",
            Self::Bug(_) => "CD0607",
            Self::Data(_) => "CD0606",
            Self::Config(_) => "CD0601",
            Self::Run(code, _) => code,
        }
    }

    pub(crate) fn words(self) -> String {
        match self {
            Self::Limit(name) => format!("reached the limit `{name}`"),
            Self::Trap(words)
            | Self::Contract(words)
            | Self::Bug(words)
            | Self::Data(words)
            | Self::Config(words)
            | Self::Run(_, words) => words.to_owned(),
        }
    }

    /// The limit's name.
    pub(crate) fn limit(self) -> Option<&'static str> {
        if let Self::Limit(name) = self { Some(name) } else { None }
    }
}

/// An engine with the guests of every attack and of its neighbour.
pub(crate) struct World {
    runtime: Runtime,
    egress: Egress,
    hostile: Component,
    destination: Component,
}

impl World {
    pub(crate) async fn new(runtime: Runtime) -> Self {
        let hostile = runtime.load(guest_bytes("hostile")).await.unwrap();
        let destination = runtime.load(guest_bytes("proof")).await.unwrap();
        let egress = Egress::new(egress::Settings { system_roots: false, ..egress::Settings::default() });
        Self { runtime, egress: egress.unwrap(), hostile, destination }
    }

    /// The guest of most attacks.
    pub(crate) fn hostile(&self) -> Component {
        self.hostile.clone()
    }

    pub(crate) async fn component(&self, attack: &Attack) -> Component {
        match &attack.by {
            By::Configured(..) => self.hostile.clone(),
            By::HandMade(guest) => self.runtime.load(component(guest)).await.unwrap(),
        }
    }

    /// The real way out, through which nothing may pass.
    fn nowhere(&self, ledger: &Arc<Kept>) -> Arc<dyn HttpOut> {
        let (asks, grants) = (manifest::Asks::default(), manifest::Grants::default());
        let (role, name, connector) = (Role::Source, "source", "hostile");
        let (asks, grants) = (&asks, &grants);
        let basis = Basis {
            document: grants::Document::Sync,
            role,
            name,
            connector,
            asks,
            grants,
            organization: None,
            host: None,
        };
        let rights = Arc::new(Rights::new(&basis));
        // An attack is to end by its own limit, and not while it waits for its turn.
        let caps = Caps { requests_per_second: 1_000_000, ..Caps::default() };
        Arc::new(self.egress.client(ClientSettings::new(rights, ledger.clone(), caps)))
    }

    /// The whole run of a source that attacks, as its record tells it.
    pub(crate) async fn fall(&self, attack: &Attack, component: Component, limits: Limits) -> Fallen {
        let ledger = Arc::new(Kept::default());
        let http = self.nowhere(&ledger);
        let grants = Grants { limits, http: http.clone(), ..Grants::none() };
        let config = match attack.by {
            By::Configured(name, at) => json!({ "attack": name, "at": at }),
            By::HandMade(_) => json!({}),
        };
        let connection = Connection::new(component, &config, grants).unwrap();
        let source = Source::new(connection.clone()).unwrap();
        if let By::Configured(_, "check") = attack.by {
            let failure = source.check().await.expect_err("the attack succeeded");
            let (code, message) = (failure.code().to_owned(), failure.to_string());
            let (requests, ledger) = (http.usage().requests, ledger.all());
            return Fallen { code, message, budget: connection.budget(), requests, ledger };
        }
        let source: Arc<dyn connector::Source> = match attack.by {
            By::Configured(..) => Arc::new(source),
            By::HandMade(_) => Arc::new(Listed(source)),
        };
        let report = self.move_all(source).await;
        assert_eq!(report.outcome, Outcome::Failed, "the attack `{}` succeeded", attack.test);
        let error = report.error.unwrap();
        let budget = report.budgets.get("source").cloned().unwrap_or_default();
        // What was under way when its connector was ended is entered a moment later.
        let requests = http.usage().requests;
        eventually("each request is in the ledger", || ledger.count() as u64 >= requests).await;
        Fallen { code: error.code, message: error.message, budget, requests, ledger: ledger.all() }
    }

    /// A neighbour's whole run of ten rows from one guest to another, and how long it took.
    pub(crate) async fn ten_rows(&self) -> Duration {
        let began = Instant::now();
        whole(&self.neighbour("behave").await).unwrap_or_else(|fault| panic!("a neighbour: {fault}"));
        began.elapsed()
    }

    async fn neighbour(&self, attack: &str) -> RunReport {
        let config = json!({ "attack": attack });
        let connection = Connection::new(self.hostile.clone(), &config, Grants::none()).unwrap();
        self.move_all(Arc::new(Source::new(connection).unwrap())).await
    }

    /// One run of all that the source has; what it says at its end is what is kept of it.
    async fn move_all(&self, source: Arc<dyn connector::Source>) -> RunReport {
        let abilities: Value = json!({ "abilities": ["columns", "append", "insert"] });
        let connection = Connection::new(self.destination.clone(), &abilities, Grants::none()).unwrap();
        let destination = Arc::new(Destination::new(connection).unwrap());
        let mut spec = RunSpec::new("attacked", source, destination);
        spec.options.attempts = 1;
        spec.options.page = budget();
        spec.options.empty_pages_max = 500;
        let records = Arc::new(MemoryRecords::new());
        let run = Run::new(spec, records.clone(), Arc::new(SystemClock::new()), Arc::new(NoObserver));
        let report = run.run(CancellationToken::new()).await;
        recorded(records.report("attacked", None).await.unwrap(), &report).unwrap()
    }
}

fn must(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise()) }
}

/// What is kept of a run is what it said at its end.
fn recorded(kept: Option<RunReport>, told: &RunReport) -> Result<RunReport, String> {
    let kept = kept.ok_or("the run is not recorded")?;
    must(kept == *told, || format!("{kept:?} is recorded of {told:?}"))?;
    Ok(kept)
}

/// All ten rows of a neighbour were moved, once each.
fn whole(report: &RunReport) -> Result<(), String> {
    let total = report.total();
    must(report.outcome == Outcome::Completed, || format!("did not end well: {:?}", report.error))?;
    must((total.accepted, total.rejected) == (10, 0), || format!("ten rows became {total:?}"))
}

/// A source whose catalog is known, so that all it is asked for is its rows.
struct Listed(Source);

#[async_trait]
impl connector::Source for Listed {
    async fn check(&self) -> Result<(), Failure> {
        self.0.check().await
    }

    async fn discover(&self) -> Result<Catalog, Failure> {
        let rows = StreamInfo {
            schema: schema_of("rows"),
            group: None,
            cursor_fields: Vec::new(),
            incremental: false,
            pushdown: Pushdown::default(),
            estimated_rows: None,
            description: None,
        };
        Ok(Catalog { streams: vec![rows], groups: Vec::new() })
    }

    async fn open(&self, read: OpenRead) -> Result<Box<dyn Reader>, Failure> {
        self.0.open(read).await
    }

    fn budget(&self) -> Budget {
        self.0.budget()
    }
}

/// The attack and a neighbour's run beside it, then another when it is over.
pub(crate) async fn suffers(attack: &Attack) {
    let world = World::new(runtime()).await;
    let component = world.component(attack).await;
    let tasks = Handle::current().metrics().num_alive_tasks();
    let (fallen, _) = tokio::join!(world.fall(attack, component, tight()), world.ten_rows());
    fallen.judge(attack).unwrap_or_else(|fault| panic!("`{}`: {fault}", attack.test));
    world.ten_rows().await;
    room::tasks_come_back(tasks, Duration::from_secs(60)).await.unwrap();
}

/// Limits under which every attack ends soon, for many rounds of all of them.
pub(crate) fn swift() -> Limits {
    Limits { cpu_ms: 50, host_call_ms: 50, ..tight() }
}
