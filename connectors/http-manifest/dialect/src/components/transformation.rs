//! What is changed in each record.

use crate::{
    component::{Component, Fields, Kind},
    item::Item,
    template::{Names, Template},
};

/// One change of a record.
#[derive(Debug)]
pub enum Transformation {
    /// Fields are added, or replaced.
    Add {
        /// The fields.
        fields: Vec<AddedField>,
        /// Only where it holds.
        condition: Option<Template>,
    },
    /// Fields are removed.
    Remove {
        /// Their paths; `*` is each member of an object and each item of a list.
        paths: Vec<Vec<String>>,
        /// Only where it holds.
        condition: Option<Template>,
    },
}

/// One field that is added.
#[derive(Debug)]
pub struct AddedField {
    /// Its path; objects on the way are made.
    pub path: Vec<String>,
    /// Its value.
    pub value: Template,
    /// Whether the value is text whatever it looks like.
    pub as_text: bool,
}

pub(crate) const KINDS: [Kind<Transformation>; 2] =
    [Kind { name: "AddFields", read: read_add }, Kind { name: "RemoveFields", read: read_remove }];

const FIELDS: [Kind<AddedField>; 1] = [Kind { name: "AddedFieldDefinition", read: read_field }];

fn read_add(component: &Component<'_>) -> Transformation {
    component.check_fields(&Fields { read: &["fields", "condition"], ..Fields::default() });
    component.required("fields");
    Transformation::Add {
        fields: component.children("fields", Some("AddedFieldDefinition"), &FIELDS),
        condition: component.template("condition", Names::PROPERTY),
    }
}

fn read_field(component: &Component<'_>) -> AddedField {
    component.check_fields(&Fields { read: &["path", "value", "value_type"], ..Fields::default() });
    let path = component.required("path").map(|item| texts(&item)).unwrap_or_default();
    let as_text = match component.text("value_type").as_str() {
        "string" => true,
        "" | "number" | "integer" | "boolean" => false,
        _ => {
            component.item.fault("`value_type` is `string`, `number`, `integer` or `boolean`");
            false
        }
    };
    AddedField { path, value: component.required_template("value", Names::RECORD), as_text }
}

fn read_remove(component: &Component<'_>) -> Transformation {
    component.check_fields(&Fields { read: &["field_pointers", "condition"], ..Fields::default() });
    let pointers = component.required("field_pointers").map(|item| item.items()).unwrap_or_default();
    Transformation::Remove {
        paths: pointers.iter().map(pointer).collect(),
        condition: component.template("condition", Names::PROPERTY),
    }
}

/// A path, or the name of a field.
fn pointer(item: &Item<'_>) -> Vec<String> {
    match item.scalar_text() {
        Some(name) => vec![name],
        None => texts(item),
    }
}

fn texts(item: &Item<'_>) -> Vec<String> {
    let parts = item.items();
    for part in &parts {
        match part.scalar_text() {
            None => part.expected("the name of a field"),
            Some(text) if text.contains("**") => part.fault("`**` is not supported yet (paths of any depth)"),
            Some(_) => {}
        }
    }
    parts.iter().filter_map(Item::scalar_text).collect()
}
