//! The server's settings. They are texts here: what they mean is settled once for the command line, the environment and
//! the file, so that all that is wrong is told at once.

use std::path::PathBuf;

use clap::Args;

use super::Data;

#[derive(Debug, Default, Args)]
pub(crate) struct Serve {
    /// A file of these settings, as TOML, under the names that they have here
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Where to listen [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) listen: Option<String>,
    /// The chain of certificates for TLS, as PEM
    #[arg(long, value_name = "FILE")]
    pub(crate) tls_certificate: Option<String>,
    /// Its private key, as PEM
    #[arg(long, value_name = "FILE")]
    pub(crate) tls_key: Option<String>,
    /// Names for which a certificate is obtained by ACME, with commas between them; in the place of files
    #[arg(long, value_name = "NAMES")]
    pub(crate) acme_names: Option<String>,
    /// The directory of the ACME server [default: that of Let's Encrypt]
    #[arg(long, value_name = "URL")]
    pub(crate) acme_directory: Option<String>,
    /// An address of e-mail for whoever issues certificates
    #[arg(long, value_name = "EMAIL")]
    pub(crate) acme_contact: Option<String>,
    /// `true`: the terms of whoever issues certificates were read and are agreed to
    #[arg(long, value_name = "TRUE")]
    pub(crate) acme_terms_agreed: Option<String>,
    /// The external account to which the one at the ACME server is bound
    #[arg(long, value_name = "ID")]
    pub(crate) acme_key_id: Option<String>,
    /// A file with its key, as base64 for URLs
    #[arg(long, value_name = "FILE")]
    pub(crate) acme_key_file: Option<String>,
    /// Certificates of authorities that vouch for the ACME server beside those of this machine, as PEM
    #[arg(long, value_name = "FILE")]
    pub(crate) acme_authorities: Option<String>,
    /// What browsers call this server, as in `https://cofferdam.example.com`
    #[arg(long, value_name = "URL")]
    pub(crate) origin: Option<String>,
    /// Proxies whose `X-Forwarded-For` is believed, as addresses or ranges with commas between them
    #[arg(long, value_name = "RANGES")]
    pub(crate) proxies: Option<String>,
    /// Where this server is, which every organization that is made here carries for ever [default: local]
    #[arg(long, value_name = "NAME")]
    pub(crate) region: Option<String>,
    /// Requests a second of one caller, on average [default: 100]
    #[arg(long, value_name = "N")]
    pub(crate) requests_per_second: Option<String>,
    /// Requests of one caller at once [default: 200]
    #[arg(long, value_name = "N")]
    pub(crate) requests_at_once: Option<String>,
    /// Characters that a password without a second factor must have, at least 8 [default: 15]
    #[arg(long, value_name = "N")]
    pub(crate) password_characters: Option<String>,
    /// Runs at one time, of all organizations together [default: four for each processor]
    #[arg(long, value_name = "N")]
    pub(crate) runs_at_once: Option<String>,
    /// Runs at one time of one organization [default: 4]
    #[arg(long, value_name = "N")]
    pub(crate) runs_of_organization: Option<String>,
    /// For how long a run stays its server's that says nothing of it [default: 60]
    #[arg(long, value_name = "SECONDS")]
    pub(crate) lease_seconds: Option<String>,
    /// How long runs may take to come to their next commit when the server is to end [default: 60]
    #[arg(long, value_name = "SECONDS")]
    pub(crate) drain_seconds: Option<String>,
    /// Private addresses that admins of organizations may grant, as `10.0.0.5:443` or `10.0.0.0/24:443` with commas between
    /// them
    #[arg(long, value_name = "ADDRESSES")]
    pub(crate) grantable: Option<String>,
    /// Directory of compiled components [default: `cofferdam` in the user's cache directory]
    #[arg(long, value_name = "DIR")]
    pub(crate) cache: Option<String>,
    /// How long compiling one component may take [default: 120]
    #[arg(long, value_name = "SECONDS")]
    pub(crate) compile_seconds: Option<String>,
    /// Memory that compiling one component may take [default: 2048]
    #[arg(long, value_name = "MIB")]
    pub(crate) compile_memory: Option<String>,
    /// An HTTP proxy for all connections of connectors, told addresses and never names
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) proxy: Option<String>,
    /// Name servers in the place of the machine's, with commas between them
    #[arg(long, value_name = "ADDRESSES")]
    pub(crate) name_servers: Option<String>,
    /// Where figures for Prometheus are told, as in `127.0.0.1:9469` [default: nowhere]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) operations: Option<String>,
    /// A file with the token that is to be shown for figures; needed where other machines reach them
    #[arg(long, value_name = "FILE")]
    pub(crate) operations_token_file: Option<String>,
    /// A collector of traces, as in `http://127.0.0.1:4318`, by OTLP over HTTP [default: none]
    #[arg(long, value_name = "URL")]
    pub(crate) otlp: Option<String>,
    /// Which part of all traces is told, from 0 to 1 [default: 1]
    #[arg(long, value_name = "RATIO")]
    pub(crate) otlp_ratio: Option<String>,
    /// How the log is written on standard error: `text` or `json` [default: text]
    #[arg(long, value_name = "FORMAT")]
    pub(crate) log_format: Option<String>,
    #[command(flatten)]
    pub(crate) data: Data,
}
