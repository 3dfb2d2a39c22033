//! `cofferdam connect` and `cofferdam credentials`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Data, Network, Server};
use crate::connect::{NamedText, SecretSource};

#[derive(Debug, Args)]
pub(crate) struct Connect {
    /// A sync's document, or a connector's component; at a server a connection, by its id or its name
    #[arg(value_name = "SYNC.TOML|COMPONENT|NAME")]
    pub(crate) subject: PathBuf,
    /// Which of the connector's credentials [default: those that it needs and that are not there]
    #[arg(long, value_name = "NAME")]
    pub(crate) ask: Option<String>,
    /// Which connection of the sync: `source`, `destination`, or the name of a transform
    #[arg(long, value_name = "NAME")]
    pub(crate) connection: Option<String>,
    /// The name under which it is kept and granted [default: what the sync grants, or `connector.credential`]
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// The component's configuration, as TOML or JSON; a sync brings its own
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) given: Given,
    #[command(flatten)]
    pub(crate) consent: Consent,
    #[command(flatten)]
    pub(crate) server: Server,
    #[command(flatten)]
    pub(crate) data: Data,
    #[command(flatten)]
    pub(crate) network: Network,
}

/// Fields that are not typed at a terminal.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Given {
    /// A field that is no secret; `name=@FILE` reads it from a file
    #[arg(long = "field", value_name = "NAME=VALUE")]
    pub(crate) fields: Vec<NamedText>,
    /// A secret field: `name=@FILE`, `name=env:VARIABLE`, or `name=-` for standard input
    #[arg(long = "secret", value_name = "NAME=SOURCE")]
    pub(crate) secrets: Vec<SecretSource>,
}

impl Given {
    pub(crate) fn is_empty(&self) -> bool {
        self.fields.is_empty() && self.secrets.is_empty()
    }
}

/// How a user consents, where a provider wants it.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Consent {
    /// Only print the address that is to be opened in a browser
    #[arg(long)]
    pub(crate) no_browser: bool,
    /// Consent on another device, by a code, where the provider has that
    #[arg(long)]
    pub(crate) device: bool,
    /// The port of the address to which the browser returns, where the provider wants one that it knows [default: a free
    /// one]
    #[arg(long, value_name = "PORT", default_value_t = 0, hide_default_value = true)]
    pub(crate) callback_port: u16,
}

#[derive(Debug, Args)]
pub(crate) struct Credentials {
    #[command(subcommand)]
    pub(crate) command: CredentialsCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CredentialsCommand {
    /// List what is kept, and for what; never a value
    List(CredentialsList),
    /// Enter the secrets of a credential anew, for what it was entered for
    #[command(after_help = "\
Whoever gives a sync a new token uses this; a run that goes on uses the new one from its next request on. The former one is
to be revoked where it came from.")]
    Rotate(CredentialsRotate),
    /// Delete a credential for good, and tell its provider where it has a way for that
    #[command(after_help = "\
A run that uses it is cut off at once, also in the middle of a response, and ends: what it has committed stays, and the next
run goes on from there when the credential is entered again.")]
    Revoke(CredentialsRevoke),
}

#[derive(Debug, Args)]
pub(crate) struct CredentialsList {
    #[command(flatten)]
    pub(crate) server: Server,
    #[command(flatten)]
    pub(crate) data: Data,
}

#[derive(Debug, Args)]
pub(crate) struct CredentialsRotate {
    /// The name under which it is kept; at a server its connection and its name, as in `Shop/api`
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) given: Given,
    #[command(flatten)]
    pub(crate) consent: Consent,
    #[command(flatten)]
    pub(crate) server: Server,
    #[command(flatten)]
    pub(crate) data: Data,
    #[command(flatten)]
    pub(crate) network: Network,
}

#[derive(Debug, Args)]
pub(crate) struct CredentialsRevoke {
    /// The name under which it is kept; at a server its connection and its name, as in `Shop/api`
    pub(crate) name: String,
    /// Ask nothing
    #[arg(long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) server: Server,
    #[command(flatten)]
    pub(crate) data: Data,
    #[command(flatten)]
    pub(crate) network: Network,
}
