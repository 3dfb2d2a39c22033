//! One connector of a sync, ready to be called: its component, its rights, its connection.

use std::path::Path;
use std::sync::Arc;

use grants::{Rights, Unmet};
use manifest::{Asks, ConfigFault, Manifest, Role};
use pipeline::failure::Failure;
use pipeline::model::Catalog;
use runtime::{Connection, Inspection, Limits};

use crate::arguments::Data;
use crate::bound::Bound;
use crate::components::Code;
use crate::document::{Place, config_problem};
use crate::granted::{Credentials, Stands};
use crate::hold::{self, Hold};
use crate::host::Host;
use crate::keeper::{Keeper, KeepsCredentials};
use crate::places;
use crate::problem::{Problem, Problems};
use crate::reach::{self, Having, Reach};
use crate::taped;

/// A component with what the document says of it.
pub(crate) struct Loaded<'d> {
    pub(crate) place: Place,
    pub(crate) role: Role,
    pub(crate) said: &'d manifest::Connection,
    code: Code,
}

/// A connector of a sync.
pub(crate) struct Part {
    pub(crate) place: Place,
    pub(crate) role: Role,
    /// Its name in the sync.
    pub(crate) name: String,
    /// What its component says of itself.
    pub(crate) inspection: Inspection,
    pub(crate) connection: Bound,
    /// What does not meet, and stops nothing.
    pub(crate) unmet: Vec<Unmet>,
    /// Granted directories that it may write to.
    pub(crate) writable: Vec<runtime::Directory>,
    /// Names of credentials whose secrets it holds itself.
    pub(crate) revealed: Vec<String>,
    /// What can be taken back from it while it runs; of a replay nothing, for it reaches nothing.
    pub(crate) hold: Option<Arc<Hold>>,
    /// In what it is not what the replayed recording has.
    pub(crate) differs: Vec<Problem>,
}

impl<'d> Loaded<'d> {
    pub(crate) async fn new(
        host: &Host,
        place: Place,
        said: &'d manifest::Connection,
    ) -> Result<Self, Problems> {
        let code = Code::find(host, &said.connector).await?;
        let role = match place {
            Place::Source => Role::Source,
            Place::Transform(_) => Role::Transform,
            Place::Destination => Role::Destination,
        };
        Ok(Self { place, role, said, code })
    }

    /// What its component says of itself.
    pub(crate) fn inspection(&self) -> &Inspection {
        self.code.inspection()
    }

    /// What the connector's schema, and the hosts that its manifest makes of the configuration, say against it.
    pub(crate) fn config_faults(&self) -> Vec<ConfigFault> {
        let manifest = &self.inspection().manifest;
        let faults = manifest.validate_config(&self.said.config);
        if faults.is_empty() {
            return manifest.resolve_asks(&self.said.config).err().unwrap_or_default();
        }
        faults
    }

    /// Give it its rights and bind it to them. What it cannot do without and was not granted stops it here, before its
    /// first call.
    pub(crate) async fn bind(
        self,
        host: &Host,
        document: &str,
        keeper: &mut dyn KeepsCredentials,
    ) -> Result<Part, Problems> {
        let said = self.said;
        let asks = self.asks()?;
        let written = host.components.document();
        let rights = self.rights(written, &asks);
        let unmet = bearable(&rights, (written, document))?;
        let inspection = self.inspection().clone();
        let manifest = &inspection.manifest;
        let stands = Stands { written, document, connection: &said.name };
        let credentials = credentials(host, &rights, manifest, keeper, stands).await?;
        let config = credentials.told_in(&said.config, manifest);
        let revealed: Vec<String> = credentials.revealed().map(ToOwned::to_owned).collect();
        let limits = self.limits(host)?;
        let directories = reach::directories(&said.name, &rights)?;
        let writable = directories.iter().filter(|one| one.writable).cloned().collect();
        let differs = taped::connection(host, &said.name, &inspection, &config, &revealed)?;
        let reach = match host.replay() {
            Some(_) => Reach::nothing(),
            None => Reach::new(host, &self, Having { asks, rights, credentials }, &limits)?,
        };
        let grants = runtime::Grants {
            directories,
            http: reach.http,
            limits,
            logs: host.logs.clone(),
            stop: host.stop.clone(),
            cut_off: reach.cut_off,
            reel: host.cassette.as_ref().map(|cassette| cassette.reel(&said.name)),
        };
        let (name, hold) = (said.name.clone(), reach.hold);
        let Self { place, role, code, .. } = self;
        let connection = match (code, &host.crew) {
            (Code::Here(component), _) => Bound::Here(Connection::new(component, &config, grants)?),
            (Code::InWorker(loaded), Some(crew)) => {
                Bound::InWorker(worker::Connection::new(crew, loaded, &config, grants))
            }
            (Code::InWorker(_), None) => {
                return Err(Problem::bug("there is no worker for a connector").into());
            }
        };
        Ok(Part { place, role, name, inspection, connection, unmet, writable, revealed, hold, differs })
    }

