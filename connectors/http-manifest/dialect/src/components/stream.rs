//! A stream and how its records are retrieved.

use serde_json::Value as Json;

use super::{
    cursor::{self, Cursor},
    paginator::{self, Paginator},
    requester::{self, Requester},
    schema_loader,
    selector::{self, Selector},
    transformation::{self, Transformation},
};
use crate::{
    component::{Component, Fields, Kind},
    document::Resolved,
    item::Item,
};

/// One stream.
#[derive(Debug)]
pub struct Stream {
    /// Its name.
    pub name: String,
    /// The fields that name a record; empty: none do.
    pub primary_key: Vec<String>,
    /// The JSON Schema of its records, if there is one.
    pub schema: Option<Json>,
    /// Where its records come from.
    pub retriever: Retriever,
    /// How it goes on from where it was.
    pub cursor: Option<Cursor>,
    /// What is changed in each record, in this order.
    pub transformations: Vec<Transformation>,
}

/// Requests pages and takes records out of them.
#[derive(Debug)]
pub struct Retriever {
    /// Makes requests.
    pub requester: Requester,
    /// Takes records out of answers.
    pub selector: Selector,
    /// Finds the next page; none: there is one page.
    pub paginator: Option<Paginator>,
    /// Whether only the first page of a slice is asked for with the slice's times.
    pub slice_on_first_page_only: bool,
}

impl Stream {
    /// Whether a later run gets only what is new: requests say where it begins, so that the API can leave out what is
    /// older, or that is left out here.
    pub fn is_incremental(&self) -> bool {
        let Some(cursor) = &self.cursor else { return false };
        let names = ["stream_interval", "stream_slice"];
        cursor.is_client_side
            || cursor.is_data_feed
            || cursor.start_option.is_some()
            || self
                .retriever
                .requester
                .templates()
                .any(|template| names.iter().any(|name| template.uses(name)))
    }
}

pub(crate) const KINDS: [Kind<Stream>; 1] = [Kind { name: "DeclarativeStream", read }];

const RETRIEVERS: [Kind<Retriever>; 1] = [Kind { name: "SimpleRetriever", read: read_retriever }];

const DECODERS: [Kind<()>; 1] = [Kind { name: "JsonDecoder", read: read_decoder }];

fn read(component: &Component<'_>) -> Stream {
    component.check_fields(&Fields {
        read: &["name", "primary_key", "retriever", "schema_loader", "incremental_sync", "transformations"],
        // There is no state of another program that would have to be brought over.
        ignored: &["state_migrations", "description", "schema"],
        later: &[("file_uploader", "files")],
    });
    component.required("name");
    let stream = Stream {
        name: component.text("name"),
        primary_key: component.field("primary_key").map(|item| read_key(&item)).unwrap_or_default(),
        schema: component.child("schema_loader", Some("InlineSchemaLoader"), &schema_loader::KINDS).flatten(),
        retriever: component
            .required_child("retriever", Some("SimpleRetriever"), &RETRIEVERS)
            .unwrap_or_else(Retriever::faulty),
        cursor: component.child("incremental_sync", None, &cursor::KINDS),
        transformations: component.children("transformations", None, &transformation::KINDS),
    };
    if stream.cursor.is_some() && !stream.is_incremental() {
        component
            .item
            .note("nothing leaves out what earlier runs have read: each run reads the whole stream");
    }
    stream
}

/// A text, a list of texts, or a list of paths. A key within a record's values has no field of its own.
fn read_key(item: &Item<'_>) -> Vec<String> {
    if let Some(name) = item.scalar_text() {
        return vec![name];
    }
    let mut key = Vec::new();
    for part in item.items() {
        let path = match &part.value {
            Resolved::Sequence(_) => part.items().iter().filter_map(Item::scalar_text).collect(),
            _ => part.scalar_text().into_iter().collect::<Vec<String>>(),
        };
        match path.as_slice() {
            [name] => key.push(name.clone()),
            [] => part.expected("the name of a field"),
            _ => {
                part.note("a key within other values is ignored: the stream has no key");
                return Vec::new();
            }
        }
    }
    key
}

fn read_retriever(component: &Component<'_>) -> Retriever {
    component.check_fields(&Fields {
        read: &[
            "requester",
            "record_selector",
            "paginator",
            "decoder",
            "ignore_stream_slicer_parameters_on_paginated_requests",
        ],
        ignored: &["description"],
        later: &[
            ("partition_router", "partition routers"),
            ("stream_slicer", "partition routers"),
            ("pagination_reset", "pagination resets"),
        ],
    });
    component.child("decoder", Some("JsonDecoder"), &DECODERS);
    let faulty = Retriever::faulty;
    Retriever {
        requester: component
            .required_child("requester", Some("HttpRequester"), &requester::KINDS)
            .unwrap_or_else(|| faulty().requester),
        selector: component
            .required_child("record_selector", Some("RecordSelector"), &selector::KINDS)
            .unwrap_or_default(),
        paginator: component.child("paginator", Some("DefaultPaginator"), &paginator::KINDS).flatten(),
        slice_on_first_page_only: component.boolean("ignore_stream_slicer_parameters_on_paginated_requests"),
    }
}

fn read_decoder(component: &Component<'_>) {
    component.check_fields(&Fields::default());
}

impl Retriever {
    /// In place of one whose fault is reported; nobody ever sees it.
    fn faulty() -> Self {
        Self {
            requester: Requester::default(),
            selector: Selector::default(),
            paginator: None,
            slice_on_first_page_only: false,
        }
    }
}
