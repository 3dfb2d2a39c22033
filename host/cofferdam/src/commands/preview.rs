//! `cofferdam preview`: the first rows of a stream, as they would reach the destination.

mod kept;

use pipeline::report::{Outcome, RunReport};
use serde_json::{Map, Value, json};

use crate::arguments::Preview;
use crate::blame;
use crate::host::Host;
use crate::keeper::Keeper;
use crate::opened::Opened;
use crate::output::Output;
use crate::places;
use crate::problem::{Problem, Problems};
use crate::remote;
use crate::sample::{Sample, Sampled, sampled};
use crate::table::Table;
use crate::text::cut;

/// A longer value is cut: a table is for the eye.
const CELL_CHARS_MAX: usize = 40;

pub(super) async fn run(command: Preview, output: &Output) -> Result<(), Problems> {
    if command.server.is_meant(&command.data)? {
        return remote::preview(&command, output).await;
    }
    if command.kept {
        return kept::show(&command, output).await;
    }
    let host = Host::new(command.cache.clone(), &command.network, output)?;
    let path = places::data(command.data.data.as_deref(), &command.sync);
    let (opened, keeper) = Keeper::new(path, &command.data).opening(&host, &command.sync).await?;
    let sample = Sample::new(command.rows);
    let report = sampled(&opened, &command.stream, &sample).await?;
    host.logs.finish();
    let streams = sample.take();
    match command.keep {
        true => kept::keep(keeper.made(output).await?, &opened.document.sync.name, &streams).await?,
        false => keeper.close().await?,
    }
    if output.json {
        let streams: Vec<Value> = streams.iter().map(document).collect::<Result<_, _>>()?;
        let problems = ended(&opened, &host, &report);
        output.document(&json!({ "streams": streams, "read": report.total(), "errors": problems }))?;
        return Problems::of(problems).map_err(Problems::told_in_document);
    }
    output.text(&streams.iter().map(text).collect::<String>())?;
    output.aside(&rejected(&report));
    Problems::of(ended(&opened, &host, &report))
}

/// Stopped because there was enough is a good end.
fn ended(opened: &Opened, host: &Host, report: &RunReport) -> Vec<Problem> {
    if report.outcome == Outcome::Failed { blame::of_run(host, opened, report) } else { Vec::new() }
}

/// Nothing where no row was rejected.
fn rejected(report: &RunReport) -> String {
    let codes = report.streams.values().flat_map(|stream| &stream.reject_codes);
    codes.map(|(code, rows)| format!("{rows} of the rows read were rejected: {code}\n")).collect()
}

fn values(json: &str) -> Result<Map<String, Value>, Problems> {
    serde_json::from_str(json)
        .map_err(|error| Problem::bug(format!("a row is shown as broken JSON: {error}")).into())
}

fn document(sampled: &Sampled) -> Result<Value, Problems> {
    let rows = sampled.rows();
    let rows = rows.iter().map(|row| Ok(json!({ "operation": row.operation, "row": values(&row.json)? })));
    let rows: Vec<Value> = rows.collect::<Result<_, Problems>>()?;
    Ok(json!({ "stream": sampled.schema.stream, "schema": sampled.schema, "rows": rows }))
}

/// A table of one stream: declared fields first, in their order.
fn text(sampled: &Sampled) -> String {
    let shown = sampled.rows();
    let rows: Vec<Map<String, Value>> = shown.iter().filter_map(|row| values(&row.json).ok()).collect();
    let mut fields: Vec<&str> =
        sampled.schema.schema.fields.iter().map(|field| field.name.as_str()).collect();
    for key in rows.iter().flat_map(Map::keys) {
        if !fields.contains(&key.as_str()) {
            fields.push(key);
        }
    }
    let inserts_only = shown.iter().all(|row| row.operation == "insert");
    let headings = (!inserts_only).then_some("(operation)").into_iter().chain(fields.iter().copied());
    let mut table = Table::of_names(headings);
    for (row, values) in shown.iter().zip(&rows) {
        let operation = (!inserts_only).then(|| row.operation.to_owned());
        let cells = fields.iter().map(|field| values.get(*field).map_or_else(String::new, cell));
        table.row(operation.into_iter().chain(cells));
    }
    let name = &sampled.schema.stream;
    match shown.len() {
        0 => format!("stream `{name}`: no rows\n"),
        count => format!("stream `{name}`, the first {count}:\n{}\n", table.render(0)),
    }
}

/// Texts as they are, everything else as JSON writes it; an absent field is empty, null is `null`.
fn cell(value: &Value) -> String {
    match value {
        Value::String(text) => cut(text, CELL_CHARS_MAX),
        other => cut(&other.to_string(), CELL_CHARS_MAX),
    }
}
