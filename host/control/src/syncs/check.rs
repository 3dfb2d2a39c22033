//! Holds a sync against what there is: connections, their roles, and the catalog of the source where somebody has looked.

use super::{KIND, SyncSpec, Syncs};
use crate::connections::{Catalog, CatalogStream};
use crate::error::Error;
use crate::organizations::checked_name;
use crate::schedules::Schedule;
use manifest::{ConfigFault, Mode, Rejects, Role, RunOptions, StreamSelection, did_you_mean};
use std::collections::BTreeSet;

/// Each is an instance of its own; nobody chains more.
const TRANSFORMS_MAX: usize = 16;

impl Syncs {
    pub(super) async fn check(&self, organization: &str, spec: &SyncSpec) -> Result<(), Error> {
        let mut faults = Vec::new();
        if let Err(Error::BadName { reason, .. }) = checked_name(KIND.what, &spec.name) {
            faults.push(ConfigFault::new("/name", reason));
        }
        let mut ends = vec![
            ("/source".to_owned(), &spec.source, &[Role::Source, Role::Webhook][..]),
            ("/destination".to_owned(), &spec.destination, &[Role::Destination][..]),
        ];
        let transforms = spec.transforms.iter().take(TRANSFORMS_MAX).enumerate();
        ends.extend(
            transforms.map(|(index, id)| (format!("/transforms/{index}"), id, &[Role::Transform][..])),
        );
        for (place, id, wanted) in ends {
            faults.extend(self.check_end(organization, place, id, wanted).await?);
        }
        if spec.transforms.len() > TRANSFORMS_MAX {
            let message = format!("has more than {TRANSFORMS_MAX} transforms");
            faults.push(ConfigFault::new("/transforms", message));
        }
        let distinct: BTreeSet<&String> = spec.transforms.iter().collect();
        if distinct.len() < spec.transforms.len() {
            faults.push(ConfigFault::new("/transforms", "names a connection twice"));
        }
        faults.extend(under("/rejects", Rejects::faults(&spec.rejects)));
        faults.extend(under("/run", RunOptions::faults(&spec.run)));
        let streams = spec.streams.as_deref();
        faults.extend(under("/streams", streams.map(StreamSelection::faults).unwrap_or_default()));
        if let Some(schedule) = &spec.schedule
            && let Err(Error::BadSchedule { reason }) =
                Schedule::new(schedule, self.organizations.keeper.now_ms())
        {
            faults.push(ConfigFault::new("/schedule", reason));
        }
        if let Some(streams) = streams
            && faults.is_empty()
            && let Some(catalog) = self.connections.read_catalog(organization, &spec.source).await?
        {
            faults = under("/streams", not_in(&catalog, streams));
        }
        if faults.is_empty() { Ok(()) } else { Err(Error::BadSync { faults }) }
    }

    async fn check_end(
        &self,
        organization: &str,
        place: String,
        id: &str,
        wanted: &[Role],
    ) -> Result<Option<ConfigFault>, Error> {
        let roles = match self.connections.roles(organization, id).await {
            Err(Error::UnknownObject { .. }) => {
                return Ok(Some(ConfigFault::new(place, "there is no such connection")));
            }
            roles => roles?,
        };
        let named = || wanted.iter().map(|role| role.as_str()).collect::<Vec<_>>().join(" and no ");
        let message = || format!("the connector of this connection is no {}", named());
        Ok((!wanted.iter().any(|role| roles.contains(role))).then(|| ConfigFault::new(place, message())))
    }
}

fn under(place: &str, faults: Vec<ConfigFault>) -> Vec<ConfigFault> {
    let moved = |fault: ConfigFault| ConfigFault { path: format!("{place}{}", fault.path), ..fault };
    faults.into_iter().map(moved).collect()
}

/// What the source did not have when somebody looked last.
fn not_in(catalog: &Catalog, streams: &[StreamSelection]) -> Vec<ConfigFault> {
    let mut faults = Vec::new();
    for (index, selected) in streams.iter().enumerate() {
        let found = catalog.streams.iter().find(|stream| stream.name == selected.name);
        let Some(stream) = found else {
            let names = catalog.streams.iter().map(|stream| stream.name.as_str());
            faults.push(missing(format!("/{index}/name"), "stream", &selected.name, names));
            continue;
        };
        if matches!(selected.mode, Mode::Upsert | Mode::Mirror) && stream.key.is_empty() {
            let message = "the stream has no key, so that its rows can only be appended or replaced";
            faults.push(ConfigFault::new(format!("/{index}/mode"), message));
        }
        faults.extend(fields_not_in(stream, index, selected));
    }
    faults
}

fn fields_not_in(stream: &CatalogStream, index: usize, selected: &StreamSelection) -> Vec<ConfigFault> {
    let names = || stream.fields.iter().map(|field| field.name.as_str());
    let fields = selected.fields.iter().flatten().enumerate();
    let fields = fields.map(|(number, field)| (format!("/{index}/fields/{number}"), field));
    let filter = selected.filter.iter().enumerate();
    let filter =
        filter.map(|(number, condition)| (format!("/{index}/filter/{number}/field"), &condition.field));
    let unknown = fields.chain(filter).filter(|(_, field)| !names().any(|name| name == *field));
    unknown.map(|(place, field)| missing(place, "field", field, names())).collect()
}

fn missing<'n>(
    place: String,
    what: &str,
    name: &str,
    known: impl IntoIterator<Item = &'n str>,
) -> ConfigFault {
    let hint = did_you_mean(name, known).map(|hint| format!("; {hint}")).unwrap_or_default();
    ConfigFault::new(place, format!("the source has no such {what}{hint}"))
}
