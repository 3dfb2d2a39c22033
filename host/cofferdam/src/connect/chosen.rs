//! Which credentials of which connector are meant.

use std::path::PathBuf;

use manifest::{Grants, Manifest};
use records::{CredentialBinding, SealedRecords};
use runtime::Inspection;
use serde_json::Value;

use super::{Error, Settings, binding};
use crate::arguments::Connect;
use crate::document::{Document, component_bytes, config_of, config_problem, is_component};
use crate::places;
use crate::problem::Problems;
use crate::reach::authority;

/// A credential that is to be entered.
pub(crate) struct Chosen {
    /// The connection in the sync, where there is one.
    pub(crate) connection: Option<String>,
    pub(crate) settings: Settings,
    pub(crate) binding: CredentialBinding,
    /// Under which it is kept.
    pub(crate) name: String,
    /// The sync grants it already.
    pub(crate) is_granted: bool,
}

/// Everything that a document or a component asks for.
pub(crate) struct Candidates {
    all: Vec<Chosen>,
    /// Of whom they are, in words.
    pub(crate) title: String,
    pub(crate) data: PathBuf,
}

impl Candidates {
    pub(crate) fn of(command: &Connect) -> Result<Self, Problems> {
        let chosen = command.data.data.as_deref();
        if is_component(&command.subject)? {
            let inspection = Inspection::of(&component_bytes(&command.subject)?)?;
            let config = config_of(command.config.as_ref())?;
            let grants = Grants::default();
            let all = asked(None, &inspection.manifest, &config, &grants)?;
            let title = inspection.manifest.name.clone();
            return Ok(Self { all, title, data: places::data_here(chosen) });
        }
        let document = Document::read(&command.subject)?;
        let sync = &document.sync;
        let mut all = Vec::new();
        let ends = [&sync.source, &sync.destination];
        for said in ends.into_iter().chain(&sync.transforms) {
            if command.connection.as_ref().is_some_and(|name| *name != said.name) {
                continue;
            }
            let inspection = Inspection::of(&component_bytes(&said.connector)?)?;
            all.extend(asked(Some(&said.name), &inspection.manifest, &said.config, &said.grants)?);
        }
        Ok(Self { all, title: sync.name.clone(), data: places::data(chosen, &command.subject) })
    }

    /// The one that is named, or all.
    pub(crate) fn named(self, ask: Option<&str>) -> Result<Vec<Chosen>, Problems> {
        let Self { mut all, title, .. } = self;
        let known: Vec<String> = all.iter().map(|one| one.settings.ask.name.clone()).collect();
        all.retain(|one| ask.is_none_or(|ask| one.settings.ask.name == ask));
        match (all.len(), ask) {
            (0, _) => {
                Err(Error::NoSuchAsk { connector: title, ask: ask.map(ToOwned::to_owned), known }.into())
            }
            (2.., Some(_)) => {
                let known = all.iter().filter_map(|one| one.connection.as_ref());
                let known = known.map(|name| format!("`{name}`")).collect();
                Err(Error::WhichAsk { known, option: "--connection" }.into())
            }
            _ => Ok(all),
        }
    }
}

/// Of several those that are needed and are not kept as they are asked for now.
pub(crate) async fn missing(all: Vec<Chosen>, records: &SealedRecords) -> Result<Vec<Chosen>, Problems> {
    let names = all.iter().map(|one| format!("`{}`", one.settings.ask.name)).collect();
    let mut missing = Vec::new();
    for one in all {
        let is_needed = !one.settings.ask.optional && one.settings.ask.one_of.is_none();
        if is_needed && records.usable_credential(&one.name, &one.binding).await.is_err() {
            missing.push(one);
        }
    }
    if missing.is_empty() {
        return Err(Error::WhichAsk { known: names, option: "--ask" }.into());
    }
    Ok(missing)
}

/// The asks of one connector, with the configuration's values in them.
fn asked(
    connection: Option<&str>,
    manifest: &Manifest,
    config: &Value,
    grants: &Grants,
) -> Result<Vec<Chosen>, Problems> {
    let name = connection.unwrap_or(&manifest.name);
    let asks = manifest.resolve_asks(config).map_err(|faults| config_problem(name, faults))?;
    let authority = authority(name, grants)?;
    let chosen = asks.credentials.into_iter().map(|ask| {
        let granted = grants.credentials.get(&ask.name).map(|granted| granted.stored.clone());
        Chosen {
            connection: connection.map(ToOwned::to_owned),
            binding: binding(manifest, &ask),
            is_granted: granted.is_some(),
            name: granted.unwrap_or_else(|| format!("{}.{}", manifest.name, ask.name)),
            settings: Settings { ask, addresses: grants.addresses.clone(), authority: authority.clone() },
        }
    });
    Ok(chosen.collect())
}

/// The lines that grant it, for a person to add.
pub(crate) fn line_to_add(chosen: &Chosen) -> String {
    let (document, table) = match chosen.connection.as_deref() {
        Some(end @ ("source" | "destination")) => ("# sync.toml".to_owned(), end),
        Some(transform) => (format!("# sync.toml, under the transform `{transform}`"), "transforms"),
        None => ("# sync.toml".to_owned(), "source"),
    };
    let ask = &chosen.settings.ask;
    let reveal = if ask.reveal { "\nreveal = true" } else { "" };
    format!("{document}\n[{table}.grants.credentials.{}]\nuse = \"{}\"{reveal}", ask.name, chosen.name)
}
