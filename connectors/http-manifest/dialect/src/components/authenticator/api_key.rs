//! A key in a header or in the query.

use super::{Authenticator, Source, literal, required_source};
use crate::component::{Component, Fields};
use crate::components::request_option::{self, InjectInto, RequestOption};

/// A key in a header or in the query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Where it comes from.
    pub key: Source,
    /// Where it is put.
    pub place: ApiKeyPlace,
}

/// Where a key is put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApiKeyPlace {
    /// Into this header.
    Header(String),
    /// Into this parameter of the query.
    Parameter(String),
}

pub(super) fn read(component: &Component<'_>) -> Option<Authenticator> {
    component.check_fields(&Fields { read: &["api_token", "header", "inject_into"], ..Fields::default() });
    let key = required_source(component, "api_token");
    let header = component.field("header");
    let option = component.child("inject_into", Some("RequestOption"), &request_option::KINDS);
    let place = match (header, option) {
        (Some(_), Some(_)) => {
            component.item.fault("has both `header` and `inject_into`");
            None
        }
        (Some(header), None) => literal(&header).map(ApiKeyPlace::Header),
        (None, Some(option)) => option.and_then(|option| place(component, &option)),
        (None, None) => {
            component.item.fault("has neither `header` nor `inject_into`");
            None
        }
    };
    Some(Authenticator::ApiKey(ApiKey { key: key?, place: place? }))
}

fn place(component: &Component<'_>, option: &RequestOption) -> Option<ApiKeyPlace> {
    let name = option.path.first().map(|name| name.source().to_owned()).unwrap_or_default();
    if name.contains("{{") || name.contains("{%") {
        component
            .item
            .fault("has a place that depends on the configuration, of which the host is told before");
        return None;
    }
    match option.inject_into {
        InjectInto::Header => Some(ApiKeyPlace::Header(name)),
        InjectInto::RequestParameter => Some(ApiKeyPlace::Parameter(name)),
        InjectInto::BodyData | InjectInto::BodyJson => {
            component
                .item
                .fault("puts a key into the body: the host puts credentials into headers and queries");
            None
        }
    }
}
