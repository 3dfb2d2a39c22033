//! What may be said of a row where no row data is kept (`row_data = "off"`): a stable code, and names of fields. Texts of
//! connectors may quote rows, and are dropped.

use super::spec::RowData;
use crate::error::Error;
use crate::model::Reject;
use crate::report::ErrorReport;

/// What stands for a code that could be anything.
const UNSTABLE_CODE: &str = "unstable_code";
/// Longer than any code that a person would give.
const CODE_BYTES_MAX: usize = 64;
const WITHHELD: &str = "withheld, as no row data is kept";

impl RowData {
    /// The reject with what may be kept of it.
    pub(super) fn allowed(self, reject: Reject) -> Reject {
        if self != Self::Off {
            return reject;
        }
        let code = if is_stable(&reject.code) { reject.code } else { UNSTABLE_CODE.to_owned() };
        Reject { code, message: String::new(), ..reject }
    }

    /// The error with what may be kept of it, as a report tells it.
    pub(super) fn reported(self, error: Error, attempt: Option<u32>) -> ErrorReport {
        ErrorReport::new(if self == Self::Off { without_texts(error) } else { error }, attempt)
    }

    /// What a connector said, if that may be kept.
    pub(super) fn text(self, text: &str) -> &str {
        if self == Self::Off { WITHHELD } else { text }
    }
}

/// A code that was written by whoever wrote the connector: lower case, no spaces, not long.
fn is_stable(code: &str) -> bool {
    let follows = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_.-".contains(&byte);
    let starts = code.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
    starts && code.len() <= CODE_BYTES_MAX && code.bytes().all(follows)
}

fn without_texts(error: Error) -> Error {
    match error {
        Error::Failure(failure) => Error::Failure(Box::new(failure.without_texts(WITHHELD))),
        Error::RateLimitedTooLong { waited_ms, failure } => {
            Error::RateLimitedTooLong { waited_ms, failure: Box::new(failure.without_texts(WITHHELD)) }
        }
        Error::FieldRefused { stream, field, .. } => {
            Error::FieldRefused { stream, field, reason: WITHHELD.into() }
        }
        Error::RowRejected { stream, index, code, .. } => {
            Error::RowRejected { stream, index, code, message: String::new(), row: None }
        }
        // A bug may quote what it stumbled over.
        Error::Internal { .. } => Error::Internal { message: WITHHELD.into() },
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::is_stable;
    use crate::error::Error;
    use crate::failure::{Cause, Failure, FieldFault, Frame, GuestError};
    use crate::model::Reject;
    use crate::run::RowData;

    #[test]
    fn a_code_is_a_word_and_not_a_sentence() {
        for code in ["a", "not_json", "http.404", "too-long", "a1", "a".repeat(64).as_str()] {
            assert!(is_stable(code), "{code}");
        }
        let long = "a".repeat(65);
        for code in ["", "A", "Not_json", "1a", "_a", "a b", "a@example.com", "a\n", "é", long.as_str()] {
            assert!(!is_stable(code), "{code}");
        }
    }

    #[test]
    fn a_reject_keeps_its_place_and_a_code_that_says_nothing_of_the_row() {
        let reject = |code: &str| Reject {
            row: 7,
            code: code.into(),
            message: "alice is too old".into(),
            retryable: true,
        };
        let kept = |code: &str, message: &str| Reject { message: message.into(), ..reject(code) };
        assert_eq!(RowData::Off.allowed(reject("too_old")), kept("too_old", ""));
        assert_eq!(RowData::Off.allowed(reject("Alice")), kept("unstable_code", ""));
        for row_data in [RowData::Local, RowData::Stored] {
            assert_eq!(row_data.allowed(reject("Alice")), reject("Alice"));
        }
    }

    const CANARY: &str = "alice is too old";

    fn causes() -> Vec<Cause> {
        let text = || CANARY.to_owned();
        vec![
            Cause::Guest(GuestError::Config(vec![FieldFault { path: "/a".into(), message: text() }])),
            Cause::Guest(GuestError::Unauthorized(text())),
            Cause::Guest(GuestError::Denied(text())),
            Cause::Guest(GuestError::RateLimited { message: text(), retry_after_ms: Some(1) }),
            Cause::Guest(GuestError::Transient { message: text(), retry_after_ms: Some(1) }),
            Cause::Guest(GuestError::Data(text())),
            Cause::Guest(GuestError::Bug(text())),
            Cause::Trap { message: text(), frames: vec![Frame { function: "f".into(), place: None }] },
            Cause::Limit { name: "cpu_ms".into(), allowed: "1".into(), message: text() },
            Cause::Contract(text()),
            Cause::Load { code: "CD0401".into(), message: text() },
            Cause::Cassette { code: "CD0850".into(), message: text() },
            Cause::Host(text()),
        ]
    }

    #[test]
    fn an_error_is_told_without_what_others_said() {
        let text = || CANARY.to_owned();
        let failure = |cause| Failure {
            cause,
            connector: "c".into(),
            call: "reader.next".into(),
            log_tail: vec![text()],
            denials: vec![text()],
        };
        let mut errors: Vec<Error> =
            causes().into_iter().map(|cause| Error::Failure(Box::new(failure(cause)))).collect();
        errors.extend([
            Error::RateLimitedTooLong { waited_ms: 1, failure: Box::new(failure(Cause::Contract(text()))) },
            Error::FieldRefused { stream: "s".into(), field: "f".into(), reason: text() },
            Error::RowRejected {
                stream: "s".into(),
                index: 1,
                code: "c".into(),
                message: text(),
                row: Some(text()),
            },
            Error::Internal { message: text() },
        ]);
        for error in errors {
            let report = RowData::Off.reported(error.clone(), Some(2));
            assert!(!format!("{report:?}").contains(CANARY), "{report:?}");
            assert_eq!((report.code.as_str(), report.attempt), (error.code(), Some(2)));
            assert!(format!("{:?}", RowData::Stored.reported(error, None)).contains(CANARY));
        }
    }
}
