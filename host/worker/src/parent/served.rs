//! One connection as the parent serves it: its way out, its secrets, its log, its rights. Nothing of this is in a worker.

use egress::Body;
use http::Request;
use pipeline::connector::Budget;
use pipeline::failure::{Cause, Failure};
use runtime::text::{clean, clean_line};
use runtime::{Answer, Grants, HttpOut, Level, Limits, LogSink, LogTail, Stop};
use scrub::{Place, Watch};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::used::Used;

/// A worker cuts lines at 64 KiB before anybody looks for secrets in them: what is cut in the middle of one lies behind this.
const LINE_BYTES_MAX: usize = 60 << 10;
/// Kept for the report of a failure, as of connectors that run in this process.
const DENIALS_MAX: usize = 20;
/// For so long a worker lets a guest go on after a wish to stop.
const STOP_WAIT: Duration = Duration::from_secs(5);

/// What the parent has of one connection.
pub(super) struct Served {
    pub(super) name: String,
    /// Of its component.
    pub(super) digest: String,
    pub(super) version: String,
    pub(super) limits: Limits,
    pub(super) secrets: Watch,
    pub(super) stop: Stop,
    pub(super) cut_off: Stop,
    http: Arc<dyn HttpOut>,
    logs: Arc<dyn LogSink>,
    used: Mutex<Used>,
    told: Mutex<Told>,
}

#[derive(Default)]
struct Told {
    tail: LogTail,
    denials: Vec<String>,
    lines: u64,
    bytes: u64,
}

impl Served {
    pub(super) fn new((name, version, digest): (String, String, String), grants: Grants) -> Self {
        let Grants { http, limits, logs, stop, cut_off, .. } = grants;
        let (secrets, used, told) = (http.secrets(), Mutex::new(Used::new()), Mutex::default());
        Self { name, digest, version, limits, secrets, stop, cut_off, http, logs, used, told }
    }

    /// Returns when an answer is late: by more than this over what one call may take, or after a wish to stop.
    pub(super) async fn late(&self, grace: Duration) -> String {
        let call = Duration::from_millis(self.limits.call_ms).saturating_add(grace);
        let (mut stop, mut cut_off) = (self.stop.clone(), self.cut_off.clone());
        let stopped = async {
            tokio::select! {
                () = stop.requested() => {}
                () = cut_off.requested() => {}
            }
            tokio::time::sleep(STOP_WAIT.saturating_add(grace)).await;
        };
        tokio::select! {
            () = tokio::time::sleep(call) => format!("within {} s", call.as_secs()),
            () = stopped => "after it was told to stop".to_owned(),
        }
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn used(&self) -> MutexGuard<'_, Used> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn budget(&self) -> Budget {
        self.used().report(&self.limits, &self.http.usage())
    }

    pub(super) fn denials(&self) -> Vec<String> {
        self.told().denials.clone()
    }

    /// One request, judged and made as every other.
    pub(super) async fn answer(&self, request: Request<Body>) -> Answer {
        self.http.answer(request, &self.secrets).await
    }

    /// What the host refused is kept here, with the line that would allow it; a worker hears only that it was.
    pub(super) fn refused(&self, failure: &cassette::Failure) {
        let Some(denied) = &failure.denied else { return };
        let mut told = self.told();
        if told.denials.len() < DENIALS_MAX && !told.denials.contains(denied) {
            told.denials.push(denied.clone());
        }
    }

    /// One line of a guest. False: it is over the limits, and a worker that keeps them would not have sent it.
    pub(super) fn line(&self, level: Level, target: &str, text: &str) -> bool {
        let scrubbed = |text| self.secrets.text(Place::Log, text);
        let text = clean_line(&scrubbed(text), LINE_BYTES_MAX);
        {
            let mut told = self.told();
            (told.lines, told.bytes) = (told.lines + 1, told.bytes + text.len() as u64);
            // Twice: a worker counts what it wrote itself before secrets were blanked and characters written out.
            if told.lines > self.limits.log_lines.saturating_mul(2)
                || told.bytes > self.limits.log_bytes.saturating_mul(8)
            {
                return false;
            }
            told.tail.push(&text);
        }
        self.logs.line(&self.name, level, &clean_line(&scrubbed(target), 256), &text);
        true
    }

    /// A text of a guest, or of a worker, that explains an error: without secrets, safe to show, no longer than is allowed.
    pub(super) fn text(&self, text: &str) -> String {
        let allowed = usize::try_from(self.limits.error_text_bytes).unwrap_or(usize::MAX);
        clean(&self.secrets.text(Place::Message, text), allowed)
    }

    /// A failure with all that is known here of the connector.
    pub(super) fn failure(&self, call: &str, cause: Cause) -> Failure {
        let told = self.told();
        Failure {
            cause,
            connector: self.name.clone(),
            call: call.to_owned(),
            log_tail: told.tail.lines(),
            denials: told.denials.clone(),
        }
    }
}
