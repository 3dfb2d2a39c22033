//! `cofferdam discover`: the streams and fields of a source.

use pipeline::model::{Catalog, StreamInfo};
use serde_json::json;

use crate::arguments::Discover;
use crate::blame;
use crate::document::{config_of, is_component};
use crate::host::Host;
use crate::keeper::Keeper;
use crate::output::Output;
use crate::part::alone;
use crate::places;
use crate::problem::{Own, Problems};
use crate::remote;
use crate::table::Table;
use crate::text::plain_line;
use crate::units;

pub(super) async fn run(command: Discover, output: &Output) -> Result<(), Problems> {
    if command.server.is_meant(&command.data)? {
        return remote::discover(&command, output).await;
    }
    let host = Host::new(command.cache, &command.network, output)?;
    let catalog = if is_component(&command.subject)? {
        let config = config_of(command.config.as_ref())?;
        let part = alone(&host, &command.subject, &config).await?;
        part.discover(|failure| failure.into()).await
    } else if let Some(config) = command.config {
        let reason = "a sync brings the configuration of its source".to_owned();
        Err(Own::WrongFile { what: "the configuration", path: config, reason }.into())
    } else {
        let path = places::data(command.data.data.as_deref(), &command.subject);
        let (opened, keeper) = Keeper::new(path, &command.data).opening(&host, &command.subject).await?;
        let discovered = opened.source.discover(|failure| blame::of_call(&host, &opened, failure)).await;
        keeper.close().await?;
        discovered
    };
    host.logs.finish();
    let catalog = catalog?;
    if output.json {
        return output.document(&json!({ "streams": catalog.streams, "groups": catalog.groups }));
    }
    output.text(&text(&catalog))
}

fn text(catalog: &Catalog) -> String {
    let mut streams = Table::new(&["STREAM", ">FIELDS", "KEY", "MOVES ON BY", "ROWS", "GROUP"]);
    for info in &catalog.streams {
        streams.row(stream(info));
    }
    if streams.is_empty() {
        return "the source has no streams\n".into();
    }
    let mut text = streams.render(0);
    for info in &catalog.streams {
        let name = plain_line(&info.schema.stream);
        text.push_str(&format!("\nstream `{name}`{}\n", description(info.description.as_deref())));
        text.push_str(&fields(info));
    }
    text
}

fn stream(info: &StreamInfo) -> [String; 6] {
    let cursor = match (info.incremental, info.cursor_fields.as_slice()) {
        (false, _) => "(read whole each time)".to_owned(),
        (true, []) => "(the source knows)".to_owned(),
        (true, fields) => fields.join(", "),
    };
    [
        info.schema.stream.clone(),
        info.schema.schema.fields.len().to_string(),
        info.schema.keys.join(", "),
        cursor,
        info.estimated_rows.map_or_else(String::new, |rows| format!("about {}", units::count(rows))),
        info.group.clone().unwrap_or_default(),
    ]
}

fn fields(info: &StreamInfo) -> String {
    let schema = &info.schema.schema;
    let mut table = Table::new(&["FIELD", "TYPE", "NULL", "WHAT"]);
    for field in &schema.fields {
        let logical = field.logical_type.as_ref().map_or_else(String::new, |logical| format!(" ({logical})"));
        table.row([
            field.name.clone(),
            format!("{}{logical}", field.data_type),
            if field.nullable { "yes" } else { "no" }.to_owned(),
            field.description.clone().unwrap_or_default(),
        ]);
    }
    let mut text = if table.is_empty() { String::new() } else { table.render(2) };
    if schema.additional_fields {
        text.push_str("  rows may have more fields\n");
    }
    text
}

fn description(description: Option<&str>) -> String {
    description.map_or_else(String::new, |description| format!(": {}", plain_line(description)))
}
