//! What will be read: the chosen streams of a catalog, by read group.

use super::read::ReadStream;
use super::spec::{ChosenStream, RunSpec};
use crate::error::{Error, suggestion};
use crate::model::{Catalog, Mode, OpenRead, Pushdown, Selection, StreamInfo, StreamSchema};
use crate::records::{Position, Purpose};
use crate::rows::{self, Filter};
use std::collections::{BTreeMap, BTreeSet};

/// One read group and its chosen streams.
#[derive(Debug, Clone)]
pub(super) struct GroupPlan {
    pub(super) name: String,
    /// The name under which the destination and the records know it; the same in each run.
    pub(super) unit: String,
    pub(super) marks_transactions: bool,
    /// Whether a run opened with the last checkpoint returns only what is new.
    pub(super) incremental: bool,
    pub(super) streams: Vec<StreamIn>,
}

/// One chosen stream.
#[derive(Debug, Clone)]
pub(super) struct StreamIn {
    pub(super) info: StreamInfo,
    pub(super) chosen: ChosenStream,
    /// Its rows are stored ones, as the source gave them when they were read.
    pub(super) replayed: bool,
}

/// Sort the chosen streams into their groups; every fault of the choice that can be seen without a destination is found
/// here, before a row moves.
pub(super) fn plan(spec: &RunSpec, catalog: &Catalog) -> Result<Vec<GroupPlan>, Error> {
    let replayed = spec.purpose == Purpose::Reprocess;
    let chosen = match &spec.streams {
        // Not every chosen stream has row errors, and those of a stream that is no longer chosen stay where they are.
        Some(chosen) if replayed => chosen.iter().filter(|one| has(catalog, &one.stream)).cloned().collect(),
        Some(chosen) => chosen.clone(),
        None => catalog.streams.iter().map(|info| every_row_of(&info.schema.stream)).collect(),
    };
    let mut groups: BTreeMap<String, Vec<StreamIn>> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for one in chosen {
        if !seen.insert(one.stream.clone()) {
            return Err(Error::StreamChosenTwice { stream: one.stream });
        }
        let info = find(catalog, &one.stream)?;
        // The limit was counted when the rows were read.
        let limit = one.limit.filter(|_| !replayed);
        let stream = StreamIn { info: info.clone(), chosen: ChosenStream { limit, ..one }, replayed };
        Shape::new(&stream, &info.schema)?;
        groups.entry(info.group_name().to_owned()).or_default().push(stream);
    }
    let marks =
        |name: &str| catalog.groups.iter().any(|group| group.name == name && group.marks_transactions);
    Ok(groups
        .into_iter()
        .map(|(name, streams)| GroupPlan {
            unit: format!("{}/{name}", spec.sync),
            marks_transactions: marks(&name),
            incremental: streams.iter().all(|stream| stream.info.incremental),
            streams,
            name,
        })
        .collect())
}

fn every_row_of(stream: &str) -> ChosenStream {
    ChosenStream { stream: stream.into(), ..ChosenStream::default() }
}

fn has(catalog: &Catalog, stream: &str) -> bool {
    catalog.streams.iter().any(|info| info.schema.stream == stream)
}

fn find<'a>(catalog: &'a Catalog, stream: &str) -> Result<&'a StreamInfo, Error> {
    catalog.streams.iter().find(|info| info.schema.stream == stream).ok_or_else(|| {
        let known = catalog.streams.iter().map(|info| info.schema.stream.as_str());
        Error::UnknownStream { stream: stream.into(), suggestion: suggestion(stream, known) }
    })
}

impl GroupPlan {
    /// The mode that all chosen streams have, if they have one.
    pub(super) fn common_mode(&self) -> Option<Mode> {
        let mut modes = self.streams.iter().map(|stream| stream.chosen.mode);
        let first = modes.next()?;
        modes.all(|mode| mode == first).then_some(first)
    }

    /// The mode of the chosen stream of this name.
    pub(super) fn mode_of(&self, stream: &str) -> Option<Mode> {
        self.streams.iter().find(|one| one.chosen.stream == stream).map(|one| one.chosen.mode)
    }

    /// Where an attempt begins, given where the unit stands. An error if that is past rows of a stream that was not read.
    pub(super) fn start(&self, stands: &Position, replace: bool) -> Result<Position, Error> {
        let streams: BTreeSet<String> = self.streams.iter().map(|one| one.chosen.stream.clone()).collect();
        let begin = |generation| Position {
            checkpoint: None,
            complete: false,
            replace,
            generation,
            streams: streams.clone(),
        };
        let go_on = Position { complete: false, replace, streams: streams.clone(), ..stands.clone() };
        let position = match (stands.replace && !stands.complete, replace) {
            // A refill that was cut off goes on; else each run with `replace` is a new one.
            (true, true) => go_on,
            (false, true) => begin(stands.generation + 1),
            // What was read before went into a refill that never became visible.
            (true, false) => begin(stands.generation),
            (false, false) if stands.complete && !self.incremental => begin(stands.generation),
            (false, false) => go_on,
        };
        let added = streams.difference(&stands.streams).next();
        match added.filter(|_| position.checkpoint.is_some()) {
            Some(stream) => Err(Error::StreamAdded { group: self.name.clone(), stream: stream.clone() }),
            None => Ok(position),
        }
    }
}

