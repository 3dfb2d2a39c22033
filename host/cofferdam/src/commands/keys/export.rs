//! `cofferdam keys export`: the keyring, sealed to a recovery key. Works beside a running process.

use serde_json::json;

use super::recovery;
use crate::arguments::Export;
use crate::data::{Directory, ExportNote, Use, write_private};
use crate::output::Output;
use crate::problem::{Own, Problems};
use crate::{places, units};

pub(super) fn run(command: &Export, output: &Output) -> Result<(), Problems> {
    let path = places::data_here(command.data.data.as_deref());
    let mut directory = Directory::existing(&path, &command.data.keys)?;
    let keyring = directory.keyring_beside()?;
    let recovery = recovery::provider(&command.recovery, Use::New)?;
    let export = keyring.export(recovery.as_ref())?;
    write_private(&command.to, &export)?;
    let shreds = keyring.status()?.shreds;
    let to = std::path::absolute(&command.to);
    let to = to.map_err(|source| Own::Write { what: "the export", path: command.to.clone(), source })?;
    directory.note_export(ExportNote { path: to, shreds, made_ms: units::now_ms() })?;
    if output.json {
        return output.document(&json!({ "export": command.to, "shreds": shreds }));
    }
    output.text(&format!(
        "the keys are in `{}`, for whoever has the {}; destroy earlier exports\n",
        command.to.display(),
        recovery.name()
    ))
}
