//! `cofferdam serve`: the management API, until somebody asks the process to end.

use std::sync::Arc;
use std::time::Instant;

use acme::Renewal;
use api::{Connectors, Drained, Given, Operations, Parts, Server};
use control::{
    Audit, Components, Connections, EndpointOptions, Endpoints, Left, Organizations, Queue, Syncs, Users,
    UsersOptions,
};
use records::RecordsByOrganization;
use serde_json::json;
use storage::SystemClock;
use vault::Argon2Parameters;

use crate::agent::{self, Agent, Found};
use crate::arguments::{Network, Serve};
use crate::connect::Providers;
use crate::deployment::Deployment;
use crate::host::{self, Shared};
use crate::logs;
use crate::output::Output;
use crate::places;
use crate::problem::{Own, Problem, Problems};
use crate::progress::Screen;
use crate::serve::{Certified, Running, Settings, Stands, Watched};
use crate::signals::Wishes;
use crate::traces::Traces;

const STOPPING: &str =
    "stopping: requests under way are answered, and runs go to their next commit; once more ends at once\n";
const NO_CERTIFICATE: &str =
    "there is no certificate yet: one is asked for by ACME, and until it is there connections are refused\n";
/// What somebody who comes in hardly notices, and who guesses does.
const HASH_MS: u64 = 250;

pub(super) async fn run(command: Serve, output: &Output) -> Result<(), Problems> {
    let settings = Settings::gather(&command)?;
    let screen = Screen::new(output);
    let traces = settings.watched.traces.as_ref().map(Traces::to).transpose()?;
    logs::show(output, &screen, settings.watched.log, traces.as_ref().map(Traces::tracer));
    let ended = opened(command, settings, output, &screen).await;
    if let Some(traces) = traces {
        traces.end().await;
    }
    ended
}

async fn opened(
    command: Serve,
    settings: Settings,
    output: &Output,
    screen: &Screen,
) -> Result<(), Problems> {
    let path = places::data_here(command.data.data.as_deref());
    let deployment = Deployment::made(&path, &command.data, output).await?;
    let beside = deployment.beside(None)?;
    let ended = serve(&deployment, settings, output, screen).await;
    beside.end().await;
    let closed = deployment.close().await;
    ended.and(closed)
}

async fn serve(
    deployment: &Deployment,
    settings: Settings,
    output: &Output,
    screen: &Screen,
) -> Result<(), Problems> {
    let mut wishes = Wishes::listen()?;
    let Settings { options, region, policy, running, watched, certified } = settings;
    let scheme = if matches!(options.transport, api::Transport::Plain) { "http" } else { "https" };
    let (cost, hashing_at_once) = (cost().await?, hashing_at_once());
    let people = UsersOptions { cost, hashing_at_once, policy, clock: Arc::new(SystemClock) };
    let audit = Arc::new(Audit::open(Arc::clone(&deployment.storage)).await?);
    let users = Arc::new(Users::open(Arc::clone(&audit), people).await?);
    let organizations = Arc::new(Organizations::new(Arc::clone(&users), region));
    // What a crash has left half done is done before anybody sees it.
    let left = organizations.mend().await?;
    let network = running.network.clone();
    let (agent, given) = executing(deployment, &organizations, running, screen)?;
    forget(&organizations, &given, &left).await;
    // Nobody else knows of messages for which a crash has left no run.
    given.endpoints.ask_for_owed_runs().await?;
    let renewal = renewal(certified, deployment, &network, &given).await?;
    let (queue, endpoints) = (Arc::clone(&given.queue), Arc::clone(&given.endpoints));
    let parts = Parts::new(audit, Arc::clone(&users), organizations, given)?;
    let server =
        watched_by(Server::bind(parts, options).await?, &watched, (queue, endpoints), deployment).await?;
    let url = format!("{scheme}://{}", server.address());
    let operations = server.operations_address();
    if output.json {
        output.document(&json!({ "listening": url, "operations": operations }))?;
    } else {
        output.text(&format!("listening on {url}\n"))?;
        if let Some(operations) = operations {
            output.text(&format!("operations on {operations}\n"))?;
        }
    }
    if let Some(token) = users.setup_token().await? {
        screen.aside(&first_operator(&url, token.expose()));
    }
    if renewal.as_ref().is_some_and(|renewal| !renewal.is_shown()) {
        screen.aside(NO_CERTIFICATE);
    }
    let renewing = renewal.map(|renewal| tokio::spawn(renewal.run()));
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let answering = tokio::spawn(server.run(async move { drop(stopped.await) }));
    let executing = tokio::spawn(Arc::clone(&agent).run());
    // Neither ends before it is told to, but by a bug, which ends both.
    let mut both = Box::pin(async { tokio::try_join!(answering, executing) });
    let ended = tokio::select! {
        ended = &mut both => ended,
        () = wishes.next() => {
            drop(stop);
            agent.drain();
            screen.aside(STOPPING);
            tokio::select! {
                ended = &mut both => ended,
                () = wishes.next() => return Err(Own::Stopped.into()),
            }
        }
    };
    if let Some(renewing) = renewing {
        renewing.abort();
        // What it has of storage is to be given back before that is closed.
        drop(renewing.await);
    }
    let (drained, ()) = ended.map_err(|error| Problem::bug(format!("the server: {error}")))?;
    if drained == Drained::CutOff {
        screen.aside("some requests were cut off: they took longer than the time for it\n");
    }
    Ok(())
}

