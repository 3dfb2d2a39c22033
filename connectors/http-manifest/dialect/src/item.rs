//! One value of a manifest on the way to a component: where it stands, what it is with references followed, and which
//! parameters reach it.

use std::{collections::BTreeMap, rc::Rc};

use serde_json::{Map, Value as Json};

use crate::{
    Fault, Place,
    document::{Document, Layers, Resolved},
    yaml::{Node, Value},
};

/// Values of one structure that is taken over as JSON (a schema, a body), references followed.
const JSON_VALUES_MAX: usize = 200_000;
const JSON_DEPTH_MAX: usize = 100;

/// What components hand down under `$parameters`.
pub(crate) type Parameters<'d> = Rc<BTreeMap<String, &'d Node>>;

/// One value.
#[derive(Clone)]
pub(crate) struct Item<'d> {
    pub(crate) document: &'d Document,
    pub(crate) place: Place,
    pub(crate) path: String,
    pub(crate) value: Resolved<'d>,
    pub(crate) parameters: Parameters<'d>,
}

impl<'d> Item<'d> {
    pub(crate) fn root(document: &'d Document) -> Self {
        Self::new(document, document.root(), String::new(), Parameters::default())
    }

    pub(crate) fn new(
        document: &'d Document,
        node: &'d Node,
        path: String,
        parameters: Parameters<'d>,
    ) -> Self {
        let value = document.resolve(node, &path);
        Self { document, place: node.place, path, value, parameters }
    }

    /// A value within this one.
    pub(crate) fn below(&self, key: &str, node: &'d Node) -> Self {
        Self::new(self.document, node, format!("{}/{key}", self.path), Rc::clone(&self.parameters))
    }

    pub(crate) fn fault(&self, message: impl Into<String>) {
        self.fault_with(message, None);
    }

    pub(crate) fn fault_with(&self, message: impl Into<String>, hint: Option<String>) {
        self.document.fault(self.remark(message, hint));
    }

    pub(crate) fn note(&self, message: impl Into<String>) {
        self.document.note(self.remark(message, None));
    }

    fn remark(&self, message: impl Into<String>, hint: Option<String>) -> Fault {
        Fault { place: self.place, path: self.path.clone(), message: message.into(), hint }
    }

    /// Reports that something else is expected here; nothing for a value whose fault is reported already.
    pub(crate) fn expected(&self, what: &str) {
        let is = match &self.value {
            Resolved::Broken => return,
            Resolved::Scalar(Value::Null) => "nothing".to_owned(),
            Resolved::Scalar(Value::Boolean(value)) => format!("`{value}`"),
            Resolved::Scalar(Value::Number(number)) => format!("the number `{number}`"),
            Resolved::Scalar(_) => "a text".to_owned(),
            Resolved::Sequence(_) => "a list".to_owned(),
            Resolved::Mapping(_) => "a mapping".to_owned(),
        };
        self.fault(format!("is {is}, expected {what}"));
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(&self.value, Resolved::Scalar(Value::Null))
    }

    /// Nothing, `false`, zero, or empty: what a parameter of the same name takes the place of.
    pub(crate) fn is_falsy(&self) -> bool {
        match &self.value {
            Resolved::Scalar(Value::Null | Value::Boolean(false)) => true,
            Resolved::Scalar(Value::Text(text)) => text.is_empty(),
            Resolved::Scalar(Value::Number(number)) => number.as_f64() == Some(0.0),
            Resolved::Sequence(items) => items.is_empty(),
            Resolved::Mapping(layers) => layers.entries().next().is_none(),
            Resolved::Scalar(_) | Resolved::Broken => false,
        }
    }

    /// A scalar as text; numbers and booleans in the spelling of templates.
    pub(crate) fn scalar_text(&self) -> Option<String> {
        match &self.value {
            Resolved::Scalar(Value::Text(text)) => Some(text.clone()),
            Resolved::Scalar(Value::Number(number)) => Some(number.to_string()),
            Resolved::Scalar(Value::Boolean(true)) => Some("True".to_owned()),
            Resolved::Scalar(Value::Boolean(false)) => Some("False".to_owned()),
            _ => None,
        }
    }

    pub(crate) fn number(&self) -> Option<&'d serde_json::Number> {
        match self.value {
            Resolved::Scalar(Value::Number(number)) => Some(number),
            _ => None,
        }
    }

    pub(crate) fn boolean(&self) -> Option<bool> {
        match self.value {
            Resolved::Scalar(Value::Boolean(value)) => Some(*value),
            _ => None,
        }
    }

    pub(crate) fn layers(&self) -> Option<Layers<'d>> {
        match &self.value {
            Resolved::Mapping(layers) => Some(layers.clone()),
            _ => None,
        }
    }

    /// The items of a list; reports what is none.
    pub(crate) fn items(&self) -> Vec<Self> {
        match self.value {
            Resolved::Sequence(nodes) => {
                nodes.iter().enumerate().map(|(index, node)| self.below(&index.to_string(), node)).collect()
            }
            _ => {
                self.expected("a list");
                Vec::new()
            }
        }
    }

    /// Keys and values of a mapping; reports what is none.
    pub(crate) fn entries(&self) -> Vec<(String, Self)> {
        let Some(layers) = self.layers() else {
            self.expected("a mapping");
            return Vec::new();
        };
        layers.entries().map(|entry| (entry.key.clone(), self.below(&entry.key, &entry.node))).collect()
    }

    /// The value as JSON, references followed.
    pub(crate) fn json(&self) -> Json {
        let mut left = JSON_VALUES_MAX;
        self.json_within(JSON_DEPTH_MAX, &mut left)
    }

    fn json_within(&self, depth: usize, left: &mut usize) -> Json {
        if depth == 0 || *left == 0 {
            self.fault(format!("grows over {JSON_VALUES_MAX} values or {JSON_DEPTH_MAX} levels"));
            return Json::Null;
        }
        *left -= 1;
        match &self.value {
            Resolved::Broken | Resolved::Scalar(Value::Null) => Json::Null,
            Resolved::Scalar(Value::Boolean(value)) => Json::Bool(*value),
            Resolved::Scalar(Value::Number(number)) => Json::Number(number.clone()),
            Resolved::Scalar(Value::Text(text)) => Json::String(text.clone()),
            Resolved::Scalar(Value::Sequence(_) | Value::Mapping(_)) => Json::Null,
            Resolved::Sequence(_) => {
                Json::Array(self.items().iter().map(|item| item.json_within(depth - 1, left)).collect())
            }
            Resolved::Mapping(_) => {
                let entries = self.entries().into_iter();
                let members = entries.map(|(key, item)| (key, item.json_within(depth - 1, left)));
                Json::Object(members.collect::<Map<_, _>>())
            }
        }
    }
}
