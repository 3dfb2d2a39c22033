//! Puts a request together out of templates and of values that are put into it.

use cofferdam_sdk::{Error, Result};
use form_urlencoded::Serializer;
use http_manifest_dialect::{
    Body, InjectInto, JsonTemplate, Method, Pairs, Query, RequestOption, Requester,
    template::{Scope, Template},
};
use serde_json::{Map, Value};

use crate::{failure, http::Call, url};

/// Values that are put into a request, and where.
#[derive(Default)]
pub(crate) struct Injected<'m> {
    /// In place of the path: a path or a whole URL.
    pub(crate) path: Option<String>,
    pub(crate) values: Vec<(&'m RequestOption, Value)>,
}

impl Injected<'_> {
    /// The values for one part of the request, each with its path of names.
    fn of(&self, place: InjectInto, scope: &Scope) -> Result<Vec<(Vec<String>, &Value)>> {
        let values = self.values.iter().filter(|(option, _)| option.inject_into == place);
        values
            .map(|(option, value)| {
                let path: Result<Vec<String>> = option.path.iter().map(|name| text(name, scope)).collect();
                Ok((path?, value))
            })
            .collect()
    }

    fn named(&self, place: InjectInto, scope: &Scope) -> Result<Vec<(String, String)>> {
        let values = self.of(place, scope)?;
        Ok(values.into_iter().map(|(path, value)| (path.concat(), shown(value))).collect())
    }
}

/// The request for one page.
pub(crate) fn build(requester: &Requester, scope: &Scope, injected: &Injected<'_>) -> Result<Call> {
    let mut headers = vec![("accept".to_owned(), "application/json".to_owned())];
    let own = pairs(&requester.headers, scope)?;
    for (name, value) in own.into_iter().chain(injected.named(InjectInto::Header, scope)?) {
        headers.retain(|(present, _)| !present.eq_ignore_ascii_case(&name));
        headers.push((name, value));
    }
    let mut body = None;
    if requester.method == Method::Post
        && let Some((kind, bytes)) = read_body(requester.body.as_ref(), scope, injected)?
    {
        let said = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        if let Some(kind) = kind.filter(|_| !said) {
            headers.push(("content-type".to_owned(), kind.to_owned()));
        }
        body = Some(bytes);
    }
    Ok(Call { method: requester.method.as_str(), url: read_url(requester, scope, injected)?, headers, body })
}

fn read_url(requester: &Requester, scope: &Scope, injected: &Injected<'_>) -> Result<String> {
    let base = text(&requester.url, scope)?;
    if base.is_empty() {
        let message = format!("the URL `{}` is empty with this configuration", requester.url.source());
        return Err(Error::config("", message));
    }
    let url = match (&injected.path, &requester.path) {
        (Some(token), _) => url::join(&base, token),
        (None, Some(path)) => url::join(&base, &text(path, scope)?),
        (None, None) => base,
    };
    let (mut parameters, raw) = match &requester.query {
        Query::Pairs(query) => (pairs(query, scope)?, None),
        Query::Text(query) => (Vec::new(), query.text(scope).map_err(failure::template)?),
    };
    for (name, value) in injected.named(InjectInto::RequestParameter, scope)? {
        parameters.retain(|(present, _)| *present != name);
        parameters.push((name, value));
    }
    Ok(url::with_query(&url, &parameters, raw.as_deref()))
}

type Content = (Option<&'static str>, Vec<u8>);

fn read_body(body: Option<&Body>, scope: &Scope, injected: &Injected<'_>) -> Result<Option<Content>> {
    let members = injected.of(InjectInto::BodyJson, scope)?;
    let fields = injected.named(InjectInto::BodyData, scope)?;
    match body {
        None if members.is_empty() && fields.is_empty() => Ok(None),
        Some(Body::Json(template)) if fields.is_empty() => {
            let value = json(template, scope)?.unwrap_or(Value::Null);
            json_content(value, &members).map(Some)
        }
        None if fields.is_empty() => json_content(Value::Object(Map::new()), &members).map(Some),
        Some(Body::Form(own)) if members.is_empty() => Ok(Some(form_content(pairs(own, scope)?, fields))),
        None if members.is_empty() => Ok(Some(form_content(Vec::new(), fields))),
        Some(Body::Text(template)) if members.is_empty() && fields.is_empty() => {
            Ok(Some((None, text(template, scope)?.into_bytes())))
        }
        _ => Err(Error::config("", "values are put into the body in a form that the body does not have")),
    }
}

fn form_content(own: Vec<(String, String)>, fields: Vec<(String, String)>) -> Content {
    let form = Serializer::new(String::new()).extend_pairs(own.into_iter().chain(fields)).finish();
    (Some("application/x-www-form-urlencoded"), form.into_bytes())
}

fn json_content(mut value: Value, members: &[(Vec<String>, &Value)]) -> Result<Content> {
    for (path, member) in members {
        let place = path.iter().try_fold(&mut value, |place, name| {
            let members = match place {
                Value::Object(members) => members,
                Value::Null => {
                    *place = Value::Object(Map::new());
                    place.as_object_mut()?
                }
                _ => return None,
            };
            Some(members.entry(name.as_str()).or_insert(Value::Null))
        });
        let message = || format!("nothing can be put at `{}` of the body", path.join("/"));
        *place.ok_or_else(|| Error::config("", message()))? = (*member).clone();
    }
    let bytes = serde_json::to_vec(&value).map_err(|fault| Error::bug(format!("a body: {fault}")))?;
    Ok((Some("application/json"), bytes))
}

/// Names and values; a value that is none is left out, each of a list stands for itself.
fn pairs(pairs: &Pairs, scope: &Scope) -> Result<Vec<(String, String)>> {
    let mut written = Vec::new();
    for (name, value) in &pairs.0 {
        let name = text(name, scope)?;
        for value in value.texts(scope).map_err(failure::template)? {
            written.push((name.clone(), value));
        }
    }
    Ok(written)
}

/// The value; none is left out of objects and of lists.
fn json(template: &JsonTemplate, scope: &Scope) -> Result<Option<Value>> {
    Ok(match template {
        JsonTemplate::Value(value) => Some(value.clone()),
        JsonTemplate::Template(template) => template.value(scope).map_err(failure::template)?,
        JsonTemplate::Array(items) => {
            let items: Result<Vec<Option<Value>>> = items.iter().map(|item| json(item, scope)).collect();
            Some(Value::Array(items?.into_iter().flatten().collect()))
        }
        JsonTemplate::Object(members) => {
            let mut object = Map::new();
            for (name, member) in members {
                if let Some(value) = json(member, scope)? {
                    object.insert(text(name, scope)?, value);
                }
            }
            Some(Value::Object(object))
        }
    })
}

pub(crate) fn text(template: &Template, scope: &Scope) -> Result<String> {
    Ok(template.text(scope).map_err(failure::template)?.unwrap_or_default())
}

/// A value as it stands in a query, a header or a form.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        other => other.to_string(),
    }
}
