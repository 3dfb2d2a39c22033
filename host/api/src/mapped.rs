//! What each error of `control` and of `records` is out there: a status, and what to do. The one table of them.
//!
//! Whether something exists is said to nobody who may not know it: what is unknown and what is somebody else's are one.

use control::{Error, EventError, Reason};
use http::StatusCode;

/// What an error is out there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mapped {
    pub(crate) status: StatusCode,
    pub(crate) hint: &'static str,
}

/// For what is our own doing. Each such error is named below, so that a new one gets a status that somebody has thought of.
const OURS: (StatusCode, &str) = (StatusCode::INTERNAL_SERVER_ERROR, "tell the operator the `request_id`");
const LATER: (StatusCode, &str) = (StatusCode::SERVICE_UNAVAILABLE, "ask again in a moment");
const UNKNOWN: (StatusCode, &str) = (StatusCode::NOT_FOUND, "look at the list of those that you may see");

impl Mapped {
    pub(crate) fn of(error: &Error) -> Self {
        let (status, hint) = match error {
            Error::BadEmail => (StatusCode::UNPROCESSABLE_ENTITY, "give an address of e-mail"),
            Error::WeakPassword { .. } => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "take a longer one that nobody has, such as some words in a row",
            ),
            Error::LoginRefused => (StatusCode::UNAUTHORIZED, "try again, or ask an admin to invite you"),
            Error::SecondFactorNeeded => (StatusCode::UNAUTHORIZED, "send the `code` of your authenticator"),
            Error::TooManyAttempts { .. } => {
                (StatusCode::TOO_MANY_REQUESTS, "wait as long as `Retry-After` says")
            }
            Error::BadSetupToken => {
                (StatusCode::FORBIDDEN, "take the token that the server has printed at its last start")
            }
            Error::EmailTaken => (StatusCode::CONFLICT, "log in, and take the invitation up then"),
            Error::SecondFactorState { .. } => (StatusCode::CONFLICT, "look at your account first"),
            Error::BadCode => (StatusCode::UNPROCESSABLE_ENTITY, "wait for the next code"),
            Error::Denied { reason, .. } => denied(*reason),
            Error::BadInvitation => (StatusCode::NOT_FOUND, "ask an admin for a new invitation"),
            Error::LastAdmin => (StatusCode::CONFLICT, "make somebody else an admin first"),
            Error::BadName { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "give another one"),
            Error::AlreadyMember => (StatusCode::CONFLICT, "an admin may change the role"),
            Error::BadLife { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "name scopes, and fewer days"),
            Error::BadZones { .. } => {
                (StatusCode::UNPROCESSABLE_ENTITY, "name the range that you come from among them")
            }
            Error::BadSchedule { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "write it as the message says"),
            Error::BadNote | Error::NoteNotSigned { .. } | Error::ForeignNote { .. } | Error::BadNoteKey => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "send a checkpoint that this server has signed for this log",
            ),
            Error::NoSuchEntry { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "ask for the checkpoint first"),
            Error::UnknownUser { .. }
            | Error::UnknownOrganization { .. }
            | Error::OtherRegion { .. }
            | Error::BadGlass
            | Error::SessionEnded
            | Error::BadToken
            | Error::UnknownObject { .. } => UNKNOWN,
            Error::StaleRevision { .. } => {
                (StatusCode::PRECONDITION_FAILED, "read it again, and decide anew")
            }
            Error::InUse { .. } => (StatusCode::CONFLICT, "remove what stands on it first"),
            Error::ComponentTooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "build it for release"),
            Error::BadManifest(_)
            | Error::BadDigest
            | Error::BadConfig { .. }
            | Error::BadConsent { .. }
            | Error::BadSync { .. }
            | Error::WrongName => (StatusCode::UNPROCESSABLE_ENTITY, "change what the message names"),
            Error::RunPending { .. }
            | Error::RunLost { .. }
            | Error::NoDeletion
            | Error::DirectoryNotOffered { .. }
            | Error::DeletionWaits { .. } => {
                (StatusCode::CONFLICT, "look at what is there now, and decide anew")
            }
            Error::LastOperator => (StatusCode::CONFLICT, "make somebody else an operator first"),
            Error::AuditEntryTooLarge { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "use shorter names"),
            Error::Event(error) => event(error),
            Error::Storage(error) => stored(error),
            Error::Busy | Error::Contended { .. } => LATER,
            Error::Unreadable { .. }
            | Error::NoAuditExport
            | Error::Export(_)
            | Error::Sealing
            | Error::Hashing
            | Error::Seal(_) => OURS,
        };
        Self { status, hint }
    }
}