    /// The defaults, with what the manifest and the sync ask for in their place.
    fn limits(&self, host: &Host) -> Result<Limits, Problems> {
        let ceilings = host.shared.runtime.ceilings();
        let manifest = &self.inspection().manifest;
        let limits = Limits::defaults().with(&manifest.limits, ceilings);
        let limits = limits.and_then(|limits| limits.with(&self.said.limits, ceilings));
        Ok(limits
            .map_err(|error| Problem::from(error).caused_by(format!("`{}` wants it", self.said.name)))?)
    }

    fn asks(&self) -> Result<Asks, Problems> {
        let asks = self.inspection().manifest.resolve_asks(&self.said.config);
        Ok(asks.map_err(|faults| config_problem(&self.said.name, faults))?)
    }

    fn rights(&self, document: grants::Document, asks: &Asks) -> Rights {
        let connector = &self.inspection().manifest.name;
        hold::rights(document, (self.role, &self.said.name, connector), (asks, &self.said.grants))
    }
}

/// Where they are kept; of a replay, what was told of them when it was recorded.
async fn credentials(
    host: &Host,
    rights: &Rights,
    manifest: &Manifest,
    keeper: &mut dyn KeepsCredentials,
    stands: Stands<'_>,
) -> Result<Credentials, Problems> {
    if host.replay().is_some() {
        let recorded = host.recorded(stands.connection);
        return Ok(Credentials::told_before(recorded.map(|one| one.credentials.clone()).unwrap_or_default()));
    }
    let records = if rights.credentials().is_empty() { None } else { keeper.records().await? };
    Credentials::of(rights, manifest, (records, &host.shared.measures), stands).await
}

/// What does not meet and stops nothing; what the connector cannot do without is an error.
fn bearable(rights: &Rights, document: (grants::Document, &str)) -> Result<Vec<Unmet>, Problems> {
    let (required, bearable): (Vec<Unmet>, Vec<Unmet>) =
        rights.unmet().iter().cloned().partition(|unmet| unmet.required);
    Problems::of(required.iter().map(|unmet| missing(unmet, document)).collect())?;
    Ok(bearable)
}

/// A credential is granted by a line, and entered by a command.
fn missing(unmet: &Unmet, (written, document): (grants::Document, &str)) -> Problem {
    let problem = Problem::from(unmet);
    if unmet.code != grants::Code::CredentialNotGranted {
        return problem;
    }
    problem.hint(match written {
        grants::Document::Sync => format!("if it is not kept yet, `cofferdam connect {document}` enters it"),
        grants::Document::Consent => {
            format!("`cofferdam connections enter CONNECTION {}` enters it", unmet.subject)
        }
    })
}

/// A source without a sync: nothing is granted to it.
pub(crate) async fn alone(host: &Host, path: &Path, config: &serde_json::Value) -> Result<Part, Problems> {
    let said = manifest::Connection {
        name: "source".to_owned(),
        connector: path.to_owned(),
        config: config.clone(),
        grants: manifest::Grants::default(),
        limits: manifest::Limits::default(),
    };
    let loaded = Loaded::new(host, Place::Source, &said).await?;
    let faults = loaded.config_faults();
    if !faults.is_empty() {
        return Err(config_problem(&said.name, faults).into());
    }
    // No document grants it a credential, so none is looked for anywhere.
    let mut keeper = Keeper::new(places::data_here(None), &Data::default());
    loaded.bind(host, &path.display().to_string(), &mut keeper).await
}

impl Part {
    /// `faker 0.1.0`.
    pub(crate) fn title(&self) -> String {
        let manifest = &self.inspection.manifest;
        format!("{} {}", manifest.name, manifest.version)
    }

    /// What there is at its other end, of a source.
    pub(crate) async fn discover(&self, explain: impl Fn(&Failure) -> Problem) -> Result<Catalog, Problems> {
        let source = self.connection.source()?;
        let catalog = source.discover().await.map_err(|failure| explain(&failure))?;
        // As in a run: what a system sent back of a secret may stand in any name.
        pipeline::secrets::refuse_in_schemas(&self.connection.secrets(), "source", &catalog)?;
        Ok(catalog)
    }
}
