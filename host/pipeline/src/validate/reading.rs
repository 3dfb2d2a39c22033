//! One reader from its opening to its end: its steps are held against the schemas as they are by then.

use super::{Limits, PageContext, Violation, page, schema_changed};
use crate::model::{OpenRead, PageBudget, Step, StreamSchema};
use std::collections::{BTreeMap, BTreeSet};

/// What the steps of one reader are judged by.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    streams: BTreeMap<String, StreamSchema>,
    /// The streams of which the source was asked for some fields only.
    projected: BTreeMap<String, Vec<String>>,
}

impl Reading {
    /// By what the reader is opened for.
    pub fn new(read: &OpenRead) -> Self {
        let streams = read.schemas.iter().map(|schema| (schema.stream.clone(), schema.clone()));
        let projected = read
            .selections
            .iter()
            .filter_map(|selection| Some((selection.stream.clone(), selection.fields.clone()?)));
        Self { streams: streams.collect(), projected: projected.collect() }
    }

    /// Holds one step against them; a change of schemas is what later pages are held against.
    ///
    /// # Errors
    /// The [`Violation`] that the connector committed.
    pub fn judge(&mut self, step: &Step, budget: PageBudget, limits: &Limits) -> Result<(), Violation> {
        match step {
            Step::Page(one) => page(one, &PageContext { streams: &self.streams, budget, limits }),
            Step::SchemaChanged(changed) => {
                schema_changed(changed, &self.streams, limits)?;
                for schema in changed {
                    let mut schema = schema.clone();
                    if let Some(fields) = self.projected.get(&schema.stream) {
                        keep_fields(&mut schema, fields);
                    }
                    self.streams.insert(schema.stream.clone(), schema);
                }
                Ok(())
            }
            Step::Wait(_) | Step::End => Ok(()),
        }
    }
}

/// The schema with only these fields, in their order; a field that is gone is left out.
fn keep_fields(schema: &mut StreamSchema, wanted: &[String]) {
    let names: BTreeSet<&str> = wanted.iter().map(String::as_str).collect();
    let mut fields: Vec<_> =
        schema.schema.fields.drain(..).filter(|field| names.contains(field.name.as_str())).collect();
    fields.sort_by_key(|field| wanted.iter().position(|name| *name == field.name));
    schema.schema.fields = fields;
}
