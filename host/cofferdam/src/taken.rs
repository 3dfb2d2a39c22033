//! What was taken back from a run while it went on: why it ends, and the wish that it does.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use records::TakenBack;
use runtime::Stopper;
use tokio_util::sync::CancellationToken;

use crate::problem::Problem;
use crate::progress::Screen;

/// What was taken back. Cheap to clone; all clones are one.
#[derive(Clone, Default)]
pub(crate) struct Taken {
    noted: Arc<Mutex<Noted>>,
    /// Something without which the run cannot go on.
    any: CancellationToken,
}

#[derive(Default)]
struct Noted {
    kept: Vec<TakenBack>,
    problems: Vec<Problem>,
}

impl Taken {
    /// This was taken back; where there is a problem, the run cannot go on for it.
    pub(crate) fn note(&self, taken: TakenBack, problem: Option<Problem>) {
        let ends_the_run = problem.is_some();
        let mut noted = self.noted();
        noted.kept.push(taken);
        noted.problems.extend(problem);
        drop(noted);
        if ends_the_run {
            self.any.cancel();
        }
    }

    /// All that was taken back, to be kept with the run.
    pub(crate) fn kept(&self) -> Vec<TakenBack> {
        self.noted().kept.clone()
    }

    /// Why the run cannot go on.
    pub(crate) fn problems(&self) -> Vec<Problem> {
        self.noted().problems.clone()
    }

    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until something is taken back without which the run cannot go on.
    pub(crate) async fn lost(&self) {
        self.any.cancelled().await;
    }

    /// Ends the run in order as soon as something is taken back: what was read before can still be committed where that needs
    /// nothing of it. Never returns.
    pub(crate) async fn obey(
        &self,
        stopper: &Stopper,
        cancel: &CancellationToken,
        screen: &Screen,
    ) -> Infallible {
        self.lost().await;
        for problem in self.problems() {
            screen.aside(&format!("stopping: {}\n", problem.message));
        }
        stopper.stop();
        cancel.cancel();
        std::future::pending().await
    }
}
