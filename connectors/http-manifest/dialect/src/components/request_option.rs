//! Where in a request a value is put.

use crate::{
    component::{Component, Fields, Kind},
    template::{Names, Template},
    words::{did_you_mean, quoted},
};

/// Where in a request a value is put, and under which name.
#[derive(Debug, Clone)]
pub struct RequestOption {
    /// The part of the request.
    pub inject_into: InjectInto,
    /// The name; several lead into an object of a JSON body.
    pub path: Vec<Template>,
}

/// A part of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InjectInto {
    /// The query.
    RequestParameter,
    /// A header.
    Header,
    /// A form in the body.
    BodyData,
    /// JSON in the body.
    BodyJson,
}

/// Where the token of a page is put.
#[derive(Debug, Clone)]
pub enum TokenOption {
    /// It is the path, or the whole URL.
    Path,
    /// Somewhere in the request.
    Option(RequestOption),
}

const PLACES: [(&str, InjectInto); 4] = [
    ("request_parameter", InjectInto::RequestParameter),
    ("header", InjectInto::Header),
    ("body_data", InjectInto::BodyData),
    ("body_json", InjectInto::BodyJson),
];

pub(crate) const KINDS: [Kind<Option<RequestOption>>; 1] = [Kind { name: "RequestOption", read }];

pub(crate) const TOKEN_KINDS: [Kind<Option<TokenOption>>; 2] =
    [Kind { name: "RequestOption", read: read_token }, Kind { name: "RequestPath", read: read_path }];

fn read_path(component: &Component<'_>) -> Option<TokenOption> {
    component.check_fields(&Fields::default());
    Some(TokenOption::Path)
}

/// Older manifests say `inject_into: path` for what is a `RequestPath` today.
fn read_token(component: &Component<'_>) -> Option<TokenOption> {
    if component.text("inject_into") == "path" {
        return Some(TokenOption::Path);
    }
    read(component).map(TokenOption::Option)
}

fn read(component: &Component<'_>) -> Option<RequestOption> {
    component
        .check_fields(&Fields { read: &["inject_into", "field_name", "field_path"], ..Fields::default() });
    let place = component.required("inject_into")?;
    let name = component.text("inject_into");
    let Some((_, inject_into)) = PLACES.iter().find(|(known, _)| *known == name) else {
        let hint = did_you_mean(&name, PLACES.map(|(known, _)| known));
        place.fault_with(format!("nothing can be put into {}", quoted(&name)), hint);
        return None;
    };
    let field_name = component.template("field_name", Names::CONFIG);
    let field_path = component.templates("field_path", Names::CONFIG);
    match (field_name, field_path.is_empty()) {
        (Some(_), false) => component.item.fault("has both `field_name` and `field_path`"),
        (None, true) => component.item.fault("has neither `field_name` nor `field_path`"),
        (None, false) if *inject_into != InjectInto::BodyJson => {
            component.item.fault("`field_path` goes with `body_json` only");
        }
        (Some(name), true) => return Some(RequestOption { inject_into: *inject_into, path: vec![name] }),
        (None, false) => return Some(RequestOption { inject_into: *inject_into, path: field_path }),
    }
    None
}
