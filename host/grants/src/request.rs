//! Judges a request before anything is resolved.

use manifest::host::is_usable_method;
use manifest::{Host, HostPattern, Scheme};

use crate::explain::explain;
use crate::lines;
use crate::local_names::{is_granted, meant_by};
use crate::rights::Rights;
use crate::verdict::{Code, Verdict};

/// What is judged of a request: the parts as they will be sent, the authority already parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestLine<'a> {
    /// `http` or `https`.
    pub scheme: &'a str,
    /// The host, an IPv6 address with or without brackets.
    pub host: &'a str,
    /// The port that is dialed, also when it was not written.
    pub port: u16,
    /// The method.
    pub method: &'a str,
    /// The path as it is sent, without the query; empty is `/`.
    pub path: &'a str,
}

/// A request whose parts were found sound.
pub(crate) struct Request<'a> {
    pub(crate) scheme: Scheme,
    pub(crate) host: Host,
    pub(crate) port: u16,
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
}

impl Request<'_> {
    pub(crate) fn origin_matches(&self, pattern: &HostPattern) -> bool {
        pattern.matches_origin(self.scheme, &self.host, self.port)
    }

    pub(crate) fn matches(&self, pattern: &HostPattern) -> bool {
        self.origin_matches(pattern) && pattern.matches_method(self.method) && pattern.matches_path(self.path)
    }

    /// The narrowest rule over hosts that would allow it; none for no request that came this far.
    pub(crate) fn origin(&self) -> Option<HostPattern> {
        HostPattern::parse(&format!("{}://{}:{}", self.scheme, self.host, self.port)).ok()
    }
}

impl Rights {
    /// May this request be made? Says nothing about the addresses behind a name: those are judged when they are
    /// dialed.
    #[must_use]
    pub fn judge_request(&self, line: &RequestLine<'_>) -> Verdict {
        let request = match sound(line) {
            Ok(request) => request,
            Err(denied) => return denied,
        };
        let Some(rule) = self.rules().iter().find(|rule| request.matches(rule)) else {
            return explain(self, &request);
        };
        match &request.host {
            Host::Name(name) => self.refuse_local_name(name, &request),
            Host::Address(address) => {
                Some(self.judge_address(*address, request.port)).filter(|verdict| !verdict.is_allowed())
            }
        }
        .unwrap_or_else(|| Verdict::Allowed { rule: rule.to_string() })
    }

    /// A name that means this machine needs a grant of that very name, not of a suffix, and one of the address.
    fn refuse_local_name(&self, name: &str, request: &Request<'_>) -> Option<Verdict> {
        meant_by(name)?;
        let exact = request.origin()?;
        let by_name = self.granted.iter().any(|grant| grant.origin() == exact.origin());
        let address = self.missing_address(request);
        if by_name && address.is_none() {
            return None;
        }
        let host = (!by_name).then(|| lines::grant_host(self.place(), &exact));
        let lines: Vec<String> = host.into_iter().chain(address).collect();
        Some(Verdict::Denied {
            code: Code::LocalName,
            reason: format!(
                "`{name}` means this machine: it needs a grant of this very name and of its address"
            ),
            line_to_add: Some(lines.join("\n")),
        })
    }

    /// Lines that grant the address of a literal or of a local name, where it is not granted yet.
    pub(crate) fn missing_address(&self, request: &Request<'_>) -> Option<String> {
        let address = match &request.host {
            Host::Name(name) => {
                meant_by(name).filter(|meant| !is_granted(*meant, request.port, self.addresses()))?
            }
            Host::Address(literal) => {
                Some(*literal).filter(|literal| !self.judge_address(*literal, request.port).is_allowed())?
            }
        };
        Some(lines::grant_address(self.place(), address, request.port))
    }
}

fn sound<'a>(line: &RequestLine<'a>) -> Result<Request<'a>, Verdict> {
    let RequestLine { scheme, host, port, method, path } = *line;
    let scheme = Scheme::parse(scheme).ok_or_else(|| {
        Verdict::denied(
            Code::Scheme,
            format!("the scheme `{}` is neither `http` nor `https`", scheme.escape_default()),
        )
    })?;
    if port == 0 {
        return Err(Verdict::denied(Code::Port, "port 0 cannot be dialed"));
    }
    let host = Host::parse(host).map_err(|error| {
        let hint = error.hint().map(|hint| format!(" ({hint})")).unwrap_or_default();
        Verdict::denied(Code::WrongHost, format!("{error}{hint}"))
    })?;
    if !is_usable_method(method) {
        let reason = format!("`{}` is not a method that a connector may use", shortened(method));
        return Err(Verdict::denied(Code::Method, reason));
    }
    if !is_request_path(path) {
        return Err(Verdict::denied(Code::Path, format!("`{}` is not a path of a request", shortened(path))));
    }
    Ok(Request { scheme, host, port, method, path })
}

/// A path from the root, of characters that stand in a request line as they are. `//` at its start is an authority
/// to some proxies.
fn is_request_path(path: &str) -> bool {
    let characters = path.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'#'));
    characters && (path.is_empty() || path.starts_with('/')) && !path.starts_with("//")
}

fn shortened(text: &str) -> String {
    text.chars().take(80).flat_map(char::escape_default).collect()
}
