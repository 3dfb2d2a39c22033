//! What comes out of one stream: each step applied to its schema, and the steps that are left to do with its rows.

use std::collections::{BTreeMap, BTreeSet};

use cofferdam_sdk::{DataType, Field, Layout, Schema, StreamSchema};

use crate::{
    cast,
    config::{OnError, ReadStep},
    expression::Parsed,
    faults::{Faults, escaped, unknown},
    steps::RowStep,
};

/// Where the host puts the fields that a stream does not declare.
const ADDITIONAL: &str = "_additional";

/// What is done with one stream.
#[derive(Debug)]
pub(crate) struct StreamPlan {
    /// How many fields come in.
    pub(crate) fields_in: usize,
    /// What comes out.
    pub(crate) output: StreamSchema,
    /// What is done with each batch.
    pub(crate) steps: Vec<RowStep>,
}

/// A stream whose rows pass as they are.
pub(crate) fn untouched(input: &StreamSchema) -> StreamPlan {
    let output = as_columns(input);
    StreamPlan { fields_in: output.schema.fields.len(), output, steps: Vec::new() }
}

/// What the host makes of JSON lines when we ask for columns: fields that are not declared go into one more. It asks for
/// a plan before and after it changes the layout; both must be the same.
fn as_columns(input: &StreamSchema) -> StreamSchema {
    let mut schema = Schema { additional_fields: false, ..input.schema.clone() };
    if input.schema.additional_fields {
        let mut name = ADDITIONAL.to_owned();
        while schema.index_of(&name).is_some() {
            name.push('_');
        }
        schema.fields.push(Field::new(name, DataType::Json).nullable());
    }
    StreamSchema { schema, layout: Layout::Columns, ..input.clone() }
}

/// Apply the steps to a stream. The first step with faults ends it: those after it would see a schema that no one meant.
pub(crate) fn plan(steps: &[ReadStep], input: &StreamSchema) -> Result<StreamPlan, Faults> {
    let mut plan = untouched(input);
    for (index, step) in steps.iter().enumerate() {
        let mut planner = Planner {
            stream: &input.stream,
            fields: &mut plan.output.schema.fields,
            keys: &mut plan.output.keys,
            path: format!("/steps/{index}"),
            faults: Faults::default(),
        };
        let row_step = planner.apply(step);
        if planner.faults.count() > 0 {
            return Err(planner.faults);
        }
        plan.steps.extend(row_step);
    }
    Ok(plan)
}

struct Planner<'p> {
    stream: &'p str,
    fields: &'p mut Vec<Field>,
    keys: &'p mut Vec<String>,
    path: String,
    faults: Faults,
}

impl Planner<'_> {
    fn apply(&mut self, step: &ReadStep) -> Option<RowStep> {
        match step {
            ReadStep::Rename(names) => {
                self.rename(names);
                None
            }
            ReadStep::Drop(names) => self.drop(names),
            ReadStep::Cast { field, to, on_error } => self.cast(field, to, *on_error),
            ReadStep::Compute { field, expression, data_type, on_error } => {
                self.compute(field, expression, data_type, *on_error)
            }
            ReadStep::Filter(expression) => {
                let bound = expression.bind(self.fields);
                bound.map_err(|messages| self.all("filter", messages)).ok().map(RowStep::Filter)
            }
        }
    }

    /// Only names change: no row is touched.
    fn rename(&mut self, names: &BTreeMap<String, String>) {
        for from in names.keys() {
            self.find(from, &format!("rename/{}", escaped(from)));
        }
        let new_name = |name: &String| names.get(name).unwrap_or(name).clone();
        let mut seen = BTreeSet::new();
        let doubles: Vec<String> = self
            .fields
            .iter()
            .map(|field| new_name(&field.name))
            .filter(|name| !seen.insert(name.clone()))
            .collect();
        for (from, to) in names.iter().filter(|(_, to)| doubles.contains(to)) {
            let message = format!("there would be two fields `{to}` in the stream `{}`", self.stream);
            self.fault(&format!("rename/{}", escaped(from)), message);
        }
        self.fields.iter_mut().for_each(|field| field.name = new_name(&field.name));
        self.keys.iter_mut().for_each(|key| *key = new_name(key));
    }

    fn drop(&mut self, names: &[String]) -> Option<RowStep> {
        let mut places = BTreeSet::new();
        for (index, name) in names.iter().enumerate() {
            let path = format!("drop/{index}");
            if self.keys.contains(name) {
                let message = format!(
                    "`{name}` is a key of the stream `{}`: without it its rows have no name",
                    self.stream
                );
                self.fault(&path, message);
            } else if let Some(place) = self.find(name, &path) {
                places.insert(place);
            }
        }
        if places.len() == self.fields.len() {
            self.fault("drop", format!("no field of the stream `{}` would be left", self.stream));
        }
        // From the last one, so that those before it keep their places.
        let places: Vec<usize> = places.into_iter().rev().collect();
        for place in &places {
            self.fields.remove(*place);
        }
        Some(RowStep::Drop(places))
    }

    fn cast(&mut self, name: &str, to: &DataType, on_error: OnError) -> Option<RowStep> {
        let place = self.find(name, "cast/field")?;
        let field = self.fields.get_mut(place)?;
        if let Err(message) = cast::check(&field.data_type, to) {
            self.fault("cast/to", format!("`{name}` of the stream `{}`: {message}", self.stream));
            return None;
        }
        if field.data_type == *to {
            return None;
        }
        if on_error == OnError::Null && self.keys.iter().any(|key| key == name) {
            self.fault("cast/on_error", format!("`{name}` is a key and cannot become null"));
            return None;
        }
        let from = field.clone();
        field.data_type = to.clone();
        field.logical_type = None;
        // A value of JSON may be null where the field is not.
        field.nullable |= on_error == OnError::Null;
        Some(RowStep::Cast { place, from, to: field.clone(), on_error })
    }

    fn compute(
        &mut self,
        name: &str,
        expression: &Parsed,
        data_type: &DataType,
        on_error: OnError,
    ) -> Option<RowStep> {
        let bound =
            expression.bind(self.fields).map_err(|messages| self.all("compute/expression", messages)).ok()?;
        let is_key = self.keys.iter().any(|key| key == name);
        if is_key && on_error == OnError::Null {
            self.fault("compute/on_error", format!("`{name}` is a key and cannot become null"));
            return None;
        }
        let field = Field { nullable: !is_key, ..Field::new(name, data_type.clone()) };
        let place = match self.fields.iter().position(|field| field.name == name) {
            Some(place) => place,
            None => {
                self.fields.push(field.clone());
                self.fields.len() - 1
            }
        };
        if let Some(there) = self.fields.get_mut(place) {
            *there = field.clone();
        }
        Some(RowStep::Compute { place, field, expression: bound, on_error })
    }

    fn find(&mut self, name: &str, path: &str) -> Option<usize> {
        let place = self.fields.iter().position(|field| field.name == name);
        if place.is_none() {
            let names: Vec<&str> = self.fields.iter().map(|field| field.name.as_str()).collect();
            let message = format!("in the stream `{}` {}", self.stream, unknown("field", name, names));
            self.fault(path, message);
        }
        place
    }

    fn all(&mut self, path: &str, messages: Vec<String>) {
        for message in messages {
            self.fault(path, format!("in the stream `{}` {message}", self.stream));
        }
    }

    fn fault(&mut self, path: &str, message: String) {
        self.faults.push(format!("{}/{path}", self.path), message);
    }
}
