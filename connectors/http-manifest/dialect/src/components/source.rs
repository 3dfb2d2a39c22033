//! The whole manifest: streams, what is checked, what the user is asked for.

use super::{
    spec::{self, Spec},
    stream::{self, Stream},
};
use crate::{
    Fault, Faults,
    component::{Component, Fields, Kind},
    document::Document,
    item::Item,
    words::{did_you_mean, quoted},
};

/// What a manifest says.
#[derive(Debug)]
pub struct Manifest {
    /// The version that it names: that of the tools it was made with.
    pub version: String,
    /// What the connector is, for people.
    pub description: Option<String>,
    /// Streams that are read to see whether a configuration works.
    pub check: Vec<String>,
    /// The streams.
    pub streams: Vec<Stream>,
    /// What the user is asked for.
    pub spec: Spec,
    /// What is ignored, and why that is no fault.
    pub notes: Vec<Fault>,
}

impl Manifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// Every fault, with its place.
    pub fn parse(text: &str) -> Result<Self, Faults> {
        let document = Document::parse(text)?;
        let root = Item::root(&document);
        let manifest = root.one_of(Some("DeclarativeSource"), &[Kind { name: "DeclarativeSource", read }]);
        // One that was not read has left a fault.
        let notes = document.finish()?;
        manifest.map(|manifest| Self { notes, ..manifest }).ok_or_else(|| Faults(Vec::new()))
    }

    /// The stream of this name.
    pub fn stream(&self, name: &str) -> Option<&Stream> {
        self.streams.iter().find(|stream| stream.name == name)
    }
}

const FIELDS: Fields = Fields {
    read: &["version", "check", "streams", "definitions", "schemas", "spec", "description", "api_budget"],
    ignored: &["metadata", "concurrency_level", "max_concurrent_async_job_count", "stream_groups"],
    later: &[("dynamic_streams", "dynamic streams")],
};

fn read(component: &Component<'_>) -> Manifest {
    component.check_fields(&FIELDS);
    component.required("version");
    if let Some(budget) = component.field("api_budget") {
        budget.note("the budget of calls is ignored: the API's own answers of 429 are honoured");
    }
    component.required("streams");
    let streams: Vec<Stream> =
        component.children("streams", Some("DeclarativeStream"), &stream::KINDS).into_iter().collect();
    refuse_duplicates(component, &streams);
    let check = component
        .required_child("check", Some("CheckStream"), &[Kind { name: "CheckStream", read: read_check }])
        .unwrap_or_default();
    check_names(component, &check, &streams);
    Manifest {
        version: component.text("version"),
        description: component.field("description").and_then(|item| item.scalar_text()),
        check,
        streams,
        spec: component.child("spec", Some("Spec"), &spec::KINDS).unwrap_or_default(),
        notes: Vec::new(),
    }
}

fn read_check(component: &Component<'_>) -> Vec<String> {
    component.check_fields(&Fields {
        read: &["stream_names"],
        ignored: &[],
        later: &[("dynamic_streams_check_configs", "dynamic streams")],
    });
    let items = component.required("stream_names").map(|item| item.items()).unwrap_or_default();
    items.iter().filter_map(Item::scalar_text).collect()
}

fn refuse_duplicates(component: &Component<'_>, streams: &[Stream]) {
    for (index, stream) in streams.iter().enumerate() {
        if streams.iter().take(index).any(|other| other.name == stream.name) {
            component.item.fault(format!("two streams are called {}", quoted(&stream.name)));
        }
    }
}

fn check_names(component: &Component<'_>, check: &[String], streams: &[Stream]) {
    let Some(item) = component.field("check") else { return };
    for name in check {
        if !streams.is_empty() && !streams.iter().any(|stream| stream.name == *name) {
            let hint = did_you_mean(name, streams.iter().map(|stream| stream.name.as_str()));
            item.fault_with(format!("there is no stream {}", quoted(name)), hint);
        }
    }
}
