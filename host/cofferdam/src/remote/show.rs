//! Answers of a server as tables and lines for people, and as they are for machines.

use std::io;

use http_body_util::BodyExt;
use serde_json::{Map, Value};

use super::client::{Answer, Client};
use super::verb::{Column, Form};
use crate::output::Output;
use crate::problem::{Problem, Problems};
use crate::table::Table;
use crate::text::plain_line;
use crate::units;

pub(super) fn list(
    under: &str,
    columns: &[Column],
    items: &[Value],
    has_more: bool,
    output: &Output,
) -> Result<(), Problems> {
    if output.json {
        let mut document = Map::new();
        document.insert(under.to_owned(), Value::from(items.to_vec()));
        document.insert("has_more".to_owned(), has_more.into());
        return output.document(&document);
    }
    let mut table = headed(columns);
    for item in items {
        table.row(columns.iter().map(|column| written(column, item)));
    }
    if table.is_empty() {
        return output.text(&format!("there are no {under}\n"));
    }
    output.text(&table.render(0))?;
    if has_more {
        output.aside("there are more: `-n` says how many are shown\n");
    }
    Ok(())
}

/// A line for each part that is there.
pub(super) fn one(columns: &[Column], document: &Value) -> String {
    let width = columns.iter().map(|column| column.heading.len()).max().unwrap_or_default();
    let line = |column: &Column| {
        let written = written(column, document);
        let name = column.heading.to_lowercase();
        (!written.is_empty()).then(|| format!("{name:width$}  {}\n", plain_line(&written)))
    };
    columns.iter().filter_map(line).collect()
}

/// The table of a list within a document.
pub(super) fn within(at: &str, columns: &[Column], document: &Value) -> String {
    let items = document.pointer(at).and_then(Value::as_array);
    let mut table = headed(columns);
    for item in items.into_iter().flatten() {
        table.row(columns.iter().map(|column| written(column, item)));
    }
    if table.is_empty() { "there are none\n".to_owned() } else { table.render(0) }
}

/// As it comes, while it comes.
pub(super) async fn raw(client: &Client, answer: Answer, output: &Output) -> Result<(), Problems> {
    match copied(client, answer, &mut |part| output.bytes(part)).await? {
        // Whoever closed the pipe has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        copied => Ok(copied.map_err(|error| Problem::output(&error))?),
    }
}

/// A body, a part after the other; what does not take it ends it.
pub(super) async fn copied(
    client: &Client,
    answer: Answer,
    put: &mut (dyn FnMut(&[u8]) -> io::Result<()> + Send),
) -> Result<io::Result<()>, Problems> {
    let mut body = answer.body;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| client.strange(format!("its answer breaks off: {error}")))?;
        if let Some(Err(error)) = frame.data_ref().map(|data| put(data)) {
            return Ok(Err(error));
        }
    }
    Ok(Ok(()))
}

fn headed(columns: &[Column]) -> Table {
    let headings: Vec<String> = columns.iter().map(heading).collect();
    let headings: Vec<&str> = headings.iter().map(String::as_str).collect();
    Table::new(&headings)
}

fn heading(column: &Column) -> String {
    let is_figure = matches!(column.form, Form::Count | Form::Duration);
    format!("{}{}", if is_figure { ">" } else { "" }, column.heading)
}

/// Empty where there is nothing.
fn written(column: &Column, document: &Value) -> String {
    match (column.form, document.pointer(column.at)) {
        (_, None | Some(Value::Null)) => String::new(),
        (Form::Count, Some(Value::Number(number))) => {
            number.as_u64().map_or_else(|| number.to_string(), units::count)
        }
        (Form::Moment, Some(Value::Number(number))) => {
            number.as_u64().map_or_else(String::new, units::moment)
        }
        (Form::Duration, Some(Value::Number(number))) => {
            number.as_u64().map_or_else(String::new, units::duration)
        }
        (Form::YesNo, Some(Value::Bool(is_so))) => if *is_so { "yes" } else { "no" }.to_owned(),
        (_, Some(value)) => words(value),
    }
}

fn words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(words).collect::<Vec<_>>().join(", "),
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| format!("{name}={}", words(value));
            members.iter().map(member).collect::<Vec<_>>().join(" ")
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::one;
    use crate::remote::verb::{count, moment, plain, yes_no};
    use serde_json::json;

    #[test]
    fn what_a_server_says_is_written_for_people_and_steers_no_terminal() {
        let columns = [
            plain("NAME", "/name"),
            count("MEMBERS", "/members"),
            moment("SINCE", "/since_ms"),
            yes_no("OPERATOR", "/is_operator"),
            plain("SCOPES", "/scopes"),
            plain("MORE", "/details"),
            plain("MISSING", "/nothing"),
        ];
        let document = json!({"name": "a\u{1b}[2J", "members": 1234, "since_ms": 951_782_400_000_u64, "is_operator": false,
            "scopes": ["read", "run"], "details": {"role": "admin"}});
        let expected = "name      a\\u{1b}[2J\nmembers   1,234\nsince     2000-02-29 00:00 UTC\noperator  no\n\
                        scopes    read, run\nmore      role=admin\n";
        assert_eq!(one(&columns, &document), expected);
    }
}
