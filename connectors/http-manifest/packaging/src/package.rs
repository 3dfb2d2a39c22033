//! Puts a `connector.toml` together.

use http_manifest_dialect::{Fault, Faults, Manifest, Place};
use serde_json::{Map, Value};

use crate::{
    config,
    credentials::{self, Credential},
    hosts::{self, Ask},
    identity,
};

/// The version of the contract that the interpreter speaks.
const CONTRACT: &str = "0.1.0";

/// Streams that a reason names.
const STREAMS_NAMED_MAX: usize = 8;

/// What a manifest does not say of itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct Identity<'i> {
    /// Its name; none: made of the title that its specification has.
    pub name: Option<&'i str>,
    /// Who publishes it.
    pub publisher: &'i str,
    /// Its version; none: the one that the manifest names.
    pub version: Option<&'i str>,
}

/// What was derived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// The connector's name.
    pub name: String,
    /// The text of its `connector.toml`.
    pub connector_toml: String,
    /// What people should know of it.
    pub notes: Vec<Fault>,
}

/// Derives the `connector.toml` of a manifest.
///
/// # Errors
/// Every fault of the manifest, and each of its hosts and credentials that cannot be asked for.
///
/// ```
/// use http_manifest_packaging::{Identity, derive};
///
/// let manifest = r#"
/// version: 1.2.0
/// type: DeclarativeSource
/// check: {type: CheckStream, stream_names: [movies]}
/// streams:
///   - type: DeclarativeStream
///     name: movies
///     retriever:
///       type: SimpleRetriever
///       requester: {type: HttpRequester, url_base: "https://{{ config['region'] }}.example.com", path: /movies}
///       record_selector: {type: RecordSelector, extractor: {type: DpathExtractor, field_path: [data]}}
/// "#;
/// let package = derive(manifest, &Identity { name: Some("movies"), publisher: "me", version: None })?;
/// assert!(package.connector_toml.contains(r#"url = "https://${config.region}.example.com""#));
/// # Ok::<(), http_manifest_packaging::Faults>(())
/// ```
pub fn derive(text: &str, identity: &Identity<'_>) -> Result<Package, Faults> {
    let manifest = Manifest::parse(text)?;
    let mut notes = manifest.notes.clone();
    let (asks, more) = hosts::asks(&manifest)?;
    notes.extend(more);
    let (mut credentials, more) = credentials::credentials(&manifest)?;
    notes.extend(more);
    let faults = config::host_member_faults(text, &credentials);
    if !faults.is_empty() {
        return Err(Faults(faults));
    }
    let (mut schema, more) = config::schema(&manifest, &credentials);
    notes.extend(more);
    let keys = asks.iter().flat_map(|ask| &ask.keys);
    config::add_keys(&mut schema, keys.chain(credentials.iter().flat_map(|credential| &credential.keys)))?;
    // A secret is the source of one field; what it is beside that, or what was left out of the schema, is entered under no
    // name of the specification.
    let mut taken: Vec<Vec<String>> = Vec::new();
    for credential in &mut credentials {
        credential.fields.retain(|_, key| config::has(&schema, key) && !taken.contains(key));
        taken.extend(credential.fields.values().cloned());
    }
    let title =
        schema.get("title").and_then(Value::as_str).map(identity::line).filter(|title| !title.is_empty());
    let name = match (identity.name, &title) {
        (Some(name), _) => Some(name.to_owned()),
        (None, Some(title)) => identity::name_of(title),
        (None, None) => None,
    };
    let Some(name) = name else { return Err(nameless(title.as_deref()).into()) };
    let version = identity.version.map_or_else(|| identity::version_of(&manifest.version), ToOwned::to_owned);
    let mut written = format!(
        "# Derived from a low-code manifest, which is packaged with the interpreter.\n\
         manifest = 1\nname = {}\npublisher = {}\nversion = {}\ncontract = \"{CONTRACT}\"\nroles = [\"source\"]\n\
         title = {}\n",
        quoted(&name),
        quoted(identity.publisher),
        quoted(&version),
        quoted(title.as_deref().unwrap_or(&name)),
    );
    if let Some(description) =
        manifest.description.as_deref().map(identity::line).filter(|text| !text.is_empty())
    {
        written.push_str(&format!("description = {}\n", quoted(&description)));
    }
    let homepage = manifest.spec.documentation_url.as_deref();
    if let Some(homepage) = homepage.filter(|url| url.starts_with("https://") || url.starts_with("http://")) {
        written.push_str(&format!("homepage = {}\n", quoted(&identity::line(homepage))));
    }
    for ask in &asks {
        written.push_str(&written_ask(ask));
    }
    for credential in &credentials {
        written.push_str(&written_credential(credential));
    }
    written.push_str(&written_config(schema));
    Ok(Package { name, connector_toml: written, notes })
}

