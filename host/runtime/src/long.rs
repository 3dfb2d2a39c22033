//! The threads on which long calls compute. They go behind all others, and at each tick of the clock they let those have their processor
//! that wait for it. Where a guest runs it is told of a tick and yields; where the host or the system works at one piece (texts of
//! megabytes, memory that is filled by one instruction) a signal interrupts it, as Go's scheduler does with its threads. Without either,
//! who has had more than its share, and has to wait until the computing thread has caught up, waits for the system's own tick.

use crate::slice;
use std::cell::OnceCell;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Those of one engine.
#[derive(Clone, Default)]
pub(crate) struct LongThreads(Arc<Shared>);

#[derive(Default)]
struct Shared {
    ticks: AtomicU64,
    /// One has computed since this was asked.
    have_computed: AtomicBool,
    threads: Mutex<Vec<Arc<Computes>>>,
}

/// One thread.
struct Computes {
    thread: interrupt::Thread,
    /// The tick in which it began to compute or yielded last, from 1 on; 0: it does not compute.
    since: AtomicU64,
}

/// What such a thread knows of itself.
struct Own {
    all: LongThreads,
    computes: Arc<Computes>,
}

thread_local! {
    static OWN: OnceCell<Own> = const { OnceCell::new() };
}

impl LongThreads {
    /// From here on this thread is one of them.
    pub(crate) fn join(&self) {
        slice::go_behind_others();
        interrupt::listen();
        let computes = Arc::new(Computes { thread: interrupt::this_thread(), since: AtomicU64::new(0) });
        self.0.threads.lock().unwrap_or_else(PoisonError::into_inner).push(computes.clone());
        // A thread is one of one engine's, and is so once.
        let _ = OWN.with(|own| own.set(Own { all: self.clone(), computes }));
    }

    /// The same future, to be polled on one of them.
    pub(crate) fn computing<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        let all = self.clone();
        async move {
            let mut future = pin!(future);
            poll_fn(|context| {
                all.0.have_computed.store(true, Ordering::Relaxed);
                let _computing = Computing::begin();
                future.as_mut().poll(context)
            })
            .await
        }
    }

    /// Whether one has computed since this was asked.
    pub(crate) fn have_computed(&self) -> bool {
        self.0.have_computed.swap(false, Ordering::Relaxed)
    }

    /// A tick has ended: whoever has computed for all of it, and has not yielded, is interrupted.
    pub(crate) fn tick(&self) {
        let ended = self.0.ticks.fetch_add(1, Ordering::Relaxed);
        for one in self.0.threads.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            if (1..=ended).contains(&one.since.load(Ordering::Relaxed)) {
                interrupt::send(one.thread);
            }
        }
    }
}

impl Own {
    fn computes_from_now(&self) {
        self.computes.since.store(self.all.0.ticks.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }
}

/// This thread computes, until this is dropped.
struct Computing;

impl Computing {
    fn begin() -> Self {
        OWN.with(|own| own.get().map(Own::computes_from_now));
        Self
    }
}

impl Drop for Computing {
    fn drop(&mut self) {
        OWN.with(|own| own.get().map(|own| own.computes.since.store(0, Ordering::Relaxed)));
    }
}

/// Where this is a thread for long calls: let those have its processor that wait for it.
pub(crate) fn yield_where_long() {
    OWN.with(|own| {
        if let Some(own) = own.get() {
            std::thread::yield_now();
            own.computes_from_now();
        }
    });
}

#[cfg(target_os = "linux")]
mod interrupt {
    use rustix::thread::{Pid, gettid, sched_yield};
    use std::sync::Once;

    pub(super) type Thread = Pid;

    /// Nothing comes of it where nobody listens, so that one that somebody else sends does no harm.
    pub(super) const SIGNAL: libc::c_int = libc::SIGURG;

    pub(super) fn this_thread() -> Thread {
        gettid()
    }

