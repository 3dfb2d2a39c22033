//! Rows that were shown, kept sealed for a day.

use serde_json::{Value, json};

use super::{document, text};
use crate::arguments::Preview;
use crate::deployment::Deployment;
use crate::document::Document;
use crate::output::Output;
use crate::places;
use crate::problem::Problems;
use crate::sample::Sampled;
use crate::units::moment;

pub(super) async fn keep(deployment: Deployment, sync: &str, streams: &[Sampled]) -> Result<(), Problems> {
    let at_ms = deployment.storage.now_ms();
    for Sampled { schema, batches } in streams {
        let preview = records::Preview { at_ms, schema: schema.clone(), batches: batches.clone() };
        deployment.records.keep_preview(sync, &preview).await?;
    }
    deployment.close().await
}

pub(super) async fn show(command: &Preview, output: &Output) -> Result<(), Problems> {
    let path = places::data(command.data.data.as_deref(), &command.sync);
    let sync = Document::read(&command.sync)?.sync.name;
    let deployment = Deployment::existing(&path, &command.data).await?;
    let mut previews = deployment.records.previews(&sync).await?;
    deployment.close().await?;
    previews.retain(|preview| preview.schema.stream == command.stream);
    let when = previews.first().map(|preview| preview.at_ms);
    let streams =
        previews.into_iter().map(|preview| Sampled { schema: preview.schema, batches: preview.batches });
    let streams: Vec<Sampled> = streams.collect();
    if output.json {
        let streams: Vec<Value> = streams.iter().map(document).collect::<Result<_, _>>()?;
        return output.document(&json!({ "at_ms": when, "streams": streams }));
    }
    match when {
        Some(when) => output.aside(&format!("as of {}\n", moment(when))),
        None => output.aside("no row is kept: `--keep` keeps what is shown, for a day\n"),
    }
    output.text(&streams.iter().map(text).collect::<String>())
}
