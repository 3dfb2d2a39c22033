//! How requests are authenticated. A credential is placed by the host and never read here: an authenticator is known by
//! its kind, its place, and the texts that say which values the user is asked for. Those texts are never evaluated.

mod api_key;
mod host;
mod jwt;
mod oauth;
mod selective;

pub use api_key::{ApiKey, ApiKeyPlace};
pub use host::{Host, Setting};
pub use jwt::Jwt;
pub use oauth::{Grant, OAuth};
pub use selective::Selective;

use crate::{
    component::{Component, Fields, Kind},
    fault::Place,
    item::Item,
    words::{alternatives, did_you_mean, quoted},
};

/// A kind of credential and its place in a request.
#[derive(Debug, Clone)]
pub enum Authenticator {
    /// `Authorization: Bearer …`
    Bearer(Source),
    /// A key somewhere in the request.
    ApiKey(ApiKey),
    /// `Authorization: Basic …`
    Basic(Basic),
    /// A token of an OAuth 2 server.
    OAuth(Box<OAuth>),
    /// A token that is signed with a private key.
    Jwt(Box<Jwt>),
    /// A credential of any kind that the host knows, in the host's words.
    Host(Box<Host>),
    /// One of several, as the user chooses.
    Selective(Selective),
}

/// A user's name and password.
#[derive(Debug, Clone)]
pub struct Basic {
    /// Where the name comes from.
    pub username: Source,
    /// Where the password comes from; empty: there is none.
    pub password: Source,
}

/// The text that says where a value comes from. Never evaluated: the value is the host's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// As it was written.
    pub text: String,
    /// Where.
    pub place: Place,
}

pub(crate) const KINDS: [Kind<Option<Authenticator>>; 8] = [
    Kind { name: "NoAuth", read: read_none },
    Kind { name: "ApiKeyAuthenticator", read: api_key::read },
    Kind { name: "BearerAuthenticator", read: read_bearer },
    Kind { name: "BasicHttpAuthenticator", read: read_basic },
    Kind { name: "OAuthAuthenticator", read: oauth::read },
    Kind { name: "JwtAuthenticator", read: jwt::read },
    Kind { name: "HostAuthenticator", read: host::read },
    Kind { name: "SelectiveAuthenticator", read: selective::read },
];

fn read_none(component: &Component<'_>) -> Option<Authenticator> {
    component.check_fields(&Fields::default());
    None
}

fn read_bearer(component: &Component<'_>) -> Option<Authenticator> {
    component.check_fields(&Fields { read: &["api_token"], ..Fields::default() });
    required_source(component, "api_token").map(Authenticator::Bearer)
}

fn read_basic(component: &Component<'_>) -> Option<Authenticator> {
    component.check_fields(&Fields { read: &["username", "password"], ..Fields::default() });
    let username = required_source(component, "username")?;
    let none = Source { text: String::new(), place: username.place };
    let password = source(component, "password").unwrap_or(none);
    Some(Authenticator::Basic(Basic { username, password }))
}

/// A field that says where a value comes from.
fn source(component: &Component<'_>, name: &str) -> Option<Source> {
    component.field(name).and_then(|item| source_of(&item))
}

fn required_source(component: &Component<'_>, name: &str) -> Option<Source> {
    component.required(name).and_then(|item| source_of(&item))
}

fn source_of(item: &Item<'_>) -> Option<Source> {
    let text = item.scalar_text();
    if text.is_none() {
        item.expected("a text");
    }
    text.map(|text| Source { text, place: item.place })
}

/// A text that must stand in the manifest itself, since the host is told of it before there is a configuration.
fn literal(item: &Item<'_>) -> Option<String> {
    let Some(text) = item.scalar_text() else {
        item.expected("a text");
        return None;
    };
    if text.contains("{{") || text.contains("{%") {
        item.fault("must stand here itself: the host is told of it before there is a configuration");
        return None;
    }
    Some(text)
}

/// Names and values that stand in the manifest themselves.
fn literals(component: &Component<'_>, name: &str) -> Vec<(String, String)> {
    let entries = component.field(name).map(|item| item.entries()).unwrap_or_default();
    entries.into_iter().filter_map(|(name, item)| literal(&item).map(|text| (name, text))).collect()
}

/// A field that the host does in one way only: another value is a fault.
fn only(component: &Component<'_>, name: &str, value: &str) {
    let Some(item) = component.field(name) else { return };
    let said = item.scalar_text().unwrap_or_default();
    if said != value {
        item.fault(format!("the host knows this only as {}", quoted(value)));
    }
}

/// One of a few words; none, and a fault, for any other.
fn word<'w, T: Copy>(item: &Item<'_>, words: &[(&'w str, T)]) -> Option<T> {
    let said = item.scalar_text().unwrap_or_default();
    if let Some((_, value)) = words.iter().find(|(word, _)| *word == said) {
        return Some(*value);
    }
    let known: Vec<&'w str> = words.iter().map(|(word, _)| *word).collect();
    let hint = did_you_mean(&said, known.iter().copied());
    item.fault_with(format!("{} is not {}", quoted(&said), alternatives(&known)), hint);
    None
}
