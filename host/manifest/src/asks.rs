//! What a connector asks for: hosts, directories and credentials. Asking gives no right; an admin grants.

use serde::{Deserialize, Serialize};

use crate::credential::{CredentialAsk, check_audiences, check_collisions, read_credentials};
use crate::fault::Code;
use crate::host::{Error, HostPattern, sound_methods, sound_prefix};
use crate::reader::{Node, Table, refuse_duplicates};

/// More rules than anybody reads before consenting.
pub(crate) const RULES_MAX: usize = 256;

/// How much a reason may say.
const REASON_CHARS_MAX: usize = 500;

/// All that a connector asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asks {
    /// Hosts that it wants to reach.
    pub hosts: Vec<HostAsk>,
    /// Directories that it wants to see.
    pub directories: Vec<DirectoryAsk>,
    /// Credentials that the host uses for it.
    pub credentials: Vec<CredentialAsk>,
}

/// A host that a connector wants to reach, or that an admin lets it reach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostAsk {
    /// The rule.
    pub pattern: HostPattern,
    /// Why, in words for the admin.
    pub reason: Option<String>,
}

/// What may be done in a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    /// Reading.
    Read,
    /// Reading and writing.
    Write,
}

impl Access {
    pub(crate) const CHOICES: [(&'static str, Self); 2] = [("read", Self::Read), ("write", Self::Write)];

    /// The word that stands for it in documents.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

/// A directory that a connector wants to see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectoryAsk {
    /// The name; the connector sees the directory as `/name`.
    pub name: String,
    /// What it wants to do there.
    pub access: Access,
    /// Whether it can do without.
    pub optional: bool,
    /// Why, in words for the admin.
    pub reason: Option<String>,
}

/// The `asks` of a manifest.
pub(crate) fn read_asks(node: Option<Node<'_>>) -> Option<Asks> {
    let Some(node) = node else { return Some(Asks::default()) };
    let table = node.table(&["hosts", "directories", "credentials"])?;
    let hosts: Option<Vec<HostAsk>> =
        read_hosts(&table).map(|hosts| hosts.into_iter().map(|(_, ask)| ask).collect());
    let credentials = read_credentials(&table);
    if let (Some(hosts), Some(credentials)) = (&hosts, &credentials) {
        check_audiences(credentials, hosts);
        check_collisions(credentials);
    }
    let items = table.items("directories");
    let names: Vec<Option<(DirectoryAsk, Node<'_>)>> = items.iter().map(read_directory).collect();
    refuse_duplicates("the directory", names.iter().flatten().map(|(ask, node)| (ask.name.as_str(), node)));
    let directories = names.into_iter().map(|read| read.map(|(ask, _)| ask)).collect::<Option<Vec<_>>>();
    let credentials = credentials?.into_iter().map(|(_, ask)| ask).collect();
    Some(Asks { hosts: hosts?, directories: directories?, credentials })
}

/// The `hosts` of asks or grants, each with the place of its `url`.
pub(crate) fn read_hosts<'d>(table: &Table<'d>) -> Option<Vec<(Node<'d>, HostAsk)>> {
    let items = table.items("hosts");
    if let Some(first_too_many) = items.get(RULES_MAX) {
        first_too_many.fault(Code::WrongValue, format!("more than {RULES_MAX} rules"));
        return None;
    }
    let read: Vec<Option<(Node<'d>, HostAsk)>> = items.iter().map(read_host).collect();
    read.into_iter().collect()
}

fn read_host<'d>(node: &Node<'d>) -> Option<(Node<'d>, HostAsk)> {
    let table = node.table(&["url", "methods", "path_prefix", "reason"])?;
    let (url, pattern) = (table.required("url"), read_pattern(&table));
    let reason = read_reason(&table);
    Some((url?, HostAsk { pattern: pattern?, reason: reason? }))
}

/// A rule without a reason, as an audience has them.
pub(crate) fn read_rule(node: &Node<'_>) -> Option<HostPattern> {
    let table = node.table(&["url", "methods", "path_prefix"])?;
    table.required("url");
    read_pattern(&table)
}

fn read_pattern(table: &Table<'_>) -> Option<HostPattern> {
    let url = table.get("url");
    let pattern = url.as_ref().and_then(|url| checked(url, HostPattern::parse(url.string()?)));
    let methods = table.optional("methods", read_methods);
    let path_prefix = table.optional("path_prefix", |prefix| checked(prefix, sound_prefix(prefix.string()?)));
    Some(pattern?.narrowed(methods?, path_prefix?.flatten()))
}

fn read_methods(node: &Node<'_>) -> Option<Vec<String>> {
    let items = node.items()?;
    if items.is_empty() {
        return checked(node, sound_methods([]));
    }
    let read: Vec<Option<Vec<String>>> =
        items.iter().map(|item| checked(item, sound_methods([item.string()?]))).collect();
    let methods = read.into_iter().collect::<Option<Vec<_>>>()?.concat();
    checked(node, sound_methods(methods.iter().map(String::as_str)))
}

/// Reports the error of a host rule at its place.
pub(crate) fn checked<T>(node: &Node<'_>, result: Result<T, Error>) -> Option<T> {
    result.map_err(|error| node.fault_with(error.kind(), error.to_string(), error.hint())).ok()
}

/// The outer option: whether it can be read; the inner: whether it is there.
pub(crate) fn read_reason(table: &Table<'_>) -> Option<Option<String>> {
    table.optional("reason", |reason| reason.text(REASON_CHARS_MAX))
}

fn read_directory<'d>(node: &Node<'d>) -> Option<(DirectoryAsk, Node<'d>)> {
    let table = node.table(&["name", "access", "optional", "reason"])?;
    let name_node = table.required("name");
    let name = name_node.as_ref().and_then(Node::identifier);
    let access = table.required("access").and_then(|access| access.choice(&Access::CHOICES));
    let optional = table.optional("optional", Node::boolean);
    let reason = read_reason(&table);
    let ask =
        DirectoryAsk { name: name?, access: access?, optional: optional?.unwrap_or(false), reason: reason? };
    Some((ask, name_node?))
}
