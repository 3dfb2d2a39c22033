//! Why there is no new certificate. What the other side says is in it as a line that is cut and free of control characters.

use std::time::Duration;

/// Why there is no new certificate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No answer came.
    #[error("failed to {doing}: the ACME server is not reached")]
    Unreachable {
        /// What was under way.
        doing: &'static str,
        /// Why.
        #[source]
        source: Box<egress::Error>,
    },
    /// An answer came that is none of this protocol.
    #[error("failed to {doing}: the answer is not ACME: {reason}")]
    NotAcme {
        /// What was under way.
        doing: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The other side does not do what it was asked.
    #[error("failed to {doing}: the ACME server refuses: {said}")]
    Refused {
        /// What was under way.
        doing: &'static str,
        /// The kind of its problem, as in `rejectedIdentifier`.
        kind: String,
        /// Its words.
        said: String,
    },
    /// Too much was asked of the other side.
    #[error("failed to {doing}: the ACME server limits how often it is asked: {said}")]
    Limited {
        /// What was under way.
        doing: &'static str,
        /// How long it wants to be left alone; none: it did not say.
        retry_after: Option<Duration>,
        /// Its words.
        said: String,
    },
    /// The account is not good for anything there.
    #[error("failed to {doing}: the ACME server does not take the account: {said}")]
    Account {
        /// What was under way.
        doing: &'static str,
        /// Whether it does not know it, so that another one can be made.
        is_unknown: bool,
        /// Its words.
        said: String,
    },
    /// The other side came to look, or tried to, and did not find the proof.
    #[error("the ACME server does not find that `{name}` is this server's: {said}")]
    Unproven {
        /// Of which name.
        name: String,
        /// Its words.
        said: String,
    },
    /// The other side offers no proof that this server can give.
    #[error("the ACME server offers no `tls-alpn-01` for `{name}`")]
    NoChallenge {
        /// Of which name.
        name: String,
    },
    /// It has not come to an end.
    #[error("failed to {doing}: it takes too long")]
    TooSlow {
        /// What was under way.
        doing: &'static str,
    },
    /// One of the two clocks is wrong.
    #[error("the clock of this machine and that of the ACME server are {} s apart", apart.as_secs())]
    Clock {
        /// By how much.
        apart: Duration,
    },
    /// What came is no certificate for what was asked.
    #[error("the certificate that came is of no use: {reason}")]
    Unusable {
        /// Why.
        reason: String,
    },
    /// A key could not be made or used.
    #[error("failed to make or use a key: {reason}")]
    Key {
        /// Why.
        reason: String,
    },
    /// Storage did not do its part.
    #[error("failed to keep what belongs to the certificate")]
    Storage(#[from] storage::Error),
    /// What is kept cannot be read.
    #[error("failed to read what is kept of {what}")]
    Unreadable {
        /// Of what.
        what: &'static str,
    },
}

impl Error {
    /// The stable code, explained by a page of its own.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => "CD1501",
            Self::NotAcme { .. } => "CD1502",
            Self::Refused { .. } => "CD1503",
            Self::Limited { .. } => "CD1504",
            Self::Account { .. } => "CD1505",
            Self::Unproven { .. } => "CD1506",
            Self::NoChallenge { .. } => "CD1507",
            Self::TooSlow { .. } => "CD1508",
            Self::Clock { .. } => "CD1509",
            Self::Unusable { .. } => "CD1510",
            Self::Key { .. } => "CD1511",
            Self::Storage(error) => error.code(),
            Self::Unreadable { .. } => "CD1512",
        }
    }

    /// Why, from the outside in; none: it says so itself.
    #[must_use]
    pub fn cause(&self) -> Option<String> {
        let sources = std::iter::successors(std::error::Error::source(self), |error| error.source());
        let causes: Vec<String> = sources.map(ToString::to_string).collect();
        (!causes.is_empty()).then(|| causes.join(": "))
    }

    /// What to do, in one line. Its page says more.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => {
                "see whether `acme-directory` is reached from here, and whether its certificate is trusted (`acme-authorities`)"
            }
            Self::NotAcme { .. } => {
                "see whether `acme-directory` is the URL of a directory, and whether a proxy answers in its place"
            }
            Self::Refused { .. } => "do what it says, or ask for other names in `acme-names`",
            Self::Limited { .. } => "wait: it is asked again by itself, and no sooner than it says",
            Self::Account { .. } => {
                "see whether it asks for `acme-key-id` and `acme-key-file`; another `acme-contact` makes another account"
            }
            Self::Unproven { .. } => {
                "let the name lead to this server, and port 443 of it to where this server listens"
            }
            Self::NoChallenge { .. } => {
                "use another directory, or let another program write the files of `tls-certificate` and `tls-key`"
            }
            Self::TooSlow { .. } => "wait: it is tried again by itself",
            Self::Clock { .. } => "set the clock of this machine, and keep it in step with NTP",
            Self::Unusable { .. } => "ask whoever issues certificates there",
            Self::Key { .. } | Self::Unreadable { .. } => "tell us: it is a fault of cofferdam",
            Self::Storage(_) => "see what storage says, and `cofferdam doctor`",
        }
    }
}
