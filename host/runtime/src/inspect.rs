//! What a component says of itself, read from its bytes: contract, roles, imports, manifest. No line of it is run.

mod parse;

use crate::contract::{self, CONTRACTS};
use crate::error::Error;
use manifest::{Manifest, Role};
use sha2::{Digest, Sha256};

/// The custom section that holds `connector.toml`.
pub const MANIFEST_SECTION: &str = "cofferdam:manifest";
/// The custom section that names the contract's version.
pub const CONTRACT_SECTION: &str = "cofferdam:contract";
/// The custom section that holds a low-code program for the interpreter around which it is wrapped.
pub const PROGRAM_SECTION: &str = "cofferdam:program";

/// What a component says of itself.
#[derive(Debug, Clone)]
pub struct Inspection {
    /// SHA-256 of its bytes, in hexadecimal.
    pub digest: String,
    /// Its size.
    pub bytes: u64,
    /// The version of the contract that it speaks, one of [`CONTRACTS`].
    pub contract: String,
    /// Its roles, in order.
    pub roles: Vec<Role>,
    /// The names of all that it imports.
    pub imports: Vec<String>,
    /// Its manifest.
    pub manifest: Manifest,
    /// The manifest's text.
    pub manifest_text: String,
    /// Core instances of which one instance of it is made.
    pub core_instances: u64,
    /// The low-code program inside it.
    pub program: Option<String>,
}

impl Inspection {
    /// Read a component's bytes.
    ///
    /// # Errors
    /// Each fault of the bytes, the contract, the imports or the manifest, as its own [`Error`].
    pub fn of(bytes: &[u8]) -> Result<Self, Error> {
        let found = parse::parse(bytes)?;
        for name in &found.imports {
            if !is_allowed_import(name) {
                return Err(Error::ForbiddenImport { name: name.clone() });
            }
        }
        let (contract, roles) = spoken(&found)?;
        let manifest_text = found.manifest.ok_or(Error::NoManifest)?;
        let manifest = Manifest::parse("connector.toml", &manifest_text)
            .map_err(|faults| Error::Manifest { faults: faults.to_string() })?;
        agree(&manifest, &contract, &roles)?;
        let digest = format!("{:x}", Sha256::digest(bytes));
        let imports = found.imports;
        Ok(Self {
            digest,
            bytes: bytes.len() as u64,
            contract,
            roles,
            imports,
            manifest,
            manifest_text,
            core_instances: found.core_instances,
            program: found.program,
        })
    }
}

impl Inspection {
    /// No limit could be raised so far that one with more would run; the compiler need not see it.
    pub(crate) fn has_at_most(&self, core_instances: u64) -> Result<(), Error> {
        let (found, allowed) = (self.core_instances, core_instances);
        if found > allowed {
            return Err(Error::TooMuch { what: "core instances", found, allowed });
        }
        Ok(())
    }
}

/// The packages of the contract's world `imports`; versions are compared by the linker, which knows semver.
fn is_allowed_import(name: &str) -> bool {
    const OWN: [&str; 4] = ["types", "streams", "logging", "run"];
    const HTTP: [&str; 2] = ["types", "outgoing-handler"];
    let Some((package, rest)) = name.split_once('/') else { return false };
    let Some((interface, version)) = rest.split_once('@') else { return false };
    match package {
        "cofferdam:connector" => OWN.contains(&interface) && CONTRACTS.contains(&version),
        "wasi:http" => HTTP.contains(&interface) && version.starts_with("0.2."),
        "wasi:cli" => interface != "run" && version.starts_with("0.2."),
        "wasi:clocks" | "wasi:filesystem" | "wasi:io" | "wasi:random" | "wasi:sockets" => {
            version.starts_with("0.2.")
        }
        _ => false,
    }
}

fn spoken(found: &parse::Found) -> Result<(String, Vec<Role>), Error> {
    let mut roles = Vec::new();
    let mut contract: Option<(String, String)> = None;
    for export in &found.exports {
        let Some(rest) = export.strip_prefix("cofferdam:connector/") else { continue };
        let (interface, version) = rest.split_once('@').unwrap_or((rest, "none"));
        contract::of(version)?;
        if let Some((other, _)) = &contract
            && other != version
        {
            return Err(Error::ContractMismatch { section: other.clone(), export: export.clone() });
        }
        contract = Some((version.to_owned(), export.clone()));
        let known = [Role::Source, Role::Destination, Role::Transform, Role::Webhook];
        roles.extend(known.into_iter().find(|role| role.as_str() == interface));
    }
    roles.sort_unstable();
    let Some((version, export)) = contract.filter(|_| !roles.is_empty()) else { return Err(Error::NoRole) };
    match &found.contract {
        Some(section) if *section != version => {
            Err(Error::ContractMismatch { section: section.clone(), export })
        }
        _ => Ok((version, roles)),
    }
}

fn agree(manifest: &Manifest, contract: &str, roles: &[Role]) -> Result<(), Error> {
    if manifest.contract.to_string() != contract {
        return Err(Error::ManifestMismatch {
            manifest: format!("contract {}", manifest.contract),
            component: format!("speaks {contract}"),
        });
    }
    let mut said = manifest.roles.clone();
    said.sort_unstable();
    if said == roles {
        return Ok(());
    }
    let (manifest, component) = (format!("roles {}", names(&said)), format!("exports {}", names(roles)));
    Err(Error::ManifestMismatch { manifest, component })
}

/// Roles as a list for people.
pub(crate) fn names(roles: &[Role]) -> String {
    roles.iter().map(|role| role.as_str()).collect::<Vec<_>>().join(", ")
}
