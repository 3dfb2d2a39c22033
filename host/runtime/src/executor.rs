//! The threads on which guests run, apart from the host's own, so that no guest delays the host's clock, network or answers.
//! Most calls are over soon. One that is not goes on among its like: each of those keeps its thread for a tick at a time, and a
//! neighbour's short call would wait behind all of them. Where there is no other call it stays: those threads have the processor last.

use crate::error::Error;
use crate::long::LongThreads;
use crate::ticker::Calls;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::JoinHandle;

/// Guests' threads: so many for short calls, and as many for long ones.
pub(crate) struct Executor {
    short: Threads,
    long: Long,
    calls: Calls,
    /// Those of `long`, for as long as they are needed.
    _long: Threads,
}

/// The threads for long calls, as a call has them that goes there.
#[derive(Clone)]
struct Long {
    handle: Handle,
    threads: LongThreads,
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
        let threads_of_long = Threads::new("guest-long", threads, move || joining.join())?;
        let long = Long { handle: threads_of_long.handle.clone(), threads: long_threads };
        Ok(Self { short: Threads::new("guest", threads, || {})?, long, calls, _long: threads_of_long })
    }

    /// Run what takes a while. It is abandoned when the returned task is dropped.
    pub(crate) fn spawn_long<F>(&self, future: F) -> Task<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        Task::new(self.long.spawn(future))
    }

    /// Drop what takes a while to drop.
    pub(crate) fn drop_long(&self, held: impl Send + 'static) {
        self.long.spawn(async move { drop(held) });
    }

    /// Run a call: among the short ones, and among the long ones while it is one, or usually is, and there are others to make room
    /// for. It is abandoned when the returned task is dropped. None: it panicked there, or the threads are gone.
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
        let (long, calls) = (self.long.clone(), self.calls.clone());
        let mut goes_long = begins_long && calls.are_many();
        let mut call = Box::pin(call);
        let task = async move {
            let _under_way = under_way;
            loop {
                let left = if goes_long {
                    // Polled there at once: whatever would have woken it here may be over.
                    let others = calls.clone();
                    Task::new(long.spawn(stay(call, move || !others.are_many()))).join().await?
                } else {
                    stay(call, || is_long() && calls.are_many()).await
                };
                match left {
                    Left::Over(output) => return Some(output),
                    Left::Waits(on) => call = on,
                }
                goes_long = !goes_long;
            }
        };
        Task::new(self.short.handle.spawn(task))
    }
}

impl Long {
    fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.handle.spawn(self.threads.computing(future))
    }
}

/// A call that was on some thread.
enum Left<F: Future> {
    Over(F::Output),
    Waits(Pin<Box<F>>),
}

/// Until the call is over, or has to wait and then leaves.
async fn stay<F: Future>(mut call: Pin<Box<F>>, leaves: impl Fn() -> bool) -> Left<F> {
    let over = poll_fn(|context| match call.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending if leaves() => Poll::Ready(None),
        Poll::Pending => Poll::Pending,
    });
    match over.await {
        Some(output) => Left::Over(output),
        None => Left::Waits(call),
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
    use crate::ticker::UnderWay;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::thread;
    use tokio::sync::oneshot;

    /// With another call under way.
    fn executor() -> (Executor, UnderWay) {
        let calls = Calls::default();
        let other = calls.begin();
        (Executor::new(1, calls, LongThreads::default()).unwrap(), other)
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
        let (executor, _other) = executor();
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

    #[tokio::test]
    async fn a_long_call_makes_room_as_long_as_there_are_others() {
        let calls = Calls::default();
        let executor = Executor::new(1, calls.clone(), LongThreads::default()).unwrap();
        let names = executor.spawn_call(yielding(5, Arc::default()), true, || true).join().await.flatten();
        assert_eq!(names.unwrap(), ["guest"], "there is none");
        let other = std::sync::Mutex::new(Some(calls.begin()));
        let until_it_is_over = async move {
            let mut names = vec![name_of_thread()];
            drop(other.lock().map(|mut other| other.take()));
            while names.last().is_some_and(|name| name == "guest-long") {
                names.push(name_of_thread());
                tokio::task::yield_now().await;
            }
            names.dedup();
            names
        };
        let names = executor.spawn_call(until_it_is_over, true, || true).join().await.flatten();
        assert_eq!(names.unwrap(), ["guest-long", "guest"]);
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
        let (executor, _other) = executor();
        let (told, name) = oneshot::channel();
        executor.drop_long(Dropped(Some(told)));
        assert_eq!(name.await.unwrap(), "guest-long");
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn long_calls_go_behind_others_and_short_ones_do_not() {
        use crate::slice::tests::Scheduled;
        let (executor, _other) = executor();
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
        let (executor, _other) = executor();
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
