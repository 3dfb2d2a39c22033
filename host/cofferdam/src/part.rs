//! One connector of a sync, ready to be called: its component, its rights, its connection.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use egress::{Authorities, Caps, Client, ClientSettings, Narrowing};
use grants::{Basis, Rights, Unmet};
use manifest::{Access, Asks, ConfigFault, Manifest, Role};
use runtime::{Component, Connection, Directory, HttpOut, Limits, NoHttp};

use crate::arguments::Data;
use crate::document::{Place, component_bytes, text_of};
use crate::granted::{Credentials, Stands};
use crate::hold::Hold;
use crate::host::Host;
use crate::keeper::Keeper;
use crate::places;
use crate::problem::{Own, Problem, Problems};
use crate::taped;

/// A component with what the document says of it.
pub(crate) struct Loaded<'d> {
    pub(crate) place: Place,
    pub(crate) role: Role,
    pub(crate) said: &'d manifest::Connection,
    pub(crate) component: Component,
}

/// A connector of a sync.
pub(crate) struct Part {
    pub(crate) place: Place,
    pub(crate) role: Role,
    /// Its name in the sync.
    pub(crate) name: String,
    pub(crate) component: Component,
    pub(crate) connection: Connection,
    /// What does not meet, and stops nothing.
    pub(crate) unmet: Vec<Unmet>,
    /// Granted directories that it may write to.
    pub(crate) writable: Vec<std::path::PathBuf>,
    /// Names of credentials whose secrets it holds itself.
    pub(crate) revealed: Vec<String>,
    /// What can be taken back from it while it runs; of a replay nothing, for it reaches nothing.
    pub(crate) hold: Option<Arc<Hold>>,
    /// In what it is not what the replayed recording has.
    pub(crate) differs: Vec<Problem>,
}

/// Load a component: inspected, compiled or found compiled, linked. Nothing of it is run.
pub(crate) async fn load(host: &Host, path: &Path) -> Result<Component, Problems> {
    let file = || format!("it is the file `{}`", path.display());
    let bytes = component_bytes(path)?;
    host.runtime.load(bytes).await.map_err(|error| Problem::from(error).caused_by(file()).into())
}

impl<'d> Loaded<'d> {
    pub(crate) async fn new(
        host: &Host,
        place: Place,
        said: &'d manifest::Connection,
    ) -> Result<Self, Problems> {
        let component = load(host, &said.connector).await?;
        let role = match place {
            Place::Source => Role::Source,
            Place::Transform(_) => Role::Transform,
            Place::Destination => Role::Destination,
        };
        Ok(Self { place, role, said, component })
    }

    /// What the connector's schema, and the hosts that its manifest makes of the configuration, say against it.
    pub(crate) fn config_faults(&self) -> Vec<ConfigFault> {
        let manifest = &self.component.inspection().manifest;
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
        keeper: &mut Keeper,
    ) -> Result<Part, Problems> {
        let asks = self.asks()?;
        let rights = self.rights(&asks);
        let Self { place, role, said, component } = self;
        let manifest = &component.inspection().manifest;
        let (required, unmet): (Vec<Unmet>, Vec<Unmet>) =
            rights.unmet().iter().cloned().partition(|unmet| unmet.required);
        Problems::of(required.iter().map(|unmet| missing(unmet, document)).collect())?;
        let stands = Stands { document, connection: &said.name };
        let credentials = credentials(host, &rights, manifest, keeper, stands).await?;
        let config = credentials.told_in(&said.config, manifest);
        let revealed: Vec<String> = credentials.revealed().map(ToOwned::to_owned).collect();
        let ceilings = host.runtime.ceilings();
        let limits = Limits::defaults().with(&manifest.limits, ceilings);
        let limits = limits.and_then(|limits| limits.with(&said.limits, ceilings));
        let limits =
            limits.map_err(|error| Problem::from(error).caused_by(format!("`{}` wants it", said.name)))?;
        let directories = directories(&said.name, &rights)?;
        let writable = directories.iter().filter(|one| one.writable).map(|one| one.path.clone()).collect();
        let differs = taped::connection(host, &said.name, &component, &config, &revealed)?;
        let caps = caps(&limits);
        // Nothing leaves a replay, so it needs no certificate either.
        let (http, hold): (Arc<dyn HttpOut>, _) = if host.replay().is_some() {
            (Arc::new(NoHttp), None)
        } else {
            let (client, gate) = way_out(host, said, &rights, credentials, caps)?;
            let hold = Hold {
                role,
                name: said.name.clone(),
                connector: manifest.name.clone(),
                file: said.connector.clone(),
                asks,
                grants: said.grants.clone(),
                first: rights,
                gate,
                revoker: client.revoker(),
            };
            (Arc::new(client), Some(Arc::new(hold)))
        };
        let grants = runtime::Grants {
            directories,
            http,
            limits,
            logs: host.logs.clone(),
            stop: host.stop.clone(),
            reel: host.cassette.as_ref().map(|cassette| cassette.reel(&said.name)),
        };
        let connection = Connection::new(component.clone(), &config, grants)?;
        let name = said.name.clone();
        Ok(Part { place, role, name, component, connection, unmet, writable, revealed, hold, differs })
    }