impl Mapped {
    pub(crate) fn of_records(error: &records::Error) -> Self {
        use records::Error;
        let (status, hint) = match error {
            Error::UnknownSync { .. }
            | Error::UnknownRun { .. }
            | Error::UnknownUnit { .. }
            | Error::UnknownRequest { .. }
            | Error::UnknownCredential { .. } => UNKNOWN,
            Error::BadCheckpoint { .. }
            | Error::BadCondition { .. }
            | Error::RetentionTooLong { .. }
            | Error::RetentionTooShort { .. }
            | Error::BadErrorId { .. }
            | Error::BadCredential { .. } => {
                (StatusCode::UNPROCESSABLE_ENTITY, "change what the message names")
            }
            Error::Running { .. }
            | Error::NothingToReprocess { .. }
            | Error::CredentialTaken { .. }
            | Error::CredentialChanged { .. }
            | Error::CredentialOfAnother { .. }
            | Error::CredentialBinding { .. } => {
                (StatusCode::CONFLICT, "look at what is there now, and decide anew")
            }
            Error::PositionMoved { .. } => {
                (StatusCode::PRECONDITION_FAILED, "read it again, and decide anew")
            }
            Error::Contended { .. } => LATER,
            Error::Storage(error) => stored(error),
            Error::Unreadable { .. } | Error::Port(_) => OURS,
        };
        Self { status, hint }
    }
}

/// Of event endpoints.
fn event(error: &EventError) -> (StatusCode, &'static str) {
    match error {
        EventError::BadToken => (
            StatusCode::NOT_FOUND,
            "take the URL that was shown when the endpoint was made or rotated last, from an address that is let in",
        ),
        EventError::BadSignature { .. } => {
            (StatusCode::UNAUTHORIZED, "sign the message as the connector says, by the key that was entered")
        }
        EventError::Full { .. } => (StatusCode::TOO_MANY_REQUESTS, "come again when `Retry-After` says"),
        EventError::IsOn { .. } => (StatusCode::CONFLICT, "rotate its token to get one that you know"),
        EventError::NoWebhook { .. } => {
            (StatusCode::UNPROCESSABLE_ENTITY, "take a connector with the role `webhook` as the source")
        }
        EventError::BadSigningSecret { .. } => {
            (StatusCode::UNPROCESSABLE_ENTITY, "copy the key as the other system shows it")
        }
        EventError::BadOverlap { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "name a shorter time"),
    }
}

fn stored(error: &storage::Error) -> (StatusCode, &'static str) {
    match error {
        storage::Error::Conflict { .. } => (StatusCode::CONFLICT, "read it again, and decide anew"),
        storage::Error::Engine(_) | storage::Error::Interrupted => LATER,
        _ => OURS,
    }
}

fn denied(reason: Reason) -> (StatusCode, &'static str) {
    match reason {
        Reason::NotAMember => UNKNOWN,
        Reason::NeedsAdmin => (StatusCode::FORBIDDEN, "ask an admin of the organization"),
        Reason::NeedsOperator => (StatusCode::FORBIDDEN, "ask an operator of the installation"),
        Reason::OperatorSeesNoData | Reason::NotSelected => {
            (StatusCode::FORBIDDEN, "ask for a look by break-glass: an admin selects what is shown")
        }
        Reason::NeedsScope(_) => (StatusCode::FORBIDDEN, "make a token with this scope"),
        Reason::NeedsPerson => (StatusCode::FORBIDDEN, "log in, and do it as a person"),
    }
}