/// No name was given, and this title makes none.
fn nameless(title: Option<&str>) -> Fault {
    let why = match title {
        Some(title) => format!("none can be made of the specification's title {}", quoted(title)),
        None => "the specification has no title to make one of".to_owned(),
    };
    let message = format!("the connector has no name: {why}");
    let hint = Some("`cofferdam build --name NAME` gives it one".to_owned());
    Fault { place: Place { line: 1, column: 1 }, path: String::new(), message, hint }
}

fn written_ask(ask: &Ask) -> String {
    format!(
        "\n[[asks.hosts]]\nurl = {}\nmethods = [{}]\nreason = {}\n",
        quoted(&ask.url),
        listed(&ask.methods),
        quoted(&reason("Reads", &ask.streams))
    )
}

fn written_credential(credential: &Credential) -> String {
    let Credential { name, kind, settings, fields, one_of, optional, audience, streams, .. } = credential;
    let mut written = format!("\n[[asks.credentials]]\nname = {}\nkind = {}\n", quoted(name), quoted(kind));
    for (key, value) in settings {
        written.push_str(&format!("{key} = {value}\n"));
    }
    let rules = audience.iter().map(|(url, methods)| match methods.as_slice() {
        [] => format!("{{ url = {} }}", quoted(url)),
        methods => format!("{{ url = {}, methods = [{}] }}", quoted(url), listed(methods)),
    });
    written.push_str(&format!("audience = [{}]\n", rules.collect::<Vec<_>>().join(", ")));
    if let Some(group) = one_of {
        written.push_str(&format!("one_of = {}\n", quoted(group)));
    }
    if *optional {
        written.push_str("optional = true\n");
    }
    if !fields.is_empty() {
        let fields = fields.iter().map(|(field, key)| format!("{field} = {}", quoted(&config::pointer(key))));
        written.push_str(&format!("fields = {{ {} }}\n", fields.collect::<Vec<_>>().join(", ")));
    }
    written.push_str(&format!("reason = {}\n", quoted(&reason("Authenticates", streams))));
    written
}

fn reason(verb: &str, streams: &[String]) -> String {
    let named = streams.iter().take(STREAMS_NAMED_MAX).map(|name| format!("`{}`", identity::line(name)));
    let more = match streams.len().saturating_sub(STREAMS_NAMED_MAX) {
        0 => String::new(),
        count => format!(" and {count} more"),
    };
    let named: Vec<String> = named.collect();
    let noun = if streams.len() == 1 { "stream" } else { "streams" };
    identity::cut(&format!("{verb} the {noun} {}{more}.", named.join(", ")), 480)
}

fn listed(words: &[&str]) -> String {
    words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(", ")
}

fn written_config(schema: Map<String, Value>) -> String {
    let document = Map::from_iter([("config".to_owned(), Value::Object(schema))]);
    let written = toml::to_string(&document);
    // A map without nulls is a document.
    written.map(|text| format!("\n{text}")).unwrap_or_default()
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests;
