//! One run of a sync: source pages go through transforms to the destination, and nothing is lost or counted twice.
//!
//! Each read group moves on its own: read, transformed and written in tasks that overlap, bounded by the bytes between them.
//! Knows nothing of how connectors run and how records are kept.

mod attempt;
mod budgets;
mod change;
mod commit;
mod context;
mod group;
mod keeper;
mod kept;
mod ledger;
mod observe;
mod pending;
mod pipe;
mod plan;
mod prepare;
mod read;
mod recover;
mod retry;
mod spec;
mod track;
mod withhold;
mod write;

#[cfg(test)]
mod tests;

pub use crate::records::Purpose;
pub use observe::{GroupProgress, NoObserver, Observer, Phase, StreamProgress};
pub use spec::{ChosenStream, Options, RejectPolicy, Rejects, RowData, RunSpec};

use crate::clock::Clock;
use crate::error::Error;
use crate::failure::Failure;
use crate::records::{RunRecords, RunTicket};
use crate::report::{ErrorReport, GroupReport, Outcome, RunReport};
use crate::secrets;
use context::{Context, Stop};
use plan::GroupPlan;
use retry::{Decision, Retry};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Why something in a run went no further.
#[derive(Debug)]
enum Trouble {
    /// A connector's call failed.
    Failure(Box<Failure>),
    /// An instance is gone, but nothing speaks against a fresh one.
    Reopen(Box<Failure>),
    /// Something that another attempt would not change.
    Error(Error),
    /// The run is to stop.
    Stopped,
}

impl Trouble {
    /// The stable code, for the log.
    fn code(&self) -> &str {
        match self {
            Self::Failure(failure) | Self::Reopen(failure) => failure.code(),
            Self::Error(error) => error.code(),
            Self::Stopped => "CD0621",
        }
    }
}

impl<E: Into<Error>> From<E> for Trouble {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

/// One run.
pub struct Run {
    spec: RunSpec,
    records: Arc<dyn RunRecords>,
    clock: Arc<dyn Clock>,
    observer: Arc<dyn Observer>,
}

impl Run {
    /// A run of this sync that keeps what must outlive it in these records.
    pub fn new(
        mut spec: RunSpec,
        records: Arc<dyn RunRecords>,
        clock: Arc<dyn Clock>,
        observer: Arc<dyn Observer>,
    ) -> Self {
        spec.rejects = spec.rejects.for_purpose(spec.purpose);
        Self { spec, records, clock, observer }
    }

    /// Run to the end, or until `cancel` is cancelled and what can be committed is. Must be called on a tokio runtime. A run
    /// whose future is dropped ends as in a crash: nothing committed is lost, and the next run goes on from there.
    pub async fn run(self, cancel: CancellationToken) -> RunReport {
        let started_ms = self.clock.now_ms();
        let began = self.clock.monotonic_ms();
        let row_data = self.spec.rejects.row_data;
        let mut report = empty_report(&self.spec, started_ms);
        let clock = Arc::clone(&self.clock);
        let ticket = match self.spec.check() {
            Ok(()) => self.records.begin(&self.spec.sync).await.map_err(Error::from),
            Err(error) => Err(error),
        };
        let ticket = match ticket {
            Ok(ticket) => ticket,
            Err(error) => {
                fail(&mut report, row_data.reported(error, None));
                return report;
            }
        };
        let records = Arc::clone(&self.records);
        let right = Right { records: Arc::clone(&records), ticket: ticket.clone() };
        report.run = ticket.run;
        self.move_groups(&ticket, &cancel, &mut report).await;
        report.duration_ms = clock.monotonic_ms().saturating_sub(began);
        if let Err(error) = records.finish(&ticket, report.clone()).await {
            fail(&mut report, row_data.reported(error.into(), None));
        }
        drop(right);
        report
    }

