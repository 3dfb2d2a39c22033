//! Which row errors are wanted.

use super::{ErrorId, ErrorState};
use crate::chunk::StoredError;
use crate::error::Error;
use crate::walk::Listed;
use pipeline::model::{Condition, StreamSchema};
use pipeline::records::RowCopy;
use pipeline::rows::Filter;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Which states are wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StateFilter {
    /// Any.
    #[default]
    Any,
    /// Only those about which something is still to be done.
    Open,
    /// Only those whose row is outdated.
    Superseded,
}

/// Which row errors are wanted: those for which all of it holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ErrorFilter {
    /// Of this run.
    pub run: Option<u64>,
    /// Of this source stream.
    pub stream: Option<String>,
    /// With one of these codes; empty: any.
    pub codes: Vec<String>,
    /// In this state.
    pub state: StateFilter,
    /// With one of these ids; empty: any.
    pub ids: Vec<ErrorId>,
    /// Whose row meets all of these. A row error without its row meets none.
    pub conditions: Vec<Condition>,
}

impl ErrorFilter {
    /// The only run that comes into question, where it is one.
    pub(super) fn only_run(&self) -> Option<u64> {
        let runs: BTreeSet<u64> = self.ids.iter().map(|id| id.run).collect();
        self.run.or_else(|| runs.first().copied().filter(|_| runs.len() == 1))
    }

    /// By its index alone. Its codes say nothing where rows were tried again and the index does not know it yet.
    pub(super) fn may_be_in(&self, listed: &Listed, codes_are_true: bool) -> bool {
        let index = &listed.index;
        let is_of_stream = self.stream.as_ref().is_none_or(|stream| *stream == index.stream);
        let has_code = |codes: &BTreeMap<String, u32>| self.codes.iter().any(|code| codes.contains_key(code));
        let has_codes = self.codes.is_empty() || !codes_are_true || index.codes.as_ref().is_none_or(has_code);
        let (first, last) = (listed.number(index.first), listed.number(index.last));
        let is_within = |id: &ErrorId| id.run == listed.at.run && (first..=last).contains(&id.number);
        is_of_stream && has_codes && (self.ids.is_empty() || self.ids.iter().any(is_within))
    }

    /// Whether it asks for nothing that a chunk's index does not say.
    pub(super) fn is_judged_by_index(&self) -> bool {
        self.state == StateFilter::Any && self.ids.is_empty() && self.conditions.is_empty()
    }

    pub(super) fn takes_code(&self, code: &str) -> bool {
        self.codes.is_empty() || self.codes.iter().any(|wanted| wanted == code)
    }

    pub(super) fn takes(&self, id: ErrorId, error: &StoredError, state: ErrorState) -> bool {
        let in_state = match self.state {
            StateFilter::Any => true,
            StateFilter::Open => state == ErrorState::Open,
            StateFilter::Superseded => state != ErrorState::Open,
        };
        in_state && self.takes_code(&error.code) && (self.ids.is_empty() || self.ids.contains(&id))
    }
}

/// Conditions on rows, judged by the schema of each.
pub(super) struct Conditions<'a> {
    all: &'a [Condition],
    /// Fields that no schema had so far.
    unknown: BTreeSet<&'a str>,
    any_seen: bool,
}

impl<'a> Conditions<'a> {
    pub(super) fn new(all: &'a [Condition]) -> Self {
        Self { all, unknown: all.iter().map(|condition| condition.field.as_str()).collect(), any_seen: false }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub(super) fn keep_those_that_hold(
        &mut self,
        schema: &StreamSchema,
        errors: &mut Vec<StoredError>,
    ) -> Result<(), Error> {
        self.any_seen = true;
        self.unknown.retain(|name| schema.schema.fields.iter().all(|field| field.name != *name));
        let filter = match Filter::new(schema, self.all) {
            Ok(filter) => filter,
            Err(fault) if fault.known => {
                return Err(Error::BadCondition { field: fault.field, message: fault.message });
            }
            // Another stream may have the field.
            Err(_) => {
                errors.clear();
                return Ok(());
            }
        };
        errors.retain(|error| match &error.row {
            RowCopy::Row(row) => {
                let (kept, rejected) = filter.apply(&row.to_batch());
                rejected.is_empty() && kept.is_none_or(|kept| !kept.is_empty())
            }
            _ => false,
        });
        Ok(())
    }

    /// A field that none of the streams has was hardly meant.
    pub(super) fn prove_known(&self) -> Result<(), Error> {
        match self.unknown.first().filter(|_| self.any_seen) {
            Some(field) => Err(Error::BadCondition {
                field: (*field).to_owned(),
                message: "none of the streams has this field".into(),
            }),
            None => Ok(()),
        }
    }
}
