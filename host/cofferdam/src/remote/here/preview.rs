//! `cofferdam preview` against a server: it reads the first rows of each stream of a sync, and keeps them for a day.

use http::Method;
use serde_json::{Map, Value, json};

use super::{Place, SYNCS, items, text};
use crate::arguments::Preview;
use crate::output::Output;
use crate::problem::Problems;
use crate::remote::client::Wish;
use crate::remote::{Error, paged};
use crate::table::Table;
use crate::text::{cut, plain_line};
use crate::units::moment;

const READ: &str = "/v1/organizations/{organization}/syncs/{sync}/preview";
const PREVIEWS: &str = "/v1/organizations/{organization}/syncs/{sync}/previews";
/// A longer value is cut: a table is for the eye.
const CELL_CHARACTERS_MAX: usize = 40;

pub(crate) async fn preview(command: &Preview, output: &Output) -> Result<(), Problems> {
    let mut place = Place::of(&command.server).await?;
    place.name("sync", SYNCS, Some(&command.sync.to_string_lossy())).await?;
    if !command.kept {
        let wish = Wish::new(Method::POST, place.path(READ)).with_json(&json!({ "rows": command.rows }));
        place.client.document(&wish.once()).await?;
    }
    let all = paged::all(&place.client, &Wish::new(Method::GET, place.path(PREVIEWS))).await?;
    let Some(stream) = all.iter().find(|one| text(one, "/stream") == command.stream) else {
        let known = all.iter().map(|one| format!("`{}`", text(one, "/stream"))).collect();
        return Err(Error::WhichOne { what: "stream", said: Some(command.stream.clone()), known }.into());
    };
    if output.json {
        return output.document(&json!({ "streams": [stream] }));
    }
    if command.kept {
        let at = stream.get("at_ms").and_then(Value::as_u64).unwrap_or_default();
        output.aside(&format!("as of {}\n", moment(at)));
    }
    output.text(&table(stream))
}

/// Declared fields first, in their order, then whatever a row has beside them.
fn table(stream: &Value) -> String {
    let rows: Vec<&Value> = items(stream, "/rows").collect();
    let values: Vec<&Map<String, Value>> =
        rows.iter().filter_map(|row| row.get("row")?.as_object()).collect();
    let mut fields: Vec<&str> = items(stream, "/fields").map(|field| text(field, "/name")).collect();
    for name in values.iter().flat_map(|values| values.keys()) {
        if !fields.contains(&name.as_str()) {
            fields.push(name);
        }
    }
    let inserts_only = rows.iter().all(|row| text(row, "/operation") == "insert");
    let headings = (!inserts_only).then_some("(operation)").into_iter().chain(fields.iter().copied());
    let mut table = Table::of_names(headings);
    for row in &rows {
        let operation = (!inserts_only).then(|| text(row, "/operation").to_owned());
        let value = |field: &&str| row.get("row")?.get(*field);
        let cells = fields.iter().map(|field| value(field).map_or_else(String::new, cell));
        table.row(operation.into_iter().chain(cells));
    }
    let name = plain_line(text(stream, "/stream"));
    match rows.len() {
        0 => format!("stream `{name}`: no rows\n"),
        count => format!("stream `{name}`, the first {count}:\n{}\n", table.render(0)),
    }
}

/// Texts as they are, everything else as JSON writes it; an absent field is empty, null is `null`.
fn cell(value: &Value) -> String {
    match value {
        Value::String(text) => cut(text, CELL_CHARACTERS_MAX),
        other => cut(&other.to_string(), CELL_CHARACTERS_MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::table;
    use serde_json::json;

    #[test]
    fn rows_stand_under_their_fields_and_steer_no_terminal() {
        let stream = json!({"stream": "people", "fields": [{"name": "id"}, {"name": "name"}],
            "rows": [{"operation": "insert", "row": {"id": 1, "name": "a\u{1b}b", "more": [1]}},
                {"operation": "delete", "row": {"id": 2, "name": null}}]});
        let shown = table(&stream);
        assert!(shown.starts_with("stream `people`, the first 2:\n"), "{shown}");
        let words = |line: usize| shown.lines().nth(line).unwrap().split_whitespace().collect::<Vec<_>>();
        assert_eq!(words(1), ["(operation)", "id", "name", "more"]);
        assert_eq!(words(2), ["insert", "1", "a\\u{1b}b", "[1]"]);
        assert_eq!(words(3), ["delete", "2", "null"]);
        assert_eq!(table(&json!({"stream": "none", "rows": []})), "stream `none`: no rows\n");
    }
}
