//! The hosts of all streams, each asked for once.

use http_manifest_dialect::{Fault, Faults, Manifest, Place, Requester, template::Template};

use crate::host::{self, Host};

/// One host that is asked for.
#[derive(Debug)]
pub(crate) struct Ask {
    pub(crate) url: String,
    pub(crate) methods: Vec<&'static str>,
    /// Which streams need it.
    pub(crate) streams: Vec<String>,
    /// Values of the configuration in it, with their defaults.
    pub(crate) keys: Vec<(Vec<String>, Option<String>)>,
}

/// What is asked for, and notes on what is wider than it had to be.
pub(crate) fn asks(manifest: &Manifest) -> Result<(Vec<Ask>, Vec<Fault>), Faults> {
    let mut asks: Vec<Ask> = Vec::new();
    let (mut faults, mut notes) = (Vec::new(), Vec::new());
    for (index, stream) in manifest.streams.iter().enumerate() {
        let requester = &stream.retriever.requester;
        let path = format!("/streams/{index}/retriever/requester");
        for template in urls(requester) {
            let parameter = |name: &str| template.parameter(name);
            let fault = |message: String| Fault {
                place: template.place().unwrap_or(Place { line: 1, column: 1 }),
                path: path.clone(),
                message,
                hint: None,
            };
            match host::hosts(template.source(), &parameter) {
                Err(reason) => faults.push(fault(format!("the URL `{}` {reason}", template.source()))),
                Ok(hosts) => {
                    for host in hosts {
                        if host.is_wide {
                            notes.push(fault(format!(
                                "`{}` is asked for, since no ask can say it better",
                                host.url
                            )));
                        }
                        add(&mut asks, host, requester.method.as_str(), &stream.name);
                    }
                }
            }
        }
    }
    notes.dedup();
    faults.dedup();
    if faults.is_empty() { Ok((asks, notes)) } else { Err(Faults(faults)) }
}

/// Every host of a requester as it is asked for, once. What cannot be asked for is told by [`asks`].
pub(crate) fn of_requester(requester: &Requester) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for template in urls(requester) {
        let parameter = |name: &str| template.parameter(name);
        for host in host::hosts(template.source(), &parameter).unwrap_or_default() {
            if !found.contains(&host.url) {
                found.push(host.url);
            }
        }
    }
    found
}

/// The URL of a requester, and its path where it is a URL of its own.
fn urls(requester: &Requester) -> impl Iterator<Item = &Template> {
    let is_url =
        |path: &&Template| path.source().starts_with("https://") || path.source().starts_with("http://");
    std::iter::once(&requester.url).chain(requester.path.as_ref().filter(is_url))
}

fn add(asks: &mut Vec<Ask>, host: Host, method: &'static str, stream: &str) {
    let ask = match asks.iter().position(|ask| ask.url == host.url) {
        Some(index) => asks.get_mut(index),
        None => {
            asks.push(Ask { url: host.url, methods: Vec::new(), streams: Vec::new(), keys: host.keys });
            asks.last_mut()
        }
    };
    let Some(ask) = ask else { return };
    if !ask.methods.contains(&method) {
        ask.methods.push(method);
    }
    if !ask.streams.iter().any(|known| known == stream) {
        ask.streams.push(stream.to_owned());
    }
}
