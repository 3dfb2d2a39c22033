//! How requests are authenticated. A credential is placed by the host and never read here, so that an authenticator is
//! known by its kind and its place alone.

use super::request_option::{self, RequestOption};
use crate::{
    component::{Component, Fields, Kind},
    template::{Names, Template},
};

/// A kind of credential and its place in a request.
#[derive(Debug, Clone)]
pub enum Authenticator {
    /// `Authorization: Bearer …`
    Bearer,
    /// A key in this place.
    ApiKey(ApiKeyPlace),
}

/// Where a key is put.
#[derive(Debug, Clone)]
pub enum ApiKeyPlace {
    /// Into this header.
    Header(Template),
    /// Where the option says.
    Option(RequestOption),
}

pub(crate) const KINDS: [Kind<Option<Authenticator>>; 3] = [
    Kind { name: "NoAuth", read: read_none },
    Kind { name: "ApiKeyAuthenticator", read: read_api_key },
    Kind { name: "BearerAuthenticator", read: read_bearer },
];

fn read_none(component: &Component<'_>) -> Option<Authenticator> {
    component.check_fields(&Fields::default());
    None
}

fn read_bearer(component: &Component<'_>) -> Option<Authenticator> {
    component.check_fields(&Fields { read: &["api_token"], ..Fields::default() });
    component.required("api_token");
    unused(component);
    Some(Authenticator::Bearer)
}

fn read_api_key(component: &Component<'_>) -> Option<Authenticator> {
    component.check_fields(&Fields { read: &["api_token", "header", "inject_into"], ..Fields::default() });
    unused(component);
    let header = component.template("header", Names::CONFIG);
    let option = component.child("inject_into", Some("RequestOption"), &request_option::KINDS).flatten();
    match (header, option) {
        (Some(_), Some(_)) => component.item.fault("has both `header` and `inject_into`"),
        (Some(header), None) => return Some(Authenticator::ApiKey(ApiKeyPlace::Header(header))),
        (None, Some(option)) => return Some(Authenticator::ApiKey(ApiKeyPlace::Option(option))),
        (None, None) => component.item.fault("has neither `header` nor `inject_into`"),
    }
    None
}

fn unused(component: &Component<'_>) {
    component.item.note("requests are sent without this credential until the host places credentials");
}
