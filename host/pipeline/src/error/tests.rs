use super::{Error, suggestion};
use crate::failure::{Cause, Failure, GuestError};
use crate::model::Mode;
use crate::records;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn failures() -> Vec<Failure> {
    let text = || "m".to_owned();
    let causes = [
        Cause::Guest(GuestError::Config(Vec::new())),
        Cause::Guest(GuestError::Unauthorized(text())),
        Cause::Guest(GuestError::Denied(text())),
        Cause::Guest(GuestError::RateLimited { message: text(), retry_after_ms: None }),
        Cause::Guest(GuestError::Transient { message: text(), retry_after_ms: None }),
        Cause::Guest(GuestError::Data(text())),
        Cause::Guest(GuestError::Bug(text())),
        Cause::Trap { message: text(), frames: Vec::new() },
        Cause::Contract(text()),
        Cause::NoRoom(text()),
        Cause::OutOfMemory(text()),
        Cause::Host(text()),
        Cause::Stopped,
    ];
    let failure = |cause| Failure {
        cause,
        connector: "c".into(),
        call: "reader.next".into(),
        log_tail: Vec::new(),
        denials: Vec::new(),
    };
    causes.into_iter().map(failure).collect()
}

fn errors() -> Vec<Error> {
    let (text, stream) = (|| "m".to_owned(), || "s".to_owned());
    let mut errors = vec![
        Error::UnknownStream { stream: stream(), suggestion: None },
        Error::StreamChosenTwice { stream: stream() },
        Error::UnknownField { stream: stream(), field: text(), suggestion: None },
        Error::BadFilter { stream: stream(), field: text(), reason: text() },
        Error::ModeNotSupported { stream: stream(), mode: Mode::Mirror },
        Error::KeyMissing { stream: stream(), mode: Mode::Upsert },
        Error::FieldRefused { stream: stream(), field: text(), reason: text() },
        Error::OperationsNotSupported { stream: stream() },
        Error::MixedReplace { group: text() },
        Error::StreamAdded { group: text(), stream: text() },
        Error::RefillUnderWay { group: text() },
        Error::ModeUnknown { stream: stream() },
        Error::LayoutNotAgreed { stream: stream() },
        Error::BadSetting { setting: text(), reason: text() },
        Error::RowRejected { stream: stream(), index: 0, code: text(), message: text(), row: None },
        Error::TooManyRejects { rejected: 2, allowed: 1 },
        Error::RejectRateTooHigh { rejected: 2, read: 3, allowed: 0.5 },
        Error::TooManyRowsWaiting { bytes: 2, allowed: 1 },
        Error::TransformedTooLarge { stream: stream(), bytes: 2, allowed: 1 },
        Error::SecretGiven { connector: text(), credential: text(), what: text() },
        Error::Records(records::Error::Locked { sync: text() }),
        Error::Records(records::Error::Fenced { sync: text(), run: 1 }),
        Error::Records(records::Error::Unavailable { operation: text(), place: text(), message: text() }),
        Error::Records(records::Error::Corrupt { place: text(), message: text() }),
        Error::Records(records::Error::Disorder { unit: text(), message: text() }),
        Error::CountersUnbalanced { stream: stream(), read: 2, settled: 1 },
        Error::NoProgress { pages: 1 },
        Error::Internal { message: text() },
    ];
    let failures = failures();
    errors.push(Error::RateLimitedTooLong { waited_ms: 1, failure: Box::new(failures[3].clone()) });
    errors.extend(failures.into_iter().map(|failure| Error::Failure(Box::new(failure))));
    errors
}

#[test]
fn each_code_is_of_one_error_and_has_a_page() {
    let mut seen = BTreeSet::new();
    for error in errors() {
        let code = error.code().to_owned();
        assert!(seen.insert(code.clone()), "{code} is used twice");
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/errors").join(format!("{code}.md"));
        let text = fs::read_to_string(&page).unwrap_or_else(|error| panic!("{}: {error}", page.display()));
        assert!(text.starts_with(&format!("# {code}: ")), "{code}");
        for part in ["## What happened", "## Likely causes", "## What to do"] {
            assert!(text.contains(part), "{code} lacks `{part}`");
        }
    }
}

#[test]
fn each_page_of_this_crate_is_of_an_error() {
    let known: BTreeSet<String> = errors().iter().map(|error| format!("{}.md", error.code())).collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/errors");
    for entry in fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let ours = name.starts_with("CD06") || name.starts_with("CD07");
        assert!(!ours || known.contains(&name), "{name} is of no error");
    }
}

#[test]
fn errors_survive_the_way_to_another_process() {
    for error in errors() {
        let text = serde_json::to_string(&error).unwrap();
        assert_eq!(serde_json::from_str::<Error>(&text).unwrap(), error);
    }
}

#[test]
fn only_what_is_close_is_proposed() {
    let known = || ["flights", "airports", "weather"].into_iter();
    assert_eq!(suggestion("flihgts", known()).as_deref(), Some("flights"));
    assert_eq!(suggestion("AIRPORT", known()).as_deref(), Some("airports"));
    assert_eq!(suggestion("movies", known()), None);
}
