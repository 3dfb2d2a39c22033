//! What was taken back from a run while it went on: why it ends, and the wish that it does.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};

use runtime::Stopper;
use tokio_util::sync::CancellationToken;

use crate::problem::Problem;
use crate::progress::Screen;

/// What was taken back. Cheap to clone; all clones are one.
#[derive(Clone, Default)]
pub(crate) struct Taken {
    problems: Arc<Mutex<Vec<Problem>>>,
    any: CancellationToken,
}

impl Taken {
    /// The run cannot go on for this reason.
    pub(crate) fn note(&self, problem: Problem) {
        self.problems.lock().unwrap_or_else(PoisonError::into_inner).push(problem);
        self.any.cancel();
    }

    /// Why the run cannot go on.
    pub(crate) fn problems(&self) -> Vec<Problem> {
        self.problems.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ends the run in order as soon as something is taken back: what was read before can still be committed where that needs
    /// nothing of it. Never returns.
    pub(crate) async fn obey(
        &self,
        stopper: &Stopper,
        cancel: &CancellationToken,
        screen: &Screen,
    ) -> Infallible {
        self.any.cancelled().await;
        for problem in self.problems() {
            screen.aside(&format!("stopping: {}\n", problem.message));
        }
        stopper.stop();
        cancel.cancel();
        std::future::pending().await
    }
}
