//! What is done for one order: the sync is read as it is now, its connectors are made ready, its rows move, and what the run
//! says of itself is kept.

use std::sync::Arc;

use control::{Cause, LookedInto, Order, PauseCause, SchemaChanges};
use manifest::Role;
use pipeline::clock::{Clock, SystemClock};
use pipeline::records::{Purpose, RunRecords};
use pipeline::report::{Outcome, RunReport};
use pipeline::run::{Run, RunSpec};
use records::{LogLevel, LogLine, Reprocess, RunLog, SealedRecords, Session};
use tracing::Span;

use super::Agent;
use super::connectors::shown;
use super::events::{EventSource, Events};
use super::reins::Reins;
use super::schema::{self, Expected, Watched};
use super::told::Told;
use super::traced::traced;
use crate::blame::full_disks;
use crate::document::Document;
use crate::live::Live;
use crate::moved::{keep, note_revealed};
use crate::opened::{Opened, Ports};
use crate::problem::{Problem, Problems};
use crate::spec::spec;
use crate::units::now_ms;

/// What came of an order.
pub(super) enum Done {
    Report(Box<RunReport>),
    /// It could not begin.
    NotReady(Problem),
}

pub(super) async fn done(agent: Arc<Agent>, order: Order, reins: Arc<Reins>) -> Done {
    let records = match agent.records(&order.organization).await {
        Ok(records) => records,
        Err(problems) => return Done::NotReady(first(problems)),
    };
    match moved(&agent, &order, &reins, &records).await {
        Ok(done) => done,
        Err(problems) => {
            let problem = first(problems);
            note(&order, &records, &problem).await;
            Done::NotReady(problem)
        }
    }
}

async fn moved(
    agent: &Agent,
    order: &Order,
    reins: &Reins,
    records: &Arc<SealedRecords>,
) -> Result<Done, Problems> {
    let host = &reins.host;
    let (sync, policy) = agent.syncs.run_file(&order.organization, &order.sync).await?;
    let opened = Opened::of(host, Document::of(sync), &mut Arc::clone(records)).await?;
    let log = Arc::new(RunLog::new(Arc::clone(records)));
    host.logs.keep_in(Arc::clone(&log));
    opened.parts().for_each(|part| note_revealed(part, &log));
    // Set once: a run is opened once.
    let _ = reins.live.set(live(reins, &opened, &log));
    let mut session = Session::new(Arc::clone(records)).with_log(Arc::clone(&log)).with_order(&order.run);
    let mut spec = spec(&opened.document.sync, traced(ports(agent, order, &opened)?, &Span::current()));
    if let Cause::Reprocess { request, .. } = &order.cause {
        let reprocess = chosen(records, request).await?;
        spec.source = reprocess.source();
        spec.purpose = Purpose::Reprocess;
        session = session.with_reprocess(reprocess);
    }
    let watched = match spec.purpose {
        Purpose::Sync => watched(agent, order, &mut spec, policy).await?,
        Purpose::Reprocess => None,
    };
    let clock = Arc::new(SystemClock::new());
    let told = Told::new(Arc::clone(agent.syncs.live()), order.clone(), Arc::clone(&reins.moved));
    let run = Run::new(spec, Arc::new(session), clock, Arc::new(told));
    let report = run.run(reins.cancel.clone()).await;
    note_full_disks(&opened, &report, &log);
    if let Err(problems) = keep(records, &log, host, &report).await {
        let problem = first(problems);
        tracing::warn!(run = order.run, code = problem.code, "a run's log or ledger could not be kept");
    }
    if let Some(watched) = watched.filter(|watched| watched.paused.is_cancelled()) {
        pause(agent, order).await;
        return Ok(Done::NotReady(watched.problem()));
    }
    Ok(Done::Report(Box::new(report)))
}

/// The source, held against what somebody has seen of it. Where nobody has, what it has now is what is expected of it next
/// time. An error is what the sync pauses for.
async fn watched(
    agent: &Agent,
    order: &Order,
    spec: &mut RunSpec,
    policy: SchemaChanges,
) -> Result<Option<Arc<Watched>>, Problems> {
    let Order { organization, sync, .. } = order;
    let LookedInto { connection, revision, catalog } = agent.syncs.looked_into(organization, sync).await?;
    // Why it cannot be asked is found out, and tried again, by the run.
    let Ok(now) = spec.source.discover().await else { return Ok(None) };
    let is_whole = pipeline::secrets::refuse_in_schemas(&spec.secrets.source, "source", &now).is_ok();
    let expected = match catalog {
        Some(catalog) => Expected { policy, streams: catalog.streams, chosen: spec.streams.clone() },
        None if is_whole => {
            let streams: Vec<_> = now.streams.iter().map(shown).collect();
            let connections = agent.syncs.connections();
            let kept = connections.keep_catalog(organization, (&connection, revision), streams.clone()).await;
            if let Err(error) = kept {
                tracing::warn!(connection, code = error.code(), "what a source has was not kept");
            }
            Expected { policy, streams, chosen: spec.streams.clone() }
        }
        None => return Ok(None),
    };
    let changes = expected.pauses_for(&now);
    if !changes.is_empty() {
        pause(agent, order).await;
        return Err(schema::changed(&changes).into());
    }
    if policy == SchemaChanges::Ignore {
        spec.streams = Some(expected.without_new(&now));
    }
    let watched = Watched::new(Arc::clone(&spec.source), expected, now);
    spec.source = Arc::clone(&watched) as _;
    Ok(Some(watched))
}

