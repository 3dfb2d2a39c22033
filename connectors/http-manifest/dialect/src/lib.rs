//! Reads low-code manifests in the dialect of declarative connectors: YAML with places, references and parameters,
//! typed components, templates, dates and durations.
//!
//! Nothing here reads or sends anything: what a [`Manifest`] describes is done by whoever holds it. Each family of
//! components has a file of its own in `components`; what the dialect has and this crate has not yet stands in
//! `registry`, so that a manifest that needs it is told so.

mod component;
mod components;
mod document;
mod fault;
mod item;
mod registry;
pub mod template;
pub mod time;
mod words;
mod yaml;

pub use components::{
    authenticator::{
        ApiKey, ApiKeyPlace, Authenticator, Basic, Grant, Host, Jwt, OAuth, Selective, Setting,
        Source as ValueSource,
    },
    cursor::{Cursor, Datetime},
    error_handler::{Action, Backoff, ErrorHandler, FailureType, ResponseFilter},
    paginator::{Paginator, Strategy},
    request_option::{InjectInto, RequestOption, TokenOption},
    requester::{Body, JsonTemplate, Method, Pairs, Query, Requester},
    selector::{Segment, Selector},
    source::Manifest,
    spec::Spec,
    stream::{Retriever, Stream},
    transformation::{AddedField, Transformation},
};
pub use fault::{Fault, Faults, Place};

/// The key of the configuration under which the host puts the manifest that a connector is packaged with.
pub const PROGRAM_KEY: &str = "$program";
