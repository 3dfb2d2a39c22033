//! `cofferdam check` against a server: whether a sync would be taken as it is, and whether each of its connections works.

use http::Method;
use serde_json::Value;

use super::{CONNECTION, CONNECTIONS, Place, SYNCS, items, text};
use crate::arguments::Check;
use crate::output::Output;
use crate::problem::{Problem, Problems};
use crate::remote::client::Wish;
use crate::remote::look_up;
use crate::steps::{Step, show};

const SYNC: &str = "/v1/organizations/{organization}/syncs/{sync}";
const VALIDATE: &str = "/v1/organizations/{organization}/syncs/validate";
const TRY: &str = "/v1/organizations/{organization}/connections/{connection}/check";

/// Of a sync, or of a connection alone.
pub(crate) async fn check(command: &Check, output: &Output) -> Result<(), Problems> {
    let mut place = Place::of(&command.server).await?;
    let said = command.sync.to_string_lossy();
    let found = look_up::id(&place.client, &place.path(SYNCS), Some(&said), "sync").await;
    let Ok(sync) = found else {
        let found = place.name("connection", CONNECTIONS, Some(&said)).await;
        if found.is_err() {
            // Most name a sync, so that is what is missing.
            return place.name("sync", SYNCS, Some(&said)).await;
        }
        return show(&[answers(&place, "the connection").await], output);
    };
    place.names.insert("sync", sync);
    let does = place.ask(Method::GET, SYNC).await?.get("does").cloned().unwrap_or_default();
    let mut steps = vec![taken(&place, &does).await?];
    let transforms = items(&does, "/transforms").filter_map(Value::as_str).map(|id| ("the transform", id));
    let source = ("the source", text(&does, "/source"));
    let all = std::iter::once(source).chain(transforms);
    for (role, id) in all.chain([("the destination", text(&does, "/destination"))]) {
        place.names.insert("connection", id.to_owned());
        steps.push(answers(&place, role).await);
    }
    show(&steps, output)
}

async fn taken(place: &Place, does: &Value) -> Result<Step, Problems> {
    let judged =
        place.client.document(&Wish::new(Method::POST, place.path(VALIDATE)).with_json(does)).await?;
    let fault = |fault: &Value| {
        let at = text(fault, "/path");
        let at = if at.is_empty() { "the sync".to_owned() } else { format!("`{at}`") };
        Problem::new("CD1260", format!("{at}: {}", text(fault, "/message")))
    };
    let what = format!("the sync `{}` fits its connections", text(does, "/name"));
    Ok(Step::of(what, items(&judged, "/faults").map(fault).collect()))
}

async fn answers(place: &Place, role: &str) -> Step {
    let name = match place.ask(Method::GET, CONNECTION).await {
        Ok(connection) => text(&connection, "/name").to_owned(),
        Err(_) => place.names.get("connection").cloned().unwrap_or_default(),
    };
    let what = format!("{role} `{name}` answers");
    match place.ask(Method::POST, TRY).await {
        Ok(_) => Step::of(what, Vec::new()),
        Err(problems) => Step::of(what, problems.into_all()),
    }
}
