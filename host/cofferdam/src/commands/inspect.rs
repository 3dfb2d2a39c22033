//! `cofferdam inspect`: what a component says of itself.

use std::fmt::Write as _;

use manifest::CredentialAsk;
use runtime::{Inspection, Limits};
use serde_json::{Map, Value, json};

use crate::arguments::Inspect;
use crate::document::component_bytes;
use crate::output::Output;
use crate::problem::Problems;
use crate::table::Table;
use crate::text::{plain_line, plain_lines};
use crate::units;

pub(super) fn run(command: &Inspect, output: &Output) -> Result<(), Problems> {
    let inspection = Inspection::of(&component_bytes(&command.component)?)?;
    if output.json {
        return output.document(&document(&inspection));
    }
    output.text(&text(&inspection))
}

fn document(inspection: &Inspection) -> Value {
    json!({
        "digest": inspection.digest,
        "bytes": inspection.bytes,
        "contract": inspection.contract,
        "roles": inspection.roles,
        "imports": inspection.imports,
        "manifest": inspection.manifest,
        "has_program": inspection.program.is_some(),
        "limits": limits_document(inspection),
    })
}

fn text(inspection: &Inspection) -> String {
    let manifest = &inspection.manifest;
    let roles: Vec<&str> = inspection.roles.iter().map(|role| role.as_str()).collect();
    let mut text = format!("{} {}: {}\n", manifest.name, manifest.version, plain_line(&manifest.title));
    for line in manifest.description.iter().flat_map(|description| plain_lines(description)) {
        let _ = writeln!(text, "{line}");
    }
    // Writing to a string cannot fail, here and below.
    let _ = writeln!(text, "\npublisher  {}", manifest.publisher);
    let _ = writeln!(text, "contract   {}", inspection.contract);
    let _ = writeln!(text, "roles      {}", roles.join(", "));
    let _ = writeln!(text, "size       {}", units::bytes(inspection.bytes));
    let _ = writeln!(text, "digest     sha256:{}", inspection.digest);
    if let Some(license) = &manifest.license {
        let _ = writeln!(text, "license    {}", plain_line(license));
    }
    if inspection.program.is_some() {
        text.push_str("program    a low-code program is packaged inside\n");
    }
    for part in [asks(inspection), limits(inspection), config(inspection), imports(inspection)] {
        let _ = write!(text, "\n{part}");
    }
    text
}

fn asks(inspection: &Inspection) -> String {
    let asks = &inspection.manifest.asks;
    let mut table = Table::new(&["ASKS FOR", "WHAT", "WHY"]);
    for host in &asks.hosts {
        table.row(["host".into(), host.pattern.to_string(), host.reason.clone().unwrap_or_default()]);
    }
    for directory in &asks.directories {
        let access = if directory.optional { " (optional)" } else { "" };
        let what = format!("`{}`, {}{access}", directory.name, directory.access.as_str());
        table.row(["directory".into(), what, directory.reason.clone().unwrap_or_default()]);
    }
    for ask in &asks.credentials {
        table.row(["credential".into(), credential(ask), ask.reason.clone().unwrap_or_default()]);
    }
    if table.is_empty() {
        "asks for nothing: no host, no directory, no credential\n".into()
    } else {
        table.render(0)
    }
}

/// What it is, where it is sent, and by whom.
fn credential(ask: &CredentialAsk) -> String {
    let audience: Vec<String> = ask.audience.iter().map(ToString::to_string).collect();
    let need = match (&ask.one_of, ask.optional) {
        (Some(group), _) => format!(" (one of {group})"),
        (None, true) => " (optional)".to_owned(),
        (None, false) => String::new(),
    };
    let held = if ask.reveal { ", HELD BY THE CONNECTOR ITSELF" } else { "" };
    format!("`{}`, {} for {}{need}{held}", ask.name, ask.kind.as_str(), audience.join(", "))
}

/// Each limit: what the connector asks for, what it gets where it asks for nothing, and the most that this host gives.
fn limits(inspection: &Inspection) -> String {
    let (defaults, ceilings) = (Limits::defaults(), Limits::ceilings());
    let mut table = Table::new(&["LIMIT", ">ASKED", ">DEFAULT", ">CEILING"]);
    for (limit, _) in manifest::Limits::KEYS {
        let amounts = [inspection.manifest.limits.get(limit), defaults.get(limit), ceilings.get(limit)];
        let cells =
            amounts.map(|amount| amount.map_or("-".to_owned(), |amount| units::amount(limit, amount)));
        table.row(std::iter::once(limit.to_owned()).chain(cells));
    }
    table.render(0)
}

fn limits_document(inspection: &Inspection) -> Map<String, Value> {
    let (defaults, ceilings) = (Limits::defaults(), Limits::ceilings());
    let limit = |(limit, unit): (&str, manifest::Unit)| {
        let asked = inspection.manifest.limits.get(limit);
        let amounts = json!({
            "unit": unit,
            "asked": asked,
            "default": defaults.get(limit),
            "ceiling": ceilings.get(limit),
        });
        (limit.to_owned(), amounts)
    };
    manifest::Limits::KEYS.into_iter().map(limit).collect()
}

fn config(inspection: &Inspection) -> String {
    let schema = inspection.manifest.config_schema.as_ref();
    let Some(properties) = schema.and_then(|schema| schema.get("properties")?.as_object()) else {
        return "takes no configuration\n".into();
    };
    let required = |key: &str| {
        let required = schema.and_then(|schema| schema.get("required")?.as_array());
        required.is_some_and(|required| required.iter().any(|one| one.as_str() == Some(key)))
    };
    let mut table = Table::new(&["CONFIGURATION", "TYPE", "", "WHAT"]);
    for (key, property) in properties {
        let word = |name: &str| property.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let need = if required(key) { "required" } else { "" };
        table.row([key.clone(), word("type"), need.to_owned(), word("title")]);
    }
    table.render(0)
}

fn imports(inspection: &Inspection) -> String {
    let mut text = String::from("IMPORTS\n");
    for import in &inspection.imports {
        let _ = writeln!(text, "{}", plain_line(import));
    }
    text
}
