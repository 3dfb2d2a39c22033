//! Lists of a server come a page at a time.

use serde_json::Value;

use super::client::{Client, Wish};
use crate::problem::Problems;

/// As many as one answer holds.
const ITEMS_MAX: usize = 200;

/// So many items of a list at most, and whether there are more.
pub(crate) async fn first(client: &Client, wish: &Wish, most: usize) -> Result<(Vec<Value>, bool), Problems> {
    let mut items = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let limit = (most - items.len()).clamp(1, ITEMS_MAX);
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("limit", &limit.to_string());
        if let Some(cursor) = &cursor {
            query.append_pair("cursor", cursor);
        }
        let between = if wish.path.contains('?') { '&' } else { '?' };
        let page = Wish { path: format!("{}{between}{}", wish.path, query.finish()), ..wish.clone() };
        let mut page = client.document(&page).await?;
        let Some(Value::Array(found)) = page.get_mut("items").map(Value::take) else {
            return Err(client.strange("it answers with no page of a list".to_owned()).into());
        };
        let is_empty = found.is_empty();
        items.extend(found);
        cursor = page.get("next").and_then(Value::as_str).map(ToOwned::to_owned);
        if cursor.is_none() || is_empty || items.len() >= most {
            let has_more = cursor.is_some() || items.len() > most;
            items.truncate(most);
            return Ok((items, has_more));
        }
    }
}

/// All of a list.
pub(crate) async fn all(client: &Client, wish: &Wish) -> Result<Vec<Value>, Problems> {
    Ok(first(client, wish, usize::MAX).await?.0)
}