    fn asks(&self) -> Result<Asks, Problems> {
        let asks = self.component.inspection().manifest.resolve_asks(&self.said.config);
        Ok(asks.map_err(|faults| config_problem(&self.said.name, faults))?)
    }

    fn rights(&self, asks: &Asks) -> Rights {
        Rights::new(&Basis {
            role: self.role,
            name: &self.said.name,
            connector: &self.component.inspection().manifest.name,
            asks,
            grants: &self.said.grants,
            organization: None,
            host: None,
        })
    }
}

/// Where they are kept; of a replay, what was told of them when it was recorded.
async fn credentials(
    host: &Host,
    rights: &Rights,
    manifest: &Manifest,
    keeper: &mut Keeper,
    stands: Stands<'_>,
) -> Result<Credentials, Problems> {
    if host.replay().is_some() {
        let recorded = host.recorded(stands.connection);
        return Ok(Credentials::told_before(recorded.map(|one| one.credentials.clone()).unwrap_or_default()));
    }
    let records = if rights.credentials().is_empty() { None } else { keeper.records().await? };
    Credentials::of(rights, manifest, records, stands).await
}

/// The client of a connection, and the gate that can be made narrower while it runs.
fn way_out(
    host: &Host,
    said: &manifest::Connection,
    rights: &Rights,
    credentials: Credentials,
    caps: Caps,
) -> Result<(Client, Arc<Narrowing>), Problems> {
    let gate = Arc::new(Narrowing::new(Arc::new(rights.clone())));
    let client = ClientSettings {
        authorities: authorities(&said.name, &said.grants)?,
        credentials: credentials.settings,
        ..ClientSettings::new(Arc::clone(&gate) as _, host.traffic.ledger(&said.name), caps)
    };
    Ok((host.egress.client(client), gate))
}

/// A credential is granted by a line, and entered by a command.
fn missing(unmet: &Unmet, document: &str) -> Problem {
    let problem = Problem::from(unmet);
    if unmet.code != grants::Code::CredentialNotGranted {
        return problem;
    }
    problem.hint(format!("if it is not kept yet, `cofferdam connect {document}` enters it"))
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
        let manifest = &self.component.inspection().manifest;
        format!("{} {}", manifest.name, manifest.version)
    }
}

/// A configuration without a document to point into.
pub(crate) fn config_problem(name: &str, faults: Vec<ConfigFault>) -> Problem {
    let mut problem =
        Problem::new("CD0110", format!("the configuration of `{name}` breaks its connector's schema"));
    problem.details = faults
        .into_iter()
        .map(|fault| {
            format!("at `{}`: {}", if fault.path.is_empty() { "/" } else { &fault.path }, fault.message)
        })
        .collect();
    problem
}

/// A directory that is not there would otherwise be the connector's failure, in each instance anew.
fn directories(part: &str, rights: &Rights) -> Result<Vec<Directory>, Problems> {
    let granted: BTreeMap<_, _> = rights.directories().collect();
    let mut directories = Vec::new();
    for (name, directory) in granted {
        let missing = |source| Own::NoDirectory {
            part: part.to_owned(),
            name: name.to_owned(),
            path: directory.path.clone(),
            source,
        };
        std::fs::read_dir(&directory.path).map_err(missing)?;
        directories.push(Directory {
            name: name.to_owned(),
            path: directory.path.clone(),
            writable: directory.access == Access::Write,
        });
    }
    Ok(directories)
}

/// Whom the connection trusts beside those whom this machine trusts, in PEM.
pub(crate) fn authority(part: &str, grants: &manifest::Grants) -> Result<Option<String>, Problems> {
    let Some(tls) = &grants.tls else { return Ok(None) };
    let pem = text_of("the authority", &tls.ca)?;
    let place = || format!("`tls.ca` of `{part}` names the file `{}`", tls.ca.display());
    match Authorities::from_pem(pem.as_bytes()) {
        Ok(_) => Ok(Some(pem)),
        Err(error) => Err(Problem::from(error).caused_by(place()).into()),
    }
}

fn authorities(part: &str, grants: &manifest::Grants) -> Result<Authorities, Problems> {
    let pem = authority(part, grants)?;
    Ok(pem.map(|pem| Authorities::from_pem(pem.as_bytes())).transpose()?.unwrap_or_default())
}

/// The caps of egress from the connector's limits; what has no limit of its own keeps the default.
fn caps(limits: &Limits) -> Caps {
    Caps {
        request_body_bytes: limits.request_bytes,
        response_body_bytes: limits.response_bytes,
        total_bytes_out: limits.bytes_out,
        total_bytes_in: limits.bytes_in,
        requests: limits.requests,
        requests_per_second: limits.requests_per_second,
        concurrent_requests: limits.concurrent_requests,
        total_timeout: Duration::from_millis(limits.request_ms),
        ..Caps::default()
    }
}
