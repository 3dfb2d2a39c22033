//! What the sending and the receiving half of one request share: counts, progress, and the failure of the upload.

use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::client::Shared;
use crate::revoke::Passage;
use crate::{Error, Limit, Result};

/// A server that sends more interim responses than this before the real one is not answering.
const INTERIM_RESPONSES_MAX: u32 = 16;
/// Far enough to mean never.
const NEVER: Duration = Duration::from_secs(365 * 24 * 3600);

const WAITS_FOR_CALLER: u8 = 0;
const WAITS_FOR_SERVER: u8 = 1;
const SENT: u8 = 2;

/// One request under way.
pub(crate) struct Exchange {
    pub(crate) shared: Arc<Shared>,
    /// Its right to go on.
    pub(crate) passage: Arc<Passage>,
    pub(crate) started: Instant,
    /// When the request is cut whatever it does.
    pub(crate) end: Instant,
    bytes_out: AtomicU64,
    upload: AtomicU8,
    /// Milliseconds after `started` at which the upload last moved.
    moved_ms: AtomicU64,
    interim: AtomicU32,
    interim_flood: Notify,
    failure: Mutex<Option<Error>>,
}

impl Exchange {
    pub(crate) fn new(shared: Arc<Shared>) -> Arc<Self> {
        let started = Instant::now();
        let end = later(started, shared.caps.total_timeout);
        let passage = shared.standing.open();
        Arc::new(Self::begun(shared, passage, started, end))
    }

    fn begun(shared: Arc<Shared>, passage: Arc<Passage>, started: Instant, end: Instant) -> Self {
        Self {
            shared,
            passage,
            started,
            end,
            bytes_out: AtomicU64::new(0),
            upload: AtomicU8::new(WAITS_FOR_CALLER),
            moved_ms: AtomicU64::new(0),
            interim: AtomicU32::new(0),
            interim_flood: Notify::new(),
            failure: Mutex::new(None),
        }
    }

    /// The same request once more: its time goes on, its bytes are counted from nothing.
    pub(crate) fn again(&self) -> Arc<Self> {
        let (shared, passage) = (Arc::clone(&self.shared), Arc::clone(&self.passage));
        Arc::new(Self::begun(shared, passage, self.started, self.end))
    }

    pub(crate) fn bytes_out(&self) -> u64 {
        self.bytes_out.load(Ordering::Relaxed)
    }

    /// Counts a part of the upload and says how much there is now.
    pub(crate) fn add_out(&self, bytes: u64) -> u64 {
        self.bytes_out.fetch_add(bytes, Ordering::Relaxed) + bytes
    }

    pub(crate) fn upload_waits_for_caller(&self) {
        self.upload.store(WAITS_FOR_CALLER, Ordering::Relaxed);
    }

    pub(crate) fn upload_moved(&self) {
        self.touch();
        self.upload.store(WAITS_FOR_SERVER, Ordering::Relaxed);
    }

    pub(crate) fn upload_sent(&self) {
        self.touch();
        self.upload.store(SENT, Ordering::Release);
    }

    pub(crate) fn is_upload_sent(&self) -> bool {
        self.upload.load(Ordering::Acquire) == SENT
    }

    /// Keeps why the upload failed: the transport would say only that it did.
    pub(crate) fn fail_upload(&self, error: Error) {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
    }

    pub(crate) fn take_upload_failure(&self) -> Option<Error> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Counts an interim (1xx) response.
    pub(crate) fn interim_response(&self) {
        if self.interim.fetch_add(1, Ordering::Relaxed) == INTERIM_RESPONSES_MAX {
            self.interim_flood.notify_one();
        }
    }

    /// Ends with an error when nothing has moved for `allowed`; pends until then.
    pub(crate) async fn silence(&self, allowed: Duration, limit: Limit) -> Error {
        let since = Instant::now();
        loop {
            let quiet = self.quiet_at(since, allowed);
            tokio::select! {
                () = self.interim_flood.notified() => {
                    return Error::Protocol { problem: "too many interim responses", source: None };
                }
                () = tokio::time::sleep_until(quiet.min(self.end)) => {
                    if let Err(error) = self.check_silence(since, allowed, limit) {
                        return error;
                    }
                }
            }
        }
    }

    /// When silence since `since` would be too long, as far as is known now.
    pub(crate) fn quiet_at(&self, since: Instant, allowed: Duration) -> Instant {
        if self.upload.load(Ordering::Relaxed) == WAITS_FOR_CALLER {
            // The server has nothing to answer yet; the total timeout bounds the caller.
            return later(Instant::now(), allowed);
        }
        let moved = self.started + Duration::from_millis(self.moved_ms.load(Ordering::Relaxed));
        later(since.max(moved), allowed)
    }

    /// Called when a timer has fired.
    pub(crate) fn check_silence(&self, since: Instant, allowed: Duration, limit: Limit) -> Result<()> {
        let now = Instant::now();
        if now >= self.end {
            return Err(Error::Timeout {
                limit: Limit::TotalTimeout,
                allowed: self.shared.caps.total_timeout,
            });
        }
        if now >= self.quiet_at(since, allowed) { Err(Error::Timeout { limit, allowed }) } else { Ok(()) }
    }

    fn touch(&self) {
        let after = self.started.elapsed().as_millis();
        self.moved_ms.store(u64::try_from(after).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}

fn later(instant: Instant, by: Duration) -> Instant {
    instant.checked_add(by.min(NEVER)).unwrap_or(instant)
}
