//! Why something of event endpoints is not done.

/// Why something of event endpoints is not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// Whatever is wrong with the token of an event endpoint, or with from where it comes. Deliberately says no more.
    #[error("there is no event endpoint here")]
    BadToken,
    /// A message that its sender has not signed as the endpoint wants.
    #[error("the message is not accepted: {reason}")]
    BadSignature {
        /// What is wrong.
        reason: &'static str,
    },
    /// Too much waits at an event endpoint.
    #[error(
        "{messages_max} messages or {bytes_max} bytes wait here, and no more is accepted until some are moved"
    )]
    Full {
        /// Messages that may wait.
        messages_max: u64,
        /// Bytes that may wait.
        bytes_max: u64,
    },
    /// An event endpoint that is on is to be made.
    #[error("the event endpoint of the sync `{sync}` is on")]
    IsOn {
        /// The sync.
        sync: String,
    },
    /// The connector from which a sync's rows come understands no messages.
    #[error("the source of the sync `{sync}` understands no messages")]
    NoWebhook {
        /// The sync.
        sync: String,
    },
    /// A text that cannot be the key by which messages are signed. Not quoted.
    #[error("the key of signatures is not taken: {reason}")]
    BadSigningSecret {
        /// What is wrong.
        reason: &'static str,
    },
    /// A former token or key would be good for too long.
    #[error("what was before is good for at most {days_max} days beside what is new")]
    BadOverlap {
        /// The longest time.
        days_max: u64,
    },
}

impl EventError {
    /// The stable code, explained by a page of its own.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::BadToken => "CD1270",
            Self::BadSignature { .. } => "CD1271",
            Self::Full { .. } => "CD1272",
            Self::IsOn { .. } => "CD1273",
            Self::NoWebhook { .. } => "CD1274",
            Self::BadSigningSecret { .. } => "CD1275",
            Self::BadOverlap { .. } => "CD1276",
        }
    }
}
