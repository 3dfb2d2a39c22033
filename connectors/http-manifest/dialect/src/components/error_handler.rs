//! What answers mean that are no plain success. Nothing is retried here: whether and when is the host's to say, which
//! is told what the answer asked for.

use crate::{
    component::{Component, Fields, Kind},
    item::Item,
    template::{Names, Template},
    words::{did_you_mean, quoted},
};

/// What answers mean.
#[derive(Debug, Default)]
pub struct ErrorHandler {
    /// The first that matches decides; where none does, the status does.
    pub filters: Vec<ResponseFilter>,
    /// How long the API wants to be left alone; the first that says something counts.
    pub backoffs: Vec<Backoff>,
}

/// Matches some answers. An answer matches by any of the three.
#[derive(Debug)]
pub struct ResponseFilter {
    /// Statuses.
    pub statuses: Vec<u16>,
    /// A part of the answer's error message.
    pub message_part: Option<String>,
    /// Holds.
    pub predicate: Option<Template>,
    /// What the answer means; none: what its status means.
    pub action: Option<Action>,
    /// Whose fault a failure is.
    pub failure: Option<FailureType>,
    /// What to tell people.
    pub message: Option<Template>,
}

/// What an answer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It is as good as a success.
    Success,
    /// It ends the read.
    Fail,
    /// It may be better later.
    Retry,
    /// It has no records, and the slice ends.
    Ignore,
    /// Fewer calls are asked for.
    RateLimited,
}

/// Whose fault a failure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureType {
    /// The system's.
    System,
    /// The configuration's.
    Config,
    /// Nobody's for long.
    Transient,
}

/// How long the API wants to be left alone.
#[derive(Debug)]
pub enum Backoff {
    /// So many seconds.
    Seconds(Template),
    /// As many seconds as the header says.
    HeaderSeconds(Template),
    /// Until the time that the header says, in seconds since 1970.
    HeaderTime(Template),
}

const ACTIONS: [(&str, Action); 5] = [
    ("SUCCESS", Action::Success),
    ("FAIL", Action::Fail),
    ("RETRY", Action::Retry),
    ("IGNORE", Action::Ignore),
    ("RATE_LIMITED", Action::RateLimited),
];

const FAILURES: [(&str, FailureType); 3] = [
    ("system_error", FailureType::System),
    ("config_error", FailureType::Config),
    ("transient_error", FailureType::Transient),
];

pub(crate) const KINDS: [Kind<ErrorHandler>; 1] = [Kind { name: "DefaultErrorHandler", read }];

const FILTERS: [Kind<ResponseFilter>; 1] = [Kind { name: "HttpResponseFilter", read: read_filter }];

const BACKOFFS: [Kind<Option<Backoff>>; 4] = [
    Kind { name: "ConstantBackoffStrategy", read: read_constant },
    Kind { name: "ExponentialBackoffStrategy", read: read_exponential },
    Kind { name: "WaitTimeFromHeader", read: read_wait_time },
    Kind { name: "WaitUntilTimeFromHeader", read: read_wait_until },
];

fn read(component: &Component<'_>) -> ErrorHandler {
    component.check_fields(&Fields {
        read: &["response_filters", "backoff_strategies"],
        // How often is tried again is the host's to say.
        ignored: &["max_retries", "description"],
        ..Fields::default()
    });
    ErrorHandler {
        filters: component.children("response_filters", Some("HttpResponseFilter"), &FILTERS),
        backoffs: component.children("backoff_strategies", None, &BACKOFFS).into_iter().flatten().collect(),
    }
}

fn read_filter(component: &Component<'_>) -> ResponseFilter {
    component.check_fields(&Fields {
        read: &[
            "action",
            "failure_type",
            "error_message",
            "error_message_contains",
            "http_codes",
            "predicate",
        ],
        ..Fields::default()
    });
    let codes = component.field("http_codes").map(|item| item.items()).unwrap_or_default();
    ResponseFilter {
        statuses: codes.iter().filter_map(status).collect(),
        message_part: Some(component.text("error_message_contains")).filter(|part| !part.is_empty()),
        predicate: component.template("predicate", Names::ANSWER),
        action: component.field("action").and_then(|item| choice(&item, &ACTIONS)),
        failure: component.field("failure_type").and_then(|item| choice(&item, &FAILURES)),
        message: component.template("error_message", Names::ANSWER),
    }
}

fn status(item: &Item<'_>) -> Option<u16> {
    let status = item.scalar_text().and_then(|text| text.parse().ok());
    if status.is_none() {
        item.expected("the status of an answer, such as `404`");
    }
    status
}

fn choice<T: Copy>(item: &Item<'_>, choices: &[(&'static str, T)]) -> Option<T> {
    let name = item.scalar_text().unwrap_or_default();
    let found = choices.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
    match (found, name.as_str()) {
        (None, "RESET_PAGINATION" | "REFRESH_TOKEN_THEN_RETRY") => {
            item.fault(format!("{} is not supported yet (answers that start over)", quoted(&name)));
        }
        (None, _) => {
            let hint = did_you_mean(&name, choices.iter().map(|(known, _)| *known));
            item.fault_with(format!("{} is not known here", quoted(&name)), hint);
        }
        _ => {}
    }
    found
}

fn read_constant(component: &Component<'_>) -> Option<Backoff> {
    component.check_fields(&Fields { read: &["backoff_time_in_seconds"], ..Fields::default() });
    Some(Backoff::Seconds(component.required_template("backoff_time_in_seconds", Names::CONFIG)))
}

/// The host backs off exponentially by itself.
fn read_exponential(component: &Component<'_>) -> Option<Backoff> {
    component.check_fields(&Fields { ignored: &["factor"], ..Fields::default() });
    None
}

fn read_wait_time(component: &Component<'_>) -> Option<Backoff> {
    component.check_fields(&Fields {
        read: &["header"],
        ignored: &["max_waiting_time_in_seconds"],
        later: &[("regex", "regular expressions in headers")],
    });
    Some(Backoff::HeaderSeconds(component.required_template("header", Names::CONFIG)))
}

fn read_wait_until(component: &Component<'_>) -> Option<Backoff> {
    component.check_fields(&Fields {
        read: &["header"],
        ignored: &["min_wait"],
        later: &[("regex", "regular expressions in headers")],
    });
    Some(Backoff::HeaderTime(component.required_template("header", Names::CONFIG)))
}