    async fn move_groups(self, ticket: &RunTicket, cancel: &CancellationToken, report: &mut RunReport) {
        let Self { spec, records, clock, observer } = self;
        let row_data = spec.rejects.row_data;
        let context = Arc::new(Context {
            spec,
            records,
            clock,
            observer,
            ticket: ticket.clone(),
            ledger: ledger::Ledger::default(),
            budgets: Arc::default(),
            stop: Stop::new(cancel),
        });
        match caught(Arc::clone(&context)).await {
            Ok(Some(groups)) => run_groups(&context, groups, report).await,
            Ok(None) => report.outcome = Outcome::Cancelled,
            Err(error) => fail(report, row_data.reported(error, None)),
        }
        report.streams = context.ledger.streams();
        report.written = context.ledger.written();
        report.recovered = context.ledger.recovered();
        report.budgets = context.budgets.all();
        report.secrets = context.spec.secrets.found();
        if let Err(error) = context.ledger.prove() {
            fail(report, row_data.reported(error, None));
        }
    }
}

/// Gives the right to run back when the run ends, also when it is dropped.
struct Right {
    records: Arc<dyn RunRecords>,
    ticket: RunTicket,
}

impl Drop for Right {
    fn drop(&mut self) {
        self.records.release(&self.ticket);
    }
}

/// As [`planned`]; a bug in it is caught here.
async fn caught(context: Arc<Context>) -> Result<Option<Vec<GroupPlan>>, Error> {
    let mut task = JoinSet::new();
    task.spawn(async move { planned(&context).await });
    match task.join_next().await {
        Some(Ok(planned)) => planned,
        Some(Err(error)) => Err(Error::internal(error.to_string())),
        None => Err(Error::internal("the plan ended without a word")),
    }
}

/// The groups of the chosen streams; none if the run was stopped before they were known.
async fn planned(context: &Context) -> Result<Option<Vec<GroupPlan>>, Error> {
    let mut retry = Retry::new();
    let catalog = loop {
        let discovering =
            async { context.spec.source.discover().await.map_err(|failure| context.of_source(failure)) };
        let failure = match context.unless_stopped(discovering).await {
            Ok(catalog) => break catalog,
            Err(Trouble::Stopped) => return Ok(None),
            Err(Trouble::Error(error)) => return Err(error),
            Err(Trouble::Failure(failure) | Trouble::Reopen(failure)) => failure,
        };
        tracing::warn!(
            code = failure.code(),
            connector = failure.connector,
            "discovering the source's streams failed"
        );
        match retry.after(*failure, &context.spec.options) {
            Decision::GiveUp(error) => return Err(error),
            Decision::Wait(ms) if context.sleep(ms).await => {}
            Decision::Wait(_) => return Ok(None),
        }
    };
    secrets::refuse_in_schemas(&context.spec.secrets.source, "source", &catalog)?;
    plan::plan(&context.spec, &catalog).map(Some)
}

/// So many at one time; an error that concerns all of them stops them all, with what they have.
async fn run_groups(context: &Arc<Context>, groups: Vec<GroupPlan>, report: &mut RunReport) {
    let turns = Arc::new(Semaphore::new(context.spec.options.parallel_groups as usize));
    let mut tasks = JoinSet::new();
    let mut running = BTreeMap::new();
    for group in groups {
        let group = Arc::new(group);
        let (context, turns, plan) = (Arc::clone(context), Arc::clone(&turns), Arc::clone(&group));
        let task = tasks.spawn(async move {
            // The semaphore is never closed.
            let _turn = turns.acquire_owned().await;
            group::run(context, plan).await
        });
        running.insert(task.id(), group);
    }
    while let Some(ended) = tasks.join_next_with_id().await {
        let group_report = match ended {
            Ok((_, group_report)) => group_report,
            // A bug in one group is caught here.
            Err(error) => match running.get(&error.id()) {
                Some(group) => crashed(context, group, &error.to_string()),
                None => continue,
            },
        };
        if group_report.error.as_ref().is_some_and(|error| concerns_all(&error.error)) {
            context.stop.request();
        }
        report.groups.push(group_report);
    }
    report.groups.sort_by(|left, right| left.group.cmp(&right.group));
    conclude(report);
}

fn crashed(context: &Context, group: &GroupPlan, message: &str) -> GroupReport {
    GroupReport {
        group: group.name.clone(),
        unit: group.unit.clone(),
        streams: group.streams.iter().map(|stream| stream.chosen.stream.clone()).collect(),
        outcome: Outcome::Failed,
        error: Some(context.reported(Error::internal(message), None)),
        retried: Vec::new(),
        attempts: 0,
        commits: 0,
        position: None,
        delivery: None,
        notes: Vec::new(),
    }
}

/// Errors of one stream or one call leave the other groups alone.
fn concerns_all(error: &Error) -> bool {
    matches!(
        error,
        Error::RowRejected { .. }
            | Error::TooManyRejects { .. }
            | Error::RejectRateTooHigh { .. }
            | Error::Records(_)
            | Error::CountersUnbalanced { .. }
            | Error::Internal { .. }
    )
}

fn conclude(report: &mut RunReport) {
    let has = |outcome: Outcome| report.groups.iter().any(|group| group.outcome == outcome);
    let (failed, cancelled) = (has(Outcome::Failed), has(Outcome::Cancelled));
    if failed {
        // The error that stopped the others first, then by the groups' names.
        let mut errors: Vec<&ErrorReport> =
            report.groups.iter().filter_map(|group| group.error.as_ref()).collect();
        errors.sort_by_key(|error| !concerns_all(&error.error));
        let first = errors.first().map(|error| (*error).clone());
        report.outcome = Outcome::Failed;
        report.error = first;
    } else if cancelled {
        report.outcome = Outcome::Cancelled;
    }
}

fn empty_report(spec: &RunSpec, started_ms: u64) -> RunReport {
    RunReport { purpose: spec.purpose, ..RunReport::empty(spec.sync.clone(), started_ms) }
}

fn fail(report: &mut RunReport, error: ErrorReport) {
    report.outcome = Outcome::Failed;
    report.error.get_or_insert(error);
}
