//! What is wrong with a request before anybody is asked whether it may be done. Everything here is the caller's doing,
//! but for the last ones.

use http::StatusCode;

/// What is wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    /// Whatever is wrong with session or token: nobody is told which.
    #[error("a session or a token that holds is needed")]
    NotSignedIn,
    #[error("{place}: {message}")]
    BadBody { place: String, message: String },
    #[error("the body has more than {limit} bytes")]
    BodyTooLarge { limit: usize },
    #[error("the body is no `application/json`")]
    NotJson,
    #[error("the query is not taken: {message}")]
    BadQuery { message: String },
    #[error("the cursor is none of this list")]
    BadCursor,
    #[error("there is nothing here")]
    NoSuchRoute,
    #[error("there is no such method here")]
    NoSuchMethod,
    #[error("the request comes from a page of another origin")]
    ForeignOrigin,
    #[error("too many requests: the next one may be made in {} ms", retry_after_ms)]
    TooMany { retry_after_ms: u64 },
    #[error("too many listen at once: one caller may {limit} times")]
    TooManyListeners { limit: usize },
    #[error("the organization is not reached from this address")]
    OutsideZone,
    #[error("a change needs the header `If-Match`")]
    NoIfMatch,
    #[error("it was changed by somebody else since it was read")]
    Stale,
    #[error("the idempotency key is not taken: it has 1 to 200 visible characters of ASCII")]
    BadKey,
    #[error("the idempotency key is that of another request")]
    KeyOfAnother,
    #[error("the request with this idempotency key is being done")]
    UnderWay,
    #[error("it is not known whether the request with this idempotency key was done")]
    OutcomeUnknown,
    #[error("the request was done, and its answer held a secret, which is kept by nobody")]
    AnswerNotKept,
    #[error("the body did not come in time")]
    TooSlow,
    #[error("the request names no host, or several")]
    Ambiguous,
    #[error("something went wrong here")]
    Internal,
    #[error("the server ends")]
    Draining,
    #[error("there is no certificate yet")]
    NoCertificate,
    #[error("the answer took too long")]
    AnswerTooLate,
    #[error("the body is no `application/wasm`")]
    NotWasm,
    #[error("as many large bodies are being sent as there is room for")]
    ManyUploads,
    /// What is wrong with each field of a credential. Never a value, nor the name of a field that there is not.
    #[error("the fields are not taken: {}", faults.join("; "))]
    BadFields { faults: Vec<String> },
    /// Whatever is wrong with state and browser: nobody is told which.
    #[error("nobody was sent to a provider for this answer, or it came before or too late")]
    NoSuchConsent,
    /// Without a word of the provider's that is none of the protocol's.
    #[error("the provider gives no token: {reason}")]
    NoConsent { reason: String },
    #[error("of this sync no rows are kept, and a preview would be")]
    KeepsNoRows,
}

