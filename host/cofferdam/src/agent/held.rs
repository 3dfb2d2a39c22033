//! One run that is held: executed in a task of its own, while its lease is renewed and what is wished of it is passed on.
//! Whatever becomes of the task, the queue is told, unless somebody else has the run by now.

use std::sync::Arc;
use std::time::Duration;

use control::{Error, Order, RunOutcome, Taken, Wish};
use pipeline::report::Outcome;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinHandle};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until};
use tracing::{Instrument, Span, field};

use super::job::{self, Done};
use super::reins::Reins;
use super::{Agent, ended, figures};
use crate::problem::Problem;
use crate::units::now_ms;

/// A run that somebody wants ended at once may commit what it has, if that takes no longer.
const CANCEL_GRACE: Duration = Duration::from_secs(5);
/// Two renewals may fail before a lease ends.
const RENEWALS_IN_LEASE: u64 = 3;

/// A run that is held.
struct Held {
    agent: Arc<Agent>,
    taken: Taken,
    reins: Arc<Reins>,
    wish: Option<Wish>,
    wishes: watch::Receiver<u64>,
    /// When it is broken off.
    cut: Option<Instant>,
    is_drawn: bool,
    began: Instant,
}

/// What is next for a run.
enum Step {
    On,
    /// It is broken off.
    Cut,
    /// It is somebody else's.
    Lost,
}

/// Executes a run, and says how it ended.
pub(super) async fn execute(agent: Arc<Agent>, taken: Taken) {
    let Order { run, organization, sync, attempt, .. } = taken.order.clone();
    tracing::info!(run, organization, sync, attempt, "a run begins");
    figures::begins(&agent.measures, &taken.order);
    let span = tracing::error_span!(
        target: "cofferdam::spans",
        "run",
        run,
        organization,
        sync,
        attempt,
        outcome = field::Empty
    );
    lead(agent, taken).instrument(span).await;
}

async fn lead(agent: Arc<Agent>, taken: Taken) {
    let began = Instant::now();
    let organization = taken.order.organization.clone();
    let reins = match Reins::of(&agent, &organization) {
        Ok(reins) => Arc::new(reins),
        Err(problems) => {
            let problem = problems.into_all().into_iter().next();
            let problem = problem.unwrap_or_else(|| Problem::bug("there is no crew"));
            return tell(&agent, taken, &ended::of_problem(&problem), began).await;
        }
    };
    let work = job::done(Arc::clone(&agent), taken.order.clone(), Arc::clone(&reins));
    let work = tokio::spawn(work.in_current_span());
    let mut wishes = agent.queue.wishes();
    // Of one that was taken over something may be wished already.
    wishes.mark_changed();
    Held { agent, taken, reins, wish: None, wishes, cut: None, is_drawn: false, began }.lead(work).await;
}

impl Held {
    async fn lead(mut self, mut work: JoinHandle<Done>) {
        let every = Duration::from_millis((self.agent.queue.lease_ms() / RENEWALS_IN_LEASE).max(1));
        let mut renewals = interval_at(Instant::now() + every, every);
        renewals.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let agent = Arc::clone(&self.agent);
        let reins = Arc::clone(&self.reins);
        loop {
            let step = tokio::select! {
                done = &mut work => {
                    let outcome = self.outcome(done).await;
                    return tell(&agent, self.taken, &outcome, self.began).await;
                }
                _ = renewals.tick() => self.renew().await,
                Ok(()) = self.wishes.changed() => self.look().await,
                () = reins.moved.notified(), if self.taken.is_doubted() => self.clear().await,
                () = reins.host.taken.lost(), if !self.is_drawn => self.draw(),
                () = agent.draining.cancelled(), if !self.is_drawn => self.draw(),
                () = agent.cut.cancelled() => Step::Cut,
                () = at(self.cut) => Step::Cut,
            };
            match step {
                Step::On => {}
                Step::Cut => {
                    // Its future is dropped by that, as in a crash: what it committed stays.
                    work.abort();
                    let outcome = match work.await {
                        Ok(done) => self.outcome(Ok(done)).await,
                        Err(_) => self.broken_off().await,
                    };
                    return tell(&agent, self.taken, &outcome, self.began).await;
                }
                Step::Lost => {
                    work.abort();
                    // Not before it is gone may another run of the sync have its workers.
                    let _ = work.await;
                    self.count_denials();
                    agent.measures.run(measures::Outcome::Lost, self.began.elapsed());
                    let run = &self.taken.order.run;
                    return tracing::warn!(run, "a run is somebody else's by now, and was broken off here");
                }
            }
        }
    }

