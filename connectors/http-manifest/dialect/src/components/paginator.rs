//! Finds the next page.

use super::request_option::{self, RequestOption, TokenOption};
use crate::{
    component::{Component, Fields, Kind},
    template::{Names, Template},
};

/// Finds the next page and asks for it.
#[derive(Debug)]
pub struct Paginator {
    /// How the next page is found.
    pub strategy: Strategy,
    /// Where the size of a page is put.
    pub page_size_option: Option<RequestOption>,
    /// Where the token of the next page is put.
    pub page_token_option: Option<TokenOption>,
}

/// How the next page is found.
#[derive(Debug)]
pub enum Strategy {
    /// Pages are numbered.
    Page {
        /// Records of a full page; a page with fewer is the last one.
        page_size: Option<Template>,
        /// The number of the first page.
        first: i64,
        /// Whether the first request says its number.
        inject_on_first_request: bool,
    },
    /// Pages begin at a record's number.
    Offset {
        /// Records of a full page; a page with fewer is the last one.
        page_size: Option<Template>,
        /// Whether the first request says its offset.
        inject_on_first_request: bool,
    },
    /// The answer says where the next page is.
    Cursor {
        /// The token of the next page; none: there is none.
        cursor_value: Template,
        /// Where it holds, there is no next page.
        stop_condition: Option<Template>,
        /// Records of a full page.
        page_size: Option<Template>,
    },
}

impl Strategy {
    /// Records of a full page.
    pub fn page_size(&self) -> Option<&Template> {
        match self {
            Self::Page { page_size, .. }
            | Self::Offset { page_size, .. }
            | Self::Cursor { page_size, .. } => page_size.as_ref(),
        }
    }
}

pub(crate) const KINDS: [Kind<Option<Paginator>>; 2] =
    [Kind { name: "DefaultPaginator", read }, Kind { name: "NoPagination", read: read_none }];

const STRATEGIES: [Kind<Strategy>; 3] = [
    Kind { name: "PageIncrement", read: read_page },
    Kind { name: "OffsetIncrement", read: read_offset },
    Kind { name: "CursorPagination", read: read_cursor },
];

fn read_none(component: &Component<'_>) -> Option<Paginator> {
    component.check_fields(&Fields::default());
    None
}

fn read(component: &Component<'_>) -> Option<Paginator> {
    component.check_fields(&Fields {
        read: &["pagination_strategy", "page_size_option", "page_token_option"],
        // Older manifests repeat the base URL here.
        ignored: &["url_base"],
        ..Fields::default()
    });
    let strategy = component.required_child("pagination_strategy", None, &STRATEGIES);
    let page_size_option =
        component.child("page_size_option", Some("RequestOption"), &request_option::KINDS).flatten();
    let page_token_option =
        component.child("page_token_option", Some("RequestOption"), &request_option::TOKEN_KINDS).flatten();
    let strategy = strategy?;
    if page_size_option.is_some() && strategy.page_size().is_none() {
        component.item.fault("has a `page_size_option`, but its strategy has no `page_size`");
    }
    Some(Paginator { strategy, page_size_option, page_token_option })
}

fn read_page(component: &Component<'_>) -> Strategy {
    component.check_fields(&Fields {
        read: &["page_size", "start_from_page", "inject_on_first_request"],
        ..Fields::default()
    });
    let first = component.field("start_from_page").map_or(0, |item| {
        let number = item.number().and_then(serde_json::Number::as_i64);
        number.unwrap_or_else(|| {
            item.expected("a whole number");
            0
        })
    });
    Strategy::Page {
        page_size: component.template("page_size", Names::CONFIG),
        first,
        inject_on_first_request: component.boolean("inject_on_first_request"),
    }
}

fn read_offset(component: &Component<'_>) -> Strategy {
    component.check_fields(&Fields { read: &["page_size", "inject_on_first_request"], ..Fields::default() });
    Strategy::Offset {
        page_size: component.template("page_size", Names::CONFIG),
        inject_on_first_request: component.boolean("inject_on_first_request"),
    }
}

fn read_cursor(component: &Component<'_>) -> Strategy {
    component.check_fields(&Fields {
        read: &["cursor_value", "stop_condition", "page_size"],
        ignored: &[],
        later: &[("decoder", "decoders other than JSON")],
    });
    Strategy::Cursor {
        cursor_value: component.required_template("cursor_value", Names::PAGE),
        stop_condition: component.template("stop_condition", Names::PAGE),
        page_size: component.template("page_size", Names::CONFIG),
    }
}