/// The run that found it out ends by this as well.
async fn pause(agent: &Agent, Order { run, organization, sync, .. }: &Order) {
    if let Err(error) = agent.syncs.pause_for(organization, sync, PauseCause::SchemaChanged).await {
        tracing::warn!(run, code = error.code(), "a sync whose source has changed could not be paused");
    }
}

/// A connector that only understands messages gets them from the sync's event endpoint.
fn ports(agent: &Agent, order: &Order, opened: &Opened) -> Result<Ports, Problems> {
    let connection = &opened.source.connection;
    let roles = &opened.source.inspection.roles;
    if roles.contains(&Role::Source) || !roles.contains(&Role::Webhook) {
        return opened.ports();
    }
    let events = Events {
        endpoints: Arc::clone(&agent.endpoints),
        organization: order.organization.clone(),
        sync: order.sync.clone(),
        webhook: connection.webhook()?,
        is_last: order.is_last,
        connection: connection.clone(),
    };
    opened.ports_from(Arc::new(EventSource(Arc::new(events))))
}

/// The row errors that somebody chose, as far as they are still to be found: what an attempt before this one has sent is not.
async fn chosen(records: &Arc<SealedRecords>, request: &str) -> Result<Arc<Reprocess>, records::Error> {
    let request = records.reprocess_request(request).await?;
    Reprocess::of(Arc::clone(records), request).await
}

fn live(reins: &Reins, opened: &Opened, log: &Arc<RunLog>) -> Live {
    Live {
        document: opened.document.file.clone().into(),
        holds: opened.parts().filter_map(|part| part.hold.clone()).collect(),
        network: reins.host.shared.network.clone(),
        taken: reins.host.taken.clone(),
        log: Arc::clone(log),
    }
}

/// It stands in the history as what it is, so that its people see why nothing came.
async fn note(order: &Order, records: &Arc<SealedRecords>, problem: &Problem) {
    let noted = async {
        let session = Session::new(Arc::clone(records)).with_order(&order.run);
        let ticket = session.begin(&order.sync).await?;
        let (code, message) = (problem.code.clone(), told(problem));
        let error = pipeline::Error::NotReady { code, message };
        let report = RunReport::not_begun(&ticket, SystemClock::new().now_ms(), error);
        let finished = session.finish(&ticket, report).await;
        session.release(&ticket);
        finished
    };
    if let Err(error) = noted.await {
        tracing::warn!(run = order.run, code = error.code(), "why a run could not begin was not kept");
    }
}

/// A problem and what would help, in one line.
fn told(problem: &Problem) -> String {
    let hints = problem.hints.iter().flat_map(|hint| {
        let lines = hint.lines.iter().flat_map(|lines| lines.lines());
        std::iter::once(hint.text.as_str()).chain(lines)
    });
    let all = std::iter::once(&problem.message).chain(&problem.details).chain(&problem.causes);
    all.map(String::as_str).chain(hints).collect::<Vec<_>>().join("; ")
}

/// A guest that writes to a full disk is told of an input or output error, and not of which. Where the directory lies is for the
/// operator alone.
fn note_full_disks(opened: &Opened, report: &RunReport, log: &RunLog) {
    if report.outcome != Outcome::Failed {
        return;
    }
    for part in opened.parts() {
        for directory in full_disks(&part.writable) {
            tracing::warn!(path = %directory.path.display(), "a run failed, and the disk of its directory is full");
            let text = format!("the disk of the directory `{}` of `{}` is full", directory.name, part.name);
            let (at_ms, connector) = (now_ms(), "host".into());
            log.push(LogLine { at_ms, connector, level: LogLevel::Error, text });
        }
    }
}

fn first(problems: Problems) -> Problem {
    problems.into_all().into_iter().next().unwrap_or_else(|| Problem::bug("a run failed without a reason"))
}
