//! Makes requests.

pub use super::body::{Body, JsonTemplate};
use super::{
    authenticator::{self, Authenticator},
    body,
    error_handler::{self, ErrorHandler},
};
use crate::{
    component::{Component, Fields, Kind},
    document::Resolved,
    item::Item,
    template::{Names, Template},
    words::quoted,
};

/// Makes requests.
#[derive(Debug, Default)]
pub struct Requester {
    /// The URL, or the beginning of it.
    pub url: Template,
    /// What follows, or a URL of its own.
    pub path: Option<Template>,
    /// The method.
    pub method: Method,
    /// The query.
    pub query: Query,
    /// Headers.
    pub headers: Pairs,
    /// The body.
    pub body: Option<Body>,
    /// The kind of credential that the host is to place.
    pub authenticator: Option<Authenticator>,
    /// What answers mean.
    pub error_handler: ErrorHandler,
}

/// The method of a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Method {
    /// GET, without a body.
    #[default]
    Get,
    /// POST.
    Post,
}

impl Method {
    /// As it is sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// Names and values, both templates.
#[derive(Debug, Default)]
pub struct Pairs(pub Vec<(Template, Template)>);

/// The query of a request.
#[derive(Debug)]
pub enum Query {
    /// Parameters that are encoded here.
    Pairs(Pairs),
    /// A query that is encoded already.
    Text(Template),
}

impl Default for Query {
    fn default() -> Self {
        Self::Pairs(Pairs::default())
    }
}

impl Pairs {
    pub(super) fn templates(&self) -> impl Iterator<Item = &Template> {
        self.0.iter().flat_map(|(name, value)| [name, value])
    }

    pub(super) fn read(component: &Component<'_>, item: &Item<'_>) -> Self {
        let pairs = item.entries().into_iter().map(|(name, value)| {
            let name = component.template_named(&name, &value, Names::REQUEST);
            (name, component.template_of(&value, Names::REQUEST))
        });
        Self(pairs.collect())
    }
}

impl Requester {
    /// Every template of a request.
    pub fn templates(&self) -> impl Iterator<Item = &Template> {
        let query: Box<dyn Iterator<Item = &Template>> = match &self.query {
            Query::Pairs(pairs) => Box::new(pairs.templates()),
            Query::Text(template) => Box::new(std::iter::once(template)),
        };
        let body = self.body.as_ref().map(Body::templates).unwrap_or_default();
        std::iter::once(&self.url).chain(&self.path).chain(query).chain(self.headers.templates()).chain(body)
    }
}

pub(crate) const KINDS: [Kind<Requester>; 1] = [Kind { name: "HttpRequester", read }];

const FIELDS: Fields = Fields {
    read: &[
        "url",
        "url_base",
        "path",
        "http_method",
        "request_parameters",
        "request_headers",
        "request_body",
        "request_body_json",
        "request_body_data",
        "authenticator",
        "error_handler",
    ],
    // A cache would save requests of parent streams, which need partition routers.
    ignored: &["use_cache", "name"],
    later: &[
        ("fetch_properties_from_endpoint", "query properties"),
        ("query_properties", "query properties"),
    ],
};

fn read(component: &Component<'_>) -> Requester {
    component.check_fields(&FIELDS);
    let url = component.template("url", Names::REQUEST);
    let base = component.template("url_base", Names::REQUEST);
    if url.is_none() && base.is_none() {
        component.item.fault("`url_base` is missing");
    }
    let method = read_method(component);
    let body = body::read(component);
    if body.is_some() && method == Method::Get {
        component.item.note("a GET request has no body: it is left out");
    }
    Requester {
        url: url.or(base).unwrap_or_default(),
        path: component.template("path", Names::REQUEST),
        method,
        query: component.field("request_parameters").map(|item| query(component, &item)).unwrap_or_default(),
        headers: component
            .field("request_headers")
            .map(|item| Pairs::read(component, &item))
            .unwrap_or_default(),
        body: body.filter(|_| method == Method::Post),
        authenticator: component.child("authenticator", None, &authenticator::KINDS).flatten(),
        error_handler: component
            .child("error_handler", Some("DefaultErrorHandler"), &error_handler::KINDS)
            .unwrap_or_default(),
    }
}

fn read_method(component: &Component<'_>) -> Method {
    let Some(item) = component.field("http_method") else { return Method::Get };
    let name = item.scalar_text().unwrap_or_default();
    match name.to_ascii_uppercase().as_str() {
        "GET" => Method::Get,
        "POST" => Method::Post,
        _ => {
            item.fault(format!("the method {} is neither `GET` nor `POST`", quoted(&name)));
            Method::Get
        }
    }
}

fn query(component: &Component<'_>, item: &Item<'_>) -> Query {
    match &item.value {
        Resolved::Mapping(_) => Query::Pairs(Pairs::read(component, item)),
        _ => Query::Text(component.template_of(item, Names::REQUEST)),
    }
}
