//! `cofferdam serve`: the management API, until somebody asks the process to end.

use std::sync::Arc;
use std::time::Instant;

use api::{Drained, Given, Parts, Server};
use control::{Audit, Connections, Organizations, Queue, QueueOptions, Syncs, Users, UsersOptions};
use records::RecordsByOrganization;
use serde_json::json;
use storage::SystemClock;
use vault::Argon2Parameters;

use crate::agent::Agent;
use crate::arguments::Serve;
use crate::deployment::Deployment;
use crate::logs;
use crate::output::Output;
use crate::places;
use crate::problem::{Own, Problem, Problems};
use crate::progress::Screen;
use crate::serve::Settings;
use crate::signals::Wishes;

/// What somebody who comes in hardly notices, and who guesses does.
const HASH_MS: u64 = 250;

pub(super) async fn run(command: Serve, output: &Output) -> Result<(), Problems> {
    let settings = Settings::gather(&command)?;
    let screen = Screen::new(output);
    logs::show_own(output, &screen);
    let path = places::data_here(command.data.data.as_deref());
    let deployment = Deployment::made(&path, &command.data, output).await?;
    let beside = deployment.beside(None)?;
    let ended = serve(&deployment, settings, output, &screen).await;
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
    let Settings { options, region, policy } = settings;
    let scheme = if matches!(options.transport, api::Transport::Plain) { "http" } else { "https" };
    let (cost, hashing_at_once) = (cost().await?, hashing_at_once());
    let people = UsersOptions { cost, hashing_at_once, policy, clock: Arc::new(SystemClock) };
    let audit = Arc::new(Audit::open(Arc::clone(&deployment.storage)).await?);
    let users = Arc::new(Users::open(Arc::clone(&audit), people).await?);
    let organizations = Arc::new(Organizations::new(Arc::clone(&users), region));
    // What a crash has left half done is done before anybody sees it.
    organizations.mend().await?;
    let connections = Arc::new(Connections::new(Arc::clone(&organizations), Vec::new()));
    let queue = Arc::new(Queue::new(Arc::new(Syncs::new(connections)), QueueOptions::default()));
    let storage = Arc::clone(&deployment.storage);
    let records = Arc::new(RecordsByOrganization::new(storage, records::Settings::default()));
    let given = Given { queue, records, connectors: Arc::new(Agent) };
    let parts = Parts::new(audit, Arc::clone(&users), organizations, given)?;
    let server = Server::bind(parts, options).await?;
    let url = format!("{scheme}://{}", server.address());
    if output.json {
        output.document(&json!({ "listening": url }))?;
    } else {
        output.text(&format!("listening on {url}\n"))?;
    }
    if let Some(token) = users.setup_token().await? {
        screen.aside(&first_operator(&url, token.expose()));
    }
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let mut running = tokio::spawn(server.run(async move { drop(stopped.await) }));
    let drained = tokio::select! {
        ended = &mut running => ended,
        () = wishes.next() => {
            drop(stop);
            screen.aside("stopping: requests under way are answered; once more ends at once\n");
            tokio::select! {
                ended = &mut running => ended,
                () = wishes.next() => return Err(Own::Stopped.into()),
            }
        }
    };
    match drained.map_err(|error| Problem::bug(format!("the server: {error}")))? {
        Drained::All => Ok(()),
        Drained::CutOff => {
            screen.aside("some requests were cut off: they took longer than the time for it\n");
            Ok(())
        }
    }
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