/// Who sees to certificates, where they come by ACME.
async fn renewal(
    certified: Option<Certified>,
    deployment: &Deployment,
    network: &Network,
    given: &Given,
) -> Result<Option<Renewal>, Problems> {
    let Some(certified) = certified else { return Ok(None) };
    let (storage, measures) = (Arc::clone(&deployment.storage), Arc::clone(&given.measures));
    Ok(Some(certified.renewal(storage, network, measures).await?))
}

/// What is kept of things that are gone goes too; where it does not, the next start tries again.
async fn forget(organizations: &Organizations, given: &Given, left: &[(String, Left)]) {
    for (organization, left) in left {
        let forgotten = api::forget::<Problem>(organizations, &given.records, (organization, left)).await;
        if let Err(problem) = forgotten {
            let code = problem.code;
            tracing::warn!(organization, code, "what is kept of something that is gone was not forgotten");
        }
    }
}

/// The server, with figures for who operates it where they are wanted.
async fn watched_by(
    server: Server,
    watched: &Watched,
    (queue, endpoints): (Arc<Queue>, Arc<Endpoints>),
    deployment: &Deployment,
) -> Result<Server, Problems> {
    let Some(address) = watched.operations else { return Ok(server) };
    let (engine, directory) = (Arc::clone(&deployment.engine), deployment.directory.path.clone());
    let figures = Arc::new(Stands { engine, directory, queue, endpoints });
    let operations = Operations { address, token: watched.token()?, figures };
    Ok(server.with_operations(operations).await?)
}

/// Who executes runs, and what the API gets of that.
fn executing(
    deployment: &Deployment,
    organizations: &Arc<Organizations>,
    running: Running,
    screen: &Screen,
) -> Result<(Arc<Agent>, Given), Problems> {
    let Running { agent, queue, grantable, cache, compile_timeout, network } = running;
    let connections = Arc::new(Connections::new(Arc::clone(organizations), grantable));
    let queue = Arc::new(Queue::new(Arc::new(Syncs::new(connections)), queue));
    let storage = Arc::clone(&deployment.storage);
    let records = Arc::new(RecordsByOrganization::new(storage, records::Settings::default()));
    let endpoints = Arc::new(Endpoints::new(Arc::clone(&queue), EndpointOptions::default()));
    let mut engine = host::settings(places::cache(cache)?);
    engine.compile_timeout = compile_timeout.unwrap_or(engine.compile_timeout);
    let shared = Shared::new(engine, &network)?;
    let measures = Arc::clone(&shared.measures);
    let parts = agent::Parts {
        shared,
        components: Arc::new(Found::new(Components::new(Arc::clone(organizations)))),
        organizations: Arc::clone(organizations),
        records: Arc::clone(&records),
        queue: Arc::clone(&queue),
        endpoints: Arc::clone(&endpoints),
        screen: screen.clone(),
        measures: Arc::clone(&measures),
    };
    let agent = Agent::new(parts, agent);
    let connectors = Arc::clone(&agent) as Arc<dyn Connectors>;
    let providers = Arc::new(Providers::new(network, Arc::clone(&measures)));
    Ok((agent, Given { queue, endpoints, records, connectors, providers, measures }))
}

/// Measured anew at each start: machines change.
async fn cost() -> Result<Argon2Parameters, Problems> {
    let measure = || {
        let began = Instant::now();
        Argon2Parameters::calibrate(HASH_MS, &|| {
            u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX)
        })
    };
    let measured = tokio::task::spawn_blocking(measure).await;
    Ok(measured.map_err(|error| Problem::bug(format!("measuring: {error}")))??)
}

/// Half of the machine at most: the other half answers.
fn hashing_at_once() -> usize {
    std::thread::available_parallelism().map_or(1, |processors| (processors.get() / 2).max(1))
}

/// What whoever starts the server for the first time is to do.
fn first_operator(url: &str, token: &str) -> String {
    format!(
        "there is no operator yet; make the first one with this token, which is good until the next start:\n\
         \n    curl --json '{{\"token\": \"{token}\", \"email\": \"you@example.com\", \"password\": \"...\"}}' {url}/v1/setup\n\n"
    )
}
