//! One read group from its first attempt to its end.

use super::Trouble;
use super::attempt::{attempt, no_change};
use super::context::Context;
use super::observe::Phase;
use super::pending::{Pending, Settled};
use super::plan::GroupPlan;
use super::retry::{Decision, Retry};
use super::write::Ended;
use crate::error::Error;
use crate::failure::Failure;
use crate::records::Position;
use crate::report::{Delivery, ErrorReport, GroupReport, Outcome};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// As many errors that were healed are reported.
const RETRIED_MAX: usize = 16;

/// What is known of a group across its attempts.
#[derive(Debug)]
pub(super) struct GroupState {
    pub(super) attempt: u32,
    pub(super) commits: u64,
    /// Where the unit stands; none before its records were read.
    pub(super) position: Option<Position>,
    pub(super) delivery: Option<Delivery>,
    pub(super) notes: BTreeSet<String>,
    /// A commit of which it is not known whether it took effect.
    pub(super) doubt: Option<Doubt>,
    pub(super) schema_changed: Arc<AtomicBool>,
}

/// What is true if a commit took effect of which that is not known.
#[derive(Debug)]
pub(super) struct Doubt {
    pub(super) token: String,
    pub(super) settled: Settled,
    /// The rows, of which the destination may have rejected some.
    pub(super) pending: Pending,
    /// The attempt that made it.
    pub(super) attempt: u32,
}

/// Try until it is done, or is to stop, or trying again makes no sense.
pub(super) async fn run(context: Arc<Context>, group: Arc<GroupPlan>) -> GroupReport {
    let mut state = GroupState {
        attempt: 0,
        commits: 0,
        position: None,
        delivery: None,
        notes: BTreeSet::new(),
        doubt: None,
        schema_changed: no_change(),
    };
    let mut retried = Vec::new();
    let ended = attempts(&context, &group, &mut state, &mut retried).await;
    roll_back(&context, &group);
    context.phase(&group.name, state.attempt, Phase::Ended);
    let (outcome, error) = match ended {
        Ok(Ended::Done) => (Outcome::Completed, None),
        Ok(Ended::Stopped) => (Outcome::Cancelled, None),
        Err(error) => {
            let attempt = Some(state.attempt).filter(|attempt| *attempt > 0);
            (Outcome::Failed, Some(context.reported(error, attempt)))
        }
    };
    let in_doubt = state.doubt.is_some();
    GroupReport {
        group: group.name.clone(),
        unit: group.unit.clone(),
        streams: group.streams.iter().map(|stream| stream.chosen.stream.clone()).collect(),
        outcome,
        error,
        retried,
        attempts: state.attempt,
        commits: state.commits,
        position: state.position.filter(|_| !in_doubt),
        delivery: state.delivery,
        notes: state.notes.into_iter().collect(),
    }
}

async fn attempts(
    context: &Arc<Context>,
    group: &Arc<GroupPlan>,
    state: &mut GroupState,
    retried: &mut Vec<ErrorReport>,
) -> Result<Ended, Error> {
    let mut retry = Retry::new();
    loop {
        if context.stop.is_requested() {
            return Ok(Ended::Stopped);
        }
        state.attempt += 1;
        let commits = state.commits;
        let trouble = match attempt(context, group, state).await {
            Ok(ended) => return Ok(ended),
            Err(trouble) => trouble,
        };
        roll_back(context, group);
        if state.commits > commits {
            retry.progress();
        }
        let (ms, failure) = match decide(trouble, &mut retry, context)? {
            Next::Stop => return Ok(Ended::Stopped),
            Next::Again(ms, failure) => (ms, failure),
        };
        let (attempt, code) = (state.attempt, failure.code());
        tracing::warn!(
            group = group.name,
            attempt,
            wait_ms = ms,
            code,
            connector = failure.connector,
            call = failure.call,
            "an attempt failed and is tried again"
        );
        let report = context.reported(Error::Failure(failure), Some(attempt));
        context.phase(&group.name, attempt, Phase::Retrying { ms, reason: report.message.clone() });
        if retried.len() == RETRIED_MAX {
            retried.remove(0);
        }
        retried.push(report);
        if !context.sleep(ms).await {
            return Ok(Ended::Stopped);
        }
    }
}

enum Next {
    Stop,
    Again(u64, Box<Failure>),
}

fn decide(trouble: Trouble, retry: &mut Retry, context: &Context) -> Result<Next, Error> {
    let options = &context.spec.options;
    let (failure, decision) = match trouble {
        Trouble::Stopped => return Ok(Next::Stop),
        Trouble::Error(error) => return Err(error),
        Trouble::Failure(failure) => (failure.clone(), retry.after(*failure, options)),
        Trouble::Reopen(failure) => (failure.clone(), retry.again(*failure, 0, options)),
    };
    match decision {
        Decision::Wait(ms) => Ok(Next::Again(ms, failure)),
        Decision::GiveUp(error) => Err(error),
    }
}

/// What was not committed will be read again, in another attempt or another run.
fn roll_back(context: &Context, group: &GroupPlan) {
    let streams = || group.streams.iter().map(|stream| stream.chosen.stream.as_str());
    context.ledger.roll_back(streams());
    streams().for_each(|stream| context.progress(&group.name, stream));
}
