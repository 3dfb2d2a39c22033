//! How the transform is configured, and all that can be checked without a schema.

use std::collections::BTreeMap;

use cofferdam_sdk::{DataType, Result};
use serde::Deserialize;

use crate::{expression::Parsed, faults::Faults, types};

/// The configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The streams that are changed; without it all are.
    pub streams: Option<Vec<String>>,
    /// What is done, in this order.
    pub steps: Vec<Step>,
}

/// One step: exactly one of these is set.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Old names and new ones, all at once: names may be swapped.
    pub rename: Option<BTreeMap<String, String>>,
    /// Fields to leave out.
    pub drop: Option<Vec<String>>,
    /// Give a field another type.
    pub cast: Option<Cast>,
    /// Add a field, or give one another value.
    pub compute: Option<Compute>,
    /// Keep the rows for which this expression is true.
    pub filter: Option<String>,
}

/// Give a field another type.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cast {
    /// Its name.
    pub field: String,
    /// The name of the type.
    pub to: String,
    /// What becomes of a value that has no form in that type.
    #[serde(default)]
    pub on_error: OnError,
}

/// Add a field, or give one another value.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Compute {
    /// Its name.
    pub field: String,
    /// What its value is.
    pub expression: String,
    /// The name of its type.
    #[serde(rename = "type")]
    pub data_type: String,
    /// What becomes of a row for which the expression fails.
    #[serde(default)]
    pub on_error: OnError,
}

/// What becomes of a value that cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnError {
    /// The row is rejected.
    #[default]
    Reject,
    /// The value is null.
    Null,
}

/// A step whose types and expressions were read.
#[derive(Debug, Clone)]
pub(crate) enum ReadStep {
    Rename(BTreeMap<String, String>),
    Drop(Vec<String>),
    Cast { field: String, to: DataType, on_error: OnError },
    Compute { field: String, expression: Parsed, data_type: DataType, on_error: OnError },
    Filter(Parsed),
}

impl Config {
    /// Every step, read; or each fault that stands in one of them.
    pub(crate) fn read(&self) -> Result<Vec<ReadStep>> {
        let mut faults = Faults::default();
        if self.steps.is_empty() {
            faults.push("/steps", "must name at least one step");
        }
        let steps = self.steps.iter().enumerate();
        let steps =
            steps.filter_map(|(index, step)| step.read(&format!("/steps/{index}"), &mut faults)).collect();
        faults.or(steps)
    }

    /// Whether a stream is changed.
    pub(crate) fn selects(&self, stream: &str) -> bool {
        self.streams.as_ref().is_none_or(|streams| streams.iter().any(|name| name == stream))
    }
}

impl Step {
    fn read(&self, path: &str, faults: &mut Faults) -> Option<ReadStep> {
        match self {
            Self { rename: Some(names), drop: None, cast: None, compute: None, filter: None } => {
                for (from, _) in names.iter().filter(|(_, to)| to.is_empty()) {
                    faults
                        .push(format!("{path}/rename/{}", crate::faults::escaped(from)), "must not be empty");
                }
                Some(ReadStep::Rename(names.clone()))
            }
            Self { drop: Some(names), rename: None, cast: None, compute: None, filter: None } => {
                Some(ReadStep::Drop(names.clone()))
            }
            Self { cast: Some(cast), rename: None, drop: None, compute: None, filter: None } => {
                let to = read_type(&cast.to, &format!("{path}/cast/to"), faults)?;
                Some(ReadStep::Cast { field: cast.field.clone(), to, on_error: cast.on_error })
            }
            Self { compute: Some(compute), rename: None, drop: None, cast: None, filter: None } => {
                compute.read(&format!("{path}/compute"), faults)
            }
            Self { filter: Some(source), rename: None, drop: None, cast: None, compute: None } => {
                read_expression(source, &format!("{path}/filter"), faults).map(ReadStep::Filter)
            }
            _ => {
                faults.push(path, "must be exactly one of `rename`, `drop`, `cast`, `compute` and `filter`");
                None
            }
        }
    }
}

impl Compute {
    fn read(&self, path: &str, faults: &mut Faults) -> Option<ReadStep> {
        if self.field.is_empty() {
            faults.push(format!("{path}/field"), "must not be empty");
        }
        let data_type = read_type(&self.data_type, &format!("{path}/type"), faults);
        let expression = read_expression(&self.expression, &format!("{path}/expression"), faults);
        let (data_type, expression) = (data_type?, expression?);
        Some(ReadStep::Compute { field: self.field.clone(), expression, data_type, on_error: self.on_error })
    }
}

fn read_type(name: &str, path: &str, faults: &mut Faults) -> Option<DataType> {
    types::parse(name).map_err(|message| faults.push(path, message)).ok()
}

fn read_expression(source: &str, path: &str, faults: &mut Faults) -> Option<Parsed> {
    Parsed::new(source).map_err(|message| faults.push(path, message)).ok()
}
