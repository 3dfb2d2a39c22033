//! Which server is asked, as whom, and for which organization.

use std::path::PathBuf;

use clap::Args;

use crate::connect::SecretSource;

const HEADING: &str = "Server";

/// The server of a command.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Server {
    /// The server, as in `https://cofferdam.example.com`; also by COFFERDAM_SERVER [default: where you logged in last]
    #[arg(long, value_name = "URL", help_heading = HEADING)]
    pub(crate) server: Option<String>,
    /// The organization, by id or name; also by COFFERDAM_ORGANIZATION [default: the only one that you may see]
    #[arg(long, value_name = "ID|NAME", help_heading = HEADING)]
    pub(crate) organization: Option<String>,
    /// Certificates of the authorities that vouch for the server, as PEM [default: what `login` was given, or the system's]
    #[arg(long, value_name = "FILE", help_heading = HEADING)]
    pub(crate) ca: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Login {
    /// Who you are [default: asked for]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) email: Option<String>,
    /// The password: `@FILE`, `env:VARIABLE`, or `-` for standard input [default: asked for]
    #[arg(long, value_name = "SOURCE", value_parser = source)]
    pub(crate) password: Option<SecretSource>,
    /// A code of the second factor, or a recovery code, in the same ways [default: asked for where it is needed]
    #[arg(long, value_name = "SOURCE", value_parser = source)]
    pub(crate) code: Option<SecretSource>,
    #[command(flatten)]
    pub(crate) server: Server,
}

#[derive(Debug, Args)]
pub(crate) struct Logout {
    #[command(flatten)]
    pub(crate) server: Server,
}

/// A secret that has no name on the command line.
pub(crate) fn source(text: &str) -> Result<SecretSource, std::convert::Infallible> {
    format!("secret={text}").parse()
}
