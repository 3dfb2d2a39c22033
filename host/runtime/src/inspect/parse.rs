//! One pass over a component's bytes: its outer names, our custom sections, and counts that stop a compile bomb.

use super::{CONTRACT_SECTION, MANIFEST_SECTION, PROGRAM_SECTION};
use crate::error::Error;
use wasmparser::{Encoding, Instance, Parser, Payload};

/// A Python guest has 18 MB; twice that with room.
const COMPONENT_BYTES_MAX: u64 = 64 << 20;
/// The largest function of the JavaScript engine has 0.3 MB; compiling is more than linear in it.
const FUNCTION_BYTES_MAX: u64 = 2 << 20;
/// A Python guest has 32,000 functions.
const FUNCTIONS_MAX: u64 = 200_000;
/// A Python guest has 700 types.
const TYPES_MAX: u64 = 100_000;
/// Components nest two deep where a toolchain wraps an adapter.
const DEPTH_MAX: usize = 16;
/// A manifest is written by hand.
const SECTION_BYTES_MAX: usize = 1 << 20;

/// What the bytes hold.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) imports: Vec<String>,
    pub(super) exports: Vec<String>,
    pub(super) manifest: Option<String>,
    pub(super) contract: Option<String>,
    pub(super) program: Option<String>,
    /// Core instances that are made for one instance of it.
    pub(super) core_instances: u64,
}

/// Sections of one name. One outside, on the component itself, stands for those inside, which a toolchain's linker put
/// into the core module; so a packaged program can carry a manifest of its own.
#[derive(Debug, Default)]
struct Sections {
    outer: Vec<String>,
    inner: Vec<String>,
}

#[derive(Default)]
struct Reader {
    depth: usize,
    functions: u64,
    types: u64,
    found: Found,
    manifest: Sections,
    contract: Sections,
    program: Sections,
}

pub(super) fn parse(bytes: &[u8]) -> Result<Found, Error> {
    at_most("bytes", bytes.len() as u64, COMPONENT_BYTES_MAX)?;
    if !bytes.starts_with(b"\0asm") {
        return Err(Error::NotWasm { what: looks_like(bytes) });
    }
    if Parser::is_core_wasm(bytes) {
        return Err(Error::CoreModule);
    }
    let mut reader = Reader::default();
    for payload in Parser::new(0).parse_all(bytes) {
        reader.read(payload.map_err(corrupt)?)?;
    }
    let Reader { mut found, manifest, contract, program, .. } = reader;
    found.manifest = manifest.one(MANIFEST_SECTION)?;
    found.contract = contract.one(CONTRACT_SECTION)?;
    found.program = program.one(PROGRAM_SECTION)?;
    Ok(found)
}

impl Reader {
    fn read(&mut self, payload: Payload<'_>) -> Result<(), Error> {
        match payload {
            Payload::Version { encoding: Encoding::Module, .. } if self.depth == 0 => {
                return Err(Error::CoreModule);
            }
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => {
                self.depth += 1;
                at_most("levels of nesting", self.depth as u64, DEPTH_MAX as u64)?;
            }
            Payload::End(_) => self.depth = self.depth.saturating_sub(1),
            Payload::TypeSection(section) => self.add_types(section.count())?,
            Payload::ComponentTypeSection(section) => self.add_types(section.count())?,
            Payload::CoreTypeSection(section) => self.add_types(section.count())?,
            Payload::CodeSectionStart { count, .. } => {
                self.functions += u64::from(count);
                at_most("functions", self.functions, FUNCTIONS_MAX)?;
            }
            Payload::CodeSectionEntry(body) => {
                at_most("bytes in one function", body.range().len() as u64, FUNCTION_BYTES_MAX)?;
            }
            Payload::InstanceSection(section) => {
                for instance in section {
                    let made = matches!(instance.map_err(corrupt)?, Instance::Instantiate { .. });
                    self.found.core_instances += u64::from(made);
                }
            }
            Payload::ComponentImportSection(section) if self.depth == 0 => {
                for import in section {
                    self.found.imports.push(import.map_err(corrupt)?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if self.depth == 0 => {
                for export in section {
                    self.found.exports.push(export.map_err(corrupt)?.name.name.to_owned());
                }
            }
            Payload::CustomSection(section) => {
                self.custom(section.name(), section.data(), section.data_offset())?
            }
            _ => {}
        }
        Ok(())
    }

    fn add_types(&mut self, count: u32) -> Result<(), Error> {
        self.types += u64::from(count);
        at_most("types", self.types, TYPES_MAX)
    }

    fn custom(&mut self, name: &str, data: &[u8], offset: usize) -> Result<(), Error> {
        let sections = match name {
            MANIFEST_SECTION => &mut self.manifest,
            CONTRACT_SECTION => &mut self.contract,
            PROGRAM_SECTION => &mut self.program,
            _ => return Ok(()),
        };
        at_most("bytes in a custom section", data.len() as u64, SECTION_BYTES_MAX as u64)?;
        let text = std::str::from_utf8(data).map_err(|error| Error::Corrupt {
            offset: offset + error.valid_up_to(),
            message: format!("the custom section `{name}` is not UTF-8"),
        })?;
        let list = if self.depth == 0 { &mut sections.outer } else { &mut sections.inner };
        list.push(text.to_owned());
        Ok(())
    }
}

impl Sections {
    fn one(self, name: &'static str) -> Result<Option<String>, Error> {
        let list = if self.outer.is_empty() { self.inner } else { self.outer };
        match list.len() {
            0 | 1 => Ok(list.into_iter().next()),
            count => Err(Error::DuplicateSection { name, count }),
        }
    }
}

fn at_most(what: &'static str, found: u64, allowed: u64) -> Result<(), Error> {
    if found > allowed { Err(Error::TooMuch { what, found, allowed }) } else { Ok(()) }
}

fn corrupt(error: wasmparser::BinaryReaderError) -> Error {
    Error::Corrupt { offset: error.offset(), message: error.message().to_owned() }
}

/// A guess at what a file is that is no WebAssembly, to spare the user a look into it.
fn looks_like(bytes: &[u8]) -> String {
    let known: [(&[u8], &str); 6] = [
        (b"\x7fELF", "a native program; cofferdam runs components only, built for `wasm32-wasip2`"),
        (b"PK\x03\x04", "a zip archive"),
        (b"\x1f\x8b", "gzip-compressed data"),
        (b"<", "HTML or XML, such as an error page that was saved in its place"),
        (b"(component", "WebAssembly text; it must be encoded"),
        (b"(module", "WebAssembly text of a core module"),
    ];
    if bytes.is_empty() {
        return "it is empty".into();
    }
    match known.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        Some((_, name)) => format!("it looks like {name}"),
        None => "its first bytes are not `\\0asm`".into(),
    }
}