impl GroupPlan {
    /// Where an attempt of a reprocess begins: at the beginning of what is stored, beside everything that is there. An error
    /// while a refill is not complete: the destination would take it for broken off, and its end would hide what was added.
    pub(super) fn replay(&self, stands: &Position) -> Result<Position, Error> {
        if stands.replace && !stands.complete {
            return Err(Error::RefillUnderWay { group: self.name.clone() });
        }
        Ok(Position { checkpoint: None, complete: false, replace: false, ..stands.clone() })
    }
}

/// What the host does with the rows of one stream before anything else: what was chosen and the source does not do itself.
#[derive(Debug)]
pub(super) struct Shape {
    /// What the source is asked for.
    pub(super) selection: Selection,
    /// What the source's rows look like.
    pub(super) given: StreamSchema,
    /// What they look like after the host.
    pub(super) wanted: StreamSchema,
    /// Conditions that the host judges.
    pub(super) filter: Option<Filter>,
}

impl StreamIn {
    /// What of the choice applies to stored rows, which are as the source gave them: the host's filter and selection are
    /// still to come. What the source had been asked to do itself it did when it gave them: fields that it left out are
    /// not there to be selected, and conditions that only it can judge held.
    fn as_stored(&self, schema: &StreamSchema) -> Self {
        let mut stored = Self { replayed: false, ..self.clone() };
        stored.info.pushdown = Pushdown::default();
        stored.chosen.filter.retain(|condition| Filter::new(schema, std::slice::from_ref(condition)).is_ok());
        if let Some(fields) = &mut stored.chosen.fields {
            fields.retain(|name| schema.schema.fields.iter().any(|field| field.name == *name));
        }
        stored
    }
}

impl Shape {
    /// `schema` is the stream's whole schema as the source has it now.
    pub(super) fn new(stream: &StreamIn, schema: &StreamSchema) -> Result<Self, Error> {
        if stream.replayed {
            return Self::new(&stream.as_stored(schema), schema);
        }
        let StreamIn { info, chosen, .. } = stream;
        let pushdown = info.pushdown;
        let host_filters = !pushdown.filter && !chosen.filter.is_empty();
        let fields = asked_fields(stream, host_filters);
        let given = project(schema, fields.as_deref())?;
        let filter = filter(schema, &given, stream, host_filters)?;
        let wanted = project(&given, chosen.fields.as_deref())?;
        let selection = Selection {
            stream: chosen.stream.clone(),
            fields,
            filter: if pushdown.filter { chosen.filter.clone() } else { Vec::new() },
            limit: chosen.limit.filter(|_| pushdown.limit && !host_filters),
        };
        Ok(Self { selection, given, wanted, filter })
    }
}

/// The fields to ask the source for: those chosen and those that the host's filter needs; none: all, or it does not matter.
fn asked_fields(stream: &StreamIn, host_filters: bool) -> Option<Vec<String>> {
    let mut fields = stream.chosen.fields.clone().filter(|_| stream.info.pushdown.fields)?;
    if host_filters {
        for condition in &stream.chosen.filter {
            if !fields.contains(&condition.field) {
                fields.push(condition.field.clone());
            }
        }
    }
    Some(fields)
}

fn filter(
    schema: &StreamSchema,
    given: &StreamSchema,
    stream: &StreamIn,
    host_filters: bool,
) -> Result<Option<Filter>, Error> {
    let conditions = &stream.chosen.filter;
    if conditions.is_empty() {
        return Ok(None);
    }
    if !host_filters {
        // The source judges the values, and may know more of undeclared fields than the schema says.
        let declared = |name: &str| schema.schema.fields.iter().any(|field| field.name == name);
        let missing = conditions.iter().find(|condition| !declared(&condition.field));
        return match missing {
            Some(condition) if !schema.schema.additional_fields => {
                Err(unknown_field(schema, condition.field.clone()))
            }
            _ => Ok(None),
        };
    }
    match Filter::new(given, conditions) {
        Ok(filter) => Ok(Some(filter)),
        Err(fault) if fault.known => {
            Err(Error::BadFilter { stream: schema.stream.clone(), field: fault.field, reason: fault.message })
        }
        Err(fault) => Err(unknown_field(schema, fault.field)),
    }
}

fn project(schema: &StreamSchema, fields: Option<&[String]>) -> Result<StreamSchema, Error> {
    match fields {
        Some(fields) => rows::project_schema(schema, fields).map_err(|field| unknown_field(schema, field)),
        None => Ok(schema.clone()),
    }
}

fn unknown_field(schema: &StreamSchema, field: String) -> Error {
    let known = schema.schema.fields.iter().map(|field| field.name.as_str());
    let suggestion = suggestion(&field, known);
    Error::UnknownField { stream: schema.stream.clone(), field, suggestion }
}

/// What a reader is opened for.
pub(super) fn open_read(
    group: &GroupPlan,
    streams: &BTreeMap<String, ReadStream>,
    checkpoint: Option<String>,
) -> OpenRead {
    OpenRead {
        group: group.name.clone(),
        selections: streams.values().map(|stream| stream.shape.selection.clone()).collect(),
        schemas: streams.values().map(|stream| stream.shape.given.clone()).collect(),
        checkpoint,
    }
}
