//! The threads on which guests run, apart from the host's own, so that no guest delays the host's clock, network or answers.
//! Most calls are over soon. One that is not goes on among its like: each of those keeps its thread for a tick at a time, and a
//! neighbour's short call would wait behind all of them.

use crate::error::Error;
use crate::long::LongThreads;
use crate::ticker::Calls;
use std::future::{Future, poll_fn};
use std::task::Poll;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::JoinHandle;

/// Guests' threads: so many for short calls, and as many for long ones.
pub(crate) struct Executor {
    short: Threads,
    long: Threads,
    /// Those of `long`.
    long_threads: LongThreads,
    calls: Calls,
}

/// Some threads. Dropping them does not wait for them.
struct Threads {
    runtime: Option<Runtime>,
    handle: Handle,
}

impl Executor {
    /// `calls` are told of each call, and whoever has `long_threads` of each of those.
    pub(crate) fn new(threads: usize, calls: Calls, long_threads: LongThreads) -> Result<Self, Error> {
        let joining = long_threads.clone();
        let long = Threads::new("guest-long", threads, move || joining.join())?;
        Ok(Self { short: Threads::new("guest", threads, || {})?, long, long_threads, calls })
    }

    /// Run what takes a while. It is abandoned when the returned task is dropped.
    pub(crate) fn spawn_long<F>(&self, future: F) -> Task<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        Task::new(self.long.handle.spawn(self.long_threads.computing(future)))
    }

    /// Drop what takes a while to drop.
    pub(crate) fn drop_long(&self, held: impl Send + 'static) {
        self.long.handle.spawn(self.long_threads.computing(async move { drop(held) }));
    }

    /// Run a call, which goes on among the long ones once it is one, or begins among them. It is abandoned when the returned task
    /// is dropped. None: it panicked there, or the threads are gone.
    pub(crate) fn spawn_call<F>(
        &self,
        call: F,
        begins_long: bool,
        is_long: impl Fn() -> bool + Send + Sync + 'static,
    ) -> Task<Option<F::Output>>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let under_way = self.calls.begin();
        if begins_long {
            return self.spawn_long(async move {
                let _under_way = under_way;
                Some(call.await)
            });
        }
        let (long, long_threads) = (self.long.handle.clone(), self.long_threads.clone());
        let mut call = Box::pin(call);
        let task = async move {
            let _under_way = under_way;
            let short = poll_fn(|context| match call.as_mut().poll(context) {
                Poll::Ready(output) => Poll::Ready(Some(output)),
                Poll::Pending if is_long() => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            });
            match short.await {
                Some(output) => Some(output),
                // Polled there at once: whatever would have woken it here may be over.
                None => Task::new(long.spawn(long_threads.computing(call))).join().await,
            }
        };
        Task::new(self.short.handle.spawn(task))
    }
}

impl Threads {
    fn new(name: &str, threads: usize, begin: impl Fn() + Send + Sync + 'static) -> Result<Self, Error> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(threads.max(1))
            .thread_name(name)
            .on_thread_start(begin)
            .enable_all()
            .build()
            .map_err(|error| Error::Engine { message: format!("no threads for guests: {error}") })?;
        Ok(Self { handle: runtime.handle().clone(), runtime: Some(runtime) })
    }
}

impl Drop for Threads {
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

#[cfg(test)]
mod tests {
    use super::{Calls, Executor, LongThreads};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::thread;
    use tokio::sync::oneshot;

    fn executor() -> Executor {
        Executor::new(1, Calls::default(), LongThreads::default()).unwrap()
    }

    fn name_of_thread() -> String {
        thread::current().name().unwrap_or_default().to_owned()
    }

    /// Yields so often, and tells on which threads it was.
    async fn yielding(times: u32, polls: Arc<AtomicU32>) -> Vec<String> {
        let mut names = vec![name_of_thread()];
        for _ in 0..times {
            polls.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
            names.push(name_of_thread());
        }
        names.dedup();
        names
    }

    #[tokio::test]
    async fn a_call_that_becomes_long_goes_on_among_the_long_ones_and_a_short_one_stays() {
        let executor = executor();
        for (times, expected) in [(1, &["guest"][..]), (5, &["guest", "guest-long"])] {
            let polls = Arc::new(AtomicU32::new(0));
            let seen = polls.clone();
            let is_long = move || seen.load(Ordering::Relaxed) >= 2;
            let names = executor.spawn_call(yielding(times, polls), false, is_long).join().await.flatten();
            assert_eq!(names.unwrap(), expected);
        }
        let names = executor.spawn_call(yielding(1, Arc::default()), true, || false).join().await.flatten();
        assert_eq!(names.unwrap(), ["guest-long"], "it usually is one");
    }

    /// Tells on which thread it was dropped.
    struct Dropped(Option<oneshot::Sender<String>>);

    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.take().map(|told| told.send(name_of_thread()));
        }
    }

    #[tokio::test]
    async fn what_takes_a_while_to_drop_is_dropped_among_the_long_calls() {
        let executor = executor();
        let (told, name) = oneshot::channel();
        executor.drop_long(Dropped(Some(told)));
        assert_eq!(name.await.unwrap(), "guest-long");
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn long_calls_go_behind_others_and_short_ones_do_not() {
        use crate::slice::tests::Scheduled;
        let executor = executor();
        let now = || async { Scheduled::now() };
        let own = Scheduled::now();
        assert_eq!(executor.spawn_call(now(), false, || false).join().await.flatten(), Some(own));
        assert_eq!(executor.spawn_long(now()).join().await, Some(own.behind_others()));
    }

    /// Says when it is among the long ones, and never ends. It is dropped with the sender that it holds.
    async fn endless(arrived: oneshot::Sender<()>, _held: oneshot::Sender<()>) {
        let mut arrived = Some(arrived);
        loop {
            if name_of_thread() == "guest-long" {
                arrived.take().map(|arrived| arrived.send(()));
            }
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn long_calls_leave_the_threads_of_short_ones_free_and_end_when_nobody_waits_for_them() {
        let executor = executor();
        let (mut calls, mut ends) = (Vec::new(), Vec::new());
        for _ in 0..4 {
            let ((arrived, arrives), (held, end)) = (oneshot::channel(), oneshot::channel());
            calls.push(executor.spawn_call(endless(arrived, held), false, || true));
            arrives.await.unwrap();
            ends.push(end);
        }
        let names = executor.spawn_call(yielding(1, Arc::default()), false, || false).join().await.flatten();
        assert_eq!(names.unwrap(), ["guest"]);
        drop(calls);
        for end in ends {
            assert!(end.await.is_err());
        }
    }
}
