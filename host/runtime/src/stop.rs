//! The wish to stop a run: a flag that the host raises once, and on which guests and watchdogs can wait.

use std::sync::Arc;
use tokio::sync::watch;

/// Raises the wish.
#[derive(Debug, Clone)]
pub struct Stopper(Arc<watch::Sender<bool>>);

/// Sees the wish.
#[derive(Debug, Clone)]
pub struct Stop(watch::Receiver<bool>);

impl Stopper {
    /// A wish that is not raised yet, and its first receiver.
    pub fn new() -> (Self, Stop) {
        let (sender, receiver) = watch::channel(false);
        (Self(Arc::new(sender)), Stop(receiver))
    }

    /// Ask every connector of the run to return early.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Stop {
    /// A wish that is never raised.
    pub fn never() -> Self {
        Self(watch::channel(false).1)
    }

    /// Whether it is raised.
    pub fn is_requested(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns once it is raised, maybe never.
    pub async fn requested(&mut self) {
        if self.0.wait_for(|stop| *stop).await.is_err() {
            // Nobody is left who could raise it.
            std::future::pending::<()>().await;
        }
    }
}
