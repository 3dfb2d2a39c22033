//! The threads on which guests run, apart from the host's own, so that no guest delays the host's clock, network or answers.

use crate::error::Error;
use std::future::Future;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::JoinHandle;

/// Guests' threads. Dropping it does not wait for them.
pub(crate) struct Executor {
    runtime: Option<Runtime>,
    handle: Handle,
}

impl Executor {
    pub(crate) fn new(threads: usize) -> Result<Self, Error> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(threads.max(1))
            .thread_name("guest")
            .enable_all()
            .build()
            .map_err(|error| Error::Engine { message: format!("no threads for guests: {error}") })?;
        Ok(Self { handle: runtime.handle().clone(), runtime: Some(runtime) })
    }

    /// Run a future there. It is abandoned when the returned task is dropped.
    pub(crate) fn spawn<F>(&self, future: F) -> Task<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        Task::new(self.handle.spawn(future))
    }
}

impl Drop for Executor {
    fn drop(&mut self) {
        // An ordinary drop blocks, which panics inside an async context.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// A future on another thread, abandoned when dropped.
pub(crate) struct Task<T>(Option<JoinHandle<T>>);

impl<T> Task<T> {
    pub(crate) fn new(handle: JoinHandle<T>) -> Self {
        Self(Some(handle))
    }

    /// Let it go on by itself.
    pub(crate) fn detach(mut self) {
        self.0.take();
    }

    /// What the future gave; none when it panicked or the executor is gone.
    pub(crate) async fn join(mut self) -> Option<T> {
        match &mut self.0 {
            Some(handle) => handle.await.ok(),
            None => None,
        }
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        if let Some(handle) = self.0.take() {
            handle.abort();
        }
    }
}
