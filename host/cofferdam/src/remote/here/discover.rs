//! `cofferdam discover` against a server: the streams and fields at the other end of a connection, which the server remembers.

use http::Method;
use serde_json::{Value, json};

use super::{CONNECTIONS, Place, items, text, unsaid};
use crate::arguments::Discover;
use crate::output::Output;
use crate::problem::Problems;
use crate::remote::client::Wish;
use crate::remote::families::STREAMS;
use crate::remote::show;
use crate::remote::verb::{Column, plain, yes_no};
use crate::text::plain_line;

const DISCOVER: &str = "/v1/organizations/{organization}/connections/{connection}/discover";
const CATALOG: &str = "/v1/organizations/{organization}/connections/{connection}/catalog";
const LIMIT: u64 = 200;

const FIELDS: &[Column] =
    &[plain("FIELD", "/name"), plain("TYPE", "/data_type"), yes_no("NULL", "/nullable")];

pub(crate) async fn discover(command: &Discover, output: &Output) -> Result<(), Problems> {
    unsaid(command.config.is_some(), "`--config`", "the server has the configuration of its connection")?;
    let mut place = Place::of(&command.server).await?;
    place.name("connection", CONNECTIONS, Some(&command.subject.to_string_lossy())).await?;
    place.ask(Method::POST, DISCOVER).await?;
    let streams = catalog(&place).await?;
    if output.json {
        return output.document(&json!({ "streams": streams }));
    }
    let found = json!({ "streams": streams });
    // Fields have a table of their own.
    let columns = STREAMS.split_last().map_or(STREAMS, |(_, others)| others);
    let mut shown = show::within("/streams", columns, &found);
    for stream in items(&found, "/streams") {
        let name = plain_line(text(stream, "/name"));
        shown.push_str(&format!("\nstream `{name}`\n{}", show::within("/fields", FIELDS, stream)));
    }
    output.text(&shown)
}

/// All pages of it.
async fn catalog(place: &Place) -> Result<Vec<Value>, Problems> {
    let (mut streams, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("limit", &LIMIT.to_string());
        if let Some(cursor) = &cursor {
            query.append_pair("cursor", cursor);
        }
        let page = Wish::new(Method::GET, format!("{}?{}", place.path(CATALOG), query.finish()));
        let page = place.client.document(&page).await?;
        streams.extend(items(&page, "/streams/items").cloned());
        cursor = page.pointer("/streams/next").and_then(Value::as_str).map(ToOwned::to_owned);
        if cursor.is_none() {
            return Ok(streams);
        }
    }
}
