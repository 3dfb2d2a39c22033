//! `cofferdam build`: a low-code manifest and its interpreter become one component with its own name, asks and digest.

use std::borrow::Cow;
use std::fs;
use std::path::{Path, PathBuf};

use http_manifest_packaging::{Identity, Package, derive};
use runtime::{Inspection, MANIFEST_SECTION, PROGRAM_SECTION};
use serde_json::json;
use wasm_encoder::{ComponentSection, CustomSection};

use crate::arguments::Build;
use crate::document::{component_bytes, text_of};
use crate::output::Output;
use crate::problem::{Own, Problem, Problems};
use crate::text::plain_line;
use crate::units;

/// The connector that runs low-code manifests.
const INTERPRETER: &str = "http-manifest";

pub(super) fn run(command: &Build, output: &Output) -> Result<(), Problems> {
    let program = text_of("the manifest", &command.manifest)?;
    let identity = Identity {
        name: command.name.as_deref(),
        publisher: &command.publisher,
        version: command.as_version.as_deref(),
    };
    let package = derive(&program, &identity)
        .map_err(|faults| Own::WrongProgram { path: command.manifest.clone(), faults })?;
    let component = component(&interpreter(&command.interpreter)?, &package, &program);
    // What is written is what a run would take; a name or version that cannot be is found here.
    let inspection = Inspection::of(&component).map_err(|error| {
        Problem::from(error).caused_by("the manifest derived from the low-code one is refused")
    })?;
    let out = command.out.clone().unwrap_or_else(|| PathBuf::from(format!("{}.wasm", package.name)));
    write(&out, &component)?;
    show(&out, &package, &inspection, output)
}

/// The bytes of the interpreter, and of nothing else that could be mistaken for it.
fn interpreter(path: &Path) -> Result<Vec<u8>, Problems> {
    let bytes = component_bytes(path)?;
    let inspection = Inspection::of(&bytes)?;
    let name = &inspection.manifest.name;
    let reason = match &inspection.program {
        Some(_) => format!("`{name}` is packaged already"),
        None if name != INTERPRETER => format!("it is the connector `{name}`, not `{INTERPRETER}`"),
        None => return Ok(bytes),
    };
    Err(Own::WrongFile { what: "the interpreter", path: path.to_owned(), reason }.into())
}

/// Sections on the component itself stand for those of the interpreter inside.
fn component(interpreter: &[u8], package: &Package, program: &str) -> Vec<u8> {
    let mut bytes = interpreter.to_vec();
    for (name, data) in [(MANIFEST_SECTION, package.connector_toml.as_str()), (PROGRAM_SECTION, program)] {
        let section = CustomSection { name: name.into(), data: Cow::Borrowed(data.as_bytes()) };
        section.append_to_component(&mut bytes);
    }
    bytes
}

/// Whole or not at all: somebody may be running the component that is there.
fn write(out: &Path, bytes: &[u8]) -> Result<(), Problems> {
    let failed = |source| Own::Write { what: "the component", path: out.to_owned(), source };
    let mut beside = out.as_os_str().to_owned();
    beside.push(".new");
    fs::write(&beside, bytes).and_then(|()| fs::rename(&beside, out)).map_err(failed)?;
    Ok(())
}

fn show(out: &Path, package: &Package, inspection: &Inspection, output: &Output) -> Result<(), Problems> {
    let notes: Vec<String> = package.notes.iter().map(ToString::to_string).collect();
    if output.json {
        return output.document(&json!({
            "component": out,
            "digest": inspection.digest,
            "bytes": inspection.bytes,
            "manifest": inspection.manifest,
            "notes": notes,
        }));
    }
    let manifest = &inspection.manifest;
    let size = units::bytes(inspection.bytes);
    let mut text = format!("{} {}: `{}`, {size}\n", manifest.name, manifest.version, out.display());
    for ask in &manifest.asks.hosts {
        text.push_str(&format!("  asks for {}\n", ask.pattern));
    }
    for ask in &manifest.asks.credentials {
        let audience: Vec<String> = ask.audience.iter().map(ToString::to_string).collect();
        let kind = ask.kind.as_str();
        text.push_str(&format!(
            "  asks for the credential `{}` ({kind}) for {}\n",
            ask.name,
            audience.join(", ")
        ));
    }
    for note in &notes {
        text.push_str(&format!("  note: {}\n", plain_line(note)));
    }
    output.text(&text)
}