    /// Threads of this process yield when they are interrupted.
    #[expect(unsafe_code, reason = "whoever answers a signal has to say what it does there")]
    pub(super) fn listen() {
        static LISTENS: Once = Once::new();
        LISTENS.call_once(|| {
            // SAFETY: it allocates nothing, takes no lock and leaves `errno` as it is: one call of the system, which cannot fail.
            // Where it is refused nobody is interrupted, and long pieces of work keep their processors as they did.
            let _ = unsafe { signal_hook_registry::register(SIGNAL, sched_yield) };
        });
    }

    /// Interrupt this thread, where it is still there. Calls of the system that it is in go on.
    #[expect(unsafe_code, reason = "a call of the system that no crate offers in safe clothes")]
    pub(super) fn send(thread: Thread) {
        let process = rustix::process::getpid();
        // SAFETY: takes three numbers, and reads and writes nothing of ours (tgkill(2)). No thread of another process has this number.
        unsafe { libc::syscall(libc::SYS_tgkill, process.as_raw_nonzero(), thread.as_raw_nonzero(), SIGNAL) };
    }
}

/// Not on other systems.
#[cfg(not(target_os = "linux"))]
mod interrupt {
    #[derive(Clone, Copy)]
    pub(super) struct Thread;

    pub(super) fn this_thread() -> Thread {
        Thread
    }

    pub(super) fn listen() {}

    pub(super) fn send(_: Thread) {}
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::{LongThreads, interrupt, yield_where_long};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::thread::{scope, yield_now};

    /// How often one of the threads is interrupted.
    #[expect(unsafe_code, reason = "whoever answers a signal has to say what it does there")]
    fn interruptions() -> Arc<AtomicUsize> {
        let count = Arc::new(AtomicUsize::new(0));
        let counted = count.clone();
        let action = move || {
            counted.fetch_add(1, Ordering::Relaxed);
        };
        // SAFETY: one addition.
        unsafe { signal_hook_registry::register(interrupt::SIGNAL, action) }.unwrap();
        count
    }

    /// Polls this once on a thread for long calls.
    fn polled(threads: &LongThreads, work: impl FnOnce()) {
        threads.join();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(threads.computing(async { work() }));
    }

    #[test]
    fn a_thread_that_computes_for_a_whole_tick_is_interrupted_unless_it_yields() {
        let (count, threads) = (interruptions(), LongThreads::default());
        let interrupted = || count.load(Ordering::Relaxed);
        let [computes, is_over] = [(); 2].map(|()| AtomicBool::new(false));
        assert!(!threads.have_computed());
        scope(|scope| {
            let thread = scope.spawn(|| {
                polled(&threads, || {
                    computes.store(true, Ordering::Relaxed);
                    while !is_over.load(Ordering::Relaxed) {
                        std::hint::spin_loop();
                    }
                });
            });
            while !computes.load(Ordering::Relaxed) {
                yield_now();
            }
            assert!(threads.have_computed());
            threads.tick();
            assert_eq!(interrupted(), 0, "it has begun in this one");
            for times in 1..3 {
                threads.tick();
                while interrupted() < times {
                    yield_now();
                }
            }
            is_over.store(true, Ordering::Relaxed);
            thread.join().unwrap();
        });
        assert!(!threads.have_computed(), "not since");
        for _ in 0..2 {
            threads.tick();
        }
        assert_eq!(interrupted(), 2, "it does not compute any more");
    }

    #[test]
    fn who_yields_at_each_tick_is_not_interrupted() {
        let (count, threads) = (interruptions(), LongThreads::default());
        polled(&threads, || {
            for _ in 0..3 {
                threads.tick();
                yield_where_long();
            }
            assert_eq!(count.load(Ordering::Relaxed), 0);
            threads.tick();
            threads.tick();
            // A signal that a thread sends itself is there when the call returns.
            assert_eq!(count.load(Ordering::Relaxed), 1);
        });
        yield_where_long();
        threads.tick();
        assert_eq!(count.load(Ordering::Relaxed), 1);
    }
}
