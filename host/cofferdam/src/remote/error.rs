//! What keeps a command from being done by a server, before the server has said anything about it.

use std::path::PathBuf;

use crate::problem::Problem;
use crate::units::counted;

/// Why a server was not asked, or gave no answer that can be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Nobody says which server.
    #[error("which server is meant?")]
    WhichServer {
        /// Those at which somebody is logged in.
        known: Vec<String>,
    },
    /// An address that is none of a server.
    #[error("`{address}` is no address of a server: {reason}")]
    BadAddress {
        /// What was said.
        address: String,
        /// Why not.
        reason: &'static str,
    },
    /// It is not reached.
    #[error("the server at {server} is not reached")]
    Unreached {
        /// Where.
        server: String,
        /// What the system, or TLS, says.
        reason: String,
        /// Whether TLS does not believe that it is the one that is meant.
        is_untrusted: bool,
    },
    /// It answers something that is no answer of cofferdam.
    #[error("what answers at {server} is no server of cofferdam, or something before it: {reason}")]
    Strange {
        /// Where.
        server: String,
        /// What is strange.
        reason: String,
    },
    /// Nobody is logged in.
    #[error("nobody is logged in at {server}")]
    NotLoggedIn {
        /// Where.
        server: String,
    },
    /// More than one could be meant, or none.
    #[error("{}", which(what, said.as_deref(), known))]
    WhichOne {
        /// What kind of thing.
        what: &'static str,
        /// What was said.
        said: Option<String>,
        /// Those that the server shows, by id and name.
        known: Vec<String>,
    },
    /// What a data directory can be asked, and a server cannot.
    #[error("{what} is not asked of a server")]
    NotByAServer {
        /// Which part of the command.
        what: &'static str,
        /// What to do.
        hint: &'static str,
    },
    /// A run ended otherwise than whoever waited for it hoped.
    #[error("the run `{run}` ended as `{outcome}`")]
    NotCompleted {
        /// Its id.
        run: String,
        /// How it ended.
        outcome: String,
    },
    /// What was given is no answer of a provider.
    #[error("what was given is not the address at which a consent ends")]
    NoAnswer,
    /// What somebody has to say for themselves cannot be asked for.
    #[error("{what} is needed, and there is no terminal to type it at")]
    NoTerminal {
        /// What is needed.
        what: &'static str,
        /// The option by which it is given otherwise.
        option: &'static str,
    },
    /// What was typed, or came from elsewhere, is no text.
    #[error("{what} is no text in UTF-8")]
    NoText {
        /// What it is to be.
        what: &'static str,
    },
    /// The log is not what was signed.
    #[error("the audit log `{origin}` is not what was signed: {}", counted(*findings as u64, "finding", "findings"))]
    Tampered {
        /// Which log.
        origin: String,
        /// How many.
        findings: usize,
        /// Each with its place.
        places: Vec<String>,
    },
    /// Nobody ever served from here.
    #[error("no server was ever started in this data directory, so there is no audit log")]
    NoAuditLog,
    /// A file that others can read, or that cannot be kept from them.
    #[error("`{}` holds what logs in, and others than its owner may read it", path.display())]
    OpenToOthers {
        /// Which file.
        path: PathBuf,
    },
    /// Nobody says where files of the user are kept.
    #[error("neither `XDG_CONFIG_HOME` nor `HOME` is set, so there is no place for what logs in")]
    NoPlace,
}

impl Error {
    fn code(&self) -> &'static str {
        match self {
            Self::WhichServer { .. } | Self::BadAddress { .. } => "CD0870",
            Self::Unreached { .. } => "CD0871",
            Self::Strange { .. } => "CD0872",
            Self::NotLoggedIn { .. } => "CD0873",
            Self::WhichOne { .. } => "CD0874",
            Self::NotByAServer { .. } => "CD0879",
            Self::NotCompleted { .. } => "CD0880",
            Self::NoAnswer => "CD0881",
            Self::NoTerminal { .. } | Self::NoText { .. } => "CD0875",
            Self::Tampered { .. } => "CD0876",
            Self::OpenToOthers { .. } | Self::NoPlace => "CD0877",
            Self::NoAuditLog => "CD0878",
        }
    }

    fn hint(&self) -> String {
        match self {
            Self::WhichServer { known } if known.is_empty() => "`cofferdam login --server URL` comes in there".to_owned(),
            Self::WhichServer { known } => format!("say it with `--server`; somebody is logged in at {}", known.join(", ")),
            Self::BadAddress { .. } => "it is said as in `--server https://cofferdam.example.com`".to_owned(),
            Self::Unreached { is_untrusted: true, .. } => {
                "give the authority that vouches for it: `--ca FILE`, a certificate in PEM form".to_owned()
            }
            Self::Unreached { .. } => "see whether it runs there, and whether a firewall lets you through".to_owned(),
            Self::Strange { .. } => "see whether address and port are those of `cofferdam serve`".to_owned(),
            Self::NotLoggedIn { server } => {
                format!("`cofferdam login --server {server}`; programs set COFFERDAM_TOKEN to a token of theirs")
            }
            Self::WhichOne { what: "organization", known, .. } if known.is_empty() => {
                "an invitation lets you into one: ask an admin of it".to_owned()
            }
            Self::WhichOne { known, .. } if known.is_empty() => "make one first".to_owned(),
            Self::WhichOne { what: "organization", known, .. } => {
                format!("say it with `--organization`; there are {}", known.join(", "))
            }
            Self::WhichOne { known, .. } => format!("say it by id or name; there are {}", known.join(", ")),
            Self::NoTerminal { option, .. } => format!("give it with `{option}`"),
            Self::NotByAServer { hint, .. } => (*hint).to_owned(),
            Self::NotCompleted { .. } => "`cofferdam runs list` shows it, and `cofferdam runs show` why".to_owned(),
            Self::NoAnswer => "copy it whole from the browser's line of addresses; it has `/v1/oauth/callback?` in it".to_owned(),
            Self::NoText { .. } => "give it as text".to_owned(),
            Self::Tampered { .. } => {
                "keep the file as it is, and see who could write where the log lies since the last verification".to_owned()
            }
            Self::OpenToOthers { path } => format!("`chmod 600 {}`, and log in anew if others read it", path.display()),
            Self::NoPlace => "set `HOME`".to_owned(),
            Self::NoAuditLog => "name the directory of `cofferdam serve` with `--data`, or ask its server with `--server`".to_owned(),
        }
    }
}

fn which(what: &str, said: Option<&str>, known: &[String]) -> String {
    match said {
        Some(said) => format!("there is no {what} `{said}` that you may see, or more than one is called so"),
        None if known.is_empty() => format!("there is no {what} that you may see"),
        None => format!("which {what} is meant?"),
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let mut problem = Self::new(error.code(), error.to_string()).hint(error.hint());
        match error {
            Error::Unreached { reason, .. } => problem.causes.push(reason),
            Error::Tampered { places, .. } => problem.details = places,
            _ => {}
        }
        problem
    }
}
