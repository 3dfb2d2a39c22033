//! `connector.toml`: what a connector is, what it asks for and how it is configured.

use semver::Version;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::asks::{Asks, read_asks};
use crate::config::{self, ConfigFault, Secrets};
use crate::credential::{self, Connected, CredentialAsk, HOST_MEMBER, check_secrets};
use crate::fault::{Code, Faults};
use crate::host::{Error, HostPattern};
use crate::limits::{Limits, read_limits};
use crate::reader::{Node, Table, read, refuse_duplicates};
use crate::text::{did_you_mean, quoted};
use crate::webhook::{WebhookAsk, read_webhook};

/// The version of the format that this host reads.
const FORMAT: u64 = 1;

const KEYS: [&str; 14] = [
    "manifest",
    "name",
    "publisher",
    "version",
    "contract",
    "roles",
    "title",
    "description",
    "license",
    "homepage",
    "asks",
    "limits",
    "config",
    "webhook",
];

/// What a connector can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Rows come from it.
    Source,
    /// Rows go to it.
    Destination,
    /// It changes rows on their way.
    Transform,
    /// It makes rows of messages.
    Webhook,
}

impl Role {
    const CHOICES: [(&'static str, Self); 4] = [
        ("source", Self::Source),
        ("destination", Self::Destination),
        ("transform", Self::Transform),
        ("webhook", Self::Webhook),
    ];

    /// The word that stands for it in documents.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Destination => "destination",
            Self::Transform => "transform",
            Self::Webhook => "webhook",
        }
    }
}

impl std::fmt::Display for Role {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A connector's manifest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The connector's name, unique for its publisher.
    pub name: String,
    /// Who publishes it.
    pub publisher: String,
    /// Its version.
    pub version: Version,
    /// The version of the contract that it was built for.
    pub contract: Version,
    /// What it can be; at least one, each once.
    pub roles: Vec<Role>,
    /// Its name for people.
    pub title: String,
    /// What it does, for people.
    pub description: Option<String>,
    /// Under which licence it is published.
    pub license: Option<String>,
    /// Where people find more about it.
    pub homepage: Option<String>,
    /// What it asks for.
    pub asks: Asks,
    /// Its wishes about limits, raw: the runtime bounds them.
    pub limits: Limits,
    /// The JSON Schema of its configuration; none: it takes no configuration.
    pub config_schema: Option<Value>,
    /// What it says of messages; none: it understands none, or wants nothing of them but their bodies.
    #[serde(default)]
    pub webhook: Option<WebhookAsk>,
}

impl Manifest {
    /// Read a manifest; `file` is the name that faults carry.
    ///
    /// # Errors
    /// Every fault of the document.
    pub fn parse(file: &str, text: &str) -> Result<Self, Faults> {
        read(file, text, read_manifest)
    }

    /// Every fault of a configuration for this connector. A secret in it is one: secrets are fields of credentials.
    #[must_use]
    pub fn validate_config(&self, config: &Value) -> Vec<ConfigFault> {
        let mut faults = config::validate(self.config_schema.as_ref(), config);
        let host_member = format!("/{HOST_MEMBER}");
        if !self.asks.credentials.is_empty() && config.pointer(&host_member).is_some() {
            faults.retain(|fault| fault.path != host_member);
            faults.push(ConfigFault::new(host_member, "the host says here which credentials there are"));
        }
        faults
    }

