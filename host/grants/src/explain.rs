//! Why a request is denied: which layer of the rights lacks it, by how much, and which lines would bring it.

use manifest::HostPattern;
use manifest::host::normalise_path;

use crate::lines;
use crate::request::Request;
use crate::rights::Rights;
use crate::verdict::{Code, Verdict};

/// The denial of a request that no rule allows.
pub(crate) fn explain(rights: &Rights, request: &Request<'_>) -> Verdict {
    let asked = Shortfall::of(request, &rights.asked);
    let granted = Shortfall::of(request, &rights.granted);
    let (code, layer, shortfall) = match (&asked, &granted) {
        (Some(shortfall), _) => (Code::HostNotAsked, "the manifest does not ask for", shortfall),
        (None, Some(shortfall)) => (Code::HostNotGranted, "nobody granted", shortfall),
        (None, None) => return denied_by_policy(rights, request),
    };
    let ask =
        asked.as_ref().and_then(|shortfall| shortfall.missing(request)).map(|rule| lines::ask_host(&rule));
    let grant = granted.as_ref().and_then(|shortfall| shortfall.missing(request));
    let grant = grant.map(|rule| lines::grant_host(rights.place(), &rule));
    let address = rights.missing_address(request);
    let added: Vec<String> = ask.into_iter().chain(grant).chain(address).collect();
    Verdict::Denied {
        code,
        reason: format!("{layer} {}", shortfall.describe(request)),
        line_to_add: Some(added.join("\n")).filter(|lines| !lines.is_empty()),
    }
}

fn denied_by_policy(rights: &Rights, request: &Request<'_>) -> Verdict {
    let lacks = |hosts: &Option<Vec<HostPattern>>| {
        hosts.as_ref().is_some_and(|hosts| !hosts.iter().any(|pattern| request.matches(pattern)))
    };
    let (code, whose) = if lacks(&rights.organization.hosts) {
        (Code::OrganizationPolicy, "the organization's policy")
    } else {
        (Code::HostPolicy, "this host's policy")
    };
    Verdict::denied(code, format!("{whose} does not allow {}", described(request)))
}

/// By how much a layer's rules miss a request.
enum Shortfall {
    /// No rule names the scheme, host and port.
    Origin,
    /// Rules do, for other methods; one of them with this prefix.
    Method(Option<String>),
    /// Rules do, for other paths; one of them with these methods.
    Path(Option<Vec<String>>),
    /// Rules do, for some paths, and servers could read this one in different ways.
    AmbiguousPath(String),
}

impl Shortfall {
    /// None when a rule of the layer allows the request.
    fn of(request: &Request<'_>, layer: &[HostPattern]) -> Option<Self> {
        if layer.iter().any(|pattern| request.matches(pattern)) {
            return None;
        }
        let by_origin: Vec<&HostPattern> =
            layer.iter().filter(|pattern| request.origin_matches(pattern)).collect();
        if by_origin.is_empty() {
            return Some(Self::Origin);
        }
        let Some(by_method) = by_origin.iter().find(|pattern| pattern.matches_method(request.method)) else {
            let by_path = by_origin.iter().find(|pattern| pattern.matches_path(request.path));
            return Some(Self::Method(
                by_path.and_then(|pattern| pattern.path_prefix()).map(ToOwned::to_owned),
            ));
        };
        match normalise_path(request.path) {
            Ok(_) => Some(Self::Path(by_method.methods().map(<[String]>::to_vec))),
            Err(ambiguity) => Some(Self::AmbiguousPath(ambiguity.to_string())),
        }
    }

    fn describe(&self, request: &Request<'_>) -> String {
        match self {
            Self::Origin => described(request),
            Self::Method(_) => format!("the method `{}` for {}", request.method, described(request)),
            Self::Path(_) => format!("the path `{}` of {}", request.path, described(request)),
            Self::AmbiguousPath(ambiguity) => {
                format!("every path of {}, and the path `{}` {ambiguity}", described(request), request.path)
            }
        }
    }

    /// The narrowest rule that would fill the gap. None for a path that cannot be compared: only a rule without
    /// prefix would, and nobody should widen one for such a path.
    fn missing(&self, request: &Request<'_>) -> Option<HostPattern> {
        let origin = request.origin()?;
        match self {
            Self::Origin => Some(origin),
            Self::Method(prefix) => {
                let rule = origin.with_methods([request.method]).ok()?;
                prefix.as_ref().map_or(Some(rule.clone()), |prefix| rule.with_path_prefix(prefix).ok())
            }
            Self::Path(methods) => {
                let rule = origin.with_path_prefix(&folder(request.path)).ok()?;
                let methods = methods.as_ref().map(|methods| methods.iter().map(String::as_str));
                methods.map_or(Some(rule.clone()), |methods| rule.with_methods(methods).ok())
            }
            Self::AmbiguousPath(_) => None,
        }
    }
}

fn described(request: &Request<'_>) -> String {
    let url = request.origin().map_or_else(|| request.host.to_string(), |origin| origin.url());
    format!("`{url}`")
}

/// The path up to its last slash.
fn folder(path: &str) -> String {
    let normal = normalise_path(path).unwrap_or_default();
    normal.rsplit_once('/').map_or_else(|| "/".to_owned(), |(folder, _)| format!("{folder}/"))
}
