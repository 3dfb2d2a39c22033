//! What the groups of a run share, and what stops them.

use super::Trouble;
use super::budgets::Budgets;
use super::ledger::Ledger;
use super::observe::{GroupProgress, Observer, Phase, StreamProgress};
use super::pending::Owner;
use super::spec::RunSpec;
use crate::clock::Clock;
use crate::connector::Budget;
use crate::error::Error;
use crate::failure::{Cause, Failure};
use crate::records::{RunRecords, RunTicket};
use crate::report::ErrorReport;
use std::sync::{Arc, OnceLock};
use tokio_util::sync::CancellationToken;

/// Shared by all tasks of a run.
pub(super) struct Context {
    pub(super) spec: RunSpec,
    pub(super) records: Arc<dyn RunRecords>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) observer: Arc<dyn Observer>,
    pub(super) ticket: RunTicket,
    pub(super) ledger: Ledger,
    pub(super) budgets: Arc<Budgets>,
    pub(super) stop: Stop,
}

/// The wish to stop: of the user, or of the run itself after an error that concerns all groups.
#[derive(Debug)]
pub(super) struct Stop {
    token: CancellationToken,
    /// When it was first seen, by the monotonic clock.
    seen_ms: OnceLock<u64>,
}

impl Stop {
    /// Requested whenever the user's wish is.
    pub(super) fn new(user: &CancellationToken) -> Self {
        Self { token: user.child_token(), seen_ms: OnceLock::new() }
    }

    pub(super) fn request(&self) {
        self.token.cancel();
    }

    pub(super) fn is_requested(&self) -> bool {
        self.token.is_cancelled()
    }

    pub(super) async fn requested(&self) {
        self.token.cancelled().await;
    }
}

/// From when a call's grace is counted.
#[derive(Debug, Clone, Copy)]
pub(super) enum Grace {
    /// From the wish to stop: reading, transforming and writing of the page at hand.
    FromStop,
    /// From the call's own start if that is later: the commit that ends a stopped run.
    FromCall,
}

impl Context {
    /// The result of setting something up, at which nothing is lost: given up at once when the run is to stop.
    pub(super) async fn unless_stopped<T>(
        &self,
        work: impl Future<Output = Result<T, Trouble>>,
    ) -> Result<T, Trouble> {
        tokio::select! {
            biased;
            () = self.stop.requested() => Err(Trouble::Stopped),
            done = work => done,
        }
    }

    /// The result of a call into a connector; abandoned when the grace is over.
    pub(super) async fn call<T>(
        &self,
        grace: Grace,
        call: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Trouble> {
        tokio::select! {
            biased;
            done = call => done.map_err(|failure| self.trouble(failure)),
            () = self.grace_over(grace) => Err(Trouble::Stopped),
        }
    }

    /// Whose row errors those of this run are.
    pub(super) fn owner<'u>(&self, unit: &'u str, attempt: u32) -> Owner<'u> {
        Owner { run: self.ticket.run, unit, attempt, row_data: self.spec.rejects.row_data }
    }

    /// The error as the report may tell it.
    pub(super) fn reported(&self, error: Error, attempt: Option<u32>) -> ErrorReport {
        self.spec.rejects.row_data.reported(error, attempt)
    }

    /// A connector that was stopped because the run is to stop has not failed.
    pub(super) fn trouble(&self, failure: Failure) -> Trouble {
        if failure.cause == Cause::Stopped && self.stop.is_requested() {
            return Trouble::Stopped;
        }
        Trouble::Failure(Box::new(failure))
    }

    /// A call failed before there was an instance whose end tells what was used: that is noted now.
    pub(super) fn unopened(&self, role: &str, budget: Budget, failure: Failure) -> Trouble {
        if !budget.is_empty() {
            self.budgets.note(role, budget);
        }
        self.trouble(failure)
    }

    /// The same of the source.
    pub(super) fn of_source(&self, failure: Failure) -> Trouble {
        self.unopened("source", self.spec.source.budget(), failure)
    }

    /// Returns when a stop was requested and the grace after it is over; else never.
    pub(super) async fn grace_over(&self, grace: Grace) {
        self.stop.requested().await;
        let now = self.clock.monotonic_ms();
        let seen = *self.stop.seen_ms.get_or_init(|| now);
        let from = match grace {
            Grace::FromStop => seen,
            Grace::FromCall => now,
        };
        let until = from.saturating_add(self.spec.options.stop_grace_ms);
        self.clock.sleep(until.saturating_sub(now)).await;
    }

    /// Sleeps, but not past the wish to stop: true if it slept to the end.
    pub(super) async fn sleep(&self, ms: u64) -> bool {
        tokio::select! {
            biased;
            () = self.stop.requested() => false,
            () = self.clock.sleep(ms) => true,
        }
    }

    pub(super) fn phase(&self, group: &str, attempt: u32, phase: Phase) {
        self.observer.group(GroupProgress { group: group.to_owned(), attempt, phase });
    }

    pub(super) fn progress(&self, group: &str, stream: &str) {
        let account = self.ledger.account(stream);
        let mut counters = account.committed.counters;
        let committed = counters.read;
        counters.add(account.pending.counters);
        self.observer.stream(StreamProgress {
            group: group.to_owned(),
            stream: stream.to_owned(),
            read: counters.read,
            accepted: counters.accepted,
            rejected: counters.rejected,
            filtered: counters.filtered,
            committed,
            bytes: account.committed.bytes + account.pending.bytes,
        });
    }
}
