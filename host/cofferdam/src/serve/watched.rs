//! The settings of how the server is watched: figures, traces and its log.

use std::net::SocketAddr;
use std::path::PathBuf;

use http::Uri;
use zeroize::Zeroizing;

use super::settings::{parse, read};
use super::sources::Sources;
use crate::logs::Format;
use crate::problem::Own;
use crate::traces;

/// As long as a token must be that nobody guesses: 128 bits as hexadecimal digits.
const TOKEN_CHARACTERS_MIN: usize = 32;

/// How the server is watched.
pub(crate) struct Watched {
    /// Where figures are told; none: nowhere.
    pub(crate) operations: Option<SocketAddr>,
    token: Option<PathBuf>,
    pub(crate) traces: Option<traces::Options>,
    pub(crate) log: Format,
}

impl Watched {
    /// What is to be shown for figures.
    pub(crate) fn token(&self) -> Result<Option<Zeroizing<String>>, Own> {
        let Some(path) = &self.token else { return Ok(None) };
        let what = "the token for operations";
        let text = std::fs::read_to_string(path).map(Zeroizing::new);
        let text = text.map_err(|source| Own::Read { what, path: path.clone(), source })?;
        let token = Zeroizing::new(text.trim().to_owned());
        if token.chars().count() < TOKEN_CHARACTERS_MIN || token.contains(char::is_whitespace) {
            let reason = format!("it holds one word of at least {TOKEN_CHARACTERS_MIN} characters");
            return Err(Own::WrongFile { what, path: path.clone(), reason });
        }
        Ok(Some(token))
    }
}

/// What is wrong is among the faults of the sources.
pub(super) fn judged(sources: &mut Sources) -> Watched {
    let expected = "an address and a port, such as `127.0.0.1:9469`";
    let operations = read(sources, "operations", expected, parse::<SocketAddr>);
    let token = sources.find("operations-token-file").map(|(path, _)| PathBuf::from(path));
    let collector =
        read(sources, "otlp", "a collector's address, such as `http://127.0.0.1:4318`", collector);
    let ratio = read(sources, "otlp-ratio", "a number from 0 to 1", ratio);
    let log = read(sources, "log-format", "`text` or `json`", |text| match text {
        "text" => Some(Format::Text),
        "json" => Some(Format::Json),
        _ => None,
    });
    let traces = collector.map(|collector| traces::Options { collector, ratio: ratio.unwrap_or(1.0) });
    Watched { operations, token, traces, log: log.unwrap_or_default() }
}

/// Plain HTTP to a host and a port: a collector runs beside what it collects from, and goes on by TLS itself.
pub(crate) fn collector(text: &str) -> Option<Uri> {
    let uri: Uri = text.trim().parse().ok()?;
    let has_host = uri.host().is_some_and(|host| !host.is_empty()) && !text.contains('@');
    (uri.scheme_str() == Some("http") && has_host && uri.path() == "/" && uri.query().is_none())
        .then_some(uri)
}

fn ratio(text: &str) -> Option<f64> {
    parse::<f64>(text).filter(|ratio| (0.0..=1.0).contains(ratio))
}

#[cfg(test)]
mod tests {
    use super::{collector, ratio};

    #[test]
    fn a_collector_is_a_host_over_plain_http() {
        for (text, is_taken) in [
            ("http://127.0.0.1:4318", true),
            ("http://collector:4318/", true),
            ("https://collector:4318", false),
            ("http://user:canary@collector", false),
            ("http://collector/v1/traces", false),
            ("http://collector/?canary", false),
            ("collector:4318", false),
            ("", false),
        ] {
            assert_eq!(collector(text).is_some(), is_taken, "{text}");
        }
    }

    #[test]
    fn a_ratio_is_a_part_of_all() {
        for (text, is_taken) in
            [("0", true), ("0.25", true), ("1", true), ("1.1", false), ("-0.1", false), ("NaN", false)]
        {
            assert_eq!(ratio(text).is_some(), is_taken, "{text}");
        }
    }
}
