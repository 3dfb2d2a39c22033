//! What a request carries in its body.

use serde_json::Value as Json;

use super::requester::Pairs;
use crate::{
    component::{Component, Fields, Kind},
    document::Resolved,
    item::Item,
    template::{Names, Template},
    yaml::Value,
};

/// A body.
#[derive(Debug)]
pub enum Body {
    /// JSON.
    Json(JsonTemplate),
    /// A form.
    Form(Pairs),
    /// Text as it is.
    Text(Template),
}

/// JSON with templates in it.
#[derive(Debug)]
pub enum JsonTemplate {
    /// A value as it is.
    Value(Json),
    /// A value that is evaluated; none is left out of an object.
    Template(Template),
    /// A list.
    Array(Vec<Self>),
    /// An object; its keys may be templates too.
    Object(Vec<(Template, Self)>),
}

impl Body {
    /// Every template in it.
    pub(super) fn templates(&self) -> Vec<&Template> {
        match self {
            Self::Json(json) => json.templates(),
            Self::Form(pairs) => pairs.templates().collect(),
            Self::Text(template) => vec![template],
        }
    }
}

impl JsonTemplate {
    fn templates(&self) -> Vec<&Template> {
        match self {
            Self::Value(_) => Vec::new(),
            Self::Template(template) => vec![template],
            Self::Array(items) => items.iter().flat_map(Self::templates).collect(),
            Self::Object(members) => members
                .iter()
                .flat_map(|(name, member)| std::iter::once(name).chain(member.templates()))
                .collect(),
        }
    }
}

const KINDS: [Kind<Option<Body>>; 4] = [
    Kind { name: "RequestBodyPlainText", read: read_text },
    Kind { name: "RequestBodyUrlEncodedForm", read: read_form },
    Kind { name: "RequestBodyJsonObject", read: read_json },
    Kind { name: "RequestBodyGraphQL", read: read_json },
];

/// The body of a requester, which may be said in three fields.
pub(super) fn read(requester: &Component<'_>) -> Option<Body> {
    let bodies = [
        requester.child("request_body", None, &KINDS).flatten(),
        requester.field("request_body_json").map(|item| Body::Json(json(requester, &item))),
        requester.field("request_body_data").map(|item| data(requester, &item)),
    ];
    let mut bodies = bodies.into_iter().flatten();
    let body = bodies.next();
    if bodies.next().is_some() {
        requester.item.fault("has more than one body");
    }
    body
}

fn read_text(component: &Component<'_>) -> Option<Body> {
    component.check_fields(&VALUE);
    Some(Body::Text(component.required_template("value", Names::REQUEST)))
}

fn read_form(component: &Component<'_>) -> Option<Body> {
    component.check_fields(&VALUE);
    component.required("value").map(|item| data(component, &item))
}

fn read_json(component: &Component<'_>) -> Option<Body> {
    component.check_fields(&VALUE);
    component.required("value").map(|item| Body::Json(json(component, &item)))
}

const VALUE: Fields = Fields { read: &["value"], ignored: &[], later: &[] };

fn data(component: &Component<'_>, item: &Item<'_>) -> Body {
    match &item.value {
        Resolved::Mapping(_) => Body::Form(Pairs::read(component, item)),
        _ => Body::Text(component.template_of(item, Names::REQUEST)),
    }
}

fn json(component: &Component<'_>, item: &Item<'_>) -> JsonTemplate {
    match &item.value {
        Resolved::Scalar(Value::Text(_)) => {
            JsonTemplate::Template(component.template_of(item, Names::REQUEST))
        }
        Resolved::Sequence(_) => {
            JsonTemplate::Array(item.items().iter().map(|item| json(component, item)).collect())
        }
        Resolved::Mapping(_) => {
            let entries = item.entries();
            let member = |(key, item): &(String, Item<'_>)| {
                (component.template_named(key, item, Names::REQUEST), json(component, item))
            };
            JsonTemplate::Object(entries.iter().map(member).collect())
        }
        Resolved::Broken | Resolved::Scalar(_) => JsonTemplate::Value(item.json()),
    }
}
