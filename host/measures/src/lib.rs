//! What a server counts and measures of itself, for Prometheus.
//!
//! Each label has its values from a closed set: no name of an organization, a connector, a person or a path that somebody
//! asked for is ever one. Routes are the templates of the router, and even of those only so many are told apart. So a scrape
//! stays as small as it is, whoever asks for what.
//!
//! Two kinds of figures: what happens is counted where it happens ([`Measures`]), and what stands is read when somebody
//! wants to know ([`Standing`]).

mod labels;
mod measures;
mod names;
mod standing;

pub use labels::{Method, Outcome, Refused};
pub use measures::{Measures, Open, Rows};
pub use standing::{Events, Process, Queue, Standing, Storage, Workers};

/// What is served to Prometheus is OpenMetrics' text.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
