//! What a worker brings, before anything else sees it. The worker has judged it already, if it is what it was when it
//! started; this half assumes that it is not. Texts are freed of secrets and of what a terminal would obey.

use pipeline::failure::{Cause, FieldFault, Frame, GuestError};
use pipeline::model::{
    CommitReport, FieldFate, LateReject, Page, Reject, StreamVerdict, Transformed, WriteReport,
};
use runtime::text::clean;
use scrub::Place;

use super::served::Served;

/// As many as are shown of connectors that run in this process.
const FRAMES_MAX: usize = 16;
const NAME_BYTES_MAX: usize = 256;

impl Served {
    /// The cause of a failure as a worker says it; none where it says what no worker has to say.
    pub(super) fn cause(&self, cause: Cause) -> Option<Cause> {
        let text = |text: String| self.text(&text);
        Some(match cause {
            Cause::Guest(error) => Cause::Guest(self.guest_error(error)),
            Cause::Trap { message, frames } => Cause::Trap {
                message: text(message),
                frames: frames.into_iter().take(FRAMES_MAX).map(frame).collect(),
            },
            Cause::Limit { name, allowed, message } => {
                Cause::Limit { name: clean(&name, 64), allowed: clean(&allowed, 64), message: text(message) }
            }
            Cause::Contract(what) => Cause::Contract(text(what)),
            Cause::Load { code, message } if is_code(&code) => Cause::Load { code, message: text(message) },
            Cause::NoRoom(what) => Cause::NoRoom(text(what)),
            Cause::OutOfMemory(what) => Cause::OutOfMemory(text(what)),
            Cause::Host(what) => Cause::Host(text(what)),
            Cause::Stopped => Cause::Stopped,
            Cause::Load { .. } | Cause::Cassette { .. } | Cause::WorkerLost(_) | Cause::Quarantined(_) => {
                return None;
            }
        })
    }

    fn guest_error(&self, error: GuestError) -> GuestError {
        let text = |text: String| self.text(&text);
        match error {
            GuestError::Config(faults) => {
                let one =
                    |FieldFault { path, message }| FieldFault { path: text(path), message: text(message) };
                GuestError::Config(faults.into_iter().map(one).collect())
            }
            GuestError::Unauthorized(message) => GuestError::Unauthorized(text(message)),
            GuestError::Denied(message) => GuestError::Denied(text(message)),
            GuestError::RateLimited { message, retry_after_ms } => {
                GuestError::RateLimited { message: text(message), retry_after_ms }
            }
            GuestError::Transient { message, retry_after_ms } => {
                GuestError::Transient { message: text(message), retry_after_ms }
            }
            GuestError::Data(message) => GuestError::Data(text(message)),
            GuestError::Bug(message) => GuestError::Bug(text(message)),
        }
    }

    fn reject(&self, reject: &mut Reject) {
        self.words(&mut reject.code, &mut reject.message);
    }

    /// A code that is none is found by the check that follows.
    fn words(&self, code: &mut String, message: &mut String) {
        *code = self.secrets.text(Place::Message, code).into_owned();
        *message = self.text(message);
    }

    pub(super) fn page(&self, page: &mut Page) {
        page.rejects.iter_mut().for_each(|reject| self.words(&mut reject.code, &mut reject.message));
    }

    pub(super) fn write_report(&self, report: &mut WriteReport) {
        report.rejected.iter_mut().for_each(|reject| self.reject(reject));
    }

    pub(super) fn commit_report(&self, report: &mut CommitReport) {
        report.rejected.iter_mut().for_each(|LateReject { reject, .. }| self.reject(reject));
    }

    pub(super) fn transformed(&self, outcome: &mut Transformed) {
        outcome.rejected.iter_mut().for_each(|reject| self.reject(reject));
    }

    pub(super) fn verdicts(&self, verdicts: &mut [StreamVerdict]) {
        for field in verdicts.iter_mut().flat_map(|verdict| &mut verdict.fields) {
            match &mut field.fate {
                FieldFate::Stored => {}
                FieldFate::Converted(what)
                | FieldFate::Narrowed(what)
                | FieldFate::Dropped(what)
                | FieldFate::Refused(what) => *what = self.text(what),
            }
        }
    }
}

fn frame(frame: Frame) -> Frame {
    let place = frame.place.map(|place| clean(&place, NAME_BYTES_MAX));
    Frame { function: clean(&frame.function, NAME_BYTES_MAX), place }
}

/// Whether this is a code as errors have it.
pub(crate) fn is_code(code: &str) -> bool {
    code.strip_prefix("CD")
        .is_some_and(|digits| digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit()))
}
