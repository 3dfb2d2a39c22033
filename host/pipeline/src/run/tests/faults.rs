//! What goes wrong at which call: every call of every port passes here.

use crate::connector::{Budget, Usage};
use crate::failure::{Cause, Failure, GuestError};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The call fails for now, before or after it took effect.
    Transient { after: bool },
    /// The other system asks to be left alone for so many milliseconds.
    RateLimited(u64),
    /// The call traps.
    Trap,
    /// The user cancels while the call is under way; it ends all the same.
    Cancel,
    /// The user cancels and the call never ends.
    CancelAndHang { after: bool },
    /// The process ends.
    Crash { after: bool },
    /// The code of a stage panics.
    Panic,
}

/// Stands in everything that connectors say.
pub(super) const GUEST_TEXT: &str = "it does not fit";

/// One fault at one call, and a count of calls.
#[derive(Debug, Default)]
pub(super) struct Faults {
    calls: AtomicU64,
    fault: Mutex<Option<(u64, Fault)>>,
    fired: AtomicBool,
    crash: Notify,
    cancel: Mutex<CancellationToken>,
    names: Mutex<Vec<&'static str>>,
}

impl Faults {
    /// From now on the call with this number (from 0) fails. The token is the one that the user holds.
    pub(super) fn arm(&self, fault: Option<(u64, Fault)>) -> CancellationToken {
        let token = CancellationToken::new();
        self.calls.store(0, Ordering::SeqCst);
        self.fired.store(false, Ordering::SeqCst);
        *lock(&self.fault) = fault;
        *lock(&self.cancel) = token.clone();
        lock(&self.names).clear();
        token
    }

    pub(super) fn fired(&self) -> bool {
        self.fired.load(Ordering::SeqCst)
    }

    pub(super) fn names(&self) -> Vec<&'static str> {
        lock(&self.names).clone()
    }

    /// What all instances of a connector used, as it says itself.
    pub(super) fn budget(&self) -> Budget {
        vec![Usage { limit: "calls".into(), used: self.calls.load(Ordering::SeqCst), allowed: 1_000 }]
    }

    pub(super) async fn crashed(&self) {
        self.crash.notified().await;
    }

    pub(super) fn cancel(&self) {
        lock(&self.cancel).cancel();
    }

    /// Passes a call into a connector; `effect` is what it does.
    pub(super) async fn call<T>(&self, name: &'static str, effect: impl FnOnce() -> T) -> Result<T, Failure> {
        let fault = self.next(name);
        match fault {
            Some(Fault::Transient { after: false }) => return Err(transient(name)),
            Some(Fault::Trap) => {
                return Err(failure(name, Cause::Trap { message: GUEST_TEXT.into(), frames: vec![] }));
            }
            Some(Fault::RateLimited(ms)) => return Err(rate_limited(name, ms)),
            Some(Fault::Panic) => panic!("a bug in `{name}`"),
            Some(Fault::Cancel | Fault::CancelAndHang { .. }) => lock(&self.cancel).cancel(),
            _ => {}
        }
        if matches!(fault, Some(Fault::CancelAndHang { after: false } | Fault::Crash { after: false })) {
            self.hang(fault).await;
        }
        let done = effect();
        match fault {
            Some(Fault::Transient { after: true }) => return Err(transient(name)),
            Some(Fault::CancelAndHang { after: true } | Fault::Crash { after: true }) => {
                self.hang(fault).await
            }
            _ => {}
        }
        // Other tasks go on here, as they do while a guest works.
        tokio::task::yield_now().await;
        Ok(done)
    }

    /// Passes a call into the records, which fail only with their process.
    pub(super) async fn records<T>(&self, name: &'static str, effect: impl Future<Output = T>) -> T {
        let fault = self.next(name);
        if matches!(fault, Some(Fault::Cancel | Fault::CancelAndHang { .. })) {
            lock(&self.cancel).cancel();
        }
        if fault == Some(Fault::Crash { after: false }) {
            self.hang(fault).await;
        }
        let done = effect.await;
        if fault == Some(Fault::Crash { after: true }) {
            self.hang(fault).await;
        }
        done
    }

    fn next(&self, name: &'static str) -> Option<Fault> {
        lock(&self.names).push(name);
        let number = self.calls.fetch_add(1, Ordering::SeqCst);
        let fault = lock(&self.fault).filter(|(at, _)| *at == number).map(|(_, fault)| fault);
        if fault.is_some() {
            self.fired.store(true, Ordering::SeqCst);
        }
        fault
    }

    async fn hang(&self, fault: Option<Fault>) {
        if matches!(fault, Some(Fault::Crash { .. })) {
            self.crash.notify_one();
        }
        std::future::pending::<()>().await;
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn failure(call: &str, cause: Cause) -> Failure {
    Failure {
        cause,
        connector: "scripted".into(),
        call: call.into(),
        log_tail: vec![GUEST_TEXT.into()],
        denials: vec![GUEST_TEXT.into()],
    }
}

pub(super) fn transient(call: &str) -> Failure {
    failure(call, Cause::Guest(GuestError::Transient { message: GUEST_TEXT.into(), retry_after_ms: None }))
}

fn rate_limited(call: &str, ms: u64) -> Failure {
    failure(
        call,
        Cause::Guest(GuestError::RateLimited { message: GUEST_TEXT.into(), retry_after_ms: Some(ms) }),
    )
}