impl Fault {
    /// The stable code, explained by a page of its own.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::NotSignedIn => "CD1310",
            Self::BadBody { .. } => "CD1311",
            Self::BodyTooLarge { .. } => "CD1312",
            Self::NotJson => "CD1313",
            Self::BadQuery { .. } => "CD1314",
            Self::BadCursor => "CD1315",
            Self::NoSuchRoute => "CD1316",
            Self::NoSuchMethod => "CD1317",
            Self::ForeignOrigin => "CD1318",
            Self::TooMany { .. } => "CD1319",
            Self::OutsideZone => "CD1320",
            Self::NoIfMatch => "CD1321",
            Self::Stale => "CD1322",
            Self::BadKey => "CD1323",
            Self::KeyOfAnother => "CD1324",
            Self::UnderWay => "CD1325",
            Self::OutcomeUnknown => "CD1326",
            Self::AnswerNotKept => "CD1327",
            Self::TooSlow => "CD1328",
            Self::Ambiguous => "CD1329",
            Self::Internal => "CD1330",
            Self::Draining => "CD1331",
            Self::AnswerTooLate => "CD1332",
            Self::NotWasm => "CD1333",
            Self::ManyUploads => "CD1334",
            Self::BadFields { .. } => "CD1335",
            Self::NoSuchConsent => "CD1336",
            Self::NoConsent { .. } => "CD1337",
            Self::TooManyListeners { .. } => "CD1338",
            Self::NoCertificate => "CD1306",
            Self::KeepsNoRows => "CD1339",
        }
    }

    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::NotSignedIn => StatusCode::UNAUTHORIZED,
            Self::BadBody { .. }
            | Self::BadQuery { .. }
            | Self::BadCursor
            | Self::BadKey
            | Self::Ambiguous => StatusCode::BAD_REQUEST,
            Self::BodyTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NotJson | Self::NotWasm => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::NoSuchRoute | Self::NoSuchConsent => StatusCode::NOT_FOUND,
            Self::NoSuchMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::ForeignOrigin | Self::OutsideZone => StatusCode::FORBIDDEN,
            Self::TooMany { .. } | Self::TooManyListeners { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::NoIfMatch => StatusCode::PRECONDITION_REQUIRED,
            Self::Stale => StatusCode::PRECONDITION_FAILED,
            Self::KeyOfAnother | Self::BadFields { .. } | Self::NoConsent { .. } => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            Self::UnderWay | Self::OutcomeUnknown | Self::AnswerNotKept | Self::KeepsNoRows => {
                StatusCode::CONFLICT
            }
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Draining | Self::AnswerTooLate | Self::ManyUploads | Self::NoCertificate => {
                StatusCode::SERVICE_UNAVAILABLE
            }
        }
    }

    /// What to do.
    pub(crate) fn hint(&self) -> &'static str {
        match self {
            Self::NotSignedIn => "log in, or send `Authorization: Bearer` with a token that holds",
            Self::BadBody { .. } => "send what the description of the API says, at /v1/openapi.json",
            Self::BodyTooLarge { .. } => "send less at once",
            Self::NotJson => "send JSON with `Content-Type: application/json`",
            Self::BadQuery { .. } => "ask for what the description of the API says, at /v1/openapi.json",
            Self::BadCursor => "take the `next` of the page before, or leave the cursor out",
            Self::NoSuchRoute | Self::NoSuchMethod => "see the description of the API at /v1/openapi.json",
            Self::ForeignOrigin => "send `Authorization: Bearer`, or come from a page of this server",
            Self::TooMany { .. } => "wait as long as `Retry-After` says",
            Self::TooManyListeners { .. } => "end one of those that listen, or let one listen for all",
            Self::OutsideZone => "come from an address that an admin of the organization named",
            Self::NoIfMatch => "read it first, and send its `ETag`",
            Self::Stale => "read it again, and decide anew",
            Self::BadKey => "use a random UUID",
            Self::KeyOfAnother => "use another key for another request",
            Self::UnderWay => "send it again in a moment",
            Self::OutcomeUnknown => "look whether it was done; if not, send it with another key",
            Self::AnswerNotKept => "revoke what was made, and make it anew with another key",
            Self::TooSlow => "send the body at once",
            Self::Ambiguous => "send one `Host`",
            Self::Internal => "tell the operator the `request_id`",
            Self::Draining => "ask again in a moment",
            Self::NoCertificate => "see in the log of the server why none comes",
            Self::AnswerTooLate => "look whether it was done before you ask again",
            Self::NotWasm => "send the component's bytes with `Content-Type: application/wasm`",
            Self::ManyUploads => "send it again in a moment",
            Self::NoSuchConsent => {
                "give the address of this page to the command that began it, or begin again and come back within ten minutes with the same browser"
            }
            Self::NoConsent { .. } => "begin again, and consent",
            Self::KeepsNoRows => {
                "discover the connection of its source, which shows streams and fields without rows"
            }
            Self::BadFields { .. } => "see `fields` of this credential at its connection",
        }
    }
}
