//! `sync.toml`: one sync for the local runner. Where its connectors are, what they are granted, which streams move.

mod check;
mod options;
mod streams;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use options::{RejectPolicy, Rejects, RowData, RunOptions};
pub use streams::{Comparison, Condition, Mode, StreamSelection};

use crate::config::ConfigFault;
use crate::connector::is_known_format;
use crate::fault::{Code, Faults};
use crate::grants::{Authority, Grants, TlsGrant, read_grants, read_path};
use crate::json::to_json;
use crate::limits::{Limits, read_limits};
use crate::reader::{Node, Table, read, read_shown, refuse_duplicates};

/// The version of the format that this host reads.
const FORMAT: u64 = 1;

const KEYS: [&str; 8] = ["sync", "name", "source", "transforms", "destination", "streams", "rejects", "run"];

/// One sync.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SyncFile {
    /// The stable name on which checkpoints hang.
    pub name: String,
    /// Where rows come from.
    pub source: Connection,
    /// What changes rows on their way, in this order.
    pub transforms: Vec<Connection>,
    /// Where rows go.
    pub destination: Connection,
    /// The streams that move; none: every stream of the source, appended.
    pub streams: Option<Vec<StreamSelection>>,
    /// What becomes of rejected rows.
    pub rejects: Rejects,
    /// How the run goes.
    pub run: RunOptions,
}

/// A connector with its configuration and what it is granted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Connection {
    /// `source`, `destination`, or the name of the transform.
    pub name: String,
    /// The component's file; relative to the sync's document until [`SyncFile::rebase`].
    pub connector: PathBuf,
    /// The configuration, as the connector gets it.
    pub config: Value,
    /// What it may do.
    pub grants: Grants,
    /// The operator's overrides of limits, raw: the runtime bounds them.
    pub limits: Limits,
}

impl SyncFile {
    /// Read a sync; `file` is the name that faults carry.
    ///
    /// # Errors
    /// Every fault of the document.
    pub fn parse(file: &str, text: &str) -> Result<Self, Faults> {
        read(file, text, read_sync)
    }

    /// Make every relative path one under `folder`, where the document lies.
    pub fn rebase(&mut self, folder: &Path) {
        let ends = [&mut self.source, &mut self.destination];
        for connection in ends.into_iter().chain(&mut self.transforms) {
            connection.connector = folder.join(&connection.connector);
            for directory in connection.grants.directories.values_mut() {
                directory.path = folder.join(&directory.path);
            }
            if let Some(TlsGrant { ca: Authority::File(path) }) = &mut connection.grants.tls {
                *path = folder.join(&*path);
            }
        }
    }

    /// Give faults of a configuration their places in the document. `place` is the path of the connection's `config`
    /// as a JSON Pointer: `/source/config`, `/transforms/0/config`.
    #[must_use]
    pub fn locate(file: &str, text: &str, place: &str, config_faults: &[ConfigFault]) -> Faults {
        let shown = without_secrets(text, place, config_faults);
        let located: Result<(), Faults> = read_shown(file, text, &shown, |node| {
            for fault in config_faults {
                let code = if fault.is_secret { Code::WrongSecret } else { Code::WrongConfig };
                node.at_pointer(&format!("{place}{}", fault.path)).fault(code, fault.message.clone());
            }
            Some(())
        });
        located.err().unwrap_or_else(|| Faults { file: file.to_owned(), faults: Vec::new(), left_out: 0 })
    }
}

/// The document with stars in place of secrets, byte for byte: they may stand in the line of another fault.
fn without_secrets(text: &str, place: &str, faults: &[ConfigFault]) -> String {
    let secrets = faults.iter().filter(|fault| fault.is_secret);
    let pointers: Vec<String> = secrets.map(|fault| format!("{place}{}", fault.path)).collect();
    let spans = read("", text, |node| {
        Some(pointers.iter().map(|pointer| node.at_pointer(pointer).span()).collect::<Vec<_>>())
    });
    let spans = spans.unwrap_or_default();
    let hidden = |offset: usize| spans.iter().any(|span| span.contains(&offset));
    let mut shown = String::with_capacity(text.len());
    for (offset, character) in text.char_indices() {
        if hidden(offset) && character != '\n' {
            shown.extend(std::iter::repeat_n('*', character.len_utf8()));
        } else {
            shown.push(character);
        }
    }
    shown
}

fn read_sync(node: Node<'_>) -> Option<SyncFile> {
    let table = node.open_table()?;
    if !is_known_format(&table, "sync", FORMAT) {
        return None;
    }
    let table = node.table(&KEYS)?;
    let name = table.required("name").and_then(|name| name.identifier());
    let source = table.required("source").and_then(|source| read_end(&source, "source"));
    let transforms = read_transforms(&table);
    let destination =
        table.required("destination").and_then(|destination| read_end(&destination, "destination"));
    let streams = table.optional("streams", streams::read_streams);
    let rejects = table.optional("rejects", options::read_rejects);
    let run = table.optional("run", options::read_run);
    Some(SyncFile {
        name: name?,
        source: source?,
        transforms: transforms?,
        destination: destination?,
        streams: streams?,
        rejects: rejects?.unwrap_or_default(),
        run: run?.unwrap_or_default(),
    })
}

fn read_end(node: &Node<'_>, name: &str) -> Option<Connection> {
    let table = node.table(&["connector", "config", "grants", "limits"])?;
    read_connection(&table, Some(name.to_owned()))
}

fn read_transforms(table: &Table<'_>) -> Option<Vec<Connection>> {
    let items = table.items("transforms");
    let read: Vec<Option<Connection>> = items.iter().map(read_transform).collect();
    let named = read
        .iter()
        .zip(&items)
        .filter_map(|(read, node)| read.as_ref().map(|read| (read.name.as_str(), node)));
    refuse_duplicates("the transform", named);
    read.into_iter().collect()
}

fn read_transform(node: &Node<'_>) -> Option<Connection> {
    let table = node.table(&["name", "connector", "config", "grants", "limits"])?;
    let name = table.required("name").and_then(|name| name.identifier());
    read_connection(&table, name)
}

fn read_connection(table: &Table<'_>, name: Option<String>) -> Option<Connection> {
    let connector = table.required("connector").and_then(|path| read_path(&path));
    let config = table.optional("config", |config| config.open_table().and_then(|_| to_json(config)));
    let grants = read_grants(table.get("grants"));
    let limits = read_limits(table.get("limits"));
    Some(Connection {
        name: name?,
        connector: connector?,
        config: config?.unwrap_or_else(|| Value::Object(serde_json::Map::new())),
        grants: grants?,
        limits: limits?,
    })
}

#[cfg(test)]
mod tests;
