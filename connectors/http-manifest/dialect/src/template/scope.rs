//! The values that templates see.

use std::{collections::BTreeMap, sync::Arc};

use minijinja::{
    Value,
    value::{Enumerator, Object, Serde},
};
use serde_json::Value as Json;

/// Under this name functions find the time; no template can spell it.
pub(super) const NOW: &str = "$now";

/// Names and their values. Cloning shares the values.
#[derive(Debug, Clone, Default)]
pub struct Scope(BTreeMap<&'static str, Value>);

impl Scope {
    /// The configuration, and what time it is: microseconds since 1970.
    pub fn new(config: &Json, now: i64) -> Self {
        Self::default().with("config", config).with_value(NOW, Value::from(now))
    }

    /// The same with one more name.
    pub fn with(self, name: &'static str, value: &Json) -> Self {
        self.with_value(name, of_json(value))
    }

    /// The same with the headers of an answer, found whatever their case, and its `Link` header taken apart.
    pub fn with_headers(self, headers: &[(String, String)], links: &Json) -> Self {
        let mut values: BTreeMap<String, Value> = BTreeMap::new();
        for (name, value) in headers {
            values.insert(name.to_ascii_lowercase(), Value::from(value.as_str()));
        }
        values.insert("link".to_owned(), of_json(links));
        self.with_value("headers", Value::from_object(Headers(values)))
    }

    fn with_value(mut self, name: &'static str, value: Value) -> Self {
        self.0.insert(name, value);
        self
    }

    pub(super) fn with_parameters(&self, parameters: Value) -> Value {
        let mut names = self.0.clone();
        names.insert("parameters", parameters);
        Value::from(names)
    }
}

/// A JSON value as templates handle it.
pub(super) fn of_json(value: &Json) -> Value {
    Value::from(Serde(value))
}

/// Headers by name, in lower case.
#[derive(Debug)]
struct Headers(BTreeMap<String, Value>);

impl Object for Headers {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.0.get(&key.as_str()?.to_ascii_lowercase()).cloned()
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.0.keys().map(|name| Value::from(name.as_str())).collect())
    }
}
