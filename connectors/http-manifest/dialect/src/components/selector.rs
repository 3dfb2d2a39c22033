//! Takes records out of an answer.

use crate::{
    component::{Component, Fields, Kind},
    template::{Names, Template},
};

/// Takes records out of an answer, and leaves some out.
#[derive(Debug, Default)]
pub struct Selector {
    /// The path to the records.
    pub path: Vec<Segment>,
    /// Records for which it does not hold are left out.
    pub filter: Option<Template>,
    /// Whether records are changed before the filter sees them.
    pub transform_before_filtering: bool,
}

/// One step of a path.
#[derive(Debug)]
pub enum Segment {
    /// Each member of an object, each item of a list.
    Each,
    /// The member of this name, or the item of this number.
    Key(Template),
}

pub(crate) const KINDS: [Kind<Selector>; 1] = [Kind { name: "RecordSelector", read }];

const EXTRACTORS: [Kind<Vec<Segment>>; 1] = [Kind { name: "DpathExtractor", read: read_dpath }];

const FILTERS: [Kind<Option<Template>>; 1] = [Kind { name: "RecordFilter", read: read_filter }];

fn read(component: &Component<'_>) -> Selector {
    component.check_fields(&Fields {
        read: &["extractor", "record_filter", "schema_normalization", "transform_before_filtering"],
        ..Fields::default()
    });
    if let Some(item) = component.field("schema_normalization") {
        match item.scalar_text().as_deref() {
            Some("None") => {}
            Some("Default") => {
                item.note("values are not converted: those that do not fit the schema are row errors");
            }
            _ => item.fault("runs code of its own, which a low-code connector cannot bring along"),
        }
    }
    Selector {
        path: component.required_child("extractor", Some("DpathExtractor"), &EXTRACTORS).unwrap_or_default(),
        filter: component.child("record_filter", Some("RecordFilter"), &FILTERS).flatten(),
        transform_before_filtering: component.boolean("transform_before_filtering"),
    }
}

fn read_dpath(component: &Component<'_>) -> Vec<Segment> {
    component.check_fields(&Fields {
        read: &["field_path"],
        ignored: &[],
        later: &[("record_expander", "record expanders")],
    });
    component.required("field_path");
    let templates = component.templates("field_path", Names::CONFIG);
    templates.into_iter().map(|template| segment(component, template)).collect()
}

fn segment(component: &Component<'_>, template: Template) -> Segment {
    match template.source() {
        "*" => Segment::Each,
        other => {
            if other.contains("**") {
                component.item.fault("`**` is not supported yet (paths of any depth)");
            }
            Segment::Key(template)
        }
    }
}

fn read_filter(component: &Component<'_>) -> Option<Template> {
    component.check_fields(&Fields { read: &["condition"], ..Fields::default() });
    component.template("condition", Names::RECORD)
}
