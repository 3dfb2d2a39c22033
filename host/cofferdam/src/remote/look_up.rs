//! People say names; the API has ids.

use http::Method;
use serde_json::Value;

use super::client::{Client, Wish};
use super::{Error, paged};
use crate::problem::Problems;

/// The id of what is called so, or of the only one that there is. A name that two have is nobody's.
pub(super) async fn id(
    client: &Client,
    list: &str,
    said: Option<&str>,
    what: &'static str,
) -> Result<String, Problems> {
    let shown = paged::all(client, &Wish::new(Method::GET, list)).await?;
    let named = |one: &Value| {
        let text = |name| one.get(name).and_then(Value::as_str).map(ToOwned::to_owned);
        // A connector is called by the digest of its component.
        Some((text("id").or_else(|| text("digest"))?, text("name")?))
    };
    let all: Vec<(String, String)> = shown.iter().filter_map(named).collect();
    if let Some((id, _)) = all.iter().find(|(id, _)| said == Some(id.as_str())) {
        return Ok(id.clone());
    }
    let mut found = all.iter().filter(|(_, name)| said.is_none_or(|said| said == name));
    match (found.next(), found.next()) {
        (Some((id, _)), None) => Ok(id.clone()),
        _ => {
            let known = all.iter().map(|(id, name)| format!("`{name}` ({id})")).collect();
            Err(Error::WhichOne { what, said: said.map(ToOwned::to_owned), known }.into())
        }
    }
}