    /// Ends it in order.
    fn draw(&mut self) -> Step {
        self.is_drawn = true;
        self.reins.draw();
        Step::On
    }

    /// Holds it for longer, and lets it have no more than it is granted now.
    async fn renew(&mut self) -> Step {
        match self.agent.queue.renew(&mut self.taken).await {
            Ok(wish) => {
                self.obey().await;
                self.follow(wish)
            }
            Err(error) => self.not_told(&error),
        }
    }

    /// It is not what it does that ends its processes.
    async fn clear(&mut self) -> Step {
        match self.agent.queue.has_moved(&mut self.taken).await {
            Ok(()) => Step::On,
            Err(error) => self.not_told(&error),
        }
    }

    async fn look(&mut self) -> Step {
        match self.agent.queue.wish_of(&self.taken).await {
            Ok(wish) => {
                self.obey().await;
                self.follow(wish)
            }
            Err(error) => self.not_told(&error),
        }
    }

    fn follow(&mut self, wish: Option<Wish>) -> Step {
        if wish.is_none() || wish == self.wish {
            return Step::On;
        }
        self.wish = wish;
        if wish == Some(Wish::Cancel) {
            self.cut = Some(Instant::now() + CANCEL_GRACE);
        }
        self.draw()
    }

    /// Storage says nothing: the run goes on for as long as nobody else can have it.
    fn not_told(&self, error: &Error) -> Step {
        let run = &self.taken.order.run;
        if matches!(error, Error::RunLost { .. }) {
            return Step::Lost;
        }
        tracing::warn!(run, code = error.code(), "the lease of a run could not be renewed");
        if now_ms() >= self.taken.until_ms() { Step::Cut } else { Step::On }
    }

    /// What an admin has taken back since it began is cut off.
    async fn obey(&self) {
        let Some(live) = self.reins.live.get() else { return };
        let Order { run, organization, sync, .. } = &self.taken.order;
        match self.agent.syncs.run_file(organization, sync).await {
            Ok((now, _)) => drop(live.obey(&now, organization)),
            Err(error) => tracing::warn!(run, code = error.code(), "what a run is granted could not be read"),
        }
    }

    async fn outcome(&self, done: Result<Done, JoinError>) -> RunOutcome {
        self.count_denials();
        match done {
            Ok(Done::Report(report)) => {
                figures::moved(&self.agent.measures, &report);
                ended::of_report(&report, &self.reins.host.taken.problems(), self.wish)
            }
            Ok(Done::NotReady(problem)) => ended::of_problem(&problem),
            Err(error) => {
                let run = &self.taken.order.run;
                tracing::error!(run, "a part of cofferdam panicked in a run: {error}");
                ended::of_problem(&Problem::bug("a part of cofferdam panicked"))
            }
        }
    }

    fn count_denials(&self) {
        figures::denied(&self.agent.measures, &self.reins.host.traffic);
    }

    /// It had no time to say anything.
    async fn broken_off(&self) -> RunOutcome {
        self.count_denials();
        if self.wish != Some(Wish::Cancel) {
            return RunOutcome::HandedBack;
        }
        let Order { run, organization, sync, .. } = &self.taken.order;
        let noted = async {
            let records = self.agent.records(organization).await?;
            if let Some(entry) = records.run_of_order(sync, run).await? {
                records.end_broken_off(sync, entry.run, Outcome::Cancelled).await?;
            }
            Ok::<_, crate::problem::Problems>(())
        };
        if noted.await.is_err() {
            tracing::warn!(run, "the end of a run that was broken off could not be kept");
        }
        RunOutcome::Cancelled
    }
}

/// A time that may never come.
async fn at(when: Option<Instant>) {
    match when {
        Some(when) => sleep_until(when).await,
        None => std::future::pending().await,
    }
}

/// Says how it ended. Where storage does not take it, its lease ends by itself, and another one goes on.
async fn tell(agent: &Agent, taken: Taken, outcome: &RunOutcome, began: Instant) {
    figures::ended(&agent.measures, outcome, began.elapsed());
    Span::current().record("outcome", figures::word(outcome));
    let run = taken.order.run.clone();
    tracing::info!(run, ended = ?outcome, "a run has ended");
    if let Err(error) = agent.queue.finish(taken, outcome).await {
        tracing::warn!(run, code = error.code(), "the end of a run could not be kept");
    }
}