    /// The configuration as the connector gets it: without secrets, and, where it asks for credentials, with what it may
    /// know of those that are there.
    #[must_use]
    pub fn guest_config(&self, config: &Value, credentials: &[Connected<'_>]) -> Value {
        self.guest_config_told(config, credential::told(credentials))
    }

    /// The same with what was told of credentials in another run: see [`Manifest::told_credentials`].
    #[must_use]
    pub fn guest_config_told(&self, config: &Value, told: Value) -> Value {
        let secrets = self.config_schema.as_ref().map(Secrets::of).unwrap_or_default();
        let mut seen = secrets.removed_from(config);
        if self.asks.credentials.is_empty() {
            return seen;
        }
        if seen.is_null() {
            seen = Value::Object(serde_json::Map::new());
        }
        if let Value::Object(members) = &mut seen {
            members.insert(HOST_MEMBER.to_owned(), told);
        }
        seen
    }

    /// What a configuration that its connector got tells of credentials; null where it tells nothing.
    #[must_use]
    pub fn told_credentials(&self, told: &Value) -> Value {
        let told = told.get(HOST_MEMBER).filter(|_| !self.asks.credentials.is_empty());
        told.cloned().unwrap_or_default()
    }

    /// The asks with the configuration's values in them. A value that is absent and has no default drops the ask:
    /// what is not configured is not reached.
    ///
    /// # Errors
    /// Every value that cannot stand in a host.
    pub fn resolve_asks(&self, config: &Value) -> Result<Asks, Vec<ConfigFault>> {
        let mut asks = Asks { directories: self.asks.directories.clone(), ..Asks::default() };
        let mut faults = Vec::new();
        for ask in &self.asks.hosts {
            let Some(config) = self.config_with_defaults(config, &ask.pattern.pointers()) else { continue };
            match ask.pattern.resolve(&config) {
                Ok(pattern) => asks.hosts.push(crate::HostAsk { pattern, reason: ask.reason.clone() }),
                Err(error) => faults.push(config_fault(&error)),
            }
        }
        for ask in &self.asks.credentials {
            match self.resolve_credential(ask, config) {
                Ok(resolved) => asks.credentials.extend(resolved),
                Err(error) => faults.push(config_fault(&error)),
            }
        }
        let wrong = credential::resolved_faults(&asks.credentials, &asks.hosts);
        faults.extend(wrong.into_iter().map(|message| ConfigFault::new("", message)));
        if faults.is_empty() { Ok(asks) } else { Err(faults) }
    }

    /// None where the configuration completes no rule of the audience, or not the settings of what may be left out.
    fn resolve_credential(
        &self,
        ask: &CredentialAsk,
        config: &Value,
    ) -> Result<Option<CredentialAsk>, Error> {
        let complete =
            |pattern: &&HostPattern| self.config_with_defaults(config, &pattern.pointers()).is_some();
        let audience: Vec<HostPattern> = ask.audience.iter().filter(complete).cloned().collect();
        let ask = CredentialAsk { audience, ..ask.clone() };
        match self.config_with_defaults(config, &ask.pointers()) {
            _ if ask.audience.is_empty() => Ok(None),
            Some(config) => ask.resolve(&config).map(Some),
            None if ask.optional || ask.one_of.is_some() => Ok(None),
            // Says which value is missing.
            None => ask.resolve(config).map(Some),
        }
    }

    /// The values at these places, and nothing else; none when one of them is neither set nor has a default.
    fn config_with_defaults(&self, config: &Value, pointers: &[String]) -> Option<Value> {
        let mut needed = Value::Object(serde_json::Map::new());
        for pointer in pointers {
            let default =
                || self.config_schema.as_ref().and_then(|schema| config::default_at(schema, pointer));
            let value = config.pointer(pointer).filter(|value| !value.is_null()).or_else(default)?;
            insert_at(&mut needed, pointer, value.clone());
        }
        Some(needed)
    }
}

fn config_fault(error: &Error) -> ConfigFault {
    ConfigFault::new(error.pointer().unwrap_or_default(), error.to_string())
}

fn insert_at(object: &mut Value, pointer: &str, value: Value) {
    let mut place = object;
    for key in pointer.split('/').skip(1) {
        let Value::Object(members) = place else { return };
        place = members.entry(key).or_insert_with(|| Value::Object(serde_json::Map::new()));
    }
    *place = value;
}

fn read_manifest(node: Node<'_>) -> Option<Manifest> {
    let table = node.open_table()?;
    if !is_known_format(&table, "manifest", FORMAT) {
        return None;
    }
    let table = node.table(&KEYS)?;
    let name = table.required("name").and_then(|name| name.identifier());
    let publisher = table.required("publisher").and_then(|publisher| publisher.identifier());
    let version = table.required("version").and_then(|version| read_version(&version));
    let contract = table.required("contract").and_then(|contract| read_version(&contract));
    let roles = table.required("roles").and_then(|roles| read_roles(&roles));
    let title = table.required("title").and_then(|title| title.line_of_text(100));
    let description = table.optional("description", |description| description.text(4000));
    let license = table.optional("license", |license| license.line_of_text(200));
    let homepage = table.optional("homepage", read_homepage);
    let asks = read_asks(table.get("asks"));
    let limits = read_limits(table.get("limits"));
    let config_schema = table.optional("config", config::read_schema);
    let webhook = table.optional("webhook", read_webhook);
    if let (Some(asks), Some(Some(schema))) = (&asks, &config_schema) {
        check_substitutions(&table, asks, schema);
    }
    if let (Some(asks), Some(schema)) = (&asks, &config_schema) {
        check_secrets(&node, asks, schema.as_ref());
    }
    if let (Some(roles), Some(node)) = (&roles, table.get("webhook"))
        && !roles.contains(&Role::Webhook)
    {
        node.fault_with(
            Code::WrongValue,
            "the connector is no webhook",
            Some("add the role `webhook`".to_owned()),
        );
    }
    Some(Manifest {
        name: name?,
        publisher: publisher?,
        version: version?,
        contract: contract?,
        roles: roles?,
        title: title?,
        description: description?,
        license: license?,
        homepage: homepage?,
        asks: asks?,
        limits: limits?,
        config_schema: config_schema?,
        webhook: webhook?,
    })
}

/// Whether the document says, in its first key, that it is of the version that we read. A newer one would only
/// give faults that are none.
pub(crate) fn is_known_format(table: &Table<'_>, key: &str, format: u64) -> bool {
    let Some(node) = table.required(key) else { return true };
    let known = node.unsigned().is_none_or(|version| version == format);
    if !known {
        let hint = format!("this host reads `{key} = {format}`; a newer one may read this document");
        node.fault_with(
            Code::UnknownFormat,
            "a version of the format that this host does not know",
            Some(hint),
        );
    }
    known
}

fn read_version(node: &Node<'_>) -> Option<Version> {
    let text = node.string()?;
    let parsed = Version::parse(text).ok();
    if parsed.is_none() {
        let hint = "a version has three numbers, such as `1.0.0`".to_owned();
        node.fault_with(Code::WrongValue, format!("{} is not a version", quoted(text)), Some(hint));
    }
    parsed
}

fn read_roles(node: &Node<'_>) -> Option<Vec<Role>> {
    let items = node.items()?;
    if items.is_empty() {
        node.fault(Code::WrongValue, "names no role");
        return None;
    }
    let read: Vec<Option<Role>> = items.iter().map(|item| item.choice(&Role::CHOICES)).collect();
    let named = read.iter().zip(&items).filter_map(|(role, node)| role.map(|role| (role.as_str(), node)));
    refuse_duplicates("the role", named);
    read.into_iter().collect()
}

fn read_homepage(node: &Node<'_>) -> Option<String> {
    let text = node.line_of_text(500)?;
    if text.starts_with("https://") || text.starts_with("http://") {
        return Some(text);
    }
    node.fault(Code::WrongValue, format!("{} is not a web address", quoted(&text)));
    None
}

/// A substitution of a value that no configuration has would never be resolved.
fn check_substitutions(table: &Table<'_>, asks: &Asks, schema: &Value) {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return };
    let hosts = asks
        .hosts
        .iter()
        .enumerate()
        .map(|(index, ask)| (format!("/asks/hosts/{index}/url"), ask.pattern.pointers()));
    let credentials = asks
        .credentials
        .iter()
        .enumerate()
        .map(|(index, ask)| (format!("/asks/credentials/{index}"), ask.pointers()));
    for (place, pointers) in hosts.chain(credentials) {
        for pointer in pointers {
            let key = pointer.split('/').nth(1).unwrap_or_default();
            if !properties.contains_key(key) {
                let message = format!("the configuration has no {}", quoted(key));
                let hint = did_you_mean(key, properties.keys().map(String::as_str));
                table.node().at_pointer(&place).fault_with(Code::WrongSubstitution, message, hint);
            }
        }
    }
}

#[cfg(test)]
mod tests;
