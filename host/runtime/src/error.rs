//! Why a connector cannot be loaded or a host cannot run any: faults before the first call.

use std::path::PathBuf;
use std::time::Duration;

/// A component that is refused, or a host that cannot do its work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file is no WebAssembly at all.
    #[error("the file is not WebAssembly: {what}")]
    NotWasm {
        /// What it looks like instead.
        what: String,
    },
    /// The file is a core module, not a component.
    #[error("the file is a core module, not a component; build it for `wasm32-wasip2`")]
    CoreModule,
    /// The bytes break off or break the format.
    #[error("the component is corrupt at byte {offset}: {message}")]
    Corrupt {
        /// Where, from the start of the file.
        offset: usize,
        /// What the validator says.
        message: String,
    },
    /// The component has more of something than any honest connector.
    #[error("the component has {found} {what}, and at most {allowed} are allowed")]
    TooMuch {
        /// What is counted, with its unit.
        what: &'static str,
        /// How much there is.
        found: u64,
        /// How much is allowed.
        allowed: u64,
    },
    /// No contract is named by the component.
    #[error("the component exports no role of the contract (`cofferdam:connector/source@0.1.0` or another)")]
    NoRole,
    /// The component was made for a contract that this host does not have.
    #[error("the component speaks contract `{found}`, and this host knows {known}")]
    UnknownContract {
        /// What it says.
        found: String,
        /// What this host knows.
        known: String,
    },
    /// The custom section and the exports say different things.
    #[error("the component says contract `{section}` in its custom section and exports `{export}`")]
    ContractMismatch {
        /// The custom section's version.
        section: String,
        /// The export's name.
        export: String,
    },
    /// A role is exported without some of its functions, or with others.
    #[error("the component's role `{role}` does not match the contract: {message}")]
    WrongExports {
        /// The role.
        role: String,
        /// What is missing or different.
        message: String,
    },
    /// The component lacks the role that is asked of it.
    #[error("the component is no {wanted}; it exports {found}")]
    WrongRole {
        /// The role asked for.
        wanted: String,
        /// What it exports.
        found: String,
    },
    /// The component imports what no connector gets.
    #[error("the component imports `{name}`, which the contract does not have")]
    ForbiddenImport {
        /// The import's name.
        name: String,
    },
    /// An import that the contract has is used with other types.
    #[error("the component's imports do not fit this host: {message}")]
    WrongImports {
        /// What does not fit.
        message: String,
    },
    /// The component carries no manifest.
    #[error("the component carries no manifest (custom section `cofferdam:manifest`)")]
    NoManifest,
    /// The component carries two of one section.
    #[error("the component carries {count} custom sections `{name}`, and one is allowed")]
    DuplicateSection {
        /// The section's name.
        name: &'static str,
        /// How many there are.
        count: usize,
    },
    /// The manifest has faults.
    #[error("the component's manifest has faults\n{faults}")]
    Manifest {
        /// All of them, with line and column.
        faults: String,
    },
    /// The manifest and the component say different things.
    #[error("the manifest says {manifest}, and the component {component}")]
    ManifestMismatch {
        /// The manifest's word.
        manifest: String,
        /// The component's word.
        component: String,
    },
    /// Compiling took too long.
    #[error("compiling the component took longer than {allowed:?}")]
    CompileTimeout {
        /// How long it may take.
        allowed: Duration,
    },
    /// The compiler refused the component.
    #[error("the component cannot be compiled: {message}")]
    Compile {
        /// What the compiler says.
        message: String,
    },
    /// A limit over what this host gives to anyone.
    #[error("the limit `{name}` is {asked}, and this host gives at most {ceiling}")]
    LimitAboveCeiling {
        /// The limit's name.
        name: &'static str,
        /// What was asked for.
        asked: u64,
        /// What may be had.
        ceiling: u64,
    },
    /// Reading or writing one of the host's own files failed.
    #[error("failed to {action} `{}`", path.display())]
    File {
        /// What was tried, such as `read`.
        action: &'static str,
        /// Which file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// The engine cannot be set up on this machine.
    #[error("the engine cannot be started: {message}")]
    Engine {
        /// What the engine says.
        message: String,
    },
}

impl Error {
    /// The stable code of the page that explains this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotWasm { .. } => "CD0401",
            Self::CoreModule => "CD0402",
            Self::Corrupt { .. } => "CD0403",
            Self::TooMuch { .. } => "CD0404",
            Self::NoRole | Self::WrongRole { .. } => "CD0405",
            Self::UnknownContract { .. } | Self::ContractMismatch { .. } => "CD0406",
            Self::WrongExports { .. } => "CD0407",
            Self::ForbiddenImport { .. } | Self::WrongImports { .. } => "CD0408",
            Self::NoManifest | Self::DuplicateSection { .. } => "CD0409",
            Self::Manifest { .. } | Self::ManifestMismatch { .. } => "CD0410",
            Self::CompileTimeout { .. } | Self::Compile { .. } => "CD0411",
            Self::LimitAboveCeiling { .. } => "CD0502",
            Self::File { .. } => "CD0412",
            Self::Engine { .. } => "CD0413",
        }
    }
}
