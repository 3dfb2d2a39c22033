//! The wish to stop: the first one ends the run in order, the second one ends the process.

use std::convert::Infallible;

use runtime::Stopper;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::problem::{Own, Problem, Problems};
use crate::progress::Screen;

/// The signals that ask a process to end.
pub(crate) struct Wishes {
    interrupt: Signal,
    terminate: Signal,
}

impl Wishes {
    /// From here on the process no longer ends by these signals.
    pub(crate) fn listen() -> Result<Self, Problems> {
        let listen =
            |kind| signal(kind).map_err(|error| Problems::from(Problem::bug(format!("no signals: {error}"))));
        Ok(Self { interrupt: listen(SignalKind::interrupt())?, terminate: listen(SignalKind::terminate())? })
    }

    /// Hand on the first wish; never returns.
    pub(crate) async fn obey(
        mut self,
        stopper: &Stopper,
        cancel: &CancellationToken,
        screen: &Screen,
    ) -> Infallible {
        self.next().await;
        screen.aside("stopping: what is under way is finished and committed; once more ends at once\n");
        stopper.stop();
        cancel.cancel();
        self.next().await;
        let problem = Problem::from(Own::Stopped);
        screen.aside(&problem.render(&crate::output::Styles::default()));
        std::process::exit(1);
    }

    /// The next wish.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
