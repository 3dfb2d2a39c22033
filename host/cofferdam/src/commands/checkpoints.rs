//! `cofferdam checkpoints`: where a sync goes on. What is changed is changed only while it does not run, and noted.

use records::UnitPosition;
use serde_json::json;

use crate::arguments::{
    Checkpoints, CheckpointsCommand, CheckpointsEdit, CheckpointsReset, CheckpointsShow, Data,
};
use crate::confirm::confirmed;
use crate::deployment::Deployment;
use crate::output::Output;
use crate::problem::Problems;
use crate::remote;
use crate::subject::{Subject, only};
use crate::table::Table;
use crate::text::cut;
use crate::units;

/// A position is mostly short; a long one is whole in `--json`.
const POSITION_CHARS_MAX: usize = 200;

pub(super) async fn run(checkpoints: Checkpoints, output: &Output) -> Result<(), Problems> {
    match checkpoints.command {
        CheckpointsCommand::Show(command) if command.server.is_meant(&command.data)? => {
            remote::checkpoints(&command).perform(&command.server, output).await
        }
        CheckpointsCommand::Edit(command) if command.server.is_meant(&command.data)? => {
            remote::checkpoint_edit(&command).perform(&command.server, output).await
        }
        CheckpointsCommand::Reset(command) if command.server.is_meant(&command.data)? => {
            remote::checkpoints_reset(&command).perform(&command.server, output).await
        }
        CheckpointsCommand::Show(command) => show(&command, output).await,
        CheckpointsCommand::Edit(command) => edit(&command, output).await,
        CheckpointsCommand::Reset(command) => reset(&command, output).await,
    }
}

async fn opened(said: &str, data: &Data) -> Result<(Deployment, String), Problems> {
    let subject = Subject::new(Some(said), data)?;
    let deployment = Deployment::existing(&subject.data, data).await?;
    let sync = only(&deployment.records, subject.sync.as_deref()).await?;
    Ok((deployment, sync))
}

async fn show(command: &CheckpointsShow, output: &Output) -> Result<(), Problems> {
    let (deployment, sync) = opened(&command.sync, &command.data).await?;
    let units = deployment.records.checkpoints(&sync).await?;
    let changes = deployment.records.position_changes(&sync).await?;
    deployment.close().await?;
    if output.json {
        return output.document(&json!({ "sync": sync, "units": units, "changes": changes }));
    }
    output.text(&text(&units))
}

fn text(positions: &[UnitPosition]) -> String {
    let mut table = Table::new(&["UNIT", "STREAMS", ">COMMITS", ">LAST RUN", "POSITION"]);
    for unit in positions {
        let streams: Vec<&str> = unit.streams.keys().map(String::as_str).collect();
        table.row([
            unit.unit.clone(),
            streams.join(", "),
            units::count(unit.commits),
            unit.run.to_string(),
            position(unit),
        ]);
    }
    if table.is_empty() {
        "no position is kept: the next run begins anew\n".to_owned()
    } else {
        table.render(0)
    }
}

fn position(unit: &UnitPosition) -> String {
    let doubt = if unit.in_doubt.is_some() { "; a commit is in doubt, the next run finds out" } else { "" };
    let position = match &unit.position.checkpoint {
        Some(checkpoint) => cut(checkpoint, POSITION_CHARS_MAX),
        None if unit.position.complete => "(read to its end)".to_owned(),
        None => "(the beginning)".to_owned(),
    };
    format!("{position}{doubt}")
}

async fn edit(command: &CheckpointsEdit, output: &Output) -> Result<(), Problems> {
    let (deployment, sync) = opened(&command.sync, &command.data).await?;
    let unit = &named(&deployment.records.checkpoints(&sync).await?, &sync, &command.unit);
    let what = format!(
        "the position of `{unit}` in the sync `{sync}` becomes {}",
        cut(&command.to, POSITION_CHARS_MAX)
    );
    confirmed(command.yes, &what, &sync)?;
    deployment.records.edit_checkpoint(&sync, unit, &command.to).await?;
    deployment.close().await?;
    if output.json {
        return output.document(&json!({ "sync": sync, "edited": [unit] }));
    }
    output.text(&format!("`{unit}` goes on from the new position\n"))
}

async fn reset(command: &CheckpointsReset, output: &Output) -> Result<(), Problems> {
    let (deployment, sync) = opened(&command.sync, &command.data).await?;
    let units = deployment.records.checkpoints(&sync).await?;
    let by_stream = command.stream.as_ref().map(|stream| unit_of(&units, stream));
    let unit = by_stream.or_else(|| command.unit.as_ref().map(|unit| named(&units, &sync, unit)));
    let which = match &unit {
        Some(unit) => format!("the position of `{unit}`"),
        None => "every position".to_owned(),
    };
    confirmed(command.yes, &format!("{which} of the sync `{sync}` is forgotten: it is read anew"), &sync)?;
    let forgotten = deployment.records.reset_checkpoint(&sync, unit.as_deref()).await?;
    deployment.close().await?;
    if output.json {
        return output.document(&json!({ "sync": sync, "reset": forgotten }));
    }
    output.text(&forgotten.iter().map(|unit| format!("`{unit}` begins anew\n")).collect::<String>())
}

/// A unit is named by its sync and its read group; the group alone is understood too.
fn named(units: &[UnitPosition], sync: &str, unit: &str) -> String {
    let whole = format!("{sync}/{unit}");
    if units.iter().any(|known| known.unit == whole) { whole } else { unit.to_owned() }
}

/// A position belongs to all streams that are read at it. One that nobody knows is told as such when it is changed.
fn unit_of(units: &[UnitPosition], stream: &str) -> String {
    let found = units.iter().find(|unit| unit.streams.contains_key(stream));
    found.map_or_else(|| stream.to_owned(), |unit| unit.unit.clone())
}
