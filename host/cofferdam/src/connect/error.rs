//! What goes wrong when a credential is entered. No error holds a value.

use crate::problem::Problem;

/// Why a credential was not entered. Nothing was kept or changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Nobody asks for it.
    #[error("`{connector}` asks for no credential{}", named(.ask.as_deref()))]
    NoSuchAsk {
        /// Who was meant.
        connector: String,
        /// Which ask was meant.
        ask: Option<String>,
        /// Those that there are.
        known: Vec<String>,
    },
    /// More than one could be meant.
    #[error("which credential is meant? There are {}", .known.join(", "))]
    WhichAsk {
        /// Those that there are.
        known: Vec<String>,
        /// The option that says which.
        option: &'static str,
    },
    /// A value that cannot be the one of its field.
    #[error("the field `{field}` cannot be taken: {reason}")]
    Field {
        /// Which field.
        field: String,
        /// Why not.
        reason: String,
    },
    /// A field that this kind of credential does not have. Its name is not repeated: it may be a secret without one.
    #[error("a field was given that this credential does not have")]
    NoSuchField {
        /// Those that there are.
        known: Vec<String>,
    },
    /// A field is needed, and there is nobody to type it.
    #[error("the field `{field}` is needed, and there is no terminal to type it at")]
    NoTerminal {
        /// Which field.
        field: String,
        /// The option by which it is given otherwise.
        option: String,
    },
    /// There is no consent, and so no token.
    #[error("the provider gives no token: {reason}")]
    Consent {
        /// Why not, without a word of what it answered.
        reason: String,
    },
    /// Another version of this program kept it.
    #[error(
        "the credential `{name}` was kept by another version of cofferdam, in a way that this one cannot read"
    )]
    OtherVersion {
        /// Its name.
        name: String,
    },
    /// A secret in the words of a command.
    #[error("a secret may not stand on the command line, where every process of this machine can read it")]
    SecretInWords,
}

impl Error {
    pub(super) fn wrong(field: &str, reason: impl Into<String>) -> Self {
        Self::Field { field: field.to_owned(), reason: reason.into() }
    }

    pub(super) fn consent(reason: impl Into<String>) -> Self {
        Self::Consent { reason: reason.into() }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NoSuchAsk { .. } => "CD0840",
            Self::WhichAsk { .. } => "CD0841",
            Self::Field { .. } | Self::NoSuchField { .. } => "CD0842",
            Self::NoTerminal { .. } => "CD0843",
            Self::SecretInWords => "CD0844",
            Self::Consent { .. } => "CD0847",
            Self::OtherVersion { .. } => "CD0848",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NoSuchAsk { known, .. } if known.is_empty() => {
                Some("`cofferdam inspect COMPONENT` shows what a connector asks for".into())
            }
            Self::NoSuchAsk { known, .. } => Some(format!("it asks for `{}`", known.join("`, `"))),
            Self::NoSuchField { known } => Some(format!("it has the fields `{}`", known.join("`, `"))),
            Self::WhichAsk { option, .. } => Some(format!("say it with `{option} NAME`")),
            Self::NoTerminal { option, .. } => Some(format!("give it with `{option}`")),
            Self::SecretInWords => Some(
                "give it as `--secret name=@FILE`, `name=env:VARIABLE` or `name=-`, or type it when asked"
                    .into(),
            ),
            Self::OtherVersion { .. } => Some("enter it again with `cofferdam connect`".into()),
            Self::Field { .. } | Self::Consent { .. } => None,
        }
    }
}

fn named(ask: Option<&str>) -> String {
    ask.map_or_else(String::new, |ask| format!(" `{ask}`"))
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let problem = Self::new(error.code(), error.to_string());
        match error.hint() {
            Some(hint) => problem.hint(hint),
            None => problem,
        }
    }
}
