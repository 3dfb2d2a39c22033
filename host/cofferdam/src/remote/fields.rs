//! The fields of a credential of a connection: the server says which there are, a person gives them.

use http::Method;
use serde_json::{Map, Value};

use super::Error;
use super::client::{Client, Wish};
use super::fill::{Names, path};
use crate::arguments::Given;
use crate::connect::{Entry, entered as entered_here};
use crate::output::Output;
use crate::problem::Problems;

const CONNECTION: &str = "/v1/organizations/{organization}/connections/{connection}";

/// What was said, and what is typed where nothing was.
pub(super) async fn entered(
    client: &Client,
    names: &Names,
    given: &Given,
    output: &Output,
) -> Result<Value, Problems> {
    let connection = client.document(&Wish::new(Method::GET, path(CONNECTION, names))).await?;
    let asks = connection.pointer("/asks/credentials").and_then(Value::as_array);
    let wanted = names.get("ask").map(String::as_str).unwrap_or_default();
    let name = |ask: &Value| ask.get("name").and_then(Value::as_str).map(ToOwned::to_owned);
    let asks: Vec<&Value> = asks.into_iter().flatten().collect();
    let Some(ask) = asks.iter().find(|ask| name(ask).is_some_and(|name| name == wanted)) else {
        let known = asks.iter().filter_map(|ask| Some(format!("`{}`", name(ask)?))).collect();
        return Err(Error::WhichOne { what: "credential", said: Some(wanted.to_owned()), known }.into());
    };
    let fields = ask.get("fields").and_then(Value::as_array);
    let entries: Vec<Entry<'_>> = fields.into_iter().flatten().filter_map(entry).collect();
    let fields = entered_here(wanted, &entries, given, output)?;
    let mut body: Map<String, Value> =
        fields.public.into_iter().map(|(name, text)| (name, text.into())).collect();
    for (name, value) in fields.secret {
        let text = std::str::from_utf8(value.expose()).map_err(|_| Error::NoText { what: "a field" })?;
        body.insert(name, text.into());
    }
    Ok(Value::Object(body))
}

fn entry(field: &Value) -> Option<Entry<'_>> {
    let is = |name| field.get(name).and_then(Value::as_bool);
    Some(Entry { name: field.get("name")?.as_str()?, is_secret: is("secret")?, is_optional: is("optional")? })
}
