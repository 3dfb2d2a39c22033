//! How a stream goes on from where it was: by a date in its records.

use super::request_option::{self, RequestOption};
use crate::{
    component::{Component, Fields, Kind},
    document::Resolved,
    item::Item,
    template::{Names, Template},
    time,
};

/// A cursor over a date.
#[derive(Debug)]
pub struct Cursor {
    /// The field of a record with its date.
    pub field: Template,
    /// The formats in which records write it.
    pub record_formats: Vec<String>,
    /// The format in which requests write it.
    pub request_format: String,
    /// Where the first run begins.
    pub start: Datetime,
    /// Where each run ends; none: now.
    pub end: Option<Datetime>,
    /// How long a slice is, as ISO 8601 duration; none: there is one slice.
    pub step: Option<Template>,
    /// The smallest difference of two dates: a slice ends so much before the next one begins.
    pub granularity: Option<time::Duration>,
    /// How far before the cursor a run begins, as ISO 8601 duration.
    pub lookback: Option<Template>,
    /// Where the beginning of a slice is put.
    pub start_option: Option<RequestOption>,
    /// Where the end of a slice is put.
    pub end_option: Option<RequestOption>,
    /// The name of the beginning in templates' `stream_interval`.
    pub start_name: Template,
    /// The name of the end there.
    pub end_name: Template,
    /// Whether records before the slice are left out here, since the API does not.
    pub is_client_side: bool,
    /// Whether the API gives the newest records first and pages are read until an old one comes.
    pub is_data_feed: bool,
    /// Whether a slice that ends where it begins is left out.
    pub is_compare_strictly: bool,
}

/// A date of the configuration.
#[derive(Debug)]
pub struct Datetime {
    /// The date.
    pub value: Template,
    /// Its format; none: that of requests.
    pub format: Option<String>,
    /// The earliest that it may be.
    pub earliest: Option<Template>,
    /// The latest that it may be.
    pub latest: Option<Template>,
}

pub(crate) const KINDS: [Kind<Cursor>; 1] = [Kind { name: "DatetimeBasedCursor", read }];

const DATETIMES: [Kind<Datetime>; 1] = [Kind { name: "MinMaxDatetime", read: read_datetime }];

const FIELDS: Fields = Fields {
    read: &[
        "cursor_field",
        "cursor_datetime_formats",
        "datetime_format",
        "start_datetime",
        "end_datetime",
        "step",
        "cursor_granularity",
        "lookback_window",
        "start_time_option",
        "end_time_option",
        "partition_field_start",
        "partition_field_end",
        "is_client_side_incremental",
        "is_data_feed",
        "is_compare_strictly",
    ],
    // Both only matter with partitions or with settings that we do not have.
    ignored: &["global_substream_cursor", "allow_catalog_defined_cursor_field"],
    later: &[("clamping", "clamping of slices"), ("api_retention_period", "retention periods")],
};

fn read(component: &Component<'_>) -> Cursor {
    component.check_fields(&FIELDS);
    component.required("datetime_format");
    let request_format = component.text("datetime_format");
    if let Some(item) = component.field("datetime_format") {
        check_format(&item);
    }
    let listed = component.field("cursor_datetime_formats").map(|item| item.items()).unwrap_or_default();
    listed.iter().for_each(check_format);
    let mut record_formats: Vec<String> = listed.iter().filter_map(Item::scalar_text).collect();
    if record_formats.is_empty() {
        record_formats.push(request_format.clone());
    }
    let step = component.template("step", Names::CONFIG);
    let granularity = component.field("cursor_granularity").and_then(|item| duration(&item));
    if step.is_some() != component.field("cursor_granularity").is_some() {
        component.item.fault("`step` and `cursor_granularity` go together");
    }
    let option = |name| component.child(name, Some("RequestOption"), &request_option::KINDS).flatten();
    Cursor {
        field: component.required_template("cursor_field", Names::CONFIG),
        record_formats,
        request_format,
        start: component
            .required("start_datetime")
            .and_then(|item| datetime(component, &item))
            .unwrap_or_else(Datetime::faulty),
        end: component.field("end_datetime").and_then(|item| datetime(component, &item)),
        step,
        granularity,
        lookback: component.template("lookback_window", Names::CONFIG),
        start_option: option("start_time_option"),
        end_option: option("end_time_option"),
        start_name: name(component, "partition_field_start", "start_time"),
        end_name: name(component, "partition_field_end", "end_time"),
        is_client_side: component.boolean("is_client_side_incremental"),
        is_data_feed: component.boolean("is_data_feed"),
        is_compare_strictly: component.boolean("is_compare_strictly"),
    }
}

fn name(component: &Component<'_>, field: &str, default: &str) -> Template {
    component.template(field, Names::CONFIG).unwrap_or_else(|| Template::plain(default))
}

/// A text, or a `MinMaxDatetime`.
fn datetime(component: &Component<'_>, item: &Item<'_>) -> Option<Datetime> {
    match &item.value {
        Resolved::Mapping(_) => item.one_of(Some("MinMaxDatetime"), &DATETIMES),
        _ => {
            let value = component.template_of(item, Names::CONFIG);
            Some(Datetime { value, format: None, earliest: None, latest: None })
        }
    }
}

fn read_datetime(component: &Component<'_>) -> Datetime {
    component.check_fields(&Fields {
        read: &["datetime", "datetime_format", "min_datetime", "max_datetime"],
        ..Fields::default()
    });
    let format = component.field("datetime_format");
    if let Some(item) = &format {
        check_format(item);
    }
    Datetime {
        value: component.required_template("datetime", Names::CONFIG),
        format: format.and_then(|item| item.scalar_text()),
        earliest: component.template("min_datetime", Names::CONFIG),
        latest: component.template("max_datetime", Names::CONFIG),
    }
}

fn check_format(item: &Item<'_>) {
    match item.scalar_text() {
        None => item.expected("a format such as `%Y-%m-%d`"),
        Some(format) => {
            if let Err(error) = time::check_format(&format) {
                item.fault(error.to_string());
            }
        }
    }
}

fn duration(item: &Item<'_>) -> Option<time::Duration> {
    let parsed = time::Duration::parse(&item.scalar_text().unwrap_or_default());
    parsed.map_err(|error| item.fault(error.to_string())).ok()
}

impl Datetime {
    fn faulty() -> Self {
        Self { value: Template::default(), format: None, earliest: None, latest: None }
    }
}
